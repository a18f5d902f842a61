"""Whose signatures count (R21): the operator's keys (three, or four with two trees) and the witness policy.

They begin with the genesis and pass through every change. Each change is a link, numbered from 1 and bound to the one
before. A key's link is signed by the old *and* the new key. A new witness policy is cosigned by a quorum of the old policy
*and* one of the new: as the checkpoint of a log that cannot exist (its origin has a blank), so that every kind of witness key
can do it, and no witness does it by answering a request.
Each link gives exactly the power of the key it passes on: a thief of one key gains no other by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from registry.checkpoint import Checkpoint, print_checkpoint
from registry.cosignature import verify_cosignature
from registry.genesis import Genesis, check_policy, parse_genesis, print_genesis
from registry.note import Note, NoteKey, note_type, parse_note
from registry.policy import NO_WITNESSES, Policy
from weid import cbor, signing
from weid.errors import MalformedError, TrustError
from weid.keys import PublicKey
from weid.records import decode_record, encode_record
from weid.signing import framed

__all__ = ["KEYS", "MAX_LINKS", "WITNESSES", "Authority", "Link", "open_chain", "print_chain", "read_chain"]

CONTEXT = "weid/key-change/v1"
KEYS = {"log": "log", "operator": "log-op", "state": "state", "twin": "twin"}
"""what changes → the role of its key."""
WITNESSES = "witnesses"
MAX_LINKS = 1_000
MAX_BYTES = 8 << 20
_HEAD = "weid/key-chain/v1"
_PSEUDO = "weid/witness-change/v1"
_FIRST = bytes(32)


@dataclass(frozen=True, slots=True)
class Link:
    """One change. Of a key: its suite, bytes and both signatures. Of the witnesses: their policy and its cosigned note."""

    seq: int
    what: str
    suite: str
    public: bytes
    old: bytes
    new: bytes
    policy: str
    note: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """The keys and the policy in force after a chain of links; begin with `Authority.of`."""

    genesis: Genesis
    log: PublicKey
    state: PublicKey
    operator: PublicKey
    witnesses: str
    links: tuple[Link, ...] = ()
    digests: tuple[bytes, ...] = ()  # one for each link
    log_keys: tuple[PublicKey, ...] = ()  # every log key there was, the newest last
    state_keys: tuple[PublicKey, ...] = ()
    twin: PublicKey | None = None
    twin_keys: tuple[PublicKey, ...] = ()

    @classmethod
    def of(cls, genesis: Genesis, links: Sequence[Link] = ()) -> Authority:
        """What a genesis and a chain of links give; TrustError, SignatureError or MalformedError for a wrong link."""
        held = cls(genesis, genesis.log, genesis.state, genesis.operator, genesis.witnesses)
        twins = () if genesis.twin is None else (genesis.twin,)
        held = replace(held, log_keys=(genesis.log,), state_keys=(genesis.state,), twin=genesis.twin, twin_keys=twins)
        for link in links:
            held = held.follow(link)
        return held

    @property
    def policy(self) -> Policy:
        """Who must cosign checkpoints now."""
        return check_policy(self.witnesses, self.genesis.profile)

    @property
    def note_key(self) -> NoteKey:
        """The log's key as the name on a checkpoint."""
        return NoteKey(self.genesis.origin, self.log)

    @property
    def last(self) -> bytes:
        """The digest of the newest link, which the next one is bound to."""
        return self.digests[-1] if self.digests else _FIRST

    def key(self, what: str) -> PublicKey:
        """The key in force for `log`, `state`, `operator` or `twin`; MalformedError where the log has no such key."""
        found = {"log": self.log, "state": self.state, "operator": self.operator, "twin": self.twin}.get(what)
        if found is None:
            raise MalformedError(f"{self.genesis.origin} has no {what} key")
        return found

    def payload(self, what: str, key: PublicKey) -> bytes:
        """What the old and the new key sign when this key takes over."""
        old = self.key(what)
        names = (self.genesis.origin, self.genesis.digest, len(self.links) + 1, self.last, what)
        return cbor.encode([*names, old.suite, old.data, key.suite, key.data])

    def witness_text(self, policy: str) -> str:
        """The checkpoint text that the old and the new witnesses cosign when this policy takes over."""
        seq = len(self.links) + 1
        content = cbor.encode([self.genesis.origin, self.genesis.digest, seq, self.last, policy])
        root = self.genesis.hash(framed(_PSEUDO, content))
        return print_checkpoint(Checkpoint(f"{_PSEUDO} {self.genesis.origin}", seq, root))

    def follow(self, link: Link) -> Authority:
        """The authority after one more link.

        TrustError `chain-gap` for one out of its place, `key-reused`, `no-quorum` or `unknown-cosigner`; SignatureError
        for a wrong signature; MalformedError for one that is no change.
        """
        if link.seq != len(self.links) + 1:
            raise TrustError(f"change {link.seq} of the registry's keys does not follow {len(self.links)}", code="chain-gap")
        held = self._witnessed(link) if link.what == WITNESSES else self._rekeyed(link)
        digest = self.genesis.hash(framed(CONTEXT, cbor.encode(encode_record(link))))
        return replace(held, links=(*self.links, link), digests=(*self.digests, digest))

    def _rekeyed(self, link: Link) -> Authority:
        role = KEYS.get(link.what)
        if role is None or link.policy or link.note:
            raise MalformedError("a change is of the log, state, operator or twin key, or of the witnesses")
        key = PublicKey(link.suite, link.public)
        if key.suite not in self.genesis.suites:
            raise MalformedError(f"{key.suite} is not a suite of the profile {self.genesis.profile}", code="wrong-suite")
        if link.what == "twin" and key.suite != "sm2":
            raise MalformedError("the second tree is signed with SM2", code="wrong-suite")
        if link.what != "operator":
            note_type(key)
        if key in self.used():
            raise TrustError("a key never comes back, and never has two purposes", code="key-reused")
        payload = self.payload(link.what, key)
        signing.verify(self.key(link.what), role, CONTEXT, payload, link.old)
        signing.verify(key, role, CONTEXT, payload, link.new)
        if link.what == "log":
            return replace(self, log=key, log_keys=(*self.log_keys, key))
        if link.what == "state":
            return replace(self, state=key, state_keys=(*self.state_keys, key))
        if link.what == "twin":
            return replace(self, twin=key, twin_keys=(*self.twin_keys, key))
        return replace(self, operator=key)

    def _witnessed(self, link: Link) -> Authority:
        if link.suite or link.public or link.old or link.new:
            raise MalformedError("a change of the witnesses has a policy and its note")
        policy = check_policy(link.policy, self.genesis.profile)
        if link.policy == self.witnesses:
            raise MalformedError("a change of the witnesses changes something")
        founders = {member.key for member in self.genesis.committee}
        if any(witness.key.key in self._operators() | founders for witness in policy.witnesses):
            raise TrustError("a key never has two purposes", code="key-reused")
        self._check_approved(link.note, self.witness_text(link.policy), policy)
        return replace(self, witnesses=link.policy)

    def _check_approved(self, data: bytes, text: str, policy: Policy) -> None:
        """Quorums of the old and the new policy have cosigned; every line is one of theirs, in order of their names."""
        if not (self.policy.needed or policy.needed):
            if data:
                raise MalformedError("without witnesses before and after nobody approves")
            return
        note = parse_note(data)
        if note.text != text:
            raise TrustError("the witnesses approved another change", code="wrong-change")
        met = [_approving(note, held) for held in (self.policy, policy)]
        lines = [(line.name, line.key_id) for line in note.signatures]
        if lines != sorted(set(lines)) or any(line not in met[0] | met[1] for line in lines):
            raise TrustError("a line of nobody whom the policies name", code="unknown-cosigner")

    def used(self) -> frozenset[PublicKey]:
        """Every key that has or had a purpose: reserved, or of a founding member."""
        return self.reserved() | {member.key for member in self.genesis.committee}

    def reserved(self) -> frozenset[PublicKey]:
        """Every key that is or was the log's, the state's, the operator's, the twin's or a witness's."""
        witnesses = [link.policy for link in self.links if link.what == WITNESSES] + [self.genesis.witnesses]
        policies = [check_policy(text, self.genesis.profile) if text else NO_WITNESSES for text in witnesses]
        return self._operators() | {witness.key.key for policy in policies for witness in policy.witnesses}

    def _operators(self) -> frozenset[PublicKey]:
        held = (self.genesis.log, self.genesis.state, self.genesis.operator, self.genesis.twin)
        founding = [key for key in held if key is not None]
        later = [PublicKey(link.suite, link.public) for link in self.links if link.what != WITNESSES]
        return frozenset((*founding, *later))


