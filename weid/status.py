"""Status lists and issuance registers: the bytes that both sides of the Facts seam compute (R8, R9)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from weid.cbor import encode
from weid.codec import read_uvarint, uvarint
from weid.errors import MalformedError
from weid.hashes import Hash
from weid.rice import best_k, rice, unrice
from weid.signing import framed

__all__ = [
    "REASONS", "STATES", "RegisterLeaf", "RegisterMark", "StatusEntries", "StatusEntry", "pack_entries", "register_leaf",
    "status_digest", "status_list_id", "unpack_entries",
]  # fmt: skip

REASONS = (
    "unspecified", "key-compromise", "superseded", "error-in-data",
    "privilege-withdrawn", "holder-request", "fraud", "status-changed",
)  # fmt: skip
STATES = ("revoked", "suspended")
_MAX = 1 << 32


class StatusEntries(tuple["StatusEntry", ...]):
    """Entries sorted by index; on the wire one byte string (`pack_entries`)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One credential of a list that is not in good standing."""

    index: int
    state: str  # revoked | suspended
    reason: str  # one of REASONS
    at: int


@dataclass(frozen=True, slots=True)
class RegisterLeaf:
    """One issuance: the slot and the credential id."""

    index: int
    cid: bytes


@dataclass(frozen=True, slots=True)
class RegisterMark:
    """What one publication of an issuance register committed to."""

    published: int
    root: bytes
    size: int


def status_list_id(issuer: str, number: int) -> str:
    """`<issuer did>/status/<number>`: a DID URL, so it is also a URL for W3C documents."""
    return f"{issuer}/status/{number}"


def status_digest(hash: Hash, list_id: str, seq: int, entries: StatusEntries) -> bytes:
    """The digest that `status.publish` commits to and every holder of the list recomputes (R9)."""
    return hash(framed("weid/status-list/v1", encode([list_id, seq, pack_entries(entries)])))


def pack_entries(entries: StatusEntries) -> bytes:
    """Three columns in Rice code: gaps between indexes, (state, reason), minutes since the earliest.

    uvarint count ‖ uvarint earliest minute ‖ u8 kinds ‖ kinds, most frequent first, each state<<6 | reason ‖ three columns,
    each u8 k ‖ uvarint length ‖ bits. Nothing for no entries. About 3.7 bytes an entry at 1% of a million.
    """
    if not entries:
        return b""
    kinds = [STATES.index(entry.state) << 6 | REASONS.index(entry.reason) for entry in entries]
    ranked = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))
    rank = {kind: place for place, kind in enumerate(ranked)}
    first = min(entry.at for entry in entries)
    indexes = [-1, *(entry.index for entry in entries)]
    columns = (
        [index - last - 1 for last, index in pairwise(indexes)],
        [rank[kind] for kind in kinds],
        [entry.at - first for entry in entries],
    )
    if any(not 0 <= number < _MAX for column in columns for number in (min(column), max(column))):
        raise MalformedError("entries are in order, and indexes and minutes below 2^32")
    head = uvarint(len(entries)) + uvarint(first) + bytes((len(ranked), *ranked))
    return head + b"".join(_column(column) for column in columns)


def unpack_entries(data: bytes) -> StatusEntries:
    """The entries of packed bytes; MalformedError for unknown states or reasons and for any other spelling."""
    if not data:
        return StatusEntries()
    count, at = read_uvarint(data, 0)
    first, at = read_uvarint(data, at)
    kinds = data[at + 1 : at + 1 + data[at]] if at < len(data) else b""
    at += 1 + len(kinds)
    gaps, at = _read_column(data, at, count)
    ranks, at = _read_column(data, at, count)
    minutes, at = _read_column(data, at, count)
    known = [kind for kind in kinds if kind >> 6 < len(STATES) and kind & 0x3F < len(REASONS)]
    if len(known) != len(kinds) or at != len(data) or any(rank >= len(kinds) for rank in ranks):
        raise MalformedError("a status entry with an unknown state or reason")
    entries, last = [], -1
    for gap, rank, minute in zip(gaps, ranks, minutes, strict=True):
        last += gap + 1
        entries.append(StatusEntry(last, STATES[kinds[rank] >> 6], REASONS[kinds[rank] & 0x3F], first + minute))
    found = StatusEntries(entries)
    if not found or pack_entries(found) != data:
        raise MalformedError("status entries in another spelling")
    return found


def _column(numbers: list[int]) -> bytes:
    k = best_k(numbers)
    bits = rice(numbers, k)
    return bytes((k,)) + uvarint(len(bits)) + bits


def _read_column(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    if at >= len(data):
        raise MalformedError("status entries are cut short")
    length, start = read_uvarint(data, at + 1)
    if start + length > len(data):
        raise MalformedError("status entries are cut short")
    return unrice(data[start : start + length], count, data[at]), start + length


def register_leaf(list_id: str, index: int, cid: bytes) -> bytes:
    """The Merkle leaf data of one issuance: list, index, credential id."""
    return encode([list_id, index, cid])
