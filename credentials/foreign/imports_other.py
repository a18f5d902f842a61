"""Lists for SMART Health Cards, claim 169 and OpenAttestation, in the shapes in which they are published."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from credentials.foreign.keys import read_certificate
from credentials.foreign.smart import scope_of
from weid.anchors import Anchor, Revocations
from weid.canon import JSON, jcs
from weid.codec import b64u, unb64, unb64u
from weid.errors import MalformedError, WeidError
from weid.handed_in import key_in

__all__ = ["claim_169", "open_attestation", "smart", "smart_revocations"]

_THUMBPRINT: Final = ("crv", "kty", "x", "y")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_KEY: Final = ("crv", "kty", "x", "y", "n", "e", "alg", "use")


def smart(value: JSON, issuer: str) -> tuple[list[Anchor], Revocations | None, list[str]]:
    """A JWKS of one `issuer`, `{issuer: JWKS}`, or a snapshot of the VCI directory (`participating_issuers`, `issuerInfo`)."""
    found: list[Anchor] = []
    left_out: list[str] = []
    lists: dict[tuple[str, str], frozenset[str]] = {}
    counters: dict[str, int] = {}
    for iss, name, keys, crls in _smart_issuers(value, issuer):
        for key in keys:
            try:
                found.append(_card_key(key, iss, name))
            except WeidError as error:
                left_out.append(f"{iss}: {error}")
        for crl in crls:
            scope, method, entries, counter = _crl(crl, iss)
            lists[scope, method], counters[scope] = entries, counter
    revoked = Revocations(frozenset(scope for scope, _ in lists), lists, counters) if lists else None
    return found, revoked, left_out


def smart_revocations(value: JSON, issuer: str) -> Revocations:
    """The revocation list of one key of an `issuer`, as it stands under `.well-known/crl/`; or `{issuer: [list, …]}`."""
    lists: dict[tuple[str, str], frozenset[str]] = {}
    counters: dict[str, int] = {}
    given = {issuer: [value]} if isinstance(value, dict) and "rids" in value else value
    for iss, crls in given.items() if isinstance(given, dict) else ():
        for crl in crls if isinstance(crls, list) else []:
            scope, method, entries, counter = _crl(crl, iss)
            lists[scope, method], counters[scope] = entries, counter
    if not lists or "" in given:  # type: ignore[operator]
        raise MalformedError("a revocation list, and --issuer to say whose", code="bad-anchors")
    return Revocations(frozenset(scope for scope, _ in lists), lists, counters)


def claim_169(value: JSON, issuer: str) -> list[Anchor]:
    """A JWK, a JWKS or a DID document; the kid is what codes carry: the bytes of the key's id, where it has one."""
    if not isinstance(value, dict):
        raise MalformedError("a key, a set of keys or a DID document", code="bad-anchors")
    if isinstance(value.get("verificationMethod"), list):
        did = str(value.get("id", ""))
        return [anchor for item in value["verificationMethod"] for anchor in _method(item, did, issuer)]  # type: ignore[union-attr]
    keys = value["keys"] if isinstance(value.get("keys"), list) else [value]
    if not issuer:
        raise MalformedError("a bare key: --issuer says whose", code="bad-anchors")
    return [
        Anchor(issuer, issuer, _kid(key.get("kid")), jwk={name: key[name] for name in _KEY if name in key})
        for key in keys  # type: ignore[union-attr]
        if isinstance(key, dict)
    ]


def open_attestation(value: JSON) -> tuple[list[Anchor], Revocations | None]:
    """`{"issuers": {DID or store: {name, issued, revoked}}}`: the shape of the OpenCerts registry, with what its store says.

    `revoked` also tells, when it is empty, that nothing was; `issued` are Merkle roots in hex.
    """
    issuers = value["issuers"] if isinstance(value, dict) else {}
    found, lists, covers = [], dict[tuple[str, str], frozenset[str]](), set[str]()
    for name, said in issuers.items() if isinstance(issuers, dict) else ():
        if not isinstance(said, dict) or not (_ADDRESS.match(name) or name.startswith("did:ethr:")):
            raise MalformedError("issuers are named by a did:ethr or the address of a store", code="bad-anchors")
        iss = name.lower()
        found.append(Anchor(iss, str(said.get("name", "")), issued=frozenset(_hashes(said.get("issued", [])))))
        if "revoked" in said:
            covers.add(iss)
            lists[iss, "hash"] = frozenset(_hashes(said["revoked"]))
    return found, Revocations(frozenset(covers), lists) if covers else None


