"""Short Weierstrass curves of 256 to 521 bits: the acceptance set that no library decides for us (R2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from weid.errors import KeyMaterialError, SignatureError
from weid.suites._suite import Random, drawn, require_length, require_secret

_TRIES = 128  # a fair source fails one try with a chance below 2^-31; a constant one fails them all


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity, on every look-up of a key
class Curve:
    """y² = x³ + ax + b over the integers modulo p, a group of prime order n (so only infinity is special)."""

    name: str
    p: int
    a: int
    b: int
    n: int
    largest_secret: int
    width: int = 32
    """Bytes of a coordinate, of r, of s and of a secret."""

    @property
    def half(self) -> int:
        """The largest s of the low half (R2)."""
        return self.n // 2


_P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256 = Curve(
    name="p256",
    p=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    a=-3,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    n=_P256_N,
    largest_secret=_P256_N - 1,
)
_P384_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
P384 = Curve(
    name="p384",
    p=2**384 - 2**128 - 2**96 + 2**32 - 1,
    a=-3,
    b=0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    n=_P384_N,
    largest_secret=_P384_N - 1,
    width=48,
)
_P521_N = 2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7
P521 = Curve(
    name="p521",
    p=2**521 - 1,
    a=-3,
    b=0x51953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
    n=_P521_N,
    largest_secret=_P521_N - 1,
    width=66,
)
_K256_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SECP256K1 = Curve(
    name="secp256k1",
    p=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F,
    a=0,
    b=7,
    n=_K256_N,
    largest_secret=_K256_N - 1,
)
_SM2_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SM2P256 = Curve(
    name="sm2",
    p=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
    a=-3,
    b=0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    n=_SM2_N,
    largest_secret=_SM2_N - 2,  # signing divides by 1 + d (GB/T 32918.2 6.1)
)


def point(curve: Curve, public: bytes) -> bytes:
    """X ‖ Y of a compressed key; else KeyMaterialError (SEC 1 2.3.4)."""
    if not isinstance(public, bytes) or len(public) != 1 + curve.width or public[0] not in (2, 3):
        raise KeyMaterialError(f"a {curve.name} public key is {1 + curve.width} bytes, compressed", code="public-key")
    return _decompress(curve, public)


@lru_cache(maxsize=4096)
def _decompress(curve: Curve, public: bytes) -> bytes:
    x = int.from_bytes(public[1:], "big")
    if x >= curve.p:
        raise KeyMaterialError(f"a {curve.name} public key is not canonical", code="public-key")
    square = (x * x * x + curve.a * x + curve.b) % curve.p
    y = pow(square, (curve.p + 1) // 4, curve.p)  # all five primes are 3 modulo 4
    if y * y % curve.p != square:
        raise KeyMaterialError(f"a {curve.name} public key is not on its curve", code="public-key")
    if y & 1 != public[0] & 1:
        y = curve.p - y  # y is never 0: a point of order two does not exist in a group of prime order
    return public[1:] + y.to_bytes(curve.width, "big")


def compressed(xy: bytes) -> bytes:
    """The compressed form of X ‖ Y (SEC 1 2.3.3)."""
    return bytes([2 + (xy[-1] & 1)]) + xy[: len(xy) // 2]


def scalars(curve: Curve, signature: bytes) -> tuple[int, int]:
    """(r, s), both in [1, n−1]; SignatureError for anything else, above all s + n (R2)."""
    require_length(signature, 2 * curve.width)
    r = int.from_bytes(signature[: curve.width], "big")
    s = int.from_bytes(signature[curve.width :], "big")
    if not (0 < r < curve.n and 0 < s < curve.n):
        raise SignatureError("r or s is out of range", code="signature-range")
    return r, s


def raw(curve: Curve, r: int, s: int) -> bytes:
    """r ‖ s, each as wide as a coordinate."""
    return r.to_bytes(curve.width, "big") + s.to_bytes(curve.width, "big")


def secret_number(curve: Curve, secret: bytes) -> int:
    """The secret as a number the curve allows, else KeyMaterialError."""
    number = int.from_bytes(require_secret(curve.name, secret, curve.width), "big")
    if not 0 < number <= curve.largest_secret:
        raise KeyMaterialError(f"a {curve.name} secret is out of range", code="secret-key")
    return number


def fresh_secret(curve: Curve, random: Random) -> bytes:
    """An even choice among the allowed secrets: draws again rather than reducing, which would be biased."""
    spare = 8 * curve.width - curve.n.bit_length()  # seven bits of P-521's first byte are never set
    for _ in range(_TRIES):
        secret = drawn(random, curve.width)
        secret = bytes([secret[0] & 0xFF >> spare]) + secret[1:]
        if 0 < int.from_bytes(secret, "big") <= curve.largest_secret:
            return secret
    raise KeyMaterialError("the random source never gives a usable secret")
