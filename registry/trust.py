"""The user's trust store (R21, R23): one pinned home registry, the bundles accepted so far, and their marks.

A value: `accept` gives a new store or an error by name, and the old store stays good. Reading and writing it
is the caller's business (`to_bytes`, `from_bytes`); the file belongs in the user's state folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from registry.bundle import AHEAD, BundleFacts, bundle_genesis, open_bundle
from registry.genesis import Genesis, fingerprint, parse_genesis
from registry.issue_proof import issue_statement, read_issue_proof
from registry.statement import parse_statement
from weid import cbor, merkle
from weid.errors import ConflictError, MalformedError, RollbackError, TrustError
from weid.facts import Absent, Fact, Facts, Federated, Found, RecordFacts, Source
from weid.issuance import Issuance
from weid.records import ConflictRecord, RecognitionRecord, RootRecord, StatusRecord, record_key

__all__ = ["Mark", "Recognised", "TrustStore"]

_HEAD = "weid/trust/v1"


@dataclass(frozen=True, slots=True)
class Mark:
    """The most that was ever accepted of one registry: nothing below it is taken again."""

    origin: str
    genesis: bytes
    size: int
    root: bytes
    state_size: int
    state: bytes
    log_time: int
    seqs: tuple[tuple[str, int], ...]


class Recognised:
    """A foreign registry's facts without its own trust, recognitions and governance: one hop, never transitive (R23).

    What recognition does not cover (schema, purpose, period, distrust) is not hidden here: a check that finds it
    can then say by name why it does not count, instead of "unknown". But a log speaks only for its own segment
    (R5): about DIDs of another chain, that an `earlier` registry knows, or that it does not know itself, it says
    nothing. Otherwise a recognised registry could revoke, accredit or override for issuers that are not its own.
    """

    _OWN = ("trust", "recognition", "member", "rule", "proposal", "keychange")
    _OF_A_DID = ("did", "issuer", "accreditation", "delegation", "status", "override", "register", "role", "use-register")
    _BY_DIGEST = ("schema", "evidence", "machine")  # what the key says is the record itself, whoever brings it

    def __init__(self, facts: BundleFacts, earlier: Sequence[Facts]) -> None:
        self._facts, self._earlier = facts, tuple(earlier)
        self.source = facts.source

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        """The foreign answer; absent where this registry has nothing to say."""
        if kind in self._OWN or (kind in self._OF_A_DID and not self._speaks_for(_owner(key))):
            return Absent(self.source.log_time, self.source)
        answer = self._facts.fact(kind, key, at)
        if kind == "address" and isinstance(answer, Found) and not self._speaks_for(answer.record.did):
            return Absent(self.source.log_time, self.source)
        return answer

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        """Foreign records by key prefix, of its own DIDs."""
        if kind in self._OWN:
            return ()
        found = self._facts.find(kind, prefix)
        if kind == "address":
            return tuple(item for item in found if self._speaks_for(item.record.did))
        if kind in self._BY_DIGEST:
            return found
        return tuple(item for item in found if self._speaks_for(_owner(record_key(item.record))))

    def _speaks_for(self, did: str) -> bool:
        if not did.startswith(f"did:weid:{self._facts.genesis.chain}:"):
            return False
        if any(isinstance(facts.fact("did", did), Found) for facts in self._earlier):
            return False
        return isinstance(self._facts.fact("did", did), Found)


def _owner(key: str) -> str:
    """The DID that a record's key begins with."""
    return key.partition("|")[0].partition("/")[0]


