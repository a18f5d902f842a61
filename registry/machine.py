"""State machines as data: which states an asset has, which moves lead where, and whose they are.

    {"machine": "weid/machine/v1", "name": "pledge", "states": ["active", "pledged"], "initial": "active", "final": [],
     "moves": [{"name": "pledge", "from": ["active"], "to": "pledged", "by": ["holder"], "sets": "party", "clears": false},
               {"name": "release", "from": ["pledged"], "to": "active", "by": ["party"], "sets": "none", "clears": true}]}

A document is taken only if it leaves nothing open: from a state a move leads to one state, every state can be reached,
only final states have no way out and final states have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from weid.canon import JSON, jcs, parse_json
from weid.errors import MalformedError

__all__ = ["ROLES", "Machine", "Move", "parse_machine"]

ROLES = ("auditor", "reviewer")
"""Roles of the registry that a move may be given to; they must be held for all schemas."""
_HEAD = "weid/machine/v1"
_MEMBERS = {"machine", "name", "states", "initial", "final", "moves"}
_MOVE = {"name", "from", "to", "by", "sets", "clears"}
_SETS = {"none": None, "holder": "holder", "party": "party"}
_MAX_BYTES, _MAX_STATES, _MAX_MOVES, _MAX_BY = 16_384, 32, 128, 8
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_BY = re.compile(rf"holder|issuer|party|role:(?:{'|'.join(ROLES)})|schema:[0-9a-f]{{64}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a move leads, who may make it, and whether it sets the holder or the party, or clears the party."""

    name: str
    to: str
    by: tuple[str, ...]
    sets: str | None  # holder | party
    clears: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """A sound machine; `moves` is (state, move) → what it does."""

    name: str
    states: tuple[str, ...]
    initial: str
    final: frozenset[str]
    moves: Mapping[tuple[str, str], Move]

    @property
    def names(self) -> frozenset[str]:
        """Every move there is, from whatever state."""
        return frozenset(name for _, name in self.moves)


@lru_cache(maxsize=256)
def parse_machine(data: bytes) -> Machine:
    """The machine of exactly these canonical bytes; MalformedError `bad-machine` names what is wrong."""
    try:
        value = parse_json(data, max_bytes=_MAX_BYTES, max_depth=6)
        canonical = jcs(value) == data
    except MalformedError as error:
        raise _bad(str(error)) from error
    if not canonical or not isinstance(value, dict) or set(value) != _MEMBERS or value["machine"] != _HEAD:
        raise _bad("not canonical JSON of a machine of this version")
    states = _names(value["states"], "states", _MAX_STATES)
    final = frozenset(_names(value["final"], "final", _MAX_STATES, empty=True))
    initial = value["initial"]
    if not isinstance(initial, str) or initial not in states or not final <= set(states):
        raise _bad("initial and final are states")
    moves = _moves(value["moves"], states)
    _check(states, initial, final, moves)
    return Machine(_name(value["name"], "name"), states, initial, final, MappingProxyType(moves))


def _moves(rows: JSON, states: tuple[str, ...]) -> dict[tuple[str, str], Move]:
    if not isinstance(rows, list) or len(rows) > _MAX_MOVES:
        raise _bad(f"a machine has at most {_MAX_MOVES} moves")
    moves: dict[tuple[str, str], Move] = {}
    for row in rows:
        if not isinstance(row, dict) or set(row) != _MOVE:
            raise _bad("a move has " + ", ".join(sorted(_MOVE)))
        move = _move(row)
        sources = _names(row["from"], "from", _MAX_STATES)
        if not {*sources, move.to} <= set(states):
            raise _bad(f"{move.name}: leads from and to states of the machine")
        for state in sources:
            if (state, move.name) in moves:
                raise _bad(f"{move.name}: leads from {state} in two ways")
            moves[state, move.name] = move
    return moves


def _move(row: Mapping[str, JSON]) -> Move:
    name, sets, clears = _name(row["name"], "move"), row["sets"], row["clears"]
    if not isinstance(sets, str) or sets not in _SETS or not isinstance(clears, bool):
        raise _bad(f"{name}: sets holder, party or none, and clears or does not")
    if sets == "party" and clears:
        raise _bad(f"{name}: sets a party and clears it")
    by = _names(row["by"], "by", _MAX_BY, pattern=_BY)
    return Move(name, _name(row["to"], "to"), by, _SETS[sets], clears)


def _check(states: tuple[str, ...], initial: str, final: frozenset[str], moves: Mapping[tuple[str, str], Move]) -> None:
    left = {state for state, _ in moves}
    if left & final:
        raise _bad(f"a move leads from the final state {min(left & final)}")
    if stuck := set(states) - final - left:
        raise _bad(f"no move leads from {min(stuck)}, which is not final")
    if lost := set(states) - _reached(initial, moves):
        raise _bad(f"nothing leads to {min(lost)}")


def _reached(initial: str, moves: Mapping[tuple[str, str], Move]) -> set[str]:
    reached, fresh = {initial}, {initial}
    while fresh:
        fresh = {move.to for (state, _), move in moves.items() if state in fresh} - reached
        reached |= fresh
    return reached


def _names(value: JSON, place: str, limit: int, *, empty: bool = False, pattern: re.Pattern[str] = _NAME) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > limit or not (value or empty):
        raise _bad(f"{place}: a list of {0 if empty else 1} to {limit}")
    names = tuple(_name(item, place, pattern) for item in value)
    if _twice(names):
        raise _bad(f"{place}: names one thing twice")
    return names


def _twice(names: Iterable[str]) -> bool:
    listed = list(names)
    return len(set(listed)) != len(listed)


def _name(value: JSON, place: str, pattern: re.Pattern[str] = _NAME) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _bad(f"{place}: {value if isinstance(value, str) else type(value).__name__!s:.80} is not a name for it")
    return value


def _bad(sentence: str) -> MalformedError:
    return MalformedError(sentence, code="bad-machine")
