"""MOSIP claim 169: base45 ‖ zlib ‖ COSE_Sign1 ‖ CBOR web token whose claim 169 has numbers for names (specification 1.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from credentials.foreign.base45 import unb45
from credentials.foreign.cbor import as_json
from credentials.foreign.cose import read_token
from credentials.foreign.inflate import inflate
from credentials.foreign.value import CLAIM_169, OtherCredential
from weid.canon import JSON
from weid.errors import MalformedError

__all__ = ["STARTS", "read_claim_169"]

CAP: Final = 1 << 16
STARTS: Final = ("V7F", "Y9F", "6BF", "NCF")
"""How the base45 of each zlib header begins; the code has no prefix of its own."""
_CLAIM: Final = 169
_FIELDS: Final[Mapping[int, str]] = {
    1: "id", 2: "version", 3: "language", 4: "fullName", 5: "firstName", 6: "middleName", 7: "lastName", 8: "dateOfBirth",
    9: "gender", 10: "address", 11: "email", 12: "phone", 13: "nationality", 14: "maritalStatus", 15: "guardian", 16: "photo",
    17: "photoFormat", 18: "bestQualityFingers", 19: "secondaryFullName", 20: "secondaryLanguage", 21: "locationCode",
    22: "legalStatus", 23: "countryOfIssuance", 50: "rightThumb", 51: "rightPointerFinger", 52: "rightMiddleFinger",
    53: "rightRingFinger", 54: "rightLittleFinger", 55: "leftThumb", 56: "leftPointerFinger", 57: "leftMiddleFinger",
    58: "leftRingFinger", 59: "leftLittleFinger", 60: "rightIris", 61: "leftIris", 62: "face", 63: "rightPalm", 64: "leftPalm",
    65: "voice",
}  # fmt: skip


def read_claim_169(text: str) -> OtherCredential:
    """The identity in the text of a code; MalformedError or UnknownSuiteError with the layer that is wrong as its code."""
    token = read_token(inflate(unb45(text), raw=False, cap=CAP))
    held = token.claims.get(_CLAIM)
    if not isinstance(held, dict):
        raise MalformedError("no claim 169 inside", code="claim-169")
    issued, start, end = token.times
    kid = token.kid.hex()
    hint = f"kid|{kid}" if kid else f"iss|{token.issuer}" if token.issuer else "all|"
    return OtherCredential(
        format=CLAIM_169, type=CLAIM_169, issuer=token.issuer, kid=kid, hint=hint, suite=token.suite,
        claims=dict(_claims(held)), verify=token.verify, issued=issued, valid_from=start, valid_until=end,
        has_status=lambda anchor: False,
    )  # fmt: skip


def _claims(held: Mapping[object, object]) -> Iterator[tuple[str, JSON]]:
    names = set()
    for number, value in held.items():
        name = _FIELDS.get(number, f"field {number}") if type(number) is int else f"field {number}"
        if name in names:
            raise MalformedError("a field twice", code="claim-169")
        names.add(name)
        yield name, as_json(value)
