"""Proof that an operator has signed two things that cannot both be true (R20, R21): for anybody who has the genesis.

cbor["weid/evidence/v1", kind, genesis, key chain, first note, second note, path]

`split`: two checkpoints of one size with different roots. `fork`: a smaller and a larger checkpoint, and the *whole*
consistency path that leads to the larger root and from there to another smaller root than the one signed. `state`: two
state statements of one size that differ, or of which the one of more entries has the earlier time. `twin`: a checkpoint, or the
roots of two trees, and the roots of two trees of the same size that differ from it (`registry.twin`). A path that leads
nowhere proves nothing: whoever could not show one is suspected, not convicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.authority import Authority, Link, read_chain
from registry.bundle import parse_bundle
from registry.checkpoint import Checkpoint
from registry.genesis import parse_genesis, print_genesis
from registry.note import Note, parse_note, print_note
from registry.published import read_log_note, read_state_note
from registry.statement import Statement
from registry.twin import HEAD as TWIN_HEAD
from registry.twin import read_twin_note
from weid import cbor, merkle
from weid.errors import MalformedError, ProofError, TrustError, WeidError
from weid.records import encode_record

__all__ = ["Evidence", "bundle_evidence", "check_evidence", "find_fork", "parse_evidence", "print_evidence", "state_evidence",
           "twin_evidence"]  # fmt: skip

_HEAD = "weid/evidence/v1"
KINDS = ("split", "fork", "state", "twin")
MAX_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """The parts of an evidence file, unchecked."""

    kind: str
    genesis: bytes
    first: bytes
    second: bytes
    path: tuple[bytes, ...] = ()
    chain: tuple[Link, ...] = ()


def print_evidence(evidence: Evidence) -> bytes:
    """The file."""
    chain = [encode_record(link) for link in evidence.chain]
    return cbor.encode([_HEAD, evidence.kind, evidence.genesis, chain, evidence.first, evidence.second, evidence.path])


def parse_evidence(data: bytes) -> Evidence:
    """The parts of exactly these bytes; use `check_evidence` before you accuse anybody."""
    match cbor.decode(data, max_bytes=MAX_BYTES, max_depth=4):
        case (str(head), str(kind), bytes(genesis), chain, bytes(first), bytes(second), tuple(path)) if head == _HEAD:
            nodes = tuple(node for node in path if isinstance(node, bytes))
            if kind in KINDS and len(nodes) == len(path):
                return Evidence(kind, genesis, first, second, nodes, read_chain(chain))
    raise MalformedError("not an evidence file of this version")


def check_evidence(data: bytes, *, pin: bytes) -> str:
    """What the file proves against the registry of this genesis digest: `split`, `fork`, `state` or `twin`.

    TrustError `foreign-genesis`; ProofError `proves-nothing` where both notes can be true; SignatureError or TrustError
    where the registry has not signed them.
    """
    evidence = parse_evidence(data)
    genesis = parse_genesis(evidence.genesis)
    if genesis.digest != pin:
        raise TrustError(f"the evidence is about another registry: {genesis.origin}", code="foreign-genesis")
    authority = Authority.of(genesis, evidence.chain)
    if any(len(parse_note(note).signatures) != 1 for note in (evidence.first, evidence.second)):
        raise MalformedError("a note in an evidence file has the operator's signature alone")
    if evidence.kind == "state":
        contradict = _states(_statement(evidence.first, authority), _statement(evidence.second, authority), evidence.path)
    elif evidence.kind == "twin":
        contradict = not evidence.path and _twins(parse_note(evidence.first), parse_note(evidence.second), authority)
    else:
        first, second = (read_log_note(parse_note(note), authority) for note in (evidence.first, evidence.second))
        contradict = _trees(evidence.kind, first, second, evidence.path, authority)
    if not contradict:
        raise ProofError("both notes can be true: this proves nothing", code="proves-nothing")
    return evidence.kind


def find_fork(
    authority: Authority, one: bytes, other: bytes, paths: Sequence[tuple[bytes, ...]] = ()
) -> bytes | None:  # fmt: skip
    """The evidence file that two checkpoint notes give, with one of these consistency paths where sizes differ; else None.

    Paths may be whole or as RFC 9162 has them. None says that nothing is proven, not that all is well.
    """
    notes = sorted((_alone(one), _alone(other)), key=lambda note: _size(note, authority))
    genesis = print_genesis(authority.genesis)
    made = [Evidence("split", genesis, notes[0], notes[1], (), authority.links)]
    made += [Evidence("fork", genesis, notes[0], notes[1], path, authority.links) for path in paths]
    return next((data for data in map(print_evidence, made) if _proves(data, authority)), None)


def state_evidence(authority: Authority, one: bytes, other: bytes) -> bytes | None:
    """The evidence file that two statement notes give, or None."""
    try:
        first, second = sorted((_alone(one), _alone(other)), key=lambda note: _statement(note, authority).size)
    except WeidError:
        return None
    data = print_evidence(Evidence("state", print_genesis(authority.genesis), first, second, (), authority.links))
    return data if _proves(data, authority) else None


def twin_evidence(authority: Authority, one: bytes, twin: bytes) -> bytes | None:
    """The evidence file that a checkpoint (or the roots of two trees) and the roots of two trees give, or None."""
    genesis = print_genesis(authority.genesis)
    data = print_evidence(Evidence("twin", genesis, _alone(one), _alone(twin), (), authority.links))
    return data if _proves(data, authority) else None


def bundle_evidence(known: bytes, other: bytes) -> bytes | None:
    """The evidence file that two bundles of one registry give, or None where nothing is proven."""
    one, two = parse_bundle(known), parse_bundle(other)
    longer = max(one.chain, two.chain, key=len)
    try:
        authority = Authority.of(parse_genesis(one.genesis), longer)
    except WeidError:
        return None
    paths = [path for bundle in (one, two) for _, path in bundle.histories]
    return find_fork(authority, one.checkpoint, two.checkpoint, paths) or state_evidence(authority, one.statement, two.statement)


def _proves(data: bytes, authority: Authority) -> bool:
    try:
        check_evidence(data, pin=authority.genesis.digest)
    except WeidError:
        return False
    return True


def _trees(kind: str, first: Checkpoint, second: Checkpoint, path: tuple[bytes, ...], authority: Authority) -> bool:
    if kind == "split":
        return first.size == second.size and first.root != second.root and not path
    if not 0 < first.size < second.size:
        return False
    hash = authority.genesis.hash
    return merkle.older_root(first.size, second.size, second.root, path, hash=hash) != first.root


def _states(first: Statement, second: Statement, path: tuple[bytes, ...]) -> bool:
    if path or first.size > second.size:
        return False
    return first.log_time > second.log_time or (first.size == second.size and first != second)


def _twins(first: Note, second: Note, authority: Authority) -> bool:
    """Whether the second note, of two trees, contradicts the first: a checkpoint, or of two trees itself, of the same size."""
    twin = read_twin_note(second, authority)
    if first.text.startswith(TWIN_HEAD):
        other = read_twin_note(first, authority)
        return other.size == twin.size and (other.root, other.second) != (twin.root, twin.second)
    checkpoint = read_log_note(first, authority)
    return checkpoint.size == twin.size and checkpoint.root != twin.root


def _statement(data: bytes, authority: Authority) -> Statement:
    return read_state_note(parse_note(data), authority)


def _alone(data: bytes) -> bytes:
    """The note with its first signature only, which is the operator's: cosignatures prove nothing here."""
    try:
        note = parse_note(data)
    except MalformedError:
        return data
    return print_note(Note(note.text, note.signatures[:1]))


def _size(note: bytes, authority: Authority) -> int:
    try:
        return read_log_note(parse_note(note), authority).size
    except WeidError:
        return 0
