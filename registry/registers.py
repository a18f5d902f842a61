"""Which issuance register a reader needs: of a list whose issuer lost a key or a right at T, the last before T (R8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from registry.view import Published
from weid import merkle
from weid.errors import MalformedError
from weid.hashes import Hash
from weid.records import AccreditationRecord, DidRecord, RegisterLeaf, RegisterMark, RegisterRecord, StatusRecord
from weid.status import register_leaf

__all__ = ["newest_registers", "pack_leaves", "register_records", "register_root", "unpack_leaves"]

_CID = 16


def register_root(list_id: str, leaves: Iterable[RegisterLeaf], *, hash: Hash) -> bytes:
    """The root of an issuance register, leaves in the order of issuance."""
    hashes = [merkle.leaf_hash(register_leaf(list_id, leaf.index, leaf.cid), hash=hash) for leaf in leaves]
    return merkle.root(hashes, hash=hash)


def pack_leaves(leaves: Sequence[RegisterLeaf]) -> bytes:
    """Leaves as they travel: index (4 bytes) and cid (16 bytes) each, in order."""
    return b"".join(leaf.index.to_bytes(4, "big") + leaf.cid for leaf in leaves)


def unpack_leaves(data: bytes) -> tuple[RegisterLeaf, ...]:
    """The leaves of packed bytes."""
    step = 4 + _CID
    if len(data) % step:
        raise MalformedError("register leaves are 20 bytes each")
    return tuple(
        RegisterLeaf(int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + step]) for at in range(0, len(data), step)
    )


def newest_registers(
    records: Iterable[RegisterRecord], kept: Callable[[str, str], bytes | None], *, hash: Hash
) -> Iterator[tuple[str, bytes]]:
    """Of each list the newest register a reader needs whose leaves were kept: (list id, packed leaves)."""
    for record in records:
        for mark in reversed(record.marks):
            data = kept("register", f"{record.list_id}|{mark.size}") if mark.size else None
            if data is not None and register_root(record.list_id, unpack_leaves(data), hash=hash) == mark.root:
                yield record.list_id, data
                break


def register_records(
    tables: Mapping[str, Mapping[str, Any]], history: Mapping[str, tuple[Published, ...]], now: int
) -> tuple[tuple[RegisterRecord, ...], bool]:
    """(records, whether every list that needs one has one); leaves stay empty here.

    One mark for each end of the issuer, the register as last published before it: all of them are beginnings of
    the newest, whose leaves alone must travel.
    """
    records, whole = [], True
    for list_id, status in sorted(tables["status"].items()):
        chosen = {_before(history[list_id], at) for at in _ends(tables, status, now)}
        marks = sorted((RegisterMark(entry.at, entry.root, entry.size) for entry in chosen if entry is not None),
                       key=lambda mark: (mark.size, mark.published))  # fmt: skip
        whole = whole and None not in chosen
        if marks:
            records.append(RegisterRecord(list_id, tuple(marks), ()))
    return tuple(records), whole


def _ends(tables: Mapping[str, Mapping[str, Any]], status: StatusRecord, now: int) -> set[int]:
    """Every T: a key of the issuer compromised, its DID deactivated, or a right of this list that lapsed."""
    did: DidRecord = tables["did"][status.issuer]
    ends = {key.ended for key in did.keys if key.end == "compromised" and key.ended is not None}
    if did.deactivated is not None:
        ends.add(did.deactivated)
    for schema in status.schemas:
        right: AccreditationRecord | None = tables["accreditation"].get(f"{status.issuer}|{schema.hex()}")
        if right is not None:
            lapses = (right.lapse(period.since, now) for period in right.periods)
            ends |= {lapse for lapse in lapses if lapse is not None}
    return ends


def _before(history: tuple[Published, ...], at: int) -> Published | None:
    earlier = [entry for entry in history if entry.at < at]
    return earlier[-1] if earlier else None