def _smart_issuers(value: JSON, issuer: str) -> Iterator[tuple[str, str, list[JSON], list[JSON]]]:
    if not isinstance(value, dict):
        raise MalformedError("a set of keys, or a directory", code="bad-anchors")
    if isinstance(value.get("issuerInfo"), list):
        for item in value["issuerInfo"]:  # type: ignore[union-attr]
            about = item["issuer"]  # type: ignore[index,call-overload]
            yield str(about["iss"]), str(about.get("name", "")), _list(item, "keys"), _list(item, "crls")  # type: ignore[index,union-attr,call-overload]
        return
    given: Mapping[str, JSON] = {issuer: value} if isinstance(value.get("keys"), list) else value
    if "" in given:
        raise MalformedError("a set of keys: --issuer says whose", code="bad-anchors")
    for iss, held in given.items():
        yield iss, "", _list(held, "keys"), []


def _list(value: JSON, name: str) -> list[JSON]:
    held = value.get(name) if isinstance(value, dict) else None
    return held if isinstance(held, list) else []


def _card_key(key: JSON, iss: str, name: str) -> Anchor:
    """One key of an issuer; its kid must be its thumbprint, its certificate be for it and for its issuer (framework, keys)."""
    if not isinstance(key, dict) or key.get("kty") != "EC" or key.get("crv") != "P-256" or key.get("alg", "ES256") != "ES256":
        raise MalformedError("a key of P-256 for ES256", code="bad-anchors")
    if not all(isinstance(key.get(part), str) for part in (*_THUMBPRINT, "kid")) or "d" in key:
        raise MalformedError("a public key with a kid", code="bad-anchors")
    thumbprint = b64u(hashlib.sha256(jcs({part: key[part] for part in _THUMBPRINT})).digest())
    if key["kid"] != thumbprint:
        raise MalformedError("its kid is not its thumbprint", code="bad-anchors")
    jwk = {part: key[part] for part in _THUMBPRINT}
    counter = key.get("crlVersion")
    anchor = Anchor(iss, name, thumbprint, jwk=jwk, counter=counter if type(counter) is int else None)
    chain = key.get("x5c")
    if isinstance(chain, list) and chain:
        _check_leaf(unb64(str(chain[0])), anchor)
    return anchor


def _check_leaf(der: bytes, anchor: Anchor) -> None:
    leaf = read_certificate(der)
    point = b"".join(unb64u(str((anchor.jwk or {})[part])) for part in ("x", "y"))
    if leaf.key is None or leaf.key.xy() != point:
        raise MalformedError("its certificate is for another key", code="bad-anchors")
    if leaf.certificate is None or anchor.issuer not in leaf.certificate.names:
        raise MalformedError("its certificate is for another issuer", code="bad-anchors")


def _crl(crl: JSON, iss: str) -> tuple[str, str, frozenset[str], int]:
    if not isinstance(crl, dict) or not isinstance(crl["kid"], str) or not isinstance(crl["rids"], list):
        raise MalformedError("a revocation list has kid, method, ctr and rids", code="bad-anchors")
    method, counter = crl.get("method", "rid"), crl["ctr"]
    if method not in ("rid", "hash-fhir") or type(counter) is not int or counter < 1:
        raise MalformedError("a revocation list of another method, or without its number", code="bad-anchors")
    return scope_of(iss, crl["kid"]), str(method), frozenset(map(str, crl["rids"])), counter


def _method(method: JSON, did: str, issuer: str) -> Iterator[Anchor]:
    """The key of a verification method, under its whole id and under the fragment alone: codes carry either."""
    if not isinstance(method, dict):
        raise MalformedError("a verification method", code="bad-anchors")
    whole, jwk = str(method.get("id", "")), dict[str, JSON](key_in(method).jwk())
    for name in dict.fromkeys((whole if ":" in whole else did + whole, whole.rpartition("#")[2])):
        yield Anchor(issuer or did, did, _kid(name), jwk=jwk)


def _kid(value: JSON) -> str:
    return value.encode("utf-8").hex() if isinstance(value, str) else ""


def _hashes(value: JSON) -> Iterator[str]:
    for item in value if isinstance(value, list) else []:
        text = str(item).lower().removeprefix("0x")
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            raise MalformedError("a root or hash has 64 hex digits", code="bad-anchors")
        yield text
