"""What every suite looks like, and the two questions all of them ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from weid.errors import KeyMaterialError, SignatureError
from weid.hashes import Hash

Random = Callable[[int], bytes]
"""A source of unpredictable bytes: `secrets.token_bytes`, or a fixed stream in a test."""

OWN_SIGNATURE_BYTES = 64
"""The one length of a signature in our own formats (R2)."""
OWN_HASH_BYTES = 32
"""The one length of a digest in our own formats."""


class Suite(Protocol):
    """One signature algorithm with its hash, fixed by name: nothing is guessed from a length (R2)."""

    @property
    def name(self) -> str:
        """The name used in DID records and key files."""
        ...

    @property
    def code(self) -> int:
        """The number used in compact forms; never reused."""
        ...

    @property
    def hash(self) -> Hash:
        """The hash of everything made under a key of this suite."""
        ...

    @property
    def secret_bytes(self) -> int:
        """The length of a secret."""
        ...

    @property
    def signature_bytes(self) -> int:
        """The length of a signature."""
        ...

    @property
    def multicodec(self) -> int:
        """The public key prefix of the multicodec table."""
        ...

    def generate(self, random: Random) -> bytes:
        """A new secret from the given randomness; KeyMaterialError if the source is broken."""
        ...

    def public(self, secret: bytes) -> bytes:
        """The canonical public key of a secret; KeyMaterialError if the secret is out of range."""
        ...

    def check_public(self, public: bytes) -> None:
        """KeyMaterialError unless the public key is canonical, on the curve and not infinity (R2)."""
        ...

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """The raw signature; the nonce never leaves the suite (R4). Callers go through a Signer (R1)."""
        ...

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """SignatureError unless this key signed this message; KeyMaterialError for a bad key."""
        ...


def drawn(random: Random, count: int) -> bytes:
    """`count` bytes from the source; a source that gives any other number is not trusted at all."""
    data = random(count)
    if not isinstance(data, bytes) or len(data) != count:
        raise KeyMaterialError("the random source gave the wrong number of bytes")
    return data


def require_length(signature: bytes, count: int) -> bytes:
    """SignatureError unless the signature is exactly `count` raw bytes, so DER is refused (R2)."""
    if not isinstance(signature, bytes) or len(signature) != count:
        raise SignatureError(f"a signature is exactly {count} bytes", code="signature-length")
    return signature


def require_secret(name: str, secret: bytes, count: int) -> bytes:
    """KeyMaterialError unless the secret is exactly `count` bytes."""
    if not isinstance(secret, bytes) or len(secret) != count:
        article = "an" if name == "ed25519" else "a"
        raise KeyMaterialError(f"{article} {name} secret is {count} bytes", code="secret-key")
    return secret


def fits_own_formats(suite: Suite) -> bool:
    """Whether compact codes, operations and key proofs can carry this suite: 64-byte signatures, 32-byte digests."""
    return suite.signature_bytes == OWN_SIGNATURE_BYTES and suite.hash.size == OWN_HASH_BYTES