@dataclass(frozen=True, slots=True)
class TrustStore:
    """What this user trusts. `home` and `foreign` are bundles as they were accepted, newest only."""

    genesis: bytes
    home: bytes | None = None
    foreign: tuple[bytes, ...] = ()
    marks: tuple[Mark, ...] = ()
    conflict: ConflictRecord | None = None
    _opened: dict[tuple[bytes, bytes], BundleFacts] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def pin(cls, genesis: bytes) -> TrustStore:
        """Trust one registry by its genesis file; show `fingerprint` and let a person compare it."""
        parse_genesis(genesis)
        return cls(genesis)

    @property
    def root(self) -> Genesis:
        """The pinned home registry."""
        return parse_genesis(self.genesis)

    @property
    def fingerprint(self) -> str:
        """The pin for people."""
        return fingerprint(self.root.digest)

    def mark(self, genesis: bytes) -> Mark | None:
        """The high-water mark of a registry, by genesis digest."""
        return next((mark for mark in self.marks if mark.genesis == genesis), None)

    def accept(self, data: bytes, *, at: int) -> TrustStore:
        """A store with this bundle; `at` is the clock in minutes.

        RollbackError `older-bundle`; ConflictError `forked` (one size, two trees or states, or a history
        that is not continued) or `cleared-revocation`; TrustError `foreign-genesis`, `no-home`,
        `not-recognised`, `future-bundle` and whatever `open_bundle` says of a broken one.
        """
        genesis = bundle_genesis(data)
        pin, home = genesis.digest, self.root.digest
        terms = None if pin == home else self._terms(genesis, pin, at)
        facts = open_bundle(data, pin=pin, at=at, label=_label(terms))
        if terms is not None:
            _check_pinned(facts, terms.size, terms.root)
        mark = self.mark(pin)
        if mark is not None:
            _check_newer(facts, mark)
            _check_kept(facts, self._bundle_of(pin, at))
        marks = (*(old for old in self.marks if old.genesis != pin), _mark(facts))
        if terms is None:
            return replace(self, home=data, marks=marks, _opened={})
        others = tuple(bundle for bundle in self.foreign if bundle_genesis(bundle).digest != pin)
        return replace(self, foreign=(*others, data), marks=marks, _opened={})

    def conflicted(self, code: str, sentence: str) -> TrustStore:
        """A store that remembers a conflict: every verdict is TRUST CONFLICT until a person clears it."""
        return replace(self, conflict=ConflictRecord(code, sentence))

    def cleared(self) -> TrustStore:
        """A store whose conflict a person has looked into."""
        return replace(self, conflict=None)

    def facts(self, *, at: int) -> Facts:
        """The home registry's facts and those of the registries it recognises.

        TrustError `future-bundle` if the clock is before what was accepted.
        """
        home = self._home(at)
        foreign: list[Recognised] = []
        for data in self.foreign:
            pin = bundle_genesis(data).digest
            answer = home.fact("recognition", pin.hex())
            if isinstance(answer, Found):
                facts = self._open(data, pin, at, _label(answer.record))
                foreign.append(Recognised(facts, (home, *foreign)))
        return Federated(home, *foreign) if foreign else home

    def registry_of(self, did: str, *, at: int) -> BundleFacts | None:
        """The newest bundle of the registry that a did:weid belongs to, by its chain; None if none is here."""
        for data in (self.home, *self.foreign):
            genesis = None if data is None else bundle_genesis(data)
            if genesis is not None and did.startswith(f"did:weid:{genesis.chain}:"):
                return self._bundle_of(genesis.digest, at)
        return None

    def proven_issue(self, data: bytes, *, at: int) -> tuple[Issuance, Source]:
        """What a proof of issue shows, by the keys of the newest bundle of the registry it comes from, home or foreign.

        TrustError `foreign-genesis` for a registry of which there is no bundle here; else as `read_issue_proof`.
        """
        state = parse_statement(issue_statement(data))
        facts = self._bundle_of(state.genesis, at)
        if facts is None:
            raise TrustError(f"no bundle of {state.origin} is here to check this with", code="foreign-genesis")
        return read_issue_proof(data, facts.genesis, facts.authority), facts.source

    def to_bytes(self) -> bytes:
        """The store as one file."""
        marks = [(m.origin, m.genesis, m.size, m.root, m.state_size, m.state, m.log_time, m.seqs) for m in self.marks]
        conflict = None if self.conflict is None else (self.conflict.code, self.conflict.sentence)
        return cbor.encode([_HEAD, self.genesis, self.home, self.foreign, marks, conflict])

    @classmethod
    def from_bytes(cls, data: bytes) -> TrustStore:
        """The store of exactly these bytes. It is the user's own file: bundles are checked again when used."""
        match cbor.decode(data):
            case (str(head), bytes(genesis), home, tuple(foreign), tuple(marks), conflict) if head == _HEAD:
                pass
            case _:
                raise MalformedError("not a trust store of this version")
        if not (home is None or isinstance(home, bytes)) or any(not isinstance(item, bytes) for item in foreign):
            raise MalformedError("not a trust store of this version")
        parse_genesis(genesis)
        bundles = tuple(item for item in foreign if isinstance(item, bytes))
        return cls(genesis, home, bundles, tuple(_read_mark(item) for item in marks), _read_conflict(conflict))

    def _home(self, at: int) -> RecordFacts:
        genesis = self.root
        if self.home is not None:
            facts = self._open(self.home, genesis.digest, at, None)
            if self.conflict is None:
                return facts
            records = [record for kind in facts.snapshot.records.values() for record in kind]
            complete = {**facts.snapshot.complete, "address": facts.snapshot.complete["did"]}
            return RecordFacts(records, source=facts.source, complete=complete, root=facts.root, conflict=self.conflict)
        source = Source(genesis.origin, genesis.digest, genesis.origin, 0, genesis.first_tick)
        empty = merkle.empty_root(hash=genesis.hash)
        root = RootRecord(genesis.origin, genesis.digest, genesis.chain, genesis.profile, 0, empty, genesis.first_tick)
        return RecordFacts((), source=source, complete={}, root=root, conflict=self.conflict)

    def _open(self, data: bytes, pin: bytes, at: int, label: str | None) -> BundleFacts:
        facts = self._opened.get((data, pin))
        if facts is None:
            facts = self._opened[data, pin] = open_bundle(data, pin=pin, at=at, label=label)
        if facts.snapshot.log_time > at + AHEAD:
            raise TrustError("the trust data are from the future: is this clock right?", code="future-bundle")
        return facts

    def _bundle_of(self, pin: bytes, at: int) -> BundleFacts | None:
        bundles = (self.home, *self.foreign)
        found = next((data for data in bundles if data is not None and bundle_genesis(data).digest == pin), None)
        return None if found is None else self._open(found, pin, at, None)

    def _terms(self, genesis: Genesis, pin: bytes, at: int) -> RecognitionRecord:
        """The home registry's recognition of a foreign one; a foreign file never vouches for itself."""
        if self.home is None:
            raise TrustError("get the home registry's bundle first", code="no-home")
        answer = self._home(at).fact("recognition", pin.hex())
        if not isinstance(answer, Found):
            raise TrustError(f"the home registry does not recognise {genesis.origin}", code="not-recognised")
        terms: RecognitionRecord = answer.record
        if terms.mode == "distrust" or terms.origin != genesis.origin:
            raise TrustError(f"the home registry does not trust {genesis.origin}", code="not-recognised")
        return terms


