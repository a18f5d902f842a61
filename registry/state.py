"""The state machine: entries in, results out; pure and deterministic, no clock, no I/O (design §3).

Every entry becomes a leaf, a bad one too: validity is a result, so nodes cannot diverge. An operation seen
before is a no-op. Each rule reads a `View` and returns `Changes`; a refused one has changed nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from registry import (
    bodies,
    rules_asset,
    rules_delegation,
    rules_did,
    rules_gov,
    rules_issuer,
    rules_keys,
    rules_status,
    rules_trust,
    rules_use,
)
from registry.authority import Authority
from registry.commit import Commit, Kept
from registry.genesis import Genesis
from registry.operations import CONTEXT, SignedOperation, read_entry
from registry.registers import register_records
from registry.rejections import reject
from registry.snapshot import Snapshot, print_snapshot, snapshot_digest
from registry.state_map import StateMap
from registry.statement import Statement, statement_digest
from registry.view import Changes, Published, Verify, View
from weid import merkle, signing
from weid.did import parse_key_id
from weid.errors import KeyMaterialError, MalformedError, RegistryError, RejectedError, SignatureError, UnknownSuiteError
from weid.facts import RecordFacts, Source
from weid.governance import MemberRecord, ProposalRecord
from weid.keys import PublicKey
from weid.records import KINDS, SNAPSHOT_KINDS, DidRecord, KeyRecord, RoleRecord, RootRecord, VersionRecord, record_key
from weid.suites import own_suite

__all__ = ["Applied", "Duplicate", "Rejected", "Result", "State", "state_facts", "verify_now"]


@dataclass(frozen=True, slots=True)
class Applied:
    """The operation took effect."""

    id: bytes
    code: str = "applied"


@dataclass(frozen=True, slots=True)
class Rejected:
    """The operation is on the log and has no effect; `code` is the rule it broke."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same operation came before, at `index`: nothing happens again."""

    index: int
    code: str = "duplicate"


_COMMITS = 32  # states kept to make updates from: they share what did not change

Result: TypeAlias = Applied | Rejected | Duplicate
_Rule: TypeAlias = Callable[[View, Any], Changes]

RULES: Mapping[str, _Rule] = MappingProxyType(
    {
        "did.create": rules_did.create,
        "did.update": rules_did.update,
        "did.deactivate": rules_did.deactivate,
        "did.recover": rules_did.recover,
        "issuer.apply": rules_issuer.apply,
        "issuer.approve": rules_issuer.approve,
        "issuer.suspend": rules_issuer.suspend,
        "issuer.reinstate": rules_issuer.reinstate,
        "issuer.remove": rules_issuer.remove,
        "issuer.delegate": rules_delegation.delegate,
        "issuer.undelegate": rules_delegation.undelegate,
        "role.grant": rules_issuer.role_grant,
        "role.end": rules_issuer.role_end,
        "schema.publish": rules_status.publish_schema,
        "status.publish": rules_status.publish_status,
        "status.override": rules_status.override,
        "evidence.anchor": rules_trust.anchor,
        "evidence.withdraw": rules_trust.withdraw_evidence,
        "trust.recognise": rules_trust.recognise,
        "trust.withdraw": rules_trust.withdraw,
        "machine.publish": rules_asset.publish_machine,
        "asset.register": rules_asset.register,
        "asset.move": rules_asset.move,
        "use.open": rules_use.open_register,
        "use.claimers": rules_use.claimers,
        "use.claim": rules_use.claim,
        "use.release": rules_use.release,
        "gov.member": rules_gov.member,
        "gov.rule": rules_gov.rule,
        "gov.propose": rules_gov.propose,
        "gov.vote": rules_gov.vote,
        "gov.execute": rules_gov.execute,
        "gov.cancel": rules_gov.cancel,
        "key.change": rules_keys.change_key,
        "witness.change": rules_keys.change_witnesses,
        "time.tick": rules_trust.tick,
        "state.commit": rules_trust.commit,
    }
)


