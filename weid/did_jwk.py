"""did:jwk: a DID that spells one public JWK. The document is made from the DID alone; nothing is looked up.

Strict where RFC 7517 is loose: a public key and nothing private, one spelling of every coordinate.
"""

from __future__ import annotations

from typing import Final

from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, unb64u
from weid.did import DID
from weid.errors import MalformedError
from weid.keys import PublicKey

__all__ = ["did_jwk", "did_jwk_document", "jwk_of_did", "key_of_did_jwk"]

CONTEXTS: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1")
_SIGNING: Final = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")


def jwk_of_did(did: str) -> dict[str, JSON]:
    """The JWK that a did:jwk spells, its key checked; errors as `PublicKey.from_jwk`."""
    parsed = DID(did)
    if parsed.method != "jwk":
        raise MalformedError("not a did:jwk", code="did-method")
    jwk = parse_json(unb64u(parsed.removeprefix("did:jwk:")), max_depth=4)
    if not isinstance(jwk, dict):
        raise MalformedError("a JWK is an object", code="jwk")
    PublicKey.from_jwk(jwk)
    return jwk


def key_of_did_jwk(did: str) -> PublicKey:
    """The key a did:jwk spells; errors as `PublicKey.from_jwk`."""
    return PublicKey.from_jwk(jwk_of_did(did))


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