def _label(terms: RecognitionRecord | None) -> str | None:
    """The name the home registry gives a foreign one, in English; apps choose the language by record."""
    return None if terms is None else dict(terms.names).get("en")


def _check_newer(facts: BundleFacts, mark: Mark) -> None:
    if facts.checkpoint.size < mark.size or facts.snapshot.size < mark.state_size:
        raise RollbackError("this bundle is older than what you have", code="older-bundle")
    _check_pinned(facts, mark.size, mark.root)
    if facts.snapshot.size == mark.state_size and _state(facts) != mark.state:
        raise ConflictError("two different states of one log size", code="forked")
    if facts.snapshot.log_time < mark.log_time:
        raise ConflictError("the log's time went back", code="forked")
    seqs: Mapping[str, int] = dict(_seqs(facts))
    if any(seqs.get(list_id, -1) < seq for list_id, seq in mark.seqs):
        raise ConflictError("a status list is older than the one you have, or missing", code="forked")


def _check_pinned(facts: BundleFacts, size: int, root: bytes) -> None:
    """The bundle's log must continue a tree known before; a history path proves it where one travels along."""
    if facts.checkpoint.size < size:
        raise RollbackError("this bundle is older than the pinned checkpoint", code="older-bundle")
    if facts.checkpoint.size == size and facts.checkpoint.root != root:
        raise ConflictError("two different logs of one size", code="forked")
    path = dict(facts.bundle.histories).get(size)
    if path is None:
        return
    # `open_bundle` has seen that the path leads to the signed root, so what it starts from is the operator's word.
    hash = facts.genesis.hash
    if merkle.older_root(size, facts.checkpoint.size, facts.checkpoint.root, path, hash=hash) != root:
        raise ConflictError("this log does not continue the one you know", code="forked")


def _check_kept(facts: BundleFacts, before: BundleFacts | None) -> None:
    """Nothing revoked may come back, one seq of a list has one content (R9), and key changes only grow (R21)."""
    if before is not None and facts.authority.digests[: len(before.authority.digests)] != before.authority.digests:
        raise ConflictError("another chain of key changes than the one you know", code="forked")
    after: dict[str, StatusRecord] = {record.list_id: record for record in facts.snapshot.records["status"]}
    for old in before.snapshot.records["status"] if before else ():
        new = after[old.list_id]
        if new.seq == old.seq and new.entries != old.entries:
            raise ConflictError("one publication of a status list with two contents", code="forked")
        revoked = {entry.index for entry in old.entries if entry.state == "revoked"}
        if not revoked <= {entry.index for entry in new.entries if entry.state == "revoked"}:
            raise ConflictError("a revocation has disappeared", code="cleared-revocation")
    if before is not None and not _overruled(before) <= _overruled(facts):
        raise ConflictError("an auditor's revocation has disappeared", code="cleared-revocation")


def _overruled(facts: BundleFacts) -> frozenset[str]:
    """The places that an auditor revoked, which is as final as the issuer's own word."""
    return frozenset(record_key(item) for item in facts.snapshot.records["override"] if item.state == "revoked")


def _state(facts: BundleFacts) -> bytes:
    return facts.genesis.hash(facts.bundle.snapshot)


def _seqs(facts: BundleFacts) -> tuple[tuple[str, int], ...]:
    return tuple((record.list_id, record.seq) for record in facts.snapshot.records["status"])


def _mark(facts: BundleFacts) -> Mark:
    checkpoint, snapshot = facts.checkpoint, facts.snapshot
    return Mark(
        checkpoint.origin, snapshot.genesis, checkpoint.size, checkpoint.root, snapshot.size, _state(facts),
        snapshot.log_time, _seqs(facts),
    )  # fmt: skip


def _read_mark(item: Any) -> Mark:
    match item:
        case (
            str(origin), bytes(genesis), int(size), bytes(root), int(state_size), bytes(state), int(now), tuple(seqs),
        ):  # fmt: skip
            if all(isinstance(s, tuple) and len(s) == 2 and type(s[0]) is str and type(s[1]) is int for s in seqs):
                return Mark(origin, genesis, size, root, state_size, state, now, seqs)
    raise MalformedError("not a high-water mark")


def _read_conflict(item: Any) -> ConflictRecord | None:
    match item:
        case None:
            return None
        case (str(code), str(sentence)):
            return ConflictRecord(code, sentence)
    raise MalformedError("not a conflict")
