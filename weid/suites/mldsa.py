"""ML-DSA-44 (FIPS 204): signatures that outlive elliptic curves. The secret is the 32-byte seed (RFC 9964)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from weid.errors import KeyMaterialError, SignatureError
from weid.hashes import SHA256, Hash
from weid.suites._suite import Random, drawn, require_length, require_secret

_PUBLIC_BYTES = 1312
_RHO_BYTES = 32  # the seed of the matrix; t1 follows (FIPS 204 algorithm 22)


class MlDsa44:
    """The suite `ml-dsa-44`: 1312-byte keys, 2420-byte signatures, the empty context string, no pre-hash."""

    name = "ml-dsa-44"
    code = 6
    hash: Hash = SHA256
    multicodec = 0x1210
    secret_bytes = 32
    signature_bytes = 2420

    def generate(self, random: Random) -> bytes:
        """A new 32-byte seed; KeyMaterialError if the source is broken."""
        return drawn(random, self.secret_bytes)

    def public(self, secret: bytes) -> bytes:
        """The public key of a seed."""
        return _private_key(_seed(secret)).public_key().public_bytes_raw()

    def check_public(self, public: bytes) -> None:
        """KeyMaterialError unless 1312 bytes with a t1 that is not zero (R2)."""
        _key_bytes(public)

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """The 2420-byte signature, hedged: two signatures of one message differ (FIPS 204 3.4)."""
        return _private_key(_seed(secret)).sign(message)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """SignatureError unless this key signed this message; the library refuses a second spelling of the hints."""
        key = _public_key(_key_bytes(public))
        require_length(signature, self.signature_bytes)
        try:
            key.verify(signature, message)
        except InvalidSignature:
            raise SignatureError("the signature does not verify") from None


def _key_bytes(public: bytes) -> bytes:
    if not isinstance(public, bytes) or len(public) != _PUBLIC_BYTES:
        raise KeyMaterialError(f"an ml-dsa-44 public key is {_PUBLIC_BYTES} bytes", code="public-key")
    # With t1 = 0 the challenge drops out of the equation: anybody could sign under such a key.
    if not any(public[_RHO_BYTES:]):
        raise KeyMaterialError("an ml-dsa-44 public key with t1 = 0 is nobody's", code="public-key")
    return public


def _seed(secret: bytes) -> bytes:
    return require_secret("ml-dsa-44", secret, MlDsa44.secret_bytes)


@lru_cache(maxsize=256)
def _public_key(public: bytes) -> MLDSA44PublicKey:
    return MLDSA44PublicKey.from_public_bytes(public)


@lru_cache(maxsize=64)
def _private_key(secret: bytes) -> MLDSA44PrivateKey:
    return MLDSA44PrivateKey.from_seed_bytes(secret)
