"""Public keys, and signers that sign only what the table of signed messages allows (R1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from weid import cbor
from weid.codec import b64u, multibase, read_uvarint, unmultibase, uvarint
from weid.errors import KeyMaterialError, MalformedError, UnknownSuiteError
from weid.signing import DID_ROLES, LOG_ROLES, ROLES, framed, message, require_role
from weid.suites import SUITES, suite
from weid.suites._curve import P256, SECP256K1, SM2P256, Curve, point

_LONGEST_MULTIKEY = 64  # 'z' and the base58 of at most 35 bytes
_BY_MULTICODEC = {known.multicodec: known.name for known in SUITES.values()}
# SM2 has no registered JWK name; "SM2" is what Chinese implementations write.
_JWK_CURVES: dict[str, tuple[str, Curve]] = {
    "p256": ("P-256", P256),
    "secp256k1": ("secp256k1", SECP256K1),
    "sm2": ("SM2", SM2P256),
}


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
            raise MalformedError("a multikey starts with z and has at most 64 characters", code="multikey")
        data = unmultibase(text)
        code, start = read_uvarint(data)
        if code not in _BY_MULTICODEC:
            raise UnknownSuiteError(f"no suite has multicodec 0x{code:x}")
        return cls(_BY_MULTICODEC[code], data[start:])

    @property
    def multicodec_bytes(self) -> bytes:
        """varint(multicodec) ‖ key."""
        return uvarint(suite(self.suite).multicodec) + self.data

    def multikey(self) -> str:
        """The 'z…' text (Controlled Identifiers 1.0, 2.2.2; SM2 by its multicodec 0x1206)."""
        return multibase(self.multicodec_bytes)

    def jwk(self) -> dict[str, str]:
        """The public JWK (RFC 7517, RFC 8037)."""
        if self.suite == "ed25519":
            return {"crv": "Ed25519", "kty": "OKP", "x": b64u(self.data)}
        name, _ = _JWK_CURVES[self.suite]
        xy = self.xy()
        return {"crv": name, "kty": "EC", "x": b64u(xy[:32]), "y": b64u(xy[32:])}

    def xy(self) -> bytes:
        """X ‖ Y, 64 bytes; KeyMaterialError for ed25519, which has no such form."""
        if self.suite not in _JWK_CURVES:
            raise KeyMaterialError(f"{self.suite} keys have no X and Y")
        return point(_JWK_CURVES[self.suite][1], self.data)

    def hash32(self) -> bytes:
        """H("weid/key/v1" ‖ [suite, key]), the whole digest, by the hash of the suite (R10)."""
        return _hash32(self)

    def thumbprint(self) -> bytes:
        """The first 16 bytes of `hash32`, as a credential is bound to a key (R13)."""
        return _hash32(self)[:16]


@lru_cache(maxsize=4096)
def _hash32(key: PublicKey) -> bytes:
    chosen = suite(key.suite)
    return chosen.hash(framed("weid/key/v1", cbor.encode([chosen.code, key.data])))


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
        """64 bytes; SignatureError for an unknown context, or one that is not for this role (R1)."""
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
        """64 bytes; SignatureError for an unknown context, or one that is not for this role (R1)."""
        require_role(self._role, context)
        return self._suite.sign(self._secret, message(context, payload))

    def __repr__(self) -> str:
        return f"LocalSigner(suite={self._public_key.suite!r}, kid={self._kid!r}, role={self._role!r})"


_suite_named = suite  # the constructor's argument has the same name

__all__ = ["DID_ROLES", "LOG_ROLES", "ROLES", "LocalSigner", "PublicKey", "Signer"]
