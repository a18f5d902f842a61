"""did:jwk: a DID that spells one public JWK. The document is made from the DID alone; nothing is looked up.

Strict where RFC 7517 is loose: a public key and nothing private, one spelling of every coordinate.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, unb64u
from weid.did import DID
from weid.errors import KeyMaterialError, MalformedError, UnknownSuiteError
from weid.keys import PublicKey
from weid.suites import _curve

__all__ = ["did_jwk", "did_jwk_document", "jwk_of_did", "key_of_did_jwk", "key_of_jwk"]

CONTEXTS: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1")
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEYS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {("OKP", "Ed25519"): "ed25519", ("EC", "P-256"): "p256", ("EC", "secp256k1"): "secp256k1"}
)
_SIGNING: Final = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")


def key_of_jwk(jwk: JSON) -> PublicKey:
    """The key of a public JWK (RFC 7517, 8037, 8812), optional members ignored.

    MalformedError, KeyMaterialError for a private or unusable one, UnknownSuiteError for a kind we have no suite for.
    """
    if not isinstance(jwk, dict):
        raise MalformedError("a JWK is an object", code="jwk")
    if PRIVATE.intersection(jwk):
        raise KeyMaterialError("a JWK with private members is no public key", code="private-jwk")
    kty, crv = jwk.get("kty"), jwk.get("crv")
    suite = _KEYS.get((kty, crv)) if isinstance(kty, str) and isinstance(crv, str) else None
    if suite is None:
        raise UnknownSuiteError("no suite for this kind of JWK")
    x = _coordinate(jwk, "x")
    if kty == "OKP":
        if "y" in jwk:
            raise MalformedError("an OKP key has no y", code="jwk")
        return PublicKey(suite, x)
    xy = x + _coordinate(jwk, "y")
    key = PublicKey(suite, _curve.compressed(xy))
    if key.xy() != xy:  # x is on the curve, this y is not its y
        raise KeyMaterialError("the point of a JWK is not on its curve", code="public-key")
    return key


def jwk_of_did(did: str) -> dict[str, JSON]:
    """The JWK that a did:jwk spells, its key checked; errors as `key_of_jwk`."""
    parsed = DID(did)
    if parsed.method != "jwk":
        raise MalformedError("not a did:jwk", code="did-method")
    jwk = parse_json(unb64u(parsed.removeprefix("did:jwk:")), max_depth=4)
    if not isinstance(jwk, dict):
        raise MalformedError("a JWK is an object", code="jwk")
    key_of_jwk(jwk)
    return jwk


def key_of_did_jwk(did: str) -> PublicKey:
    """The key a did:jwk spells; errors as `key_of_jwk`."""
    return key_of_jwk(jwk_of_did(did))


def did_jwk(key: PublicKey) -> DID:
    """The did:jwk of a key, by its canonical JWK."""
    jwk: dict[str, JSON] = {**key.jwk()}
    return DID(f"did:jwk:{b64u(jcs(jwk))}")


def did_jwk_document(did: DID) -> dict[str, JSON]:
    """The document of a did:jwk: one key, `#0`, for everything its `use` allows (all suites here sign)."""
    jwk = jwk_of_did(did)
    if jwk.get("use", "sig") != "sig":
        raise MalformedError("a key that signs is marked for another use", code="jwk")
    name = f"{did}#0"
    method: dict[str, JSON] = {"id": name, "type": "JsonWebKey2020", "controller": str(did), "publicKeyJwk": jwk}
    return {
        "@context": list(CONTEXTS),
        "id": str(did),
        "verificationMethod": [method],
        **{relation: [name] for relation in _SIGNING},
    }


def _coordinate(jwk: Mapping[str, JSON], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or len(text) > 64:
        raise MalformedError(f"a JWK of this kind has {name}", code="jwk")
    data = unb64u(text)
    if len(data) != 32:
        raise KeyMaterialError(f"{name} has 32 bytes", code="public-key")
    return data
