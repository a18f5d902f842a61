"""Status lists and issuance registers: pure values an issuer keeps and a registry commits to (R8, R9)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from credentials import data_integrity
from weid import merkle
from weid.canon import JSON
from weid.codec import b64u, rfc3339, unmultibase
from weid.errors import IssueError, MalformedError, StatusFullError
from weid.hashes import Hash
from weid.keys import Signer
from weid.records import (
    REASONS,
    OverrideRecord,
    RegisterLeaf,
    StatusEntries,
    StatusEntry,
    StatusRecord,
    status_digest,
    status_list_id,
)  # fmt: skip
from weid.status import register_leaf as leaf_data
from weid.suites import Random

__all__ = [
    "MIN_BITS", "PURPOSES", "Register", "StatusList", "bitstring_credential", "decode_bitstring", "encode_bitstring",
    "free_places", "pack_bits", "register_leaf", "slot_key", "union_of_seen", "worse_of",
]  # fmt: skip

MIN_BITS: Final = 131_072  # group privacy floor of Bitstring Status List 1.0
MAX_BITS: Final = 1 << 24
PURPOSES: Final = ("revocation", "suspension")
_STATE_OF: Final = {"revocation": "revoked", "suspension": "suspended"}


@dataclass(frozen=True, slots=True)
class StatusList:
    """One list of an issuer. `used` are the indexes given out; entries are those not in good standing."""

    issuer: str
    number: int
    seq: int = 0
    size: int = MIN_BITS
    entries: StatusEntries = StatusEntries()  # noqa: RUF009 (an immutable tuple)
    used: frozenset[int] = frozenset()

    @property
    def list_id(self) -> str:
        """`<issuer did>/status/<number>`."""
        return status_list_id(self.issuer, self.number)

    def allocate(self, count: int = 1, *, random: Random) -> tuple[StatusList, tuple[int, ...]]:
        """`count` free indexes at random places, so that an index says nothing about when or how many (qr.md §5)."""
        found = free_places(self.size, self.used, count, random=random)
        return replace(self, used=self.used | frozenset(found)), found

    def entry(self, index: int) -> StatusEntry | None:
        """The entry of an index that is not in good standing."""
        return next((entry for entry in self.entries if entry.index == index), None)

    def revoke(self, *indexes: int, reason: str = "unspecified", at: int) -> StatusList:
        """The list with these revoked, for good; the sequence number rises by one."""
        return self._with({index: StatusEntry(index, "revoked", reason, at) for index in indexes}, ())

    def suspend(self, *indexes: int, reason: str = "unspecified", at: int) -> StatusList:
        """The list with these suspended; IssueError `revoked-is-final` when one is revoked."""
        return self._with({index: StatusEntry(index, "suspended", reason, at) for index in indexes}, ())

    def lift(self, *indexes: int) -> StatusList:
        """The list with these suspensions lifted; IssueError when one is revoked or not suspended."""
        for index in indexes:
            entry = self.entry(index)
            if entry is None or entry.state != "suspended":
                raise IssueError(f"index {index} is not suspended", code="not-suspended")
        return self._with({}, indexes)

    def digest(self, hash: Hash) -> bytes:
        """What `status.publish` commits to; anyone who holds the list recomputes it."""
        return status_digest(hash, self.list_id, self.seq, self.entries)

    def _with(self, changed: Mapping[int, StatusEntry], gone: Iterable[int]) -> StatusList:
        kept = {entry.index: entry for entry in self.entries}
        for index, entry in changed.items():
            before = kept.get(index)
            if not 0 <= index < self.size or entry.reason not in REASONS:
                raise IssueError(f"index {index} or reason {entry.reason!r} does not exist", code="bad-status")
            if before is not None and before.state == "revoked":
                if entry.state != "revoked":
                    raise IssueError(f"index {index} is revoked for good", code="revoked-is-final")
                continue  # the first revocation keeps its reason and time
            kept[index] = entry
        for index in gone:
            del kept[index]
        entries = StatusEntries(kept[index] for index in sorted(kept))
        return replace(self, seq=self.seq + 1, entries=entries)


@dataclass(frozen=True, slots=True)
class Register:
    """The issuance register of one list, in order of issue (R8): an RFC 6962 tree over (list, index, cid)."""

    list_id: str
    leaves: tuple[RegisterLeaf, ...] = ()

    def add(self, *leaves: RegisterLeaf) -> Register:
        """The register with more issuances; IssueError when a slot is given out twice."""
        used = {leaf.index for leaf in self.leaves}
        for leaf in leaves:
            if leaf.index in used:
                raise IssueError(f"index {leaf.index} is given out already", code="slot-taken")
            used.add(leaf.index)
        return replace(self, leaves=self.leaves + leaves)

    def root(self, hash: Hash) -> bytes:
        """The root that `status.publish` commits to."""
        return merkle.root(self._hashes(hash), hash=hash)

    def path(self, index: int, hash: Hash) -> tuple[int, tuple[bytes, ...]]:
        """(place, inclusion path) of a slot in the register as it is now; IssueError when it is not there."""
        places = [place for place, leaf in enumerate(self.leaves) if leaf.index == index]
        if not places:
            raise IssueError(f"index {index} is not in the register", code="not-in-register")
        return places[0], merkle.inclusion_path(self._hashes(hash), places[0], hash=hash)

    def _hashes(self, hash: Hash) -> list[bytes]:
        return [register_leaf(self.list_id, leaf.index, leaf.cid, hash) for leaf in self.leaves]


def free_places(size: int, used: frozenset[int], count: int, *, random: Random) -> tuple[int, ...]:
    """`count` indexes below `size` that are not in `used`, drawn at random; StatusFullError when there are too few."""
    if size - len(used) < count:
        raise StatusFullError(f"the list has {size - len(used)} free places, {count} wanted")
    taken = set(used)
    found: list[int] = []
    while len(found) < count:
        index = int.from_bytes(random(8), "big") % size  # bias below 2^-40 for the largest list
        if len(taken) * 2 > size:
            free = sorted(set(range(size)) - taken)
            index = free[index % len(free)]
        if index not in taken:
            taken.add(index)
            found.append(index)
    return tuple(found)


def register_leaf(list_id: str, index: int, cid: bytes, hash: Hash) -> bytes:
    """The leaf hash of one issuance."""
    return merkle.leaf_hash(leaf_data(list_id, index, cid), hash=hash)


def slot_key(list_id: str, index: int) -> str:
    """`<list id>|<index>`: the key of overrides and of the union of seen revocations."""
    return f"{list_id}|{index}"


def union_of_seen(seen: frozenset[str], record: StatusRecord) -> frozenset[str]:
    """What a verifier remembers: once seen revoked, a credential stays revoked whatever a later list says (R9)."""
    return seen | {slot_key(record.list_id, entry.index) for entry in record.entries if entry.state == "revoked"}


def worse_of(entries: Iterable[StatusEntry], words: Iterable[OverrideRecord]) -> StatusEntries:
    """An issuer's entries with the auditors' words on the same list: the worse of the two counts (R9)."""
    found = {entry.index: entry for entry in entries}
    for word in words:
        held = found.get(word.index)
        if word.state in _STATE_OF.values() and (held is None or held.state != "revoked"):
            found[word.index] = StatusEntry(word.index, word.state, word.reason, word.at)
    return StatusEntries(found[index] for index in sorted(found))


def encode_bitstring(entries: Iterable[StatusEntry], state: str, size: int) -> str:
    """`encodedList`: one bit an index, first index in the highest bit, gzip, multibase base64url."""
    if size < MIN_BITS or size % 8:
        raise MalformedError(f"a status list has at least {MIN_BITS} bits, a multiple of eight")
    bits = bytearray(size // 8)
    for entry in entries:
        if entry.state == state:
            bits[entry.index >> 3] |= 0x80 >> (entry.index & 7)
    return pack_bits(bytes(bits))


def pack_bits(bits: bytes) -> str:
    """Bits as an `encodedList`: gzip without a date, multibase base64url."""
    return "u" + b64u(gzip.compress(bits, mtime=0))


def decode_bitstring(text: str) -> bytes:
    """The bits of an `encodedList`, at most 16 Mbit whatever the gzip stream promises; MalformedError otherwise.

    A bomb stops at the limit; a second gzip member, padding or anything else behind the stream is refused; a list
    below the floor of group privacy is `too-short`.
    """
    if not text.startswith("u"):
        raise MalformedError("encodedList is multibase base64url")  # base58 of a megabyte is quadratic work
    unpacker = zlib.decompressobj(wbits=31)
    try:
        bits = unpacker.decompress(unmultibase(text), MAX_BITS // 8 + 1)
    except zlib.error:
        raise MalformedError("encodedList is not gzip") from None
    if not unpacker.eof or unpacker.unused_data:
        raise MalformedError("encodedList is too large, cut short or followed by other data", code="too-large")
    if len(bits) * 8 < MIN_BITS:
        raise MalformedError(f"encodedList has fewer than {MIN_BITS} bits", code="too-short")
    return bits


def bitstring_credential(
    status: StatusList, purpose: str, signer: Signer, *, issued: int, until: int, signed: int | None = None,
    url: str | None = None, ttl: int | None = None,
) -> dict[str, JSON]:  # fmt: skip
    """The list as a signed BitstringStatusListCredential for one purpose (W3C Bitstring Status List 1.0).

    `signed` is the minute at which it was known to say this, by default that of its issue; `url` where it is served, by
    default its DID URL; `ttl` the minutes after which asking again makes sense.
    """
    if purpose not in PURPOSES:
        raise MalformedError(f"unknown status purpose {purpose!r}")
    name = url or f"{status.list_id}/{purpose}"
    subject: dict[str, JSON] = {
        "id": f"{name}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purpose,
        "encodedList": encode_bitstring(status.entries, _STATE_OF[purpose], status.size),
    }
    document: dict[str, JSON] = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": name,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": status.issuer,
        "validFrom": rfc3339(issued),
        "validUntil": rfc3339(until),
        "credentialSubject": subject if ttl is None else {**subject, "ttl": ttl * 60_000},
    }
    return data_integrity.sign(document, signer, created=rfc3339(issued if signed is None else signed))
