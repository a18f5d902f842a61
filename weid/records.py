"""What the registry writes and a verifier reads: one strict type per kind of record.

A record travels as a closed-CBOR array of its fields in order (`weid.record_bytes`). Times are UTC minutes (R7),
digests are raw bytes.
"""

from __future__ import annotations

import types
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Union

from weid.assets import AssetRecord, ClaimRecord, MachineRecord, UseRegisterRecord, claim_key
from weid.governance import DelegationRecord, MemberRecord, ProposalRecord, RuleRecord
from weid.keys import PublicKey
from weid.record_bytes import decode_record as decode_record
from weid.record_bytes import encode_record as encode_record
from weid.status import REASONS as REASONS
from weid.status import STATES as STATES
from weid.status import RegisterLeaf as RegisterLeaf
from weid.status import RegisterMark as RegisterMark
from weid.status import StatusEntries as StatusEntries
from weid.status import StatusEntry as StatusEntry
from weid.status import pack_entries as pack_entries
from weid.status import status_digest as status_digest
from weid.status import status_list_id as status_list_id
from weid.status import unpack_entries as unpack_entries

Names = tuple[tuple[str, str], ...]
"""(language, text) pairs sorted by language: names shown to people come from the registry (R23)."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One verification method of a DID: exactly one role (R1); numbers are never reused (R5)."""

    number: int
    role: str
    suite: str
    public: bytes
    since: int
    version: int  # the DID version that added it
    end: str | None  # retired | compromised
    ended: int | None  # the T of compromised(T), or the minute of retirement
    noted: int | None  # log time at which the end was recorded
    end_version: int | None  # the DID version that ended it

    @property
    def key(self) -> PublicKey:
        return _public_key(self.suite, self.public)

    def shown_in(self, version: int) -> bool:
        """Whether the document of that version lists the key."""
        return self.version <= version and (self.end_version is None or version < self.end_version)


@lru_cache(maxsize=4096)
def _public_key(suite: str, public: bytes) -> PublicKey:
    return PublicKey(suite, public)


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service endpoint of a DID, with the versions that added and ended it."""

    id: str
    type: str
    endpoint: str
    version: int
    end_version: int | None

    def shown_in(self, version: int) -> bool:
        """Whether the document of that version lists the service."""
        return self.version <= version and (self.end_version is None or version < self.end_version)


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """When a version of a DID began."""

    number: int
    since: int


@dataclass(frozen=True, slots=True)
class DidRecord:
    """A DID with its whole history, so that it resolves at any version or log time."""

    did: str
    last_op: bytes
    versions: tuple[VersionRecord, ...]
    keys: tuple[KeyRecord, ...]
    services: tuple[ServiceRecord, ...]
    deactivated: int | None

    def key_number(self, number: int) -> KeyRecord | None:
        """The key of that number, ended or not."""
        for key in self.keys:
            if key.number == number:
                return key
        return None


@dataclass(frozen=True, slots=True)
class IssuerRecord:
    """An institution: applied, approved, suspended or removed."""

    did: str
    names: Names
    state: str
    applied: int
    decided: int | None
    by: str | None
    reason: str | None
    wanted: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open period of a right; `end` is suspended or removed when it was cut short."""

    since: int
    until: int
    ended: int | None
    end: str | None

    def cut(self, now: int, end: str) -> Period:
        """The period as it is after a cut at `now`; a removal also keeps what was suspended from being lifted."""
        if self.ended is None and now < self.until:
            return replace(self, ended=now, end=end)
        return replace(self, end=end) if self.end == "suspended" and end == "removed" else self

    def covers(self, at: int) -> bool:
        """since ≤ at < until, and not cut short before."""
        return self.since <= at < self.until and (self.ended is None or at < self.ended)


@dataclass(frozen=True, slots=True)
class AccreditationRecord:
    """The right of one issuer to one schema, as the periods for which it was given."""

    issuer: str
    schema: bytes
    level: int
    by: str
    reason: str | None
    periods: tuple[Period, ...]

    def cut(self, now: int, end: str, reason: str) -> AccreditationRecord:
        """The right with every period in force cut at `now`; the same record where there is nothing to cut."""
        periods = tuple(period.cut(now, end) for period in self.periods)
        return self if periods == self.periods else replace(self, periods=periods, reason=reason)

    def at(self, moment: int) -> Period | None:
        """The period that covers a log minute."""
        return next((period for period in self.periods if period.covers(moment)), None)

    def lapse(self, issued: int, at: int) -> int | None:
        """When the right that covered the minute `issued` first lapsed, by the minute `at`; None if it never did.

        A renewal or reinstatement at that very minute is no lapse. One later does not undo it: whoever signed in the
        gap may have dated it before (R8).
        """
        end = issued
        while (period := self.at(end)) is not None:
            end = period.until if period.ended is None else min(period.ended, period.until)
        return end if issued < end <= at else None


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """A published schema: immutable, named by its digest."""

    digest: bytes
    publisher: str
    published: int
    document: bytes


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """A status list as last published (R8, R9). An index without an entry is in good standing."""

    list_id: str
    issuer: str
    number: int
    seq: int
    schemas: tuple[bytes, ...]
    entries: StatusEntries
    register_root: bytes
    register_size: int
    this_update: int
    next_update: int
    published: int

    def entry(self, index: int) -> StatusEntry | None:
        """The entry of one index, if it is not in good standing."""
        place = bisect_left(self.entries, index, key=lambda entry: entry.index)
        found = self.entries[place] if place < len(self.entries) else None
        return found if found is not None and found.index == index else None


