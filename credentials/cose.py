"""Credentials and presentations as COSE_Sign1 (VC-JOSE-COSE 1.0, 3.3; RFC 9052).

The bytes are walked before any library reads them: definite lengths, shortest heads, no tag but the outermost 18, no
floats, a cap on size and depth. The protected header has one spelling. `typ` (16) must be there, content type (3) may only
say what `typ` says; `crit` (2) is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NoReturn, TypeAlias

import cbor2

from credentials.envelope import Enveloped, build, check_document, unb64_text
from credentials.jws import compact_json
from weid import cbor
from weid.canon import JSON, parse_json
from weid.errors import IssueError, MalformedError, UnknownSuiteError
from weid.keys import JWS_ALGORITHMS, Signer

__all__ = ["ALGORITHMS", "read_cose", "read_cose_text", "sign_cose"]

CONTEXT: Final = "cose"
MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 8
OUR_SM2: Final = JWS_ALGORITHMS["sm2"][0]
ALGORITHMS: Final[Mapping[int | str, str]] = MappingProxyType({
    -8: "ed25519", -19: "ed25519", -7: "p256", -9: "p256", -35: "p384", -51: "p384", -36: "p521", -52: "p521",
    -47: "secp256k1", -48: "ml-dsa-44", OUR_SM2: "sm2",
})  # fmt: skip
"""COSE algorithm → suite: the whole allow-list (RFC 9053, 8812, 9864, 9964). SM2's is our own: COSE has none."""
_FIRST: Final[Mapping[str, int | str]] = MappingProxyType({
    "ed25519": -8, "p256": -7, "p384": -35, "p521": -36, "secp256k1": -47, "ml-dsa-44": -48, "sm2": OUR_SM2,
})  # fmt: skip
_ALG, _CRIT, _CONTENT, _KID, _CWT, _TYP = 1, 2, 3, 4, 15, 16
_CWT_CLAIMS: Final[Mapping[int, str]] = MappingProxyType({1: "iss", 2: "sub", 4: "exp", 5: "nbf", 6: "iat"})
_TAG_18: Final = 0xD2
_ROOM: Final = {24: 1, 25: 2, 26: 4, 27: 8}

Header: TypeAlias = "dict[int | str, object]"


def read_cose(data: bytes) -> Enveloped:
    """The credential or presentation of exactly these COSE_Sign1 bytes; MalformedError or UnknownSuiteError.

    Codes: `cose`, `too-large`, `too-deep`, `crit`, `unknown-alg`, `wrong-typ`, `wrong-cty`, `kid`, and those of the
    document in `envelope`.
    """
    protected, unprotected, payload, signature = _parts(data)
    header = _header(protected, "protected")
    if not protected or _encoded(header) != protected:
        raise MalformedError("the protected header is not in its one encoding", code="cose")
    loose = _header(unprotected, "unprotected")
    if set(header) & set(loose):
        raise MalformedError("a header parameter stands there twice", code="cose")
    form = _form(header)
    document = parse_json(payload)
    if not isinstance(document, dict):
        raise MalformedError("the payload is no JSON object", code="cose")
    claims = _cwt(header)
    if set(claims) & set(document):
        raise MalformedError("a claim stands in the header and in the payload", code="claim-repeated")
    return build(
        form, {**document, **claims}, suite=_suite(header), kid=_kid(header, loose), context=CONTEXT,
        signed=_sig_structure(protected, payload), signature=signature,
    )  # fmt: skip


def read_cose_text(text: str) -> Enveloped:
    """The same from standard base64, padded or not, as the envelopes of presentations carry it."""
    if isinstance(text, str) and len(text) > 2 * MAX_BYTES:
        raise MalformedError(f"a COSE_Sign1 is over {MAX_BYTES} bytes", code="too-large")
    return read_cose(unb64_text(text))


def sign_cose(document: Mapping[str, JSON], signer: Signer, *, kind: str = "vc", kid: str | None = None) -> bytes:
    """The document as `application/vc+cose` or `application/vp+cose`, everything in the protected header."""
    if kind not in ("vc", "vp"):
        raise IssueError(f"an envelope holds vc or vp, not {kind!r}", code="wrong-document")
    check_document(document, kind)
    header: Header = {
        _ALG: _FIRST[signer.public_key.suite], _CONTENT: f"application/{kind}", _KID: (kid or signer.kid).encode("utf-8"),
        _TYP: f"application/{kind}+cose",
    }  # fmt: skip
    protected, payload = _encoded(header), compact_json(dict(document))
    signature = signer.sign(CONTEXT, _sig_structure(protected, payload))
    data = bytes([_TAG_18]) + cbor2.dumps([protected, {}, payload, signature])
    read_cose(data)  # what we would not read we do not hand out
    return data


def _sig_structure(protected: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, b"", payload])  # RFC 9052 4.4, no external data


