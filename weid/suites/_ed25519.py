"""Who works out the Ed25519 equation: libsodium where it decides exactly as OpenSSL does, else OpenSSL.

libsodium is twice as quick. Both compare [S]B − [k]A with R byte for byte (RFC 8032 5.1.7 without the cofactor). A
library that multiplies by the cofactor would accept signatures that the other refuses, and two verifiers of one
certificate would disagree (R2): one that answers so is not used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["Equation", "best", "openssl", "sodium"]

Equation: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""(public key, message, signature) → whether the equation holds; key and signature passed the gate before."""

_KEY = bytes.fromhex("f27cb81402e6860c926ff81f393d14340e41a70bc0b0195cf64a90b348cb2fc4")
_GOOD = bytes.fromhex(
    "f87a22889707d326b221b2dba4102625f99227c2febe06664c8d9409eb213e21"
    "f789976add38a2c4aadd70e8d3e1ade230b4f5efe47a7431a3ef357e55d47e0e"
)
# The same key's owner added a point of order eight to R: right with the cofactor, wrong without.
_ONLY_WITH_COFACTOR = bytes.fromhex(
    "fb15ddd1cd7684fa60e25fe9df39afdc2b12d6908402179723b4d66311f8694a"
    "b7571c07376ad2f8441d540d1b99521620cf20fda0b291f2628a5e6ea6ee380a"
)


@lru_cache(maxsize=1)
def best() -> Equation:
    """The quickest that answers correctly; looked for at the first use, so that importing stays quick."""
    return sodium() or openssl


def openssl(public: bytes, message: bytes, signature: bytes) -> bool:
    """By OpenSSL, through `cryptography`."""
    try:
        _openssl_key(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=1)
def sodium() -> Equation | None:
    """By libsodium, through PyNaCl; None where it is absent or answers otherwise than RFC 8032 without the cofactor."""
    try:
        from nacl.bindings import crypto_sign_open
        from nacl.exceptions import BadSignatureError
    except ImportError:
        return None

    def holds(public: bytes, message: bytes, signature: bytes) -> bool:
        try:
            crypto_sign_open(signature + message, public)
        except BadSignatureError:
            return False
        return True

    return holds if answers_correctly(holds) else None


def answers_correctly(equation: Equation) -> bool:
    """Whether it accepts what it must, refuses another message, and multiplies by no cofactor."""
    return (
        equation(_KEY, b"weid", _GOOD) and not equation(_KEY, b"Weid", _GOOD) and not equation(_KEY, b"weid", _ONLY_WITH_COFACTOR)
    )


@lru_cache(maxsize=4096)
def _openssl_key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)
