"""The snapshot: the records of the state at one size, in one deterministic CBOR value (R20). Assets and claims stand in the
state map alone.

`complete` stands inside, per kind, and is signed with the rest. Register records name root and size only:
their leaves are not on the log, travel beside and are checked against the root by the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from weid import cbor
from weid.errors import MalformedError
from weid.hashes import Hash
from weid.records import KINDS, SNAPSHOT_KINDS, decode_record, encode_record, record_key
from weid.signing import framed

__all__ = ["Snapshot", "parse_snapshot", "print_snapshot", "snapshot_digest"]

_HEAD = "weid/snapshot/v1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The records of a registry, of every kind that travels (`SNAPSHOT_KINDS`), after `size` entries; log time in minutes."""

    origin: str
    genesis: bytes
    size: int
    log_time: int
    records: Mapping[str, tuple[Any, ...]]
    complete: Mapping[str, bool]


def print_snapshot(snapshot: Snapshot) -> bytes:
    """The bytes of a snapshot: kinds in name order, records in key order."""
    kinds = [
        (
            kind,
            snapshot.complete[kind],
            [encode_record(record) for record in sorted(snapshot.records[kind], key=record_key)],
        )
        for kind in SNAPSHOT_KINDS
    ]
    return cbor.encode([_HEAD, snapshot.origin, snapshot.genesis, snapshot.size, snapshot.log_time, kinds])


def snapshot_digest(data: bytes, *, hash: Hash) -> bytes:
    """The digest that the state statement signs."""
    return hash(framed(_HEAD, data))


def parse_snapshot(data: bytes) -> Snapshot:
    """The snapshot of exactly these bytes; check its digest before you rely on it."""
    match cbor.decode(data):
        case (str(head), str(origin), bytes(genesis), int(size), int(log_time), tuple(kinds)) if head == _HEAD:
            pass
        case _:
            raise MalformedError("not a snapshot of this version")
    records: dict[str, tuple[Any, ...]] = {}
    complete: dict[str, bool] = {}
    for item in kinds:
        match item:
            case (str(kind), bool(whole), tuple(rows)) if kind in SNAPSHOT_KINDS and kind not in records:
                records[kind] = tuple(decode_record(KINDS[kind], row) for row in rows)
                complete[kind] = whole
            case _:
                raise MalformedError("a snapshot lists each kind of record once")
    # The bytes below are one spelling of their values already (closed CBOR); what is left to ask for is the order.
    if len(genesis) != 32 or tuple(records) != SNAPSHOT_KINDS:
        raise MalformedError("a snapshot lists every kind of record, in order")
    for rows in records.values():
        keys = [record_key(row) for row in rows]
        if any(after <= before for before, after in pairwise(keys)):
            raise MalformedError("a snapshot has records in the order of their keys, each once")
    return Snapshot(origin, genesis, size, log_time, records, complete)
