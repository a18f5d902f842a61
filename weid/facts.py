"""The seam between registry and credentials: an authenticated, dated view of what a registry says (R22).

The registry produces it, credentials consume it; a test may put a dict behind it. There are three
answers, because "it is not there" and "I do not know" lead to different verdicts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from weid.did import DID
from weid.records import KINDS, ConflictRecord, DidRecord, RecognitionRecord, RootRecord, record_key


@dataclass(frozen=True, slots=True)
class Source:
    """Which registry said it, and how far its log had come."""

    origin: str
    genesis: bytes
    label: str
    size: int
    log_time: int


@dataclass(frozen=True, slots=True)
class Found:
    """The record, true as of a log minute; `next_update` only where the record promises one."""

    record: Any
    as_of: int
    next_update: int | None
    source: Source
    complete: bool


@dataclass(frozen=True, slots=True)
class Absent:
    """The source is complete for this kind and has no such record."""

    as_of: int
    source: Source


@dataclass(frozen=True, slots=True)
class Unknown:
    """We do not hold what would answer this; `reason` is a stable code."""

    reason: str


Fact: TypeAlias = Found | Absent | Unknown

_KIND_OF = {kind: name for name, kind in KINDS.items()}


class Facts(Protocol):
    """Two look-ups, no network. Kinds and keys are listed in docs/spec/facts.md."""

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        """One record by its whole key. `at` asks for the state at that log minute where history is kept."""

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        """Every record whose key starts with the prefix: for the short look-up hints on a code (R10)."""


class RecordFacts:
    """Facts over records held in memory, indexed once. `complete` is per kind (R20)."""

    def __init__(
        self,
        records: Iterable[Any],
        *,
        source: Source,
        complete: Mapping[str, bool],
        root: RootRecord | None = None,
        conflict: ConflictRecord | None = None,
    ) -> None:
        self.source = source
        self.root = root
        self._complete = dict(complete)
        self._tables: dict[str, dict[str, Any]] = {}
        self._sorted: dict[str, list[str]] = {}
        for record in records:
            self._add(_KIND_OF[type(record)], record_key(record), record)
            if isinstance(record, DidRecord):
                self._add("address", DID(record.did).address.hex(), record)
        if root is not None:
            self._add("trust", "root", root)
        if conflict is not None:
            self._add("trust", "conflict", conflict)

    def _add(self, kind: str, key: str, record: Any) -> None:
        self._tables.setdefault(kind, {})[key] = record

    def _found(self, kind: str, record: Any) -> Found:
        """The answer about a record: made when it is asked for, since a bundle has thousands and a check asks for a few."""
        complete = self._complete.get(kind, False)
        return Found(record, self.source.log_time, getattr(record, "next_update", None), self.source, complete)

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        record = self._tables.get(kind, {}).get(key)
        if record is not None:
            return self._found(kind, record)
        if kind == "trust":
            return Unknown("no-trust-root") if key == "root" else Absent(self.source.log_time, self.source)
        if self._complete.get("did" if kind == "address" else kind, False):
            return Absent(self.source.log_time, self.source)
        return Unknown(f"incomplete-{kind}")

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        table = self._tables.get(kind, {})
        exact = table.get(prefix)
        if exact is not None:
            return (self._found(kind, exact),)
        keys = self._sorted.get(kind)
        if keys is None:
            keys = self._sorted[kind] = sorted(table)
        found = []
        for place in range(bisect_left(keys, prefix), len(keys)):
            if not keys[place].startswith(prefix):
                break
            found.append(self._found(kind, table[keys[place]]))
        return tuple(found)


class Federated:
    """The home registry and the foreign ones it recognises, as one view (R22, R23).

    Trust, recognition and roles are the home registry's alone; everything else is asked of home
    first. The caller may hand in only foreign facts that a recognition entry authenticated.
    """

    _HOME_ONLY = frozenset({"trust", "recognition"})

    def __init__(self, home: Facts, *foreign: Facts) -> None:
        self._home = home
        self._foreign = foreign

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        answer = self._home.fact(kind, key, at)
        if kind in self._HOME_ONLY or isinstance(answer, Found):
            return answer
        for facts in self._foreign:
            other = facts.fact(kind, key, at)
            if isinstance(other, Found):
                return other
            if isinstance(other, Unknown) or (isinstance(answer, Absent) and other.as_of < answer.as_of):
                answer = other if not isinstance(answer, Unknown) else answer
        return answer

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        if kind in self._HOME_ONLY:
            return self._home.find(kind, prefix)
        return tuple(found for facts in (self._home, *self._foreign) for found in facts.find(kind, prefix))


NO_SOURCE = Source("", b"", "no trust root", 0, 0)


class NoFacts:
    """Nothing pinned: every question is answered UNKNOWN (R21)."""

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        return Absent(0, NO_SOURCE) if (kind, key) == ("trust", "conflict") else Unknown("no-trust-root")

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        return ()


def recognition_of(facts: Facts, genesis: bytes) -> RecognitionRecord | None:
    """The home registry's entry for a foreign genesis, if it has one."""
    answer = facts.fact("recognition", genesis.hex())
    return answer.record if isinstance(answer, Found) else None
