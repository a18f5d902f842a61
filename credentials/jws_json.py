"""The JSON serialization of JWS, general and flattened, read strictly (RFC 7515 7.2), and of SD-JWT in it (RFC 9901 8).

Only the protected header counts: `alg`, `typ`, `cty`, `crit` and `b64` outside it are refused, since whoever carries the
text could change them. Members that RFC 7515 does not define are ignored, as it asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from credentials.jws import MAX_BYTES, MAX_HEADER, Jws, read_header
from credentials.sd_jwt import SdJwt, read_sd_jwt
from weid.canon import JSON, parse_json
from weid.codec import b64u, unb64u
from weid.errors import MalformedError

__all__ = ["Signature", "read_jws_json", "read_sd_jwt_json"]

MAX_SIGNATURES: Final = 16
_SIGNED_ONLY: Final = frozenset({"alg", "typ", "cty", "crit", "b64"})
_HOLDERS: Final = ("disclosures", "kb_jwt")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature over the payload: the JWS it amounts to, and the header beside it, which nobody signed."""

    jws: Jws
    unprotected: Mapping[str, JSON]


def read_jws_json(data: bytes) -> tuple[Signature, ...]:
    """Every signature of a general or flattened JWS, at least one; MalformedError, or UnknownSuiteError for any `alg`.

    Which of them must be right is for the caller: reading proves nothing. Codes: `jws-json`, `unprotected-header`,
    `header-repeated`, and those of `read_jws`.
    """
    value = parse_json(data, max_bytes=MAX_BYTES)
    payload = value.get("payload") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(payload, str):
        raise MalformedError("a JWS in JSON is an object with a payload", code="jws-json")
    return tuple(_signature(item, payload, unb64u(payload)) for item in _listed(value))


def read_sd_jwt_json(data: bytes) -> tuple[SdJwt, ...]:
    """The SD-JWT of a JWS in JSON, once for each signature, all with the same disclosures and key binding (RFC 9901 8).

    They stand in the first unprotected header and in no other. The digest that a key-binding JWT signs is over the first
    signature's compact form. Codes: those above, `sd-jwt-json`, and those of `read_sd_jwt`.
    """
    first, *others = read_jws_json(data)
    if any(name in other.unprotected for other in others for name in _HOLDERS):
        raise MalformedError("disclosures and kb_jwt stand in the first header alone", code="sd-jwt-json")
    disclosures, binding = first.unprotected.get("disclosures", []), first.unprotected.get("kb_jwt", "")
    if not isinstance(disclosures, list) or not isinstance(binding, str) or ("kb_jwt" in first.unprotected and not binding):
        raise MalformedError("disclosures are a list of texts, kb_jwt is one text", code="sd-jwt-json")
    texts = [item for item in disclosures if isinstance(item, str)]
    if len(texts) != len(disclosures) or any("~" in text for text in (*texts, binding)):
        raise MalformedError("a tilde separates what in JSON stands apart", code="sd-jwt-json")
    compact = f"{first.jws.signed.decode('ascii')}.{b64u(first.jws.signature)}"
    token = read_sd_jwt("~".join((compact, *texts, binding)))
    return (token, *(replace(token, jws=other.jws) for other in others))


def _listed(value: Mapping[str, JSON]) -> list[JSON]:
    """The signatures of either form; a mixture of both is neither (7.2.2)."""
    if "signatures" not in value:
        return [{name: value[name] for name in ("protected", "header", "signature") if name in value}]
    found = value["signatures"]
    if not isinstance(found, list) or {"protected", "header", "signature"} & set(value):
        raise MalformedError("a JWS in JSON is either general or flattened", code="jws-json")
    if not 0 < len(found) <= MAX_SIGNATURES:
        raise MalformedError(f"a JWS in JSON has 1 to {MAX_SIGNATURES} signatures", code="jws-json")
    return found


def _signature(item: JSON, payload: str, content: bytes) -> Signature:
    protected, signature, loose = (
        (item.get("protected"), item.get("signature"), item.get("header", {})) if isinstance(item, dict) else (None, None, {})
    )
    if not isinstance(protected, str) or not isinstance(signature, str) or not isinstance(loose, dict) or not signature:
        raise MalformedError("a signature in JSON has a protected header and is text", code="jws-json")
    if len(protected) > MAX_HEADER:
        raise MalformedError(f"a JWS header is over {MAX_HEADER} characters", code="too-large")
    header = read_header(protected)
    if _SIGNED_ONLY & set(loose):
        raise MalformedError("what decides how to check a signature must be signed", code="unprotected-header")
    if set(header) & set(loose):
        raise MalformedError("a header parameter stands in both headers", code="header-repeated")
    read = Jws(header, content, unb64u(signature), f"{protected}.{payload}".encode("ascii"))
    return Signature(read, MappingProxyType(loose))
