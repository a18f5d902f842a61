"""Public keys, and signers that sign only what the table of signed messages allows (R1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

from weid import cbor
from weid.canon import JSON
from weid.codec import b64u, multibase, read_uvarint, unb64u, unmultibase, uvarint
from weid.errors import KeyMaterialError, MalformedError, UnknownSuiteError
from weid.hashes import SHA256
from weid.signing import DID_ROLES, LOG_ROLES, ROLES, framed, message, require
from weid.suites import SUITES, suite
from weid.suites._curve import P256, P384, P521, SECP256K1, SM2P256, Curve, compressed, point
from weid.suites._suite import OWN_HASH_BYTES

_LONGEST_MULTIKEY = 1800  # 'z' and the base58 of at most 1314 bytes, an ML-DSA-44 key; base58 is quadratic
_BY_MULTICODEC = {known.multicodec: known.name for known in SUITES.values()}
# SM2 has no registered JWK name; "SM2" is what Chinese implementations write.
_JWK_CURVES: dict[str, tuple[str, Curve]] = {
    "p256": ("P-256", P256),
    "p384": ("P-384", P384),
    "p521": ("P-521", P521),
    "secp256k1": ("secp256k1", SECP256K1),
    "sm2": ("SM2", SM2P256),
}
_PRIVATE_MEMBERS = frozenset({"d", "dp", "dq", "k", "oth", "p", "priv", "q", "qi"})
JWS_ALGORITHMS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "ed25519": ("EdDSA", "Ed25519"),
    "p256": ("ES256",),
    "p384": ("ES384",),
    "p521": ("ES512",),
    "secp256k1": ("ES256K",),
    "sm2": ("urn:weid:alg:sm2-sm3",),
    "ml-dsa-44": ("ML-DSA-44",),
})  # fmt: skip
"""suite → its JWS names, the one we write first (RFC 7518 3.1, 8037, 8812, 9864, 9964). SM2's is our own: JOSE has none."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that is canonical and on its curve (R2), with the name of its one suite.

    Raises UnknownSuiteError or KeyMaterialError, so a PublicKey that exists can be used.
    """

    suite: str
    data: bytes

    def __post_init__(self) -> None:
        suite(self.suite).check_public(self.data)

    @classmethod
    def from_multikey(cls, text: str) -> PublicKey:
        """The key of a 'z…' text; MalformedError, UnknownSuiteError (another kind of key) or KeyMaterialError."""
        if not isinstance(text, str) or text[:1] != "z" or len(text) > _LONGEST_MULTIKEY:
            raise MalformedError(f"a multikey starts with z and has at most {_LONGEST_MULTIKEY} characters", code="multikey")
        data = unmultibase(text)
        code, start = read_uvarint(data)
        if code not in _BY_MULTICODEC:
            raise UnknownSuiteError(f"no suite has multicodec 0x{code:x}")
        return cls(_BY_MULTICODEC[code], data[start:])

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, JSON]) -> PublicKey:
        """The key of a public JWK; MalformedError, UnknownSuiteError or KeyMaterialError.

        A JWK with a private member is refused (`private-jwk`): whoever published it has no secret left. `alg`, `use`
        and `key_ops` must allow checking signatures of this suite; other members are ignored (RFC 7517 4).
        """
        if not isinstance(jwk, Mapping):
            raise MalformedError("a JWK is a JSON object", code="jwk")
        if _PRIVATE_MEMBERS & set(jwk):
            raise MalformedError("a JWK with its private part in it", code="private-jwk")
        name = _suite_of_jwk(jwk)
        operations = jwk.get("key_ops", ["verify"])
        if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
            raise KeyMaterialError("a JWK that is not for checking signatures", code="jwk-use")
        if jwk.get("alg", JWS_ALGORITHMS[name][0]) not in JWS_ALGORITHMS[name]:
            raise KeyMaterialError(f"a JWK of {name} for another algorithm", code="jwk-use")
        key = cls(name, _key_of_jwk(jwk, name))
        if name in _JWK_CURVES and key.xy()[-len(key.data) + 1 :] != _jwk_bytes(jwk, "y"):
            raise KeyMaterialError(f"a {name} JWK is not on its curve", code="public-key")
        return key

    @property
    def multicodec_bytes(self) -> bytes:
        """varint(multicodec) ‖ key."""
        return uvarint(suite(self.suite).multicodec) + self.data

    def multikey(self) -> str:
        """The 'z…' text (Controlled Identifiers 1.0, 2.2.2; SM2 by its multicodec 0x1206)."""
        return multibase(self.multicodec_bytes)

    def jwk(self) -> dict[str, str]:
        """The public JWK with the members its thumbprint needs and no others (RFC 7518 6.2, RFC 8037, RFC 9964)."""
        if self.suite == "ed25519":
            return {"crv": "Ed25519", "kty": "OKP", "x": b64u(self.data)}
        if self.suite == "ml-dsa-44":
            return {"alg": "ML-DSA-44", "kty": "AKP", "pub": b64u(self.data)}
        name, curve = _JWK_CURVES[self.suite]
        xy = self.xy()
        return {"crv": name, "kty": "EC", "x": b64u(xy[: curve.width]), "y": b64u(xy[curve.width :])}

    def xy(self) -> bytes:
        """X ‖ Y of a curve's point; KeyMaterialError for ed25519 and ml-dsa-44, which have no such form."""
        if self.suite not in _JWK_CURVES:
            raise KeyMaterialError(f"{self.suite} keys have no X and Y")
        return point(_JWK_CURVES[self.suite][1], self.data)

    def hash32(self) -> bytes:
        """H("weid/key/v1" ‖ [suite, key]), the whole digest, by the suite's 32-byte hash, else SHA-256 (R10)."""
        return _hash32(self)

    def thumbprint(self) -> bytes:
        """The first 16 bytes of `hash32`, as a credential is bound to a key (R13)."""
        return _hash32(self)[:16]


