"""SM2 with SM3 (GB/T 32918): every range is checked here, so that two back-ends never disagree (R2, R3)."""

from __future__ import annotations

from functools import lru_cache

from weid.errors import SignatureError, UnknownSuiteError
from weid.hashes import SM3, Hash
from weid.suites import _curve, _sm2_gmssl, _sm2_openssl
from weid.suites._curve import SM2P256
from weid.suites._sm2 import Backend
from weid.suites._suite import Random


@lru_cache(maxsize=1)
def _best_backend() -> Backend:
    """OpenSSL's libcrypto where it does SM2 with our id, else gmssl; UnknownSuiteError without either."""
    backend = _sm2_openssl.load() or _sm2_gmssl.load()
    if backend is None:
        raise UnknownSuiteError("SM2 needs OpenSSL 3 or the package gmssl", code="no-sm2")
    return backend


class Sm2:
    """The suite `sm2`: 33-byte compressed public keys, SM3, the signer id 1234567812345678 always."""

    name = "sm2"
    code = 3
    hash: Hash = SM3
    multicodec = 0x1206
    secret_bytes = 32
    signature_bytes = 64

    def __init__(self, backend: Backend | None = None) -> None:
        self._chosen = backend

    @property
    def backend(self) -> Backend:
        """Who does the arithmetic: looked for at the first use, so that importing stays quick."""
        return self._chosen or _best_backend()

    def generate(self, random: Random) -> bytes:
        """A new 32-byte secret in [1, n−2]; KeyMaterialError if the source is broken."""
        return _curve.fresh_secret(SM2P256, random)

    def public(self, secret: bytes) -> bytes:
        """The compressed public key of a secret."""
        _curve.secret_number(SM2P256, secret)
        return _curve.compressed(self.backend.public(secret))

    def check_public(self, public: bytes) -> None:
        """KeyMaterialError unless compressed, canonical and on the curve (R2)."""
        _curve.point(SM2P256, public)

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """64 bytes r ‖ s over SM3(Z ‖ message), Z from the secret's own public key."""
        _curve.secret_number(SM2P256, secret)
        return self.backend.sign(secret, message)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """SignatureError unless r, s and r + s are in range and the equation holds for this key's Z."""
        xy = _curve.point(SM2P256, public)
        r, s = _curve.scalars(SM2P256, signature)
        if r + s == SM2P256.n:  # t = 0: the key would drop out of the equation
            raise SignatureError("r + s is out of range", code="signature-range")
        if not self.backend.verify(xy, message, signature):
            raise SignatureError("the signature does not verify")
