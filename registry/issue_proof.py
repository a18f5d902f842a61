"""Proof of issue (R8): one certificate was in its issuer's register when the registry signed its state at minute t.

A holder gets it while the issuer is in good standing and keeps it beside the certificate. If the issuer's key is stolen later,
the certificate stands by its own proof, whatever register a checker's bundle holds. It is made from what anybody may read:
the node learns which list is asked about and no certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.authority import Authority
from registry.genesis import Genesis
from registry.note import parse_note
from registry.proof_file import ProvenEntry, ProvenRecord, check_commit, check_proof
from weid import merkle
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64, unb64, unhex
from weid.errors import MalformedError, ProofError, TrustError
from weid.hashes import Hash
from weid.issuance import Issuance
from weid.records import RegisterLeaf, StatusRecord
from weid.status import register_leaf

__all__ = ["IssueProof", "issue_statement", "parse_issue_proof", "print_issue_proof", "prove_issue",
           "read_issue_proof"]  # fmt: skip

_FORM = "weid/issue-proof/v1"
_MEMBERS = {"cid", "commit", "form", "index", "path", "position", "state"}
_MAX_BYTES = 1 << 20
_MAX_PATH = 32


@dataclass(frozen=True, slots=True)
class IssueProof:
    """The parts, unchecked: a leaf and its path in the register, the list's record in a signed state, that state on the log."""

    leaf: RegisterLeaf
    position: int
    path: tuple[bytes, ...]
    state: bytes  # JSON of GET /v1/records/status/<list>, canonical
    commit: str  # a C2SP tlog-proof of the `state.commit`


def prove_issue(leaf: RegisterLeaf, leaves: Sequence[RegisterLeaf], list_id: str, state: bytes, commit: str, *,
                hash: Hash) -> IssueProof:  # fmt: skip
    """The proof of one leaf of a whole register, as published in `state`; ProofError `not-in-register` if it is not there."""
    if leaf not in leaves:
        raise ProofError("the register has no such certificate: it was not published yet", code="not-in-register")
    position = leaves.index(leaf)
    hashes = [merkle.leaf_hash(register_leaf(list_id, item.index, item.cid), hash=hash) for item in leaves]
    return IssueProof(leaf, position, merkle.inclusion_path(hashes, position, hash=hash), state, commit)


def print_issue_proof(proof: IssueProof) -> bytes:
    """The one file of a proof (RFC 8785)."""
    path: list[JSON] = [b64(node) for node in proof.path]
    return jcs({
        "form": _FORM, "index": proof.leaf.index, "cid": proof.leaf.cid.hex(), "position": proof.position, "path": path,
        "state": parse_json(proof.state), "commit": proof.commit,
    })  # fmt: skip


def parse_issue_proof(data: bytes) -> IssueProof:
    """The parts of exactly these bytes; MalformedError for anything `print_issue_proof` would not print."""
    value: Any = parse_json(data, max_bytes=_MAX_BYTES)
    match value:
        case {
            "form": str(form), "index": int(index), "cid": str(cid), "position": int(position), "path": list(path),
            "state": dict(state), "commit": str(commit),
        } if form == _FORM and set(value) == _MEMBERS:  # fmt: skip
            pass
        case _:
            raise MalformedError("not a proof of issue of this version")
    leaf, nodes = RegisterLeaf(index, unhex(cid)), tuple(unb64(_text(node)) for node in path)
    numbers = type(index) is type(position) is int and 0 <= index < 1 << 32 and 0 <= position < 1 << 32
    if not numbers or len(leaf.cid) != 16 or len(nodes) > _MAX_PATH or any(len(node) != 32 for node in nodes):
        raise MalformedError("a proof of issue has a place, a credential id and a path of hashes")
    found = IssueProof(leaf, position, nodes, jcs(state), commit)
    if print_issue_proof(found) != data:
        raise MalformedError("a proof of issue is canonical JSON")
    return found


def issue_statement(data: bytes) -> str:
    """The text of the state statement in a proof of issue: for choosing the registry whose keys it is checked with."""
    state = parse_json(parse_issue_proof(data).state)
    note = state.get("statement") if isinstance(state, dict) else None
    return parse_note(_text(note).encode()).text


def read_issue_proof(data: bytes, genesis: Genesis, authority: Authority | None = None) -> Issuance:
    """What a proof of issue shows about the registry of this genesis; `authority` as for `check_proof`.

    MalformedError for what is none; SignatureError or TrustError where the registry did not sign, did not commit the state to
    its log, or its witnesses did not cosign that log; ProofError where it shows something else.
    """
    proof, held = parse_issue_proof(data), Authority.of(genesis) if authority is None else authority
    state, commit = check_proof(proof.state, genesis, held), check_proof(proof.commit.encode(), genesis, held)
    if not isinstance(state, ProvenRecord) or not isinstance(commit, ProvenEntry):
        raise MalformedError("a proof of issue has the proof of a record and that of an entry")
    record, statement = state.record, state.statement
    if not isinstance(record, StatusRecord):
        raise ProofError("the state has no such status list", code="bad-proof")
    # The state key alone could sign what the log does not add up to. On the log stands what its operator answers for,
    # before witnesses where there are any, and a mirror has compared it.
    if commit.index != statement.size:
        raise TrustError("this entry does not follow what the statement adds up", code="wrong-state")
    check_commit(commit.operation.data, statement, held)
    hashed = merkle.leaf_hash(register_leaf(record.list_id, proof.leaf.index, proof.leaf.cid), hash=genesis.hash)
    merkle.verify_inclusion(
        hashed, proof.position, record.register_size, proof.path, record.register_root, hash=genesis.hash
    )  # fmt: skip
    return Issuance(record.list_id, proof.leaf.index, proof.leaf.cid, record.published)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedError("a path is a list of hashes")
    return value
