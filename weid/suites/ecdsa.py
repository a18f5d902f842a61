"""ECDSA over P-256, P-384, P-521 and secp256k1, each with its hash: raw r ‖ s, low s, deterministic nonces (RFC 6979)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from weid.errors import SignatureError
from weid.hashes import SHA256, SHA384, SHA512, Hash
from weid.suites import _curve
from weid.suites._curve import Curve
from weid.suites._suite import Random

_LIBRARY_CURVES: dict[str, ec.EllipticCurve] = {
    "p256": ec.SECP256R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
_LIBRARY_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_VERIFYING = {name: ec.ECDSA(known) for name, known in _LIBRARY_HASHES.items()}


@dataclass(frozen=True, slots=True)
class Ecdsa:
    """The suites `p256`, `p384`, `p521` and `secp256k1`: compressed public keys.

    Signers give the low s. Verifying takes both, because the W3C and JOSE formats do;
    our own formats add `require_low_s` (R2).
    """

    name: str
    code: int
    multicodec: int
    curve: Curve
    hash: Hash = SHA256

    @property
    def secret_bytes(self) -> int:
        """The length of a secret."""
        return self.curve.width

    @property
    def signature_bytes(self) -> int:
        """The length of r ‖ s."""
        return 2 * self.curve.width

    def generate(self, random: Random) -> bytes:
        """A new secret; KeyMaterialError if the source is broken."""
        return _curve.fresh_secret(self.curve, random)

    def public(self, secret: bytes) -> bytes:
        """The compressed public key of a secret."""
        _curve.secret_number(self.curve, secret)
        return _public_bytes(self.curve, secret)

    def check_public(self, public: bytes) -> None:
        """KeyMaterialError unless compressed, canonical and on the curve (R2)."""
        _curve.point(self.curve, public)

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """r ‖ s with s in the low half; the nonce is RFC 6979's, so signing twice gives the same."""
        _curve.secret_number(self.curve, secret)
        der = _private_key(self.curve, secret).sign(message, _signing_algorithm(self.hash.name))
        r, s = decode_dss_signature(der)
        return _curve.raw(self.curve, r, min(s, self.curve.n - s))

    def verify(self, public: bytes, message: bytes, signature: bytes) -> None:
        """SignatureError unless r and s are in range and the equation holds; high s is accepted here."""
        xy = _curve.point(self.curve, public)
        r, s = _curve.scalars(self.curve, signature)
        try:
            _public_key(self.curve, xy).verify(encode_dss_signature(r, s), message, _VERIFYING[self.hash.name])
        except InvalidSignature:
            raise SignatureError("the signature does not verify") from None


@lru_cache(maxsize=3)
def _signing_algorithm(hash_name: str) -> ec.ECDSA:
    try:
        return ec.ECDSA(_LIBRARY_HASHES[hash_name], deterministic_signing=True)
    except UnsupportedAlgorithm:  # built against an OpenSSL before 3.2: its random nonces are sound too
        return _VERIFYING[hash_name]


@lru_cache(maxsize=4096)
def _public_key(curve: Curve, xy: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(_LIBRARY_CURVES[curve.name], b"\x04" + xy)


@lru_cache(maxsize=64)
def _private_key(curve: Curve, secret: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(secret, "big"), _LIBRARY_CURVES[curve.name])


@lru_cache(maxsize=64)
def _public_bytes(curve: Curve, secret: bytes) -> bytes:
    numbers = _private_key(curve, secret).public_key().public_numbers()
    return _curve.compressed(_curve.raw(curve, numbers.x, numbers.y))


P256 = Ecdsa(name="p256", code=2, multicodec=0x1200, curve=_curve.P256)
SECP256K1 = Ecdsa(name="secp256k1", code=4, multicodec=0xE7, curve=_curve.SECP256K1)
P384 = Ecdsa(name="p384", code=5, multicodec=0x1201, curve=_curve.P384, hash=SHA384)
P521 = Ecdsa(name="p521", code=7, multicodec=0x1202, curve=_curve.P521, hash=SHA512)