def verify_now(key: PublicKey, context: str, payload: bytes, signature: bytes) -> bool:
    """Verify on the spot; both contexts of the log are open to log-op keys, proofs to every DID role."""
    role = "log-op"
    try:
        signing.verify(key, role, context, payload, signature)
    except (SignatureError, KeyMaterialError):
        return False
    return True


class State:
    """Everything the operations so far add up to. `size` counts entries, `now` is the log time in minutes.

    `authority` is whose signatures count from here on; `commits` are the newest states that statements on the log commit to,
    the latest last; `closed` are the proposals that are over, with their outcome and minute (for people: the log is the record).
    `changed` are the keys of each table that have changed since they were kept, True for one that was not there before its last
    change; None while nothing was kept. `torn` says that an entry was applied in part: what reads a kept state may fail in the
    middle of a rule. Nothing is then applied any more, since the same entry again would be its own duplicate.
    """

    def __init__(self, genesis: Genesis, kept: Kept | None = None) -> None:
        self.genesis = genesis
        self.authority = Authority.of(genesis)
        self.digest = genesis.digest
        self.hash = genesis.hash
        self.now = genesis.first_tick
        self.frontier = merkle.Frontier(hash=genesis.hash)
        self.tables: dict[str, MutableMapping[str, Any]] = {kind: {} for kind in KINDS if kind != "register"}
        self.history: MutableMapping[str, tuple[Published, ...]] = {}
        self.seen: MutableMapping[bytes, int] = {}
        self.closed: MutableMapping[str, tuple[ProposalRecord, str, int]] = {}
        self.changed: dict[str, dict[Any, bool]] | None = None
        self.torn = False
        self.commits: deque[Commit] = deque(maxlen=_COMMITS)
        self._map, self._touched = StateMap(hash=genesis.hash), dict[tuple[str, str], Any]()
        self._pending: Callable[[], Iterable[tuple[str, str]]] | None = None
        if kept is None:
            self._found()
        else:
            self._take_up(kept)

    def _found(self) -> None:
        """The state before the first entry: what the genesis itself says."""
        genesis = self.genesis
        for member in genesis.committee:
            self.tables["did"][member.did] = _founding(member.did, member.key, self.digest, self.now)
            self.tables["member"][member.did] = MemberRecord(member.did, member.name, member.weight, self.now)
        for category, floor in genesis.floors.items():
            self.tables["rule"][category] = replace(rules_gov.DEFAULT, category=category, agree=floor)
        for kind, table in self.tables.items():
            self._touched |= {(kind, key): record for key, record in table.items()}

    def _take_up(self, kept: Kept) -> None:
        self.authority, self.now, self.frontier = kept.authority, kept.now, kept.frontier
        self.tables, self.history, self.seen, self.closed = dict(kept.tables), kept.history, kept.seen, kept.closed
        self._pending, self.changed = kept.pending, {}
        if kept.commit is not None:
            self.commits.append(kept.commit)
            self._map = kept.commit.map

    @property
    def size(self) -> int:
        """How many entries were applied."""
        return self.frontier.size

    @property
    def map(self) -> StateMap:
        """The state map now; what changed since it was asked for last is worked in first."""
        if self._pending is not None:
            for kind, key in self._pending():
                self._touched.setdefault((kind, key), self.tables[kind].get(key))
            self._pending = None
        if self._touched:
            self._map, self._touched = self._map.updated(self._touched), {}
        return self._map

    def uncommitted(self) -> list[tuple[str, str]] | None:
        """(kind, key) of what has changed since the newest committed map; None where that is not known."""
        known = self._pending is None and self.commits and self.commits[-1].map is self._map
        return list(self._touched) if known else None

    def apply(self, data: bytes, verify: Verify = verify_now) -> Result:
        """Apply the next entry of the log; never raises for what an entry contains."""
        self._check_whole()
        try:
            entry = read_entry(data, hash=self.hash)
        except MalformedError as error:
            self._count(data)
            return Rejected(error.code if error.code == "unknown-type" else "malformed", str(error))
        return self.apply_entry(entry, verify)

    def apply_entry(self, entry: SignedOperation, verify: Verify = verify_now) -> Result:
        """Apply an entry that was read already; RegistryError `torn-state` after one that was applied in part."""
        self._check_whole()
        self.torn = True
        result = self._result(entry, verify)
        self._count(entry.data)
        self.torn = False
        return result

    def authenticate(self, entry: SignedOperation, verify: Verify = verify_now) -> KeyRecord | None:
        """Check registry, key and signature (RejectedError); the key's record, None for the operator's."""
        operation = entry.operation
        if (operation.origin, operation.genesis) != (self.genesis.origin, self.digest):
            reject("wrong-registry", operation.origin)
        key, record = self._key(operation.kid, operation)
        if operation.alg != key.suite:
            reject("wrong-suite", operation.alg)
        if not verify(key, CONTEXT, entry.signed, entry.signature):
            reject("bad-signature", operation.kid)
        return record

    def snapshot(self) -> Snapshot:
        """Every record now that travels in a bundle, with what is complete."""
        registers, whole = register_records(self.tables, self.history, self.now)
        records = {kind: tuple(self.tables[kind].values()) for kind in SNAPSHOT_KINDS if kind != "register"}
        complete = dict.fromkeys(records, True)
        return Snapshot(
            self.genesis.origin, self.digest, self.size, self.now,
            {**records, "register": registers}, {**complete, "register": whole},
        )  # fmt: skip

    def statement(self, snapshot: bytes | None = None) -> Statement:
        """The state statement for the size now; `snapshot` saves printing it again."""
        data = print_snapshot(self.snapshot()) if snapshot is None else snapshot
        digest = snapshot_digest(data, hash=self.hash)
        return Statement(self.genesis.origin, self.digest, self.size, self.frontier.root(), digest, self.map.root, self.now)

    def key_of(self, kid: str) -> PublicKey | None:
        """The key of a key id as of now, or None (to verify a batch ahead)."""
        try:
            return self._key(kid, None)[0]
        except RejectedError:
            return None

    def _check_whole(self) -> None:
        if self.torn:
            raise RegistryError("an entry was applied in part: replay the log", code="torn-state")

    def _result(self, entry: SignedOperation, verify: Verify) -> Result:
        operation = entry.operation
        try:
            record = self.authenticate(entry, verify)
            first = self.seen.get(entry.id)
            if first is not None:
                return Duplicate(first)
            if operation.nbf is not None and operation.nbf > self.now:
                # Not recorded as seen: whoever submits a pre-signed operation early must not use it up.
                reject("too-early", str(operation.nbf))
        except RejectedError as error:
            return Rejected(error.code, str(error))
        self._mark("seen", (), entry.id)
        self.seen[entry.id] = self.size
        try:
            author = self._author(entry, record)
            changes = RULES[operation.type](self._view(entry, author, verify), operation.body)
        except RejectedError as error:
            return Rejected(error.code, str(error))
        self._store(changes)
        if operation.type == "state.commit":
            self.commits.append(Commit(self.size, self.now, self.map))
        return Applied(entry.id)

    def _author(self, entry: SignedOperation, record: KeyRecord | None) -> str:
        """Who signed, if the key may still speak: role, end state and deactivation."""
        if record is None:
            return self.genesis.operator_kid
        did = entry.operation.kid.partition("#")[0]
        if record.role != "log-op":
            reject("wrong-role", entry.operation.kid)
        if record.end is not None:
            reject("key-ended", entry.operation.kid)
        owner: DidRecord | None = self.tables["did"].get(did)
        if owner is not None and owner.deactivated is not None:
            reject("deactivated", did)
        self._check_observer(entry, did)
        return did

    def _check_observer(self, entry: SignedOperation, did: str) -> None:
        """An observer reads everything public and writes nothing but its own DID."""
        role: RoleRecord | None = self.tables["role"].get(f"{did}|observer")
        in_force = role is not None and role.ended is None and role.since <= self.now < role.until
        if in_force and not entry.operation.type.startswith("did."):
            reject("wrong-role", "an observer writes nothing")

    def _view(self, entry: SignedOperation, author: str, verify: Verify) -> View:
        return View(
            self.genesis, self.authority, self.digest, self.tables, self.history, self.now, self.size, entry.operation,
            entry.id, author, verify, lambda: statement_digest(self.statement(), hash=self.hash),
            RULES,
        )  # fmt: skip

    def _key(self, kid: str, operation: Any) -> tuple[PublicKey, KeyRecord | None]:
        if kid == self.genesis.operator_kid:
            return self.authority.operator, None
        try:
            did, number = _key_id(kid)
        except MalformedError:
            reject("unknown-key", kid)
        owner: DidRecord | None = self.tables["did"].get(did)
        if owner is None:
            return self._founding_key(str(did), number, operation)
        record = owner.key_number(number)
        if record is None:
            reject("unknown-key", kid)
        return record.key, record

    def _founding_key(self, did: str, number: int, operation: Any) -> tuple[PublicKey, KeyRecord]:
        """The key a `did.create` brings along (R5: self-certification serves create alone)."""
        if operation is None or operation.type != "did.create" or operation.sub != did:
            reject("not-registered", did)
        body: bodies.DidCreate = operation.body
        entry = next((key for key in body.keys if key.number == number), None)
        if entry is None:
            reject("unknown-key", did)
        try:
            key = PublicKey(own_suite(entry.suite).name, entry.public)
        except (KeyMaterialError, UnknownSuiteError):
            reject("wrong-suite", entry.suite)
        return key, KeyRecord(number, entry.role, entry.suite, entry.public, self.now, 1, None, None, None, None)

    def _store(self, changes: Changes) -> None:
        for record in changes.put:
            kind, key = _KIND[type(record)], record_key(record)
            self._mark(kind, self.tables[kind], key)
            self.tables[kind][key] = self._touched[kind, key] = record
        for kind, key in changes.drop:
            self._mark(kind, (), key)
            del self.tables[kind][key]
            self._touched[kind, key] = None
        for list_id, published in changes.published:
            self._mark("history", self.history, list_id)
            self.history[list_id] = (*self.history.get(list_id, ()), published)
        for proposal, outcome in changes.closed:
            self._mark("closed", self.closed, proposal.id.hex())
            self.closed[proposal.id.hex()] = (proposal, outcome, self.now if changes.log_time is None else changes.log_time)
        if changes.log_time is not None:
            self.now = changes.log_time
        if changes.authority is not None:
            self.authority = changes.authority

    def _mark(self, name: str, held: Container[Any], key: Any) -> None:
        """Note that a key is about to change; one that is not held stands anew, behind all others."""
        if self.changed is None:
            return
        keys = self.changed.setdefault(name, {})
        if key in held:
            keys.setdefault(key, False)
        else:
            keys.pop(key, None)
            keys[key] = True

    def _count(self, data: bytes) -> None:
        self.frontier.append(merkle.leaf_hash(data, hash=self.hash))


def state_facts(state: State, root: bytes) -> RecordFacts:
    """A state as Facts, for a node's own questions: nothing is signed about it."""
    snapshot, genesis = state.snapshot(), state.genesis
    record = RootRecord(genesis.origin, state.digest, genesis.chain, genesis.profile, state.size, root, state.now)
    source = Source(genesis.origin, state.digest, genesis.origin, state.size, state.now)
    complete = {**snapshot.complete, "address": True, "register": False}
    records = [held for kind in snapshot.records.values() for held in kind]
    return RecordFacts(records, source=source, complete=complete, root=record)


_KIND = {kind: name for name, kind in KINDS.items()}
_key_id = lru_cache(maxsize=4096)(parse_key_id)


def _founding(did: str, key: PublicKey, digest: bytes, now: int) -> DidRecord:
    """A committee member's DID, which the genesis itself registers with one log-op key."""
    first = KeyRecord(1, "log-op", key.suite, key.data, now, 1, None, None, None, None)
    return DidRecord(did, digest, (VersionRecord(1, now),), (first,), (), None)