@lru_cache(maxsize=4096)
def _hash32(key: PublicKey) -> bytes:
    chosen = suite(key.suite)
    hash = chosen.hash if chosen.hash.size == OWN_HASH_BYTES else SHA256
    return hash(framed("weid/key/v1", cbor.encode([chosen.code, key.data])))


def _suite_of_jwk(jwk: Mapping[str, JSON]) -> str:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "OKP" and curve == "Ed25519":
        return "ed25519"
    if kind == "AKP" and jwk.get("alg") == "ML-DSA-44":
        return "ml-dsa-44"
    for name, (known, _) in _JWK_CURVES.items():
        if kind == "EC" and curve == known:
            return name
    raise UnknownSuiteError("no suite has a JWK of this kty, crv and alg")


def _jwk_bytes(jwk: Mapping[str, JSON], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or len(text) > _LONGEST_MULTIKEY:
        raise MalformedError(f"the JWK member {name} is not short text", code="jwk")
    return unb64u(text)


def _key_of_jwk(jwk: Mapping[str, JSON], name: str) -> bytes:
    if name == "ml-dsa-44":
        return _jwk_bytes(jwk, "pub")
    if name == "ed25519":
        return _jwk_bytes(jwk, "x")
    width = _JWK_CURVES[name][1].width
    x, y = _jwk_bytes(jwk, "x"), _jwk_bytes(jwk, "y")
    if len(x) != width or len(y) != width:
        raise KeyMaterialError(f"coordinates of {name} are {width} bytes each", code="public-key")
    return compressed(x + y)


class Signer(Protocol):
    """Whoever holds a secret: a key file here, a token or a service elsewhere."""

    @property
    def kid(self) -> str:
        """The id of the verification method or log key."""
        ...

    @property
    def role(self) -> str:
        """The one role of the key."""
        ...

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies."""
        ...

    def sign(self, context: str, payload: bytes) -> bytes:
        """The raw signature; SignatureError for an unknown context, or one not for this role or suite (R1, R2)."""
        ...


class LocalSigner:
    """A signer with its secret in memory. There is no way to make it sign bytes outside the table."""

    __slots__ = ("_kid", "_public_key", "_role", "_secret", "_suite")

    def __init__(self, secret: bytes, suite: str, kid: str, role: str) -> None:
        if role not in ROLES:
            raise KeyMaterialError(f"unknown key role {role!r}", code="unknown-role")
        self._suite = _suite_named(suite)
        self._public_key = PublicKey(suite, self._suite.public(secret))
        self._secret, self._kid, self._role = secret, kid, role

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, JSON], kid: str, role: str) -> LocalSigner:
        """The signer of a private JWK (RFC 7517); KeyMaterialError `secret-key` unless both of its halves belong together."""
        name = _suite_of_jwk(jwk)
        secret = _jwk_bytes(jwk, "priv" if name == "ml-dsa-44" else "d")
        public = {member: item for member, item in jwk.items() if member not in (*_PRIVATE_MEMBERS, "key_ops")}
        signer = cls(secret, name, kid, role)
        if signer.public_key != PublicKey.from_jwk(public):
            raise KeyMaterialError("the private part of a JWK is not the one of its public part", code="secret-key")
        return signer

    @property
    def kid(self) -> str:
        """The id of the verification method or log key."""
        return self._kid

    @property
    def role(self) -> str:
        """The one role of the key."""
        return self._role

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies."""
        return self._public_key

    def sign(self, context: str, payload: bytes) -> bytes:
        """The raw signature; SignatureError for an unknown context, or one not for this role or suite (R1, R2)."""
        require(self._public_key.suite, self._role, context)
        return self._suite.sign(self._secret, message(context, payload))

    def __repr__(self) -> str:
        return f"LocalSigner(suite={self._public_key.suite!r}, kid={self._kid!r}, role={self._role!r})"


_suite_named = suite  # the constructor's argument has the same name

__all__ = ["DID_ROLES", "JWS_ALGORITHMS", "LOG_ROLES", "ROLES", "LocalSigner", "PublicKey", "Signer"]
