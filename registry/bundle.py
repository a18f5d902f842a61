"""The trust bundle (R20–R22): one file with all an offline verifier needs, trusted through one pin.

cbor["weid/bundle/v1", genesis, snapshot, statement note, checkpoint note, consistency statement→checkpoint,
state.commit entry, its inclusion path, key chain, registers, histories]

Each part is bound to another: pin → genesis → key chain → keys → statement → snapshot digest → key chain; statement
root → checkpoint root; statement digest → `state.commit` → checkpoint. So any changed byte is refused, and no signature
line is left unchecked.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from registry.authority import Authority, Link, read_chain
from registry.checkpoint import Checkpoint, parse_checkpoint
from registry.genesis import Genesis, parse_genesis
from registry.note import NoteKey, parse_note, verify_note
from registry.policy import verify_quorum
from registry.proof_file import check_commit
from registry.registers import register_root, unpack_leaves
from registry.snapshot import Snapshot, parse_snapshot, snapshot_digest
from registry.statement import Statement, parse_statement
from weid import cbor, merkle
from weid.errors import MalformedError, TrustError
from weid.facts import RecordFacts, Source
from weid.hashes import Hash
from weid.records import RegisterRecord, RootRecord, encode_record

__all__ = ["AHEAD", "Bundle", "BundleFacts", "bundle_genesis", "open_bundle", "parse_bundle", "print_bundle"]

AHEAD = 5  # minutes a log may be ahead of its witnesses and its reader (R7)
MAX_BYTES = 64 << 20
_HEAD = "weid/bundle/v1"
_Path = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The parts of a bundle, unchecked. `histories` are whole consistency paths (`merkle.older_root`) from older sizes
    to the checkpoint, smallest first."""

    genesis: bytes
    snapshot: bytes
    statement: bytes
    checkpoint: bytes
    consistency: _Path
    commit: bytes
    inclusion: _Path
    registers: tuple[tuple[str, bytes], ...] = ()
    histories: tuple[tuple[int, _Path], ...] = ()
    chain: tuple[Link, ...] = ()


class BundleFacts(RecordFacts):
    """The facts of an authenticated bundle, with what authenticated them."""

    def __init__(
        self, data: bytes, authority: Authority, snapshot: Snapshot, checkpoint: Checkpoint, bundle: Bundle, label: str,
        witnessed: int | None,
    ) -> None:  # fmt: skip
        self.data, self.authority, self.snapshot, self.checkpoint, self.bundle, self.witnessed = (
            data, authority, snapshot, checkpoint, bundle, witnessed,
        )  # fmt: skip
        self.genesis = genesis = authority.genesis
        self.as_of = _as_of(snapshot, checkpoint, witnessed)
        source = Source(genesis.origin, snapshot.genesis, label, snapshot.size, self.as_of)
        root = RootRecord(
            genesis.origin, snapshot.genesis, genesis.chain, genesis.profile, checkpoint.size, checkpoint.root,
            self.as_of, witnessed,
        )  # fmt: skip
        records = [record for kind in snapshot.records.values() for record in kind]
        complete = {**snapshot.complete, "address": snapshot.complete["did"]}
        super().__init__(records, source=source, complete=complete, root=root)


def _as_of(snapshot: Snapshot, checkpoint: Checkpoint, witnessed: int | None) -> int:
    """Until when the records are known to be the newest: log time, or the quorum's minute if nothing was added since.

    A checkpoint of more entries than the statement and its commit says nothing about what those entries changed.
    """
    if witnessed is None or checkpoint.size != snapshot.size + 1:
        return snapshot.log_time
    return max(snapshot.log_time, witnessed)


def print_bundle(bundle: Bundle) -> bytes:
    """The bytes of a bundle. The key chain is empty until a key or the witnesses change (R21)."""
    return cbor.encode([
        _HEAD, bundle.genesis, bundle.snapshot, bundle.statement, bundle.checkpoint, bundle.consistency,
        bundle.commit, bundle.inclusion, [encode_record(link) for link in bundle.chain], bundle.registers,
        bundle.histories,
    ])  # fmt: skip


