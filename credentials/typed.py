"""The check by typing: fields and a printed code, looked up without a network (R25).

The issuer prints a random 80-bit code on the certificate and puts one fingerprint on the log:

    salt        = H("weid/typed-salt/v1" ‖ code)                      32 bytes
    fingerprint = H("weid/typed/v1" ‖ [origin, issuer DID, salt, schema digest, [name, value]...])
    kind        = "typed/<status list id>/<index>"

Who does not hold the code learns nothing from the log, however few the possible names are; who holds it but types
one letter wrong finds nothing. The kind leads to the status list, so a revoked certificate is found as revoked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from credentials.schema import Schema
from weid import cbor
from weid.canon import JSON
from weid.errors import MalformedError
from weid.facts import Facts, Found
from weid.hashes import SHA256, SM3, Hash
from weid.records import AccreditationRecord, EvidenceRecord, RootRecord
from weid.signing import framed
from weid.suites import Random

__all__ = ["CODE_BYTES", "Match", "find_typed", "new_code", "place_of", "read_code", "tidy", "typed_fingerprint",
           "typed_kind"]  # fmt: skip

CODE_BYTES: Final = 10
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_ALIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "–": None, "—": None})
_PREFIX: Final = "typed/"


@dataclass(frozen=True, slots=True)
class Match:
    """What typed fields and code led to: who issued, where its status stands, and when it was put on the log."""

    issuer: str
    list_id: str
    index: int
    evidence: Found


def new_code(random: Random) -> str:
    """A code as printed: 80 bits in four groups of four letters and digits."""
    number = int.from_bytes(random(CODE_BYTES), "big")
    text = "".join(_LETTERS[number >> shift & 31] for shift in range(75, -1, -5))
    return "-".join(text[place : place + 4] for place in range(0, 16, 4))


def read_code(text: str) -> bytes:
    """The 10 bytes of a code as a person types it (case, spaces, O for 0); MalformedError `bad-code`."""
    plain = unicodedata.normalize("NFKC", text[:64]).upper().translate(_ALIKE)
    if len(plain) != 16 or any(letter not in _LETTERS for letter in plain):
        raise MalformedError("a code has 16 letters and digits", code="bad-code")
    number = 0
    for letter in plain:
        number = number << 5 | _LETTERS.index(letter)
    return number.to_bytes(CODE_BYTES, "big")


def tidy(text: str) -> str:
    """A typed value without the blanks around it, in NFC (R28); nothing else is forgiven."""
    return unicodedata.normalize("NFC", text).strip()


def typed_fingerprint(
    schema: Schema,
    claims: Mapping[str, JSON],
    names: Sequence[str],
    code: bytes,
    *,
    origin: str,
    issuer: str,
    hash: Hash,
) -> bytes:
    """The fingerprint of these fields under a code; SchemaError names a field that does not fit."""
    known = {claim.name: claim for claim in schema.claims}
    if not names or set(names) - set(known) or len(code) != CODE_BYTES:
        raise MalformedError("a typed check needs a code and fields of the schema", code="bad-typed")
    values = tuple((name, known[name].to_cbor(claims.get(name))) for name in sorted(names))
    salt = hash(framed("weid/typed-salt/v1", code))
    return hash(framed("weid/typed/v1", cbor.encode([origin, issuer, salt, schema.digest, values])))


def typed_kind(list_id: str, index: int) -> str:
    """The kind under which the fingerprint is anchored."""
    return f"{_PREFIX}{list_id}/{index}"


def place_of(kind: str) -> tuple[str, int]:
    """(status list id, index) of such a kind; MalformedError for another kind."""
    list_id, _, index = kind.removeprefix(_PREFIX).rpartition("/")
    good = kind.startswith(_PREFIX) and index.isascii() and index.isdigit() and len(index) <= 10
    if not good or typed_kind(list_id, int(index)) != kind:
        raise MalformedError("not the kind of a typed check", code="bad-typed")
    return list_id, int(index)


def find_typed(facts: Facts, schema: Schema, claims: Mapping[str, JSON], names: Sequence[str], code: bytes) -> Match | None:
    """The certificate these fields and this code name, among all issuers that ever had the right to the schema.

    An anchor counts only by the DID in the fingerprint, and only for that DID's own status lists: nobody can
    anchor a certificate of another institution.
    """
    answer = facts.fact("trust", "root")
    if not isinstance(answer, Found):
        return None
    root: RootRecord = answer.record
    hash = SM3 if root.profile == "gm" else SHA256
    for right in facts.find("accreditation", ""):
        record: AccreditationRecord = right.record
        # Certificates of a recognised registry are checked by code or file, where its terms are checked too (R23).
        if record.schema != schema.digest or right.source.genesis != root.genesis:
            continue
        origin = right.source.origin
        mark = typed_fingerprint(schema, claims, names, code, origin=origin, issuer=record.issuer, hash=hash)
        found = facts.fact("evidence", mark.hex())
        # A recognised registry may write any author beside any fingerprint: only our own log speaks for our issuers.
        if isinstance(found, Found) and found.source.genesis == root.genesis:
            match = _match(found, record.issuer)
            if match is not None:
                return match
    return None


def _match(found: Found, issuer: str) -> Match | None:
    evidence: EvidenceRecord = found.record
    try:
        list_id, index = place_of(evidence.kind)
    except MalformedError:
        return None
    own = evidence.author == issuer and list_id.startswith(f"{issuer}/status/") and evidence.withdrawn is None
    return Match(issuer, list_id, index, found) if own else None
