"""States at one moment: one that the log commits to, and one that was kept to go on from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from registry.authority import Authority
from registry.state_map import StateMap
from registry.view import Published
from weid import merkle
from weid.governance import ProposalRecord

__all__ = ["Commit", "Kept"]


@dataclass(frozen=True, slots=True)
class Commit:
    """A state that the log commits to: its size, log minute and map."""

    size: int
    log_time: int
    map: StateMap


@dataclass(frozen=True, slots=True)
class Kept:
    """A state that was kept (`registry.kept`), to go on from: the fields of a `State` as they were.

    `pending` names what has changed since `commit`, whose map is the newest that was kept.
    """

    authority: Authority
    now: int
    frontier: merkle.Frontier
    tables: Mapping[str, MutableMapping[str, Any]]
    history: MutableMapping[str, tuple[Published, ...]]
    seen: MutableMapping[bytes, int]
    closed: MutableMapping[str, tuple[ProposalRecord, str, int]]
    commit: Commit | None
    pending: Callable[[], Iterable[tuple[str, str]]]
