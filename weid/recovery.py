"""secp256k1 signatures over a bare 32-byte digest, and the key that made one (SEC 1, 4.1.6).

Only credentials of the past need this: they name an address, not a key. The arithmetic here proposes a key and decides
nothing; `verify_digest` asks the library, and the caller compares the address. Public values only, so no constant time.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from weid.errors import KeyMaterialError, SignatureError
from weid.keys import PublicKey
from weid.suites import _curve
from weid.suites._curve import SECP256K1

__all__ = ["recover", "verify_digest"]

_P, _N = SECP256K1.p, SECP256K1.n
_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))  # says only that the digest has 32 bytes
_Jacobian = tuple[int, int, int]
_INFINITY: _Jacobian = (1, 1, 0)


def verify_digest(key: PublicKey, digest: bytes, signature: bytes) -> None:
    """SignatureError unless the secp256k1 `key` signed the 32-byte digest; r and s in range (R2), high s accepted.

    KeyMaterialError for a key of another suite.
    """
    if key.suite != "secp256k1":
        raise KeyMaterialError(f"a {key.suite} key signs no bare digest", code="wrong-suite")
    if len(digest) != 32:
        raise SignatureError("a digest has 32 bytes")
    r, s = _curve.scalars(SECP256K1, signature)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), b"\x04" + key.xy())
    try:
        public.verify(encode_dss_signature(r, s), digest, _PREHASHED)
    except InvalidSignature:
        raise SignatureError("the signature does not verify") from None


def recover(digest: bytes, signature: bytes, parity: int) -> PublicKey:
    """The one key for which `signature` (r ‖ s) over the 32-byte digest verifies, given the parity of R's y.

    SignatureError when there is none. r + n, a second x that ECDSA allows with a chance of 2^-127, is not tried.
    """
    if len(digest) != 32 or parity not in (0, 1):
        raise SignatureError("a digest has 32 bytes, a parity is 0 or 1")
    r, s = _curve.scalars(SECP256K1, signature)
    try:
        xy = _curve.point(SECP256K1, bytes([2 + parity]) + r.to_bytes(32, "big"))
    except KeyMaterialError:
        raise SignatureError("r belongs to no point") from None
    point = (int.from_bytes(xy[:32], "big"), int.from_bytes(xy[32:], "big"))
    inverse = pow(r, -1, _N)
    made = _sum_of_products(s * inverse % _N, point, -int.from_bytes(digest, "big") * inverse % _N, _G)
    if made[2] == 0:
        raise SignatureError("the key would be the point at infinity")
    x, y = _affine(made)
    key = PublicKey("secp256k1", _curve.compressed(_curve.raw(SECP256K1, x, y)))
    verify_digest(key, digest, signature)
    return key


def _sum_of_products(a: int, p: tuple[int, int], b: int, q: tuple[int, int]) -> _Jacobian:
    """a·p + b·q, both scalars in one walk."""
    one, other = (*p, 1), (*q, 1)
    choice = (_INFINITY, one, other, _add(one, other))
    found = _INFINITY
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        found = _add(_double(found), choice[(a >> bit & 1) + 2 * (b >> bit & 1)])
    return found


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if not z:
        return point
    squared = y * y % _P
    s = 4 * x * squared % _P
    m = 3 * x * x % _P  # a = 0 on this curve
    new = (m * m - 2 * s) % _P
    return new, (m * (s - new) - 8 * squared * squared) % _P, 2 * y * z % _P


def _add(p: _Jacobian, q: _Jacobian) -> _Jacobian:
    if not p[2]:
        return q
    if not q[2]:
        return p
    zp, zq = p[2] * p[2] % _P, q[2] * q[2] % _P
    u, v = p[0] * zq % _P, q[0] * zp % _P
    s, t = p[1] * zq * q[2] % _P, q[1] * zp * p[2] % _P
    if u == v:
        return _double(p) if s == t else _INFINITY
    h, r = v - u, t - s
    square = h * h % _P
    cube, w = h * square % _P, u * square % _P
    x = (r * r - cube - 2 * w) % _P
    return x, (r * (w - x) - s * cube) % _P, h * p[2] * q[2] % _P


def _affine(point: _Jacobian) -> tuple[int, int]:
    x, y, z = point
    inverse = pow(z, -1, _P)
    square = inverse * inverse % _P
    return x * square % _P, y * square * inverse % _P
