"""The seam to whatever gives order: five methods, opaque bytes (design §3).

An engine knows no rule, no proof and no root: those are ours and the same on every engine, so a log can move
from one engine to another without changing a single root. One conformance suite runs over all engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from weid.canon import JSON
from weid.errors import ConflictError, RegistryError

__all__ = [
    "MAX_ENTRY",
    "ContradictionError",
    "EngineInfo",
    "Entry",
    "GapError",
    "Head",
    "Journal",
    "LogEngine",
    "Pending",
    "Placed",
    "Refused",
    "Ticket",
    "Wait",
]

MAX_ENTRY = 65_535  # bytes; tile bundles carry a 16-bit length (C2SP tlog-tiles)


class GapError(RegistryError):
    """An engine that answers with holes: reading stops, nothing is guessed."""

    default_code = "gap"


class ContradictionError(ConflictError):
    """What an engine calls final is not what it called final before: stop, keep both."""

    default_code = "engine-contradiction"

    def __init__(self, message: str, *, held: JSON, found: JSON) -> None:
        super().__init__(message)
        self.held, self.found = held, found


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine promises; finality is "local", "cft", "bft", "safe", "finalized" or "depth:N"."""

    name: str
    finality: str
    max_entry: int
    max_batch: int
    max_bytes: int = 1 << 30  # of one batch, framed (`registry.engines.framing`)


@dataclass(frozen=True, slots=True)
class Head:
    """The final end of the log: its size and the engine's own name for that point."""

    size: int
    block: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One final entry."""

    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    """A receipt for an append; `first` is None while the engine has not placed it."""

    reference: str
    count: int
    first: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The entries are final and durable at `first … first+count-1`."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The entries are not in the log and will not be ("stale": another append came first)."""

    code: str


@dataclass(frozen=True, slots=True)
class Pending:
    """Not known yet. Sending the same bytes again is safe: a second occurrence is a no-op for the state."""


Wait: TypeAlias = Placed | Refused | Pending


class LogEngine(Protocol):
    """One ordered, append-only log of opaque entries."""

    @property
    def info(self) -> EngineInfo:
        """What this engine promises."""

    def head(self) -> Head:
        """The final size of the log."""

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        """Send entries; with `expect` only if the log has exactly that size (compare and append)."""

    def wait(self, ticket: Ticket, timeout: float) -> Wait:
        """What became of an append; `timeout` in seconds."""

    def read(self, start: int, limit: int) -> Iterator[Entry]:
        """Final entries from `start`, contiguous, at most `limit`; GapError rather than a hole."""

    def evidence(self, index: int) -> bytes | None:
        """The engine's own proof of an entry (transaction hash, seals), informative only."""


class Journal(Protocol):
    """Where an engine remembers what it has shown as final; the local log file is one."""

    def stage(self, kind: str, key: str, data: bytes) -> None:
        """Store a small value together with the next entries."""

    def kept(self, kind: str, key: str) -> bytes | None:
        """A value stored before."""
