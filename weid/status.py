"""Status lists and issuance registers: the bytes that both sides of the Facts seam compute (R8, R9)."""

from __future__ import annotations

from dataclasses import dataclass

from weid.cbor import encode
from weid.codec import read_uvarint, uvarint
from weid.errors import MalformedError
from weid.hashes import Hash
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


class StatusEntries(tuple["StatusEntry", ...]):
    """Entries sorted by index; on the wire one byte string (gap, state and reason, minute)."""

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
    """gap-coded index, then one byte state<<6|reason, then the minute, for each entry in order."""
    out = bytearray()
    last = -1
    for entry in entries:
        out += uvarint(entry.index - last - 1)
        out.append(STATES.index(entry.state) << 6 | REASONS.index(entry.reason))
        out += uvarint(entry.at)
        last = entry.index
    return bytes(out)


def unpack_entries(data: bytes) -> StatusEntries:
    """The entries of packed bytes; MalformedError for unknown states or reasons."""
    entries = []
    offset, last = 0, -1
    while offset < len(data):
        gap, offset = read_uvarint(data, offset)
        if offset >= len(data):
            raise MalformedError("a status entry is cut short")
        state, reason = data[offset] >> 6, data[offset] & 0x3F
        if state >= len(STATES) or reason >= len(REASONS):
            raise MalformedError("a status entry with an unknown state or reason")
        at, offset = read_uvarint(data, offset + 1)
        last += gap + 1
        entries.append(StatusEntry(last, STATES[state], REASONS[reason], at))
    return StatusEntries(entries)


def register_leaf(list_id: str, index: int, cid: bytes) -> bytes:
    """The Merkle leaf data of one issuance: list, index, credential id."""
    return encode([list_id, index, cid])