def parse_bundle(data: bytes) -> Bundle:
    """The parts of exactly these bytes, unchecked: use `open_bundle` for anything you rely on."""
    match cbor.decode(data, max_bytes=MAX_BYTES, max_depth=4):
        case (
            str(head), bytes(genesis), bytes(snapshot), bytes(statement), bytes(checkpoint), tuple(consistency),
            bytes(commit), bytes_path, chain, tuple(registers), tuple(histories),
        ) if head == _HEAD:  # fmt: skip
            pass
        case _:
            raise MalformedError("not a trust bundle of this version")
    return Bundle(
        genesis, snapshot, statement, checkpoint, _path(consistency), commit, _path(bytes_path),
        tuple(_register(item) for item in registers), tuple(_history(item) for item in histories), read_chain(chain),
    )  # fmt: skip


def bundle_genesis(data: bytes) -> Genesis:
    """Whose bundle this claims to be: for choosing the pin, nothing more."""
    return parse_genesis(parse_bundle(data).genesis)


def open_bundle(data: bytes, *, pin: bytes, at: int, label: str | None = None) -> BundleFacts:
    """Check everything and give the facts; `pin` is the genesis digest, `at` the reader's clock in minutes.

    TrustError `foreign-genesis`, `future-bundle`, `ahead-of-witnesses`, `wrong-snapshot`, `wrong-size`, `wrong-state`,
    `wrong-register`, `no-signature`, `no-quorum`, `unknown-cosigner`, `chain-gap`, `wrong-chain`; SignatureError,
    ProofError or MalformedError for what is broken.
    """
    with _all_stay():
        return _opened(data, pin, at, label)


@contextmanager
def _all_stay() -> Iterator[None]:
    """No collection in the block: thousands of values are made, all of which stay, and it would walk them again and again.

    What it had to do is done afterwards. Whoever finds it switched off leaves it so: another thread may be here too.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _opened(data: bytes, pin: bytes, at: int, label: str | None) -> BundleFacts:
    bundle = parse_bundle(data)
    genesis = parse_genesis(bundle.genesis)
    if genesis.digest != pin:
        raise TrustError(f"the bundle is of another registry: {genesis.origin}", code="foreign-genesis")
    authority = Authority.of(genesis, bundle.chain)
    statement = parse_statement(_statement_text(bundle.statement, authority))
    checkpoint, witnessed = _checkpoint(bundle.checkpoint, authority)
    _check_time(statement.log_time, witnessed, at)
    _check_tree(bundle, authority, statement, checkpoint)
    snapshot = _snapshot(bundle, genesis, statement)
    if tuple(record.link for record in snapshot.records["keychange"]) != authority.digests:
        # The log says itself which changes took effect: one that the committee did not decide on is none.
        raise TrustError("the key chain is not the one of the log's state", code="wrong-chain")
    _check_histories(bundle, genesis, checkpoint)
    return BundleFacts(data, authority, snapshot, checkpoint, bundle, label or genesis.origin, witnessed)


def _statement_text(note: bytes, authority: Authority) -> str:
    parsed = parse_note(note)
    if len(parsed.signatures) != 1:
        # A line that nobody checks could be changed at will.
        raise TrustError("a statement in a bundle has one signature", code="no-signature")
    verify_note(parsed, NoteKey(authority.genesis.origin, authority.state), "state")
    return parsed.text


def _checkpoint(data: bytes, authority: Authority) -> tuple[Checkpoint, int | None]:
    """The checkpoint, and the minute that its witnesses vouch for (None where the policy asks for none)."""
    note, policy = parse_note(data), authority.policy
    times = verify_quorum(note, authority.note_key, policy)
    moment = policy.time(times)
    return parse_checkpoint(note.text), None if moment is None else moment // 60


def _check_time(log_time: int, witnessed: int | None, at: int) -> None:
    """Log time is not ahead of the witnesses, and neither is ahead of the reader (R7)."""
    if witnessed is not None and log_time > witnessed + AHEAD:
        raise TrustError("the log's time is ahead of its witnesses", code="ahead-of-witnesses")
    if max(log_time, witnessed or 0) > at + AHEAD:
        raise TrustError("the bundle is from the future: is this clock right?", code="future-bundle")


def _check_histories(bundle: Bundle, genesis: Genesis, checkpoint: Checkpoint) -> None:
    """Each path leads to the checkpoint. Whether it starts where a reader once was is for that reader to compare."""
    sizes = [size for size, _ in bundle.histories]
    if sizes != sorted(set(sizes)):
        raise MalformedError("histories are listed once, smallest first")
    for size, path in bundle.histories:
        whole = size & (size - 1) == 0  # the older root itself comes first then
        if not 0 < size < checkpoint.size or len(path) != len(merkle.consistency_ranges(size, checkpoint.size)) + whole:
            raise TrustError("a history of another size", code="wrong-size")
        merkle.older_root(size, checkpoint.size, checkpoint.root, path, hash=genesis.hash)


def _check_tree(bundle: Bundle, authority: Authority, statement: Statement, checkpoint: Checkpoint) -> None:
    """Statement and checkpoint are one log, and the statement's digest is on it."""
    genesis = authority.genesis
    hash = genesis.hash
    if (statement.origin, statement.genesis, checkpoint.origin) != (genesis.origin, genesis.digest, genesis.origin):
        raise TrustError("the notes are of another registry", code="foreign-genesis")
    merkle.verify_consistency(statement.size, statement.root, checkpoint.size, checkpoint.root, bundle.consistency, hash=hash)
    leaf = merkle.leaf_hash(bundle.commit, hash=hash)
    merkle.verify_inclusion(leaf, statement.size, checkpoint.size, bundle.inclusion, checkpoint.root, hash=hash)
    check_commit(bundle.commit, statement, authority)


