"""Proofs that travel alone: one operation is in the log, or one record is (or is not) in the signed state.

The first is a C2SP tlog-proof file whose `extra` line carries the entry itself, so that nothing has to be fetched; the
second is the JSON of `GET /v1/records/…`. Either is judged by the pinned genesis alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.authority import Authority
from registry.bodies import StateCommit
from registry.checkpoint import Checkpoint, decimal, parse_checkpoint
from registry.genesis import Genesis
from registry.note import NoteKey, parse_note, verify_note
from registry.operations import CONTEXT, SignedOperation, read_entry
from registry.policy import verify_quorum
from registry.state_map import KINDS_IN_MAP, read_proof
from registry.statement import Statement, parse_statement, statement_digest
from registry.twin import read_twin
from weid import merkle, signing
from weid.canon import parse_json
from weid.codec import b64, unb64
from weid.errors import MalformedError, TrustError

__all__ = [
    "ProofFile", "ProvenEntry", "ProvenRecord", "check_commit", "check_proof", "check_twin_proof", "is_twin_proof",
    "parse_proof_file", "print_proof_file", "read_checkpoint", "read_statement", "witnessed",
]  # fmt: skip

_HEAD = "c2sp.org/tlog-proof@v1"
_TWIN_HEAD = "weid/twin-proof@v1"
_MAX_BYTES = 1 << 20
_MAX_PATH = 63
_RECORD = {"kind", "key", "record", "proof", "statement"}


@dataclass(frozen=True, slots=True)
class ProofFile:
    """An entry, its index, its inclusion path and the checkpoint note it leads to; nothing of it is checked."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An operation that is in the log of this signed checkpoint; whether it took effect only the state says."""

    index: int
    operation: SignedOperation
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class ProvenRecord:
    """What the signed state says of a key; `record` None means: it has none."""

    kind: str
    key: str
    record: Any | None
    statement: Statement


def print_proof_file(index: int, entry: bytes, path: Sequence[bytes], checkpoint: bytes, *, twin: bool = False) -> bytes:
    """The bytes of a proof file (C2SP tlog-proof); with `twin` of one in the second tree, which ends in the twin note."""
    lines = [_TWIN_HEAD if twin else _HEAD, f"extra {b64(entry)}", f"index {index}", *(b64(node) for node in path), ""]
    return "".join(f"{line}\n" for line in lines).encode() + checkpoint


def is_twin_proof(data: bytes) -> bool:
    """Whether bytes call themselves a proof in the second tree."""
    return data.startswith(_TWIN_HEAD.encode() + b"\n")


def parse_proof_file(data: bytes, *, twin: bool = False) -> ProofFile:
    """The proof file of exactly these bytes; MalformedError for anything `print_proof_file` would not print."""
    if len(data) > _MAX_BYTES:
        raise MalformedError(f"a proof file is at most {_MAX_BYTES} bytes", code="too-large")
    head, gap, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("not a proof file") from error
    if (
        not gap
        or len(lines) < 3
        or lines[0] != (_TWIN_HEAD if twin else _HEAD)
        or not lines[1].startswith("extra ")
        or not lines[2].startswith("index ")
    ):
        raise MalformedError("a proof file has a head, the entry and its index")
    path = tuple(unb64(line) for line in lines[3:])
    if len(path) > _MAX_PATH or any(len(node) != 32 for node in path):
        raise MalformedError("a path has at most 63 hashes of 32 bytes")
    return ProofFile(unb64(lines[1][6:]), decimal(lines[2][6:]), path, note)


def check_proof(data: bytes, genesis: Genesis, authority: Authority | None = None) -> ProvenEntry | ProvenRecord:
    """What a proof file of either kind shows about the registry of this genesis.

    `authority` is the genesis followed through the changes of its keys and witnesses [the genesis alone]. Its newest keys
    count and no earlier ones, which may be stolen: ask for an older proof again. TrustError `foreign-genesis` if it is another's.
    MalformedError for what is no proof; SignatureError or TrustError where the registry did not sign, or the witnesses it
    asks for did not (`no-quorum`); ProofError where the proof shows something else. A state statement is the operator's word
    alone: what witnesses vouch for is the log.
    """
    held = Authority.of(genesis) if authority is None else authority
    if held.genesis.digest != genesis.digest:
        raise TrustError("these key changes are of another registry", code="foreign-genesis")
    return _record(data, held) if data[:1] == b"{" else _entry(parse_proof_file(data), held)