def _parts(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Protected header, unprotected header still encoded, payload and signature of a tagged COSE_Sign1."""
    if not isinstance(data, bytes) or len(data) > MAX_BYTES:
        raise MalformedError(f"a COSE_Sign1 is over {MAX_BYTES} bytes", code="too-large")
    if data[:2] != bytes([_TAG_18, 0x84]):
        raise MalformedError("not a COSE_Sign1 with its tag", code="cose")
    ends = [2]
    for _ in range(4):
        ends.append(_walk(data, ends[-1], MAX_DEPTH))
    if ends[-1] != len(data) or [data[place] >> 5 for place in ends[:4]] != [2, 5, 2, 2]:
        raise MalformedError("a COSE_Sign1 is two headers, a payload and a signature", code="cose")
    pieces = [data[start:end] for start, end in pairwise(ends)]
    protected, payload, signature = (_bytes(pieces[place]) for place in (0, 2, 3))
    return protected, pieces[1], payload, signature


def _bytes(item: bytes) -> bytes:
    return item[1 + _ROOM.get(item[0] & 0x1F, 0) :]


def _header(data: bytes, which: str) -> Header:
    if not data:
        return {}
    if _walk(data, 0, MAX_DEPTH) != len(data) or data[0] >> 5 != 5:
        raise MalformedError(f"the {which} header is no map", code="cose")
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError) as error:
        raise MalformedError(f"the {which} header does not parse", code="cose") from error
    if not isinstance(value, dict) or len(value) != _count(data) or not all(type(name) in (int, str) for name in value):
        raise MalformedError(f"the {which} header has a label twice, or one that is none", code="cose")
    if _CRIT in value:
        raise MalformedError("crit asks for an extension; none is understood here", code="crit")
    return value


def _encoded(header: Header) -> bytes:
    """The deterministic encoding: shortest heads, labels in the order of their bytes (RFC 8949 4.2.1)."""
    pairs = sorted((cbor2.dumps(name), cbor2.dumps(item, canonical=True)) for name, item in header.items())
    return _map_head(len(pairs)) + b"".join(name + item for name, item in pairs)


def _map_head(count: int) -> bytes:
    return bytes([0xA0 | count]) if count < 24 else bytes([0xB8, count]) if count < 256 else _refuse("a header that large")


def _count(data: bytes) -> int:
    return _number(data, 0)[0]


def _suite(header: Header) -> str:
    algorithm = header.get(_ALG)
    if type(algorithm) not in (int, str):
        raise MalformedError("a COSE header has an alg (1)", code="cose")
    if algorithm not in ALGORITHMS:
        raise UnknownSuiteError(f"COSE alg {str(algorithm)[:40]!r} is not one we verify", code="unknown-alg")
    return ALGORITHMS[algorithm]  # type: ignore[index]


def _form(header: Header) -> str:
    said, content = header.get(_TYP), header.get(_CONTENT)
    form = said.lower().removeprefix("application/") if isinstance(said, str) else ""
    if form not in ("vc+cose", "vp+cose"):
        raise MalformedError(f"typ (16) is {str(said)[:40]!r}, not application/vc+cose or application/vp+cose", code="wrong-typ")
    if content is not None and (not isinstance(content, str) or content.lower() != f"application/{form[:2]}"):
        raise MalformedError(f"content type (3) is {str(content)[:40]!r}, not application/{form[:2]}", code="wrong-cty")
    return form


def _kid(header: Header, loose: Header) -> str | None:
    """A hint at a key may stand in either header (RFC 9052 3.1); it proves nothing."""
    value = header.get(_KID, loose.get(_KID))
    if value is None:
        return None
    if not isinstance(value, bytes):
        raise MalformedError("kid (4) is not a byte string", code="kid")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("kid (4) names no key that we could look up", code="kid") from error


def _cwt(header: Header) -> dict[str, JSON]:
    """The registered claims of a CWT claims header (RFC 9597); others are ignored."""
    value = header.get(_CWT, {})
    if not isinstance(value, Mapping):
        raise MalformedError("the CWT claims (15) are no map", code="cose")
    claims = {name: value[label] for label, name in _CWT_CLAIMS.items() if label in value}
    if not all(type(item) in (int, str) for item in claims.values()):
        raise MalformedError("a CWT claim of a wrong type", code="cose")
    return claims


def _walk(data: bytes, offset: int, depth: int) -> int:
    """The end of the item that begins here; MalformedError for anything but plain, definite, shortest CBOR."""
    if depth == 0:
        raise MalformedError("COSE is nested too deeply", code="too-deep")
    if offset >= len(data):
        _refuse("COSE is cut short")
    major = data[offset] >> 5
    if major == 7:
        return offset + 1 if data[offset] in (0xF4, 0xF5, 0xF6) else _refuse("a float or a reserved value")
    number, offset = _number(data, offset)
    if major < 2:
        return offset
    if major == 6:
        _refuse("a tag inside COSE_Sign1")
    if number > len(data) - offset:  # each item needs a byte: no giant loops from a small head
        _refuse("COSE is cut short")
    if major < 4:
        return offset + number
    for _ in range(number * (major - 3)):
        offset = _walk(data, offset, depth - 1)
    return offset


def _number(data: bytes, offset: int) -> tuple[int, int]:
    low = data[offset] & 0x1F
    if low < 24:
        return low, offset + 1
    room = _ROOM.get(low)
    if room is None or offset + 1 + room > len(data):
        _refuse("an indefinite or missing length")
    number = int.from_bytes(data[offset + 1 : offset + 1 + room], "big")
    if number < (24 if room == 1 else 1 << 4 * room):
        _refuse("a number that is not in its shortest form")
    return number, offset + 1 + room


def _refuse(why: str) -> NoReturn:
    raise MalformedError(why, code="cose")
