"""What every suite looks like, and the two questions all of them ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from weid.errors import KeyMaterialError, SignatureError
from weid.hashes import Hash

Random = Callable[[int], bytes]
"""A source of unpredictable bytes: `secrets.token_bytes`, or a fixed stream in a test."""

SIGNATURE_BYTES = 64
SECRET_BYTES = 32


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
    def multicodec(self) -> int:
        """The public key prefix of the multicodec table."""
        ...

    def generate(self, random: Random) -> bytes:
        """A new 32-byte secret from the given randomness; KeyMaterialError if the source is broken."""
        ...

    def public(self, secret: bytes) -> bytes:
        """The canonical public key of a secret; KeyMaterialError if the secret is out of range."""
        ...

    def check_public(self, public: bytes) -> None:
        """KeyMaterialError unless the public key is canonical, on the curve and not infinity (R2)."""
        ...

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """64 raw bytes; the nonce never leaves the suite (R4). Callers go through a Signer (R1)."""
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


def require_64(signature: bytes) -> bytes:
    """SignatureError unless the signature is exactly 64 raw bytes, so DER is refused (R2)."""
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        raise SignatureError("a signature is exactly 64 bytes", code="signature-length")
    return signature
