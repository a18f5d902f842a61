"""SM2 by the pure-Python package gmssl: the slow fallback, and the check on the fast back-end.

Two defects of gmssl 3.2.2 are fenced off here. Its default nonce comes from a predictable
generator, so every nonce is made by `secrets`. Its constructor strips leading 0s and 4s from a
public key, so the key (always 128 hex digits) is set after construction. Its arithmetic is not
constant-time: who signs with it must not let strangers measure the time.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any

from weid.suites import _sm2
from weid.suites._curve import SM2P256


class GmsslBackend:
    """The arithmetic of gmssl over digests of our own."""

    name = "gmssl"

    def __init__(self, crypt_sm2: Any) -> None:
        self._crypt_sm2 = crypt_sm2

    def public(self, secret: bytes) -> bytes:
        """X ‖ Y of a secret."""
        bare = self._crypt_sm2(private_key="", public_key="")
        return bytes.fromhex(bare._kg(int.from_bytes(secret, "big"), bare.ecc_table["g"]))

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """r ‖ s with a nonce from `secrets`."""
        digest = _sm2.digest(_public(self, secret), message)
        signer = self._crypt_sm2(private_key=secret.hex(), public_key="")
        while True:
            nonce = 1 + secrets.randbelow(SM2P256.n - 1)
            signature = signer.sign(digest, f"{nonce:064x}")
            if signature is not None:  # None: r or s came out as 0, or r + k as n
                return bytes.fromhex(signature)

    def verify(self, xy: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature is the key's."""
        verifier = self._crypt_sm2(private_key="", public_key="")
        verifier.public_key = xy.hex()
        try:
            return bool(verifier.verify(signature.hex(), _sm2.digest(xy, message)))
        except TypeError:  # its way to say that s·G + t·P is infinity
            return False


@lru_cache(maxsize=64)
def _public(backend: GmsslBackend, secret: bytes) -> bytes:
    return backend.public(secret)


@lru_cache(maxsize=1)
def load() -> GmsslBackend | None:
    """The back-end, or None where gmssl is absent or answers wrongly."""
    try:
        from gmssl.sm2 import CryptSM2
    except ImportError:
        return None
    backend = GmsslBackend(CryptSM2)
    return backend if _sm2.answers_correctly(backend) else None