def _approving(note: Note, policy: Policy) -> set[tuple[str, bytes]]:
    """(name, key id) of the lines that witnesses of a policy made; they must be its quorum."""
    ours = {(witness.key.name, witness.key.key_id): witness for witness in policy.witnesses}
    times = {
        ours[line.name, line.key_id].name: verify_cosignature(note.text, line, ours[line.name, line.key_id].key)
        for line in note.signatures if (line.name, line.key_id) in ours
    }  # fmt: skip
    if not policy.met(times):
        raise TrustError("the change has not the witnesses that it needs", code="no-quorum")
    return {(w.key.name, w.key.key_id) for w in policy.witnesses if w.name in times}


def print_chain(authority: Authority) -> bytes:
    """The file by which a witness follows: cbor["weid/key-chain/v1", genesis, links]."""
    return cbor.encode([_HEAD, print_genesis(authority.genesis), [encode_record(link) for link in authority.links]])


@lru_cache(maxsize=64)
def open_chain(data: bytes) -> Authority:
    """The authority of exactly such a file, every link checked; compare its genesis digest with the pin."""
    match cbor.decode(data, max_bytes=MAX_BYTES, max_depth=4):
        case (str(head), bytes(genesis), links) if head == _HEAD:
            return Authority.of(parse_genesis(genesis), read_chain(links))
    raise MalformedError("not a chain of key changes of this version")


def read_chain(value: Any) -> tuple[Link, ...]:
    """The links of a bundle's chain, unchecked; MalformedError for what is none."""
    if not isinstance(value, tuple) or len(value) > MAX_LINKS:
        raise MalformedError("a chain of key changes is a list of links")
    return tuple(decode_record(Link, item) for item in value)