def _snapshot(bundle: Bundle, genesis: Genesis, statement: Statement) -> Snapshot:
    if snapshot_digest(bundle.snapshot, hash=genesis.hash) != statement.snapshot:
        raise TrustError("the records are not those of the statement", code="wrong-snapshot")
    snapshot = parse_snapshot(bundle.snapshot)
    said = (statement.origin, statement.genesis, statement.size, statement.log_time)
    if (snapshot.origin, snapshot.genesis, snapshot.size, snapshot.log_time) != said:
        raise TrustError("the snapshot is of another size or time", code="wrong-size")
    filled = tuple(_filled(snapshot.records["register"], bundle.registers, genesis.hash))
    return replace(snapshot, records={**snapshot.records, "register": filled})


def _filled(records: tuple[RegisterRecord, ...], given: tuple[tuple[str, bytes], ...], hash: Hash) -> Iterable[RegisterRecord]:
    """Registers with the leaves that travelled beside them, those of one of their marks."""
    leaves = dict(given)
    if [list_id for list_id, _ in given] != sorted(leaves) or not set(leaves) <= {record.list_id for record in records}:
        raise TrustError("the bundle has a register nobody asked for", code="wrong-register")
    for record in records:
        found = unpack_leaves(leaves.get(record.list_id, b""))
        roots = {mark: register_root(record.list_id, found[: mark.size], hash=hash)
                 for mark in record.marks if mark.size <= len(found)}  # fmt: skip
        carried = [mark for mark in roots if mark.size == len(found)]
        if found and not any(roots[mark] == mark.root for mark in carried):
            raise TrustError(f"the register of {record.list_id} is not the one on the log", code="wrong-register")
        # The courier is right, so a beginning that differs is the issuer's doing: such a register proves nothing.
        grown = all(root == mark.root for mark, root in roots.items())
        yield replace(record, leaves=found if grown else ())


def _path(value: Any) -> _Path:
    if not isinstance(value, tuple) or any(not isinstance(node, bytes) for node in value):
        raise MalformedError("a path is a list of hashes")
    return value


def _register(item: Any) -> tuple[str, bytes]:
    match item:
        case (str(list_id), bytes(leaves)):
            return list_id, leaves
    raise MalformedError("a register is a list id and its leaves")


def _history(item: Any) -> tuple[int, _Path]:
    match item:
        case (int(size), tuple(path)):
            return size, _path(path)
    raise MalformedError("a history is a size and a path")
