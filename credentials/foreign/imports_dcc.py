"""Lists of DCC signer certificates and of revoked hashes, in the shapes in which states and the gateway publish them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from credentials.foreign.cbor import read_cbor
from credentials.foreign.dcc import HASHED
from credentials.foreign.keys import read_certificate
from weid.anchors import MAX_FILE, Anchor, Revocations
from weid.canon import JSON, parse_json
from weid.codec import b64u, unb64, unb64u, unhex
from weid.errors import MalformedError, WeidError

__all__ = ["anchors", "revocations"]

_CERTIFICATE: Final = ("rawData", "certificate", "cert", "x5c")
_KINDS: Final = ("SIGNATURE", "UCI", "COUNTRYCODEUCI")
_SIGNED_HEAD: Final = re.compile(rb"[A-Za-z0-9+/=]+\s*\n(?=\s*[{\[])")  # the German list: its signature on a line before it
_USES: Final = frozenset({"t", "v", "r"})


def anchors(data: bytes, issuer: str) -> list[Anchor]:
    """Every signer certificate or key; KeyError, TypeError or ValueError for a shape that is not known."""
    if b"-----BEGIN CERTIFICATE-----" in data:
        return [
            _of_der(item.public_bytes(serialization.Encoding.DER), "", issuer) for item in x509.load_pem_x509_certificates(data)
        ]
    if data[:1] == b"\x30":
        return [_of_der(data, "", issuer)]
    if data[:1] not in b"{[ \n\t\reABCDEFGHIJKLMNOPQRSTUVWXYZabcdfghijklmnopqrstuvwxyz0123456789+/":
        return list(_binary(data))
    return list(_of_json(_parsed(data), issuer))


def revocations(value: JSON) -> Revocations:
    """Batches as the gateway's (`{country, kid, hashType, entries}`), one or a list of them, each complete for its country.

    `{"complete": true, "batches": […]}` says that they are all there are.
    """
    complete = isinstance(value, dict) and value.get("complete") is True
    batches = value["batches"] if isinstance(value, dict) and "batches" in value else value
    if not batches and not complete:
        raise MalformedError("no batches, and nothing that says these are all", code="bad-anchors")
    lists: dict[tuple[str, str], set[str]] = {}
    countries: set[str] = {"*"} if complete else set()
    for batch in batches if isinstance(batches, list) else [batches]:
        if not isinstance(batch, dict) or batch["hashType"] not in _KINDS or not isinstance(batch["entries"], list):
            raise MalformedError("a batch has hashType and entries", code="bad-anchors")
        countries |= {str(batch["country"])} if batch.get("country") else set()
        scope = "*" if batch["kid"] in (None, "", "UNKNOWN_KID") else _bytes(str(batch["kid"])).hex()
        entries = lists.setdefault((scope, str(batch["hashType"])), set())
        for entry in batch["entries"]:
            text = entry["hash"] if isinstance(entry, dict) else entry
            entries.add(_bytes(str(text))[:HASHED].hex())
    return Revocations(frozenset(countries), {key: frozenset(held) for key, held in lists.items()})


def _parsed(data: bytes) -> JSON:
    text = data.strip()
    if text.startswith(b"eyJ"):
        text = unb64u(text.split(b".")[1].decode("ascii"))
    elif (head := _SIGNED_HEAD.match(text)) is not None:
        text = text[head.end() :]
    return parse_json(text, max_bytes=MAX_FILE, max_depth=24)


def _of_json(value: JSON, issuer: str) -> Iterator[Anchor]:
    """The shapes: gateway and German lists, Swiss keys, Dutch keys by kid, Swedish keys by country, plain maps by kid."""
    if isinstance(value, list):
        yield from (_entry(item, "", issuer) for item in value if _is_signer(item))
        return
    if not isinstance(value, dict):
        raise MalformedError("neither a list nor a map", code="bad-anchors")
    for name in ("certificates", "certs", "keys"):
        if isinstance(value.get(name), list):
            yield from (_entry(item, "", issuer) for item in value[name] if _is_signer(item))  # type: ignore[union-attr]
            return
    if isinstance(value.get("dsc_trust_list"), dict):
        yield from _by_country(value["dsc_trust_list"])  # type: ignore[arg-type]
        return
    held = next((value[name] for name in ("eu_keys", "certificatesDSCList") if isinstance(value.get(name), dict)), value)
    for kid, item in held.items() if isinstance(held, dict) else ():
        for one in item if isinstance(item, list) else [item]:
            yield _entry(one, kid, issuer)


def _by_country(countries: Mapping[str, JSON]) -> Iterator[Anchor]:
    for country, held in countries.items():
        keys = held["keys"] if isinstance(held, dict) else []
        uses = held.get("eku", {}) if isinstance(held, dict) else {}
        for key in keys if isinstance(keys, list) else []:
            kid = str(key["kid"]) if isinstance(key, dict) else ""
            named = uses.get(kid, []) if isinstance(uses, dict) else []
            yield _entry(key, kid, country, uses=frozenset(map(str, named if isinstance(named, list) else [])))


def _is_signer(item: JSON) -> bool:
    """Not the entries for authorities and uploaders, which sign no certificate of a person."""
    return not isinstance(item, dict) or item.get("certificateType", "DSC") == "DSC"


def _entry(item: JSON, kid: str, issuer: str, uses: frozenset[str] = frozenset()) -> Anchor:
    if isinstance(item, str):
        return _of_der(unb64("".join(item.split())), kid, issuer)
    if not isinstance(item, dict):
        raise MalformedError("an entry is a certificate or a key", code="bad-anchors")
    kid = kid or str(item.get("kid") or item.get("keyId") or "")
    issuer = str(item.get("country") or issuer)
    held = next((item[name] for name in _CERTIFICATE if item.get(name)), None)
    if held is not None:
        text = held[0] if isinstance(held, list) else held
        return _of_der(unb64("".join(str(text).split())), kid, issuer, uses)
    named = item.get("keyUsage")
    uses |= _USES & frozenset(str(use) for use in (named if isinstance(named, list) else []))
    if item.get("subjectPk"):
        return Anchor(issuer, "", _hex(kid), jwk=_jwk(unb64(str(item["subjectPk"]))), uses=uses)
    jwk = {name: item[name] for name in ("kty", "crv", "x", "y", "n", "e") if item.get(name) is not None}
    jwk.setdefault("kty", "RSA" if "n" in jwk else "EC")
    return Anchor(issuer, "", _hex(kid), jwk=_urlsafe(jwk), uses=uses)


def _of_der(der: bytes, kid: str, issuer: str, uses: frozenset[str] = frozenset()) -> Anchor:
    """An anchor of a certificate; its kid is the start of its digest where the list gives none (volume 1, kid)."""
    try:
        about = read_certificate(der).certificate
    except WeidError:
        about = None  # told by whoever imports it
    country = issuer or ("" if about is None else about.country)
    return Anchor(country, country, _hex(kid) or hashlib.sha256(der).digest()[:8].hex(), certificate=der, uses=uses)


def _jwk(spki: bytes) -> Mapping[str, JSON]:
    """The JWK of a SubjectPublicKeyInfo."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = serialization.load_der_public_key(spki)
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise MalformedError("a key of another kind", code="bad-anchors")
    point = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64u(point.x.to_bytes(32, "big")), "y": b64u(point.y.to_bytes(32, "big"))}


def _binary(data: bytes) -> Iterator[Anchor]:
    """The Austrian list: CBOR `{"c": [{"i": kid, "c": certificate}]}`, alone or in an array after its version."""
    value = read_cbor(data)
    held = value.get("c") if isinstance(value, dict) else value
    for item in held if isinstance(held, list) else ():
        if isinstance(item, dict) and isinstance(item.get("c"), bytes):
            kid = item.get("i")
            yield _of_der(item["c"], kid.hex() if isinstance(kid, bytes) else "", "")


def _number(value: int) -> str:
    return b64u(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _urlsafe(jwk: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Some lists write the numbers of a key in standard base64."""
    return {
        name: item.replace("+", "-").replace("/", "_").rstrip("=") if isinstance(item, str) and name in "xyne" else item
        for name, item in jwk.items()
    }


def _hex(kid: str) -> str:
    return _bytes(kid).hex() if kid else ""


def _bytes(text: str) -> bytes:
    """Bytes out of hex or either base64: lists write a kid or a hash in any of them."""
    if re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64}", text):
        return unhex(text)
    return unb64u(text.replace("+", "-").replace("/", "_").rstrip("="))
