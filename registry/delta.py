"""The difference between two trust bundles: what a reader with the older one needs to make the newer (R20).

A delta is no trust of its own. It names the state map it starts from; who has that state applies it, and gets a whole
bundle, which is then accepted or refused like any other: its snapshot must have the digest of the signed statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from registry.bundle import Bundle, parse_bundle, print_bundle
from registry.note import parse_note
from registry.registers import unpack_leaves
from registry.snapshot import Snapshot, parse_snapshot, print_snapshot
from registry.state_map import StateMap, changed
from registry.statement import Statement, parse_statement
from weid import cbor
from weid.errors import MalformedError, TrustError
from weid.records import KINDS, decode_record, encode_record, record_key

__all__ = ["apply_delta", "is_delta", "make_delta", "starts_from", "state_of"]

_HEAD = "weid/bundle-delta/v1"
_START = cbor.encode([_HEAD])[1:]
_NAME = {kind: name for name, kind in KINDS.items()}


def state_of(bundle: bytes) -> Statement:
    """The state a bundle states: its map root is what a delta starts from. Unchecked."""
    return parse_statement(parse_note(parse_bundle(bundle).statement).text)


def is_delta(data: bytes) -> bool:
    """Whether these bytes claim to be a delta rather than a whole bundle."""
    return data[1 : 1 + len(_START)] == _START


def starts_from(delta: bytes, bundle: bytes) -> bool:
    """Whether a delta starts from the state of this bundle."""
    return _parse(delta)[0] == state_of(bundle).map


def make_delta(old: StateMap, new: StateMap, since: int, bundle: bytes) -> bytes:
    """What turns the bundle of the state `old`, at log minute `since`, into `bundle`, whose state is `new`.

    Registers that were published before `since` are left for the reader to take from its own bundle.
    """
    whole = parse_bundle(bundle)
    snapshot = parse_snapshot(whole.snapshot)
    put: dict[str, list[Any]] = {}
    drop: dict[str, list[str]] = {}
    for was, now in changed(old, new):
        name = _NAME[type(was if now is None else now)]
        if name not in snapshot.records:
            continue
        if now is not None:
            put.setdefault(name, []).append(now)
        elif was is not None:
            drop.setdefault(name, []).append(record_key(was))
    put["register"] = list(snapshot.records["register"])
    kinds = [(name, snapshot.complete[name], _rows(put.get(name, ())), sorted(drop.get(name, ())))
             for name in sorted(snapshot.records)]  # fmt: skip
    fresh = {record.list_id for record in put["register"] if any(mark.published >= since for mark in record.marks)}
    registers = tuple((list_id, leaves if list_id in fresh else b"") for list_id, leaves in whole.registers)
    stripped = print_bundle(replace(whole, genesis=b"", snapshot=b"", registers=registers))
    return cbor.encode([_HEAD, old.root, snapshot.size, snapshot.log_time, kinds, stripped])


def apply_delta(bundle: bytes, data: bytes) -> bytes:
    """The newer bundle, unchecked: give it to `TrustStore.accept`.

    TrustError `delta-base` if the delta starts from another state than this bundle's, or needs a register it has not.
    """
    base, size, log_time, kinds, stripped = _parse(data)
    if state_of(bundle).map != base:
        raise TrustError("this update starts from trust data you do not have: get the whole bundle", code="delta-base")
    old = parse_bundle(bundle)
    snapshot = _changed_snapshot(parse_snapshot(old.snapshot), size, log_time, kinds)
    part = parse_bundle(stripped)
    registers = tuple(_registers(snapshot, dict(old.registers), part))
    return print_bundle(replace(part, genesis=old.genesis, snapshot=print_snapshot(snapshot), registers=registers))


def _rows(records: Iterable[Any]) -> list[Any]:
    return [encode_record(record) for record in sorted(records, key=record_key)]


def _parse(data: bytes) -> tuple[bytes, int, int, tuple[Any, ...], bytes]:
    match cbor.decode(data):
        case (str(head), bytes(base), int(size), int(log_time), tuple(kinds), bytes(stripped)) if head == _HEAD:
            return base, size, log_time, kinds, stripped
    raise MalformedError("not an update of trust data of this version")


def _changed_snapshot(old: Snapshot, size: int, log_time: int, kinds: tuple[Any, ...]) -> Snapshot:
    records, complete = dict(old.records), dict(old.complete)
    for item in kinds:
        match item:
            case (str(name), bool(whole), tuple(rows), tuple(gone)) if name in records:
                held = {} if name == "register" else {record_key(record): record for record in records[name]}
                for key in gone:
                    held.pop(key, None)
                held |= {record_key(record): record for record in (decode_record(KINDS[name], row) for row in rows)}
                records[name], complete[name] = tuple(held.values()), whole
            case _:
                raise MalformedError("an update lists changes by kind of record")
    return replace(old, size=size, log_time=log_time, records=records, complete=complete)


def _registers(snapshot: Snapshot, held: Mapping[str, bytes], part: Bundle) -> Iterable[tuple[str, bytes]]:
    known = {record.list_id: record for record in snapshot.records["register"]}
    for list_id, leaves in part.registers:
        kept = leaves or held.get(list_id, b"")
        record = known.get(list_id)
        if record is None or len(unpack_leaves(kept)) not in {mark.size for mark in record.marks}:
            raise TrustError("this update leaves out a register you do not have: get the whole bundle", code="delta-base")
        yield list_id, kept
