"""COSE_Sign1 around a CBOR web token (RFC 9052, RFC 8392), as DCC and claim 169 use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from credentials.foreign.cbor import read_cbor
from credentials.foreign.value import RSA_PSS
from weid import cbor
from weid.errors import MalformedError, UnknownSuiteError

if TYPE_CHECKING:
    from credentials.foreign.keys import ForeignKey

__all__ = ["Token", "read_token", "seconds"]

ALGORITHMS: Final[Mapping[object, str]] = {-7: "p256", -8: "ed25519", -37: RSA_PSS}
"""COSE algorithm → suite: the whole allow-list."""
_CWT, _SIGN1, _ENCRYPT0 = b"\xd8\x3d", b"\xd2", b"\xd0"
_ALG, _CRIT, _KID = 1, 2, 4
_EXP, _NBF, _IAT = 4, 5, 6
_LATEST: Final = 253_402_300_799  # the last second of the year 9999


@dataclass(frozen=True, slots=True)
class Token:
    """A signed CBOR web token: its claims, and what checking the signature takes."""

    claims: Mapping[object, object]
    suite: str
    kid: bytes
    signed: bytes
    signature: bytes

    @property
    def issuer(self) -> str:
        """`iss`, empty without one."""
        found = self.claims.get(1)
        return found if isinstance(found, str) else ""

    @property
    def times(self) -> tuple[int | None, int | None, int | None]:
        """(issued, from, until) in UTC seconds; MalformedError for what is no time."""
        issued, start = seconds(self.claims.get(_IAT)), seconds(self.claims.get(_NBF))
        given = [item for item in (issued, start) if item is not None]
        return issued, max(given) if given else None, seconds(self.claims.get(_EXP))

    def verify(self, key: ForeignKey) -> None:
        """SignatureError unless `key` signed it."""
        key.verify(self.suite, "cose", self.signed, self.signature)


def read_token(data: bytes) -> Token:
    """The token of exactly these bytes, with or without the tags that RFC 8392 allows.

    MalformedError `cose`, or UnknownSuiteError `unknown-alg`; `unsupported` for one that only its addressee can read.
    """
    value = read_cbor(_untagged(data))
    if not isinstance(value, list) or len(value) != 4:
        raise MalformedError("a COSE_Sign1 has four parts", code="cose")
    protected, loose, payload, signature = value
    if not isinstance(protected, bytes) or not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise MalformedError("a COSE_Sign1 is two headers, a payload and a signature", code="cose")
    header = read_cbor(protected) if protected else {}
    if not isinstance(header, dict) or not isinstance(loose, dict) or set(header) & set(loose) - {_KID}:
        raise MalformedError("COSE headers are maps, and no parameter but kid stands in both", code="cose")
    if _CRIT in header or _CRIT in loose:
        raise MalformedError("crit asks for an extension; none is understood here", code="crit")
    claims = read_cbor(payload)
    if not isinstance(claims, dict):
        raise MalformedError("the claims are no map", code="cose")
    # a kid in both, as some issuers write it: the protected one counts (eHealth network, volume 1)
    kid = header.get(_KID, loose.get(_KID, b""))
    if not isinstance(kid, bytes):
        raise MalformedError("kid (4) is not a byte string", code="cose")
    signed = cbor.encode(["Signature1", protected, b"", payload])  # RFC 9052 4.4, no external data
    return Token(claims, _suite(header, loose), kid, signed, signature)


def seconds(value: object) -> int | None:
    """A CWT time in whole seconds, None without one; MalformedError `bad-time` for what is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise MalformedError("a time that is none", code="bad-time")
    return int(value)


def _untagged(data: bytes) -> bytes:
    """The array without the tags that may stand before it: 61 (a CBOR web token), then 18 (a COSE_Sign1)."""
    data = data.removeprefix(_CWT).removeprefix(_SIGN1)
    if data.startswith(_ENCRYPT0):
        raise MalformedError("an encrypted code: only its addressee can read it", code="unsupported")
    return data


def _suite(header: Mapping[object, object], loose: Mapping[object, object]) -> str:
    """The algorithm; some issuers put it into the unprotected header, where it chooses nothing, for the key decides."""
    algorithm = header.get(_ALG, loose.get(_ALG))
    if type(algorithm) is not int or algorithm not in ALGORITHMS:
        raise UnknownSuiteError(f"COSE alg {str(algorithm)[:40]!r} is not one we verify here", code="unknown-alg")
    return ALGORITHMS[algorithm]
