"""BLS12-381 as BBS uses it: the two ciphersuites, scalars, points in their one spelling, generators.

The arithmetic is arkworks' (the extra `weid[bbs]`), loaded on first use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from weid.errors import KeyMaterialError, SignatureError, UnknownSuiteError
from weid.suites import Random

if TYPE_CHECKING:
    from types import ModuleType

    from py_arkworks_bls12381 import G1Point, G2Point, Scalar

__all__ = [
    "MAX_MESSAGES", "ORDER", "PLAIN", "PUBLIC_BYTES", "SHA_256", "SHAKE_256", "Bases", "Ciphersuite", "arkworks", "bases",
    "hash_to_scalar", "octets", "random_scalar", "read_key", "read_point", "read_scalar", "read_secret", "weighted_sum",
]  # fmt: skip

ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""r, the order of the groups."""
PUBLIC_BYTES: Final = 96
MAX_MESSAGES: Final = 1024
"""More than any credential has statements; a proof that claims more is refused before any arithmetic."""

PLAIN: Final = b"H2G_HM2S_"
"""The interface of the draft itself (3.5); blind signatures and pseudonyms have their own, and so generators of their own."""

_EXPAND: Final = 48  # ceil((255 + 128) / 8)
_FIELD: Final = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


@dataclass(frozen=True, slots=True)
class Ciphersuite:
    """One of the two ciphersuites (7.2): its id, and the hash functions of RFC 9380 it is built on; and an interface."""

    id: bytes
    expand: Callable[[bytes, bytes, int], bytes] = field(repr=False, compare=False)
    to_curve: Callable[[bytes, bytes], G1Point] = field(repr=False, compare=False)
    interface: bytes = PLAIN

    @property
    def api(self) -> bytes:
        """The interface's id (3.5)."""
        return self.id + self.interface


def arkworks() -> ModuleType:
    """The library; UnknownSuiteError `bbs-not-installed` where the extra is missing."""
    try:
        import py_arkworks_bls12381
    except ImportError as error:
        raise UnknownSuiteError("BBS needs the extra weid[bbs]", code="bbs-not-installed") from error
    return py_arkworks_bls12381