@dataclass(frozen=True, slots=True)
class OverrideRecord:
    """An auditor's word beside the issuer's list; the worse of the two counts (R9)."""

    list_id: str
    index: int
    state: str
    reason: str
    author: str
    at: int
    published: int


@dataclass(frozen=True, slots=True)
class RegisterRecord:
    """The issuance register of a list, as last published before each end of its issuer's right or key (R8).

    Oldest mark first. A register only grows, so the leaves of a newer one begin with those of every older one.
    """

    list_id: str
    marks: tuple[RegisterMark, ...]
    leaves: tuple[RegisterLeaf, ...]

    def before(self, end: int) -> tuple[tuple[RegisterLeaf, ...], bool]:
        """What we hold of the register as it stood before the minute `end`, and whether that is all of it."""
        size = max((mark.size for mark in self.marks if mark.published < end), default=None)
        return ((), False) if size is None else (self.leaves[:size], size <= len(self.leaves))


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """A reviewer's or auditor's right, given by the committee; empty schemas means all."""

    did: str
    role: str
    schemas: tuple[bytes, ...]
    since: int
    until: int
    ended: int | None
    by: str


@dataclass(frozen=True, slots=True)
class RecognitionRecord:
    """Trust in a foreign registry: one hop, per purpose, schema and period (R23)."""

    origin: str
    genesis: bytes
    names: Names
    purposes: tuple[str, ...]
    schemas: tuple[bytes, ...]
    since: int
    until: int
    size: int
    root: bytes
    assurance: int
    mapping: bytes | None
    withdrawn: int | None
    mode: str | None  # cease | distrust


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """A salted fingerprint somebody put on the log (R25)."""

    fingerprint: bytes
    author: str
    kind: str
    published: int
    withdrawn: int | None


@dataclass(frozen=True, slots=True)
class RootRecord:
    """The pinned home registry and how much of it we hold."""

    origin: str
    genesis: bytes
    chain: int
    profile: str  # intl | gm | both
    size: int
    root: bytes
    log_time: int  # or the later minute at which witnesses saw that nothing had been added
    witnessed: int | None = None  # the minute a quorum of witnesses vouches for; None: time rests on the operator


@dataclass(frozen=True, slots=True)
class KeyChangeRecord:
    """A change of the operator's keys or of the witnesses, by its number (R21)."""

    seq: int
    what: str  # log | state | operator | witnesses
    link: bytes
    at: int


@dataclass(frozen=True, slots=True)
class ConflictRecord:
    """Why the trust data contradict each other (rollback or fork)."""

    code: str
    sentence: str


Record = Union[  # noqa: UP007 (a runtime union for isinstance-free lookups)
    DidRecord, IssuerRecord, AccreditationRecord, SchemaRecord, StatusRecord, OverrideRecord, RegisterRecord,
    RoleRecord, RecognitionRecord, EvidenceRecord, RootRecord, ConflictRecord, MemberRecord, RuleRecord, ProposalRecord,
    DelegationRecord, MachineRecord, AssetRecord, UseRegisterRecord, ClaimRecord,
]  # fmt: skip

KINDS: Mapping[str, type[Any]] = types.MappingProxyType(
    {
        "did": DidRecord,
        "issuer": IssuerRecord,
        "accreditation": AccreditationRecord,
        "schema": SchemaRecord,
        "status": StatusRecord,
        "override": OverrideRecord,
        "register": RegisterRecord,
        "role": RoleRecord,
        "recognition": RecognitionRecord,
        "evidence": EvidenceRecord,
        "member": MemberRecord,
        "rule": RuleRecord,
        "proposal": ProposalRecord,
        "delegation": DelegationRecord,
        "keychange": KeyChangeRecord,
        "machine": MachineRecord,
        "asset": AssetRecord,
        "use-register": UseRegisterRecord,
        "claim": ClaimRecord,
    }
)
MAP_ONLY = frozenset({"asset", "claim"})
"""Kinds that may have millions of records: in the state map, each with its proof, and not in the bundle."""
SNAPSHOT_KINDS = tuple(sorted(set(KINDS) - MAP_ONLY))
"""Kinds that stand whole in a snapshot; about any other, facts of a bundle know nothing (Unknown)."""


def record_key(record: Any) -> str:
    """The Facts key under which a record is found."""
    if isinstance(record, DidRecord | IssuerRecord | MemberRecord):
        return record.did
    if isinstance(record, AccreditationRecord):
        return f"{record.issuer}|{record.schema.hex()}"
    if isinstance(record, DelegationRecord):
        return f"{record.did}|{record.schema.hex()}"
    if isinstance(record, RuleRecord):
        return record.category
    if isinstance(record, KeyChangeRecord):
        return f"{record.seq:04d}"
    if isinstance(record, ProposalRecord):
        return record.id.hex()
    if isinstance(record, SchemaRecord | MachineRecord):
        return record.digest.hex()
    if isinstance(record, StatusRecord | RegisterRecord):
        return record.list_id
    if isinstance(record, OverrideRecord):
        return f"{record.list_id}|{record.index}"
    if isinstance(record, RoleRecord):
        return f"{record.did}|{record.role}"
    if isinstance(record, RecognitionRecord):
        return record.genesis.hex()
    if isinstance(record, EvidenceRecord | AssetRecord):
        return record.fingerprint.hex()
    if isinstance(record, UseRegisterRecord):
        return record.key
    if isinstance(record, ClaimRecord):
        return claim_key(record.register, record.nullifier)
    raise TypeError(f"{type(record).__name__} has no key")
