"""Keys of other systems out of their anchors: certificates and JWKs, and the signatures they may make.

Elliptic curves go through our own suites, so their acceptance rules hold here too (R2); RSA-PSS (PS256) is here alone, for
no form of ours has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from credentials.foreign.value import RSA_PSS
from weid import signing
from weid.anchors import Anchor
from weid.canon import JSON
from weid.codec import unb64u
from weid.errors import KeyMaterialError, MalformedError, SignatureError
from weid.keys import PublicKey

__all__ = ["Certificate", "ForeignKey", "key_of_anchor", "public_key", "read_certificate"]

_MAX_CERTIFICATE: Final = 8192
_RSA_BITS: Final = (2048, 4096)
_CURVES: Final = {"secp256r1": "p256", "secp384r1": "p384", "secp256k1": "secp256k1"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a checker asks of a signer's certificate: its period in UTC seconds, and what its key may do."""

    start: int
    end: int
    may_sign: bool
    uses: frozenset[str]  # extended key usage OIDs
    names: frozenset[str]  # URIs of the subject alternative name
    country: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A key of one of our suites, or an RSA key (modulus and exponent)."""

    key: PublicKey | None
    modulus: int = 0
    exponent: int = 0
    certificate: Certificate | None = None

    @property
    def suite(self) -> str:
        """Its one suite."""
        return RSA_PSS if self.key is None else self.key.suite

    def verify(self, suite: str, context: str, signed: bytes, signature: bytes) -> None:
        """SignatureError unless this key signed the bytes; `wrong-suite` when the algorithm named is not the key's."""
        if suite != self.suite:
            raise SignatureError(f"the algorithm is for {suite}, the key is one of {self.suite}", code="wrong-suite")
        if self.key is not None:
            signing.verify(self.key, "assert", context, signed, signature)
            return
        sizes = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)  # RFC 7518 3.5, RFC 8230 2
        try:
            rsa.RSAPublicNumbers(self.exponent, self.modulus).public_key().verify(signature, signed, sizes, hashes.SHA256())
        except InvalidSignature:
            raise SignatureError("the signature does not verify") from None


def key_of_anchor(anchor: Anchor) -> ForeignKey:
    """The key of an anchor; KeyMaterialError, MalformedError or UnknownSuiteError where it has none that is read."""
    if anchor.certificate is not None:
        return read_certificate(anchor.certificate)
    if anchor.jwk is None:
        raise KeyMaterialError("the anchor names no key")
    return public_key(anchor.jwk)


def public_key(jwk: Mapping[str, JSON]) -> ForeignKey:
    """The key of a public JWK, RSA ones too; errors as `PublicKey.from_jwk`."""
    if jwk.get("kty") != "RSA":
        return ForeignKey(PublicKey.from_jwk(jwk))
    if {"d", "p", "q"} & set(jwk):
        raise MalformedError("a JWK with its private part in it", code="private-jwk")
    parts = [jwk.get("n"), jwk.get("e")]
    if not all(isinstance(part, str) and len(part) <= 1024 for part in parts):
        raise MalformedError("an RSA key has a modulus and an exponent", code="jwk")
    modulus, exponent = (int.from_bytes(unb64u(str(part)), "big") for part in parts)
    return _rsa(modulus, exponent, None)


@lru_cache(maxsize=512)  # a signer's certificate stands behind many codes, and three checks ask for it
def read_certificate(der: bytes) -> ForeignKey:
    """The key of an X.509 certificate with what limits it; MalformedError `certificate` for what does not read.

    Its chain is not built: who put it on a list vouches for it.
    """
    if len(der) > _MAX_CERTIFICATE:
        raise MalformedError("a certificate that large", code="certificate")
    try:
        parsed = x509.load_der_x509_certificate(der)
        held, about = parsed.public_key(), _about(parsed)
        if isinstance(held, rsa.RSAPublicKey):
            numbers = held.public_numbers()
            return _rsa(numbers.n, numbers.e, about)
        if isinstance(held, ed25519.Ed25519PublicKey):
            raw = held.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return ForeignKey(PublicKey("ed25519", raw), certificate=about)
        if isinstance(held, ec.EllipticCurvePublicKey) and held.curve.name in _CURVES:
            point = held.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
            return ForeignKey(PublicKey(_CURVES[held.curve.name], point), certificate=about)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        if isinstance(error, MalformedError):
            raise
        raise MalformedError("a certificate that does not read", code="certificate") from error
    raise KeyMaterialError("a certificate with a key of another kind")


def _rsa(modulus: int, exponent: int, certificate: Certificate | None) -> ForeignKey:
    if not _RSA_BITS[0] <= modulus.bit_length() <= _RSA_BITS[1] or exponent.bit_length() > 32 or exponent < 3:
        raise KeyMaterialError(f"an RSA key has {_RSA_BITS[0]} to {_RSA_BITS[1]} bits")
    if not modulus & 1 or not exponent & 1:
        raise KeyMaterialError("not an RSA key")
    return ForeignKey(None, modulus, exponent, certificate)


def _about(parsed: x509.Certificate) -> Certificate:
    may_sign, uses, names = True, frozenset[str](), frozenset[str]()
    for extension in parsed.extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage):
            may_sign = value.digital_signature or value.content_commitment
        elif isinstance(value, x509.ExtendedKeyUsage):
            uses = frozenset(item.dotted_string for item in value)
        elif isinstance(value, x509.SubjectAlternativeName):
            names = frozenset(value.get_values_for_type(x509.UniformResourceIdentifier))
    country = [str(item.value) for item in parsed.subject.get_attributes_for_oid(x509.NameOID.COUNTRY_NAME)]
    start, end = (_seconds(moment) for moment in (parsed.not_valid_before_utc, parsed.not_valid_after_utc))
    return Certificate(start, end, may_sign, uses, names, country[0].upper() if country else "")


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