def _expand_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """expand_message_xmd with SHA-256 (RFC 9380 5.3.1)."""
    tag = dst + bytes([len(dst)])
    first = hashlib.sha256(bytes(64) + message + length.to_bytes(2, "big") + b"\x00" + tag).digest()
    made, block = b"", bytes(32)
    for count in range(1, -(-length // 32) + 1):
        block = hashlib.sha256(bytes(a ^ b for a, b in zip(first, block, strict=True)) + bytes([count]) + tag).digest()
        made += block
    return made[:length]


def _expand_xof(message: bytes, dst: bytes, length: int) -> bytes:
    """expand_message_xof with SHAKE-256 (RFC 9380 5.3.2)."""
    return hashlib.shake_256(message + length.to_bytes(2, "big") + dst + bytes([len(dst)])).digest(length)


def _to_curve_xmd(message: bytes, dst: bytes) -> G1Point:
    point: G1Point = arkworks().G1Point.hash_to_curve(message, dst)
    return point


def _to_curve_xof(message: bytes, dst: bytes) -> G1Point:
    """hash_to_curve with SHAKE-256 (appendix A.1): the library's own is SHA-256 alone; its map clears the cofactor."""
    data, map_from = _expand_xof(message, dst, 128), arkworks().G1Point.map_from_fp_be
    halves = (int.from_bytes(data[start : start + 64], "big") % _FIELD for start in (0, 64))
    first, second = (map_from(number.to_bytes(48, "big")) for number in halves)
    point: G1Point = first + second
    return point


SHA_256: Final = Ciphersuite(b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_", _expand_xmd, _to_curve_xmd)
SHAKE_256: Final = Ciphersuite(b"BBS_BLS12381G1_XOF:SHAKE-256_SSWU_RO_", _expand_xof, _to_curve_xof)


@dataclass(frozen=True, slots=True)
class Bases:
    """P1, and Q1 with the message generators after it; `octets` are those of the latter."""

    fixed: G1Point
    points: tuple[G1Point, ...]
    octets: bytes


def bases(count: int, suite: Ciphersuite) -> Bases:
    """Generators for at least so many messages (create_generators, 4.1.1); SignatureError above MAX_MESSAGES."""
    if count > MAX_MESSAGES:
        raise SignatureError(f"BBS over more than {MAX_MESSAGES} messages")
    # by powers of two, so that a few sizes serve every credential
    return _made_bases(max(32, 1 << count.bit_length()), suite)


@lru_cache(maxsize=32)
def _made_bases(size: int, suite: Ciphersuite) -> Bases:
    points = tuple(_points(size, suite, b"MESSAGE_GENERATOR_SEED"))
    fixed = next(_points(1, replace(suite, interface=PLAIN), b"BP_MESSAGE_GENERATOR_SEED"))
    return Bases(fixed, points, octets(points))


def _points(count: int, suite: Ciphersuite, seed: bytes) -> Iterator[G1Point]:
    api, dst = suite.api, suite.api + b"SIG_GENERATOR_SEED_"
    state = suite.expand(api + seed, dst, _EXPAND)
    for number in range(1, count + 1):
        state = suite.expand(state + number.to_bytes(8, "big"), dst, _EXPAND)
        yield suite.to_curve(state, api + b"SIG_GENERATOR_DST_")


def hash_to_scalar(suite: Ciphersuite, data: bytes, dst: bytes) -> Scalar:
    """hash_to_scalar (4.2.2) with a domain separation tag of the interface."""
    return _reduced(suite.expand(data, suite.api + dst, _EXPAND))


def random_scalar(random: Random) -> Scalar:
    """A scalar from 48 octets of randomness (4.2.1)."""
    data = random(_EXPAND)
    if not isinstance(data, bytes) or len(data) != _EXPAND:
        raise KeyMaterialError("the random source does not give what it is asked for")
    return _reduced(data)


def _reduced(data: bytes) -> Scalar:
    scalar: Scalar = arkworks().Scalar.from_be_bytes_mod_order(data)
    return scalar


def weighted_sum(points: Sequence[G1Point], scalars: Sequence[Scalar]) -> G1Point:
    """points[0] · scalars[0] + points[1] · scalars[1] + …"""
    found: G1Point = arkworks().G1Point.multiexp_unchecked(list(points), list(scalars))
    return found


def octets(points: Iterable[G1Point]) -> bytes:
    """The points in compressed form, one after the other."""
    return b"".join(point.to_compressed_bytes() for point in points)


def read_secret(secret: bytes) -> Scalar:
    """A secret key; KeyMaterialError unless it is a number from 1 to r - 1 in 32 octets."""
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < ORDER:
        raise KeyMaterialError("a BBS secret is a number from 1 to r - 1 in 32 octets")
    scalar: Scalar = arkworks().Scalar.from_be_bytes(secret)
    return scalar


@lru_cache(maxsize=1024)
def read_key(data: bytes) -> G2Point:
    """A public key (octets_to_pubkey, 4.2.4.6); KeyMaterialError unless canonical, in the group and not its identity."""
    ark = arkworks()
    try:
        point: G2Point | None = ark.G2Point.from_compressed_bytes(data) if len(data) == PUBLIC_BYTES else None
    except ValueError:
        point = None
    if point is None or point == ark.G2Point.identity() or point.to_compressed_bytes() != data:
        raise KeyMaterialError("not a canonical BBS public key", code="public-key")
    return point


def read_point(data: bytes) -> G1Point:
    """A point of G1 in its one spelling, not the identity; the library alone takes several spellings of that."""
    ark = arkworks()
    try:
        point: G1Point = ark.G1Point.from_compressed_bytes(data)
    except ValueError:
        raise SignatureError("not a point of the group") from None
    if point == ark.G1Point.identity() or point.to_compressed_bytes() != data:
        raise SignatureError("not the canonical form of a point")
    return point


def read_scalar(data: bytes) -> Scalar:
    """A scalar of a signature or proof; SignatureError unless from 1 to r - 1."""
    if not 0 < int.from_bytes(data, "big") < ORDER:
        raise SignatureError("not a number from 1 to r - 1")
    scalar: Scalar = arkworks().Scalar.from_be_bytes(data)
    return scalar
