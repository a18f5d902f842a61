"""Ed25519 (RFC 8032) behind a stricter gate than the library's: no small order, one spelling (R2)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weid.errors import KeyMaterialError, SignatureError
from weid.hashes import SHA256, Hash
from weid.suites import _ed25519
from weid.suites._suite import Random, drawn, require_length, require_secret

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ORDER = 2**252 + 27742317777372353535851937790883648493
_Y = (1 << 255) - 1  # the y part of an encoded point; the top bit is the sign of x
# The y of the eight points whose order divides 8. A key or an R among them makes one signature fit
# many messages; y = 1 and y = −1 have x = 0, so this also refuses their second spelling.
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})


class Ed25519:
    """The suite `ed25519`: 32-byte keys, SHA-256 for everything around the signature."""

    name = "ed25519"
    code = 1
    hash: Hash = SHA256
    multicodec = 0xED
    secret_bytes = 32
    signature_bytes = 64

    def __init__(self, equation: _ed25519.Equation | None = None) -> None:
        self._equation = equation

    def generate(self, random: Random) -> bytes:
        """A new 32-byte seed; KeyMaterialError if the source is broken."""
        return drawn(random, self.secret_bytes)

    def public(self, secret: bytes) -> bytes:
        """The 32-byte public key of a seed."""
        return _private_key(_seed(secret)).public_key().public_bytes_raw()

    def check_public(self, public: bytes) -> None:
        """KeyMaterialError unless canonical, on the curve and not of small order (R2)."""
        _check_key(_key_bytes(public))

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """The 64-byte signature R ‖ S (RFC 8032 5.1.6)."""
        return _private_key(_seed(secret)).sign(message)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """SignatureError unless R is canonical and not of small order, S < L, and the equation holds."""
        _check_key(_key_bytes(public))
        require_length(signature, self.signature_bytes)
        y = int.from_bytes(signature[:32], "little") & _Y
        if y >= _P or y in _SMALL_ORDER or int.from_bytes(signature[32:], "little") >= _ORDER:
            raise SignatureError("R or S is not acceptable", code="signature-range")
        if not (self._equation or _ed25519.best())(public, message, signature):
            raise SignatureError("the signature does not verify")


def _key_bytes(public: bytes) -> bytes:
    if not isinstance(public, bytes) or len(public) != 32:
        raise KeyMaterialError("an ed25519 public key is 32 bytes", code="public-key")
    return public


@lru_cache(maxsize=4096)
def _check_key(public: bytes) -> None:
    y = int.from_bytes(public, "little") & _Y
    if y >= _P or y in _SMALL_ORDER or not _on_curve(y):
        raise KeyMaterialError("an ed25519 public key is not an acceptable point", code="public-key")


def _on_curve(y: int) -> bool:
    """Whether an x with −x² + y² = 1 + dx²y² exists (RFC 8032 5.1.3); Euler's criterion on u·v = u/v·v²."""
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    return pow(u * v, (_P - 1) // 2, _P) in (0, 1)


def _seed(secret: bytes) -> bytes:
    return require_secret("ed25519", secret, Ed25519.secret_bytes)


@lru_cache(maxsize=64)
def _private_key(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret)