def check_twin_proof(data: bytes, genesis: Genesis, authority: Authority | None = None) -> ProvenEntry:
    """What a proof in the second tree shows, by SM3 and the SM2 key alone; errors as `check_proof`.

    Witnesses cosign the checkpoint, not this note: it rests on the twin key. The entry's size is the twin note's.
    """
    held = Authority.of(genesis) if authority is None else authority
    if held.genesis.digest != genesis.digest:
        raise TrustError("these key changes are of another registry", code="foreign-genesis")
    proof = parse_proof_file(data, twin=True)
    twin, second = read_twin(proof.checkpoint, held), genesis.second
    assert second is not None  # a registry with a twin key has a second hash
    leaf = merkle.leaf_hash(proof.entry, hash=second)
    merkle.verify_inclusion(leaf, proof.index, twin.size, proof.path, twin.second, hash=second)
    return ProvenEntry(proof.index, read_entry(proof.entry, hash=genesis.hash), twin.checkpoint)


def witnessed(data: bytes, authority: Authority) -> bool | None:
    """Whether the policy's quorum has cosigned a checkpoint note; None where the policy asks for nobody.

    SignatureError or TrustError for a line that is wrong: what is merely missing is False.
    """
    if not authority.policy.needed:
        return None
    try:
        verify_quorum(parse_note(data), authority.note_key, authority.policy)
    except TrustError as error:
        if error.code != "no-quorum":
            raise
        return False
    return True


def read_checkpoint(data: bytes, authority: Authority) -> Checkpoint:
    """A checkpoint that the log key in force signed; TrustError or SignatureError otherwise."""
    note = parse_note(data)
    verify_note(note, authority.note_key, "log")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != authority.genesis.origin:
        raise TrustError("the checkpoint is of another log", code="foreign-genesis")
    return checkpoint


def read_statement(data: bytes, authority: Authority) -> Statement:
    """A state statement that the state key in force signed; TrustError or SignatureError otherwise."""
    note, genesis = parse_note(data), authority.genesis
    verify_note(note, NoteKey(genesis.origin, authority.state), "state")
    statement = parse_statement(note.text)
    if (statement.origin, statement.genesis) != (genesis.origin, genesis.digest):
        raise TrustError("the statement is of another registry", code="foreign-genesis")
    return statement


def check_commit(entry: bytes, statement: Statement, authority: Authority) -> None:
    """The entry is the operator's `state.commit` of this statement: TrustError `wrong-state`, SignatureError, MalformedError.

    Where it stands in the log, right after what the statement adds up, is for the caller to see.
    """
    genesis, operator = authority.genesis, authority.operator
    read = read_entry(entry, hash=genesis.hash)
    operation, body = read.operation, read.operation.body
    named = (operation.origin, operation.genesis, operation.kid, operation.alg)
    wanted = (genesis.origin, statement.genesis, genesis.operator_kid, operator.suite)
    if not isinstance(body, StateCommit) or named != wanted:
        raise TrustError("the entry after the statement does not commit it", code="wrong-state")
    signing.verify(operator, "log-op", CONTEXT, read.signed, read.signature)
    if body.size != statement.size or body.digest != statement_digest(statement, hash=genesis.hash):
        raise TrustError("the log commits another state", code="wrong-state")


def _entry(proof: ProofFile, authority: Authority) -> ProvenEntry:
    genesis = authority.genesis
    checkpoint = read_checkpoint(proof.checkpoint, authority)
    if authority.policy.needed:  # an operator with two histories could else show either (R19)
        verify_quorum(parse_note(proof.checkpoint), authority.note_key, authority.policy)
    leaf = merkle.leaf_hash(proof.entry, hash=genesis.hash)
    merkle.verify_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root, hash=genesis.hash)
    return ProvenEntry(proof.index, read_entry(proof.entry, hash=genesis.hash), checkpoint)


def _record(data: bytes, authority: Authority) -> ProvenRecord:
    if len(data) > 4 * _MAX_BYTES:
        raise MalformedError("a record with its proof is at most 4 MiB", code="too-large")
    value = parse_json(data)
    if not isinstance(value, dict) or set(value) != _RECORD or value["kind"] not in KINDS_IN_MAP:
        raise MalformedError("not a record with its proof")
    kind, key, record, proof, note = (value[name] for name in ("kind", "key", "record", "proof", "statement"))
    if not (isinstance(kind, str) and isinstance(key, str) and isinstance(proof, str) and isinstance(note, str)):
        raise MalformedError("not a record with its proof")
    if not (record is None or isinstance(record, str)):
        raise MalformedError("a record is base64 or null")
    statement = read_statement(note.encode(), authority)
    held = None if record is None else unb64(record)
    found = read_proof(unb64(proof), statement.map, kind, key, held, hash=authority.genesis.hash)
    return ProvenRecord(kind, key, found, statement)
