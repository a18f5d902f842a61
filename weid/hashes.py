"""The two hash functions everything of ours is built on, SHA-256 and SM3, and SHA-384 and SHA-512 for foreign formats."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from weid.errors import UnknownSuiteError


@dataclass(frozen=True, slots=True)
class Hash:
    """A named hash function; call it: bytes in, `size` bytes out. Our own formats are built on 32 bytes alone."""

    name: str
    digest: Callable[[bytes], bytes] = field(repr=False, compare=False)
    size: int = 32

    def __call__(self, data: bytes) -> bytes:
        """The digest of the data."""
        return self.digest(data)


def _copied(fresh: hashlib._Hash) -> Callable[[bytes], bytes]:
    """The hash by copies of a started state: finding and starting an algorithm costs as much as a small digest."""

    def digest(data: bytes) -> bytes:
        state = fresh.copy()
        state.update(data)
        return state.digest()

    return digest


def _sm3() -> Callable[[bytes], bytes]:
    # Some OpenSSL builds leave SM3 out of hashlib; cryptography carries its own.
    if "sm3" in hashlib.algorithms_available:
        return _copied(hashlib.new("sm3"))
    return _sm3_of_cryptography


def _sm3_of_cryptography(data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes

    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


SHA256 = Hash("sha256", _copied(hashlib.sha256()))
SM3 = Hash("sm3", _sm3())
SHA384 = Hash("sha384", _copied(hashlib.sha384()), 48)
SHA512 = Hash("sha512", _copied(hashlib.sha512()), 64)
_HASHES = {known.name: known for known in (SHA256, SM3)}


def hash_named(name: str) -> Hash:
    """The hash called `sha256` or `sm3`, the two of our own formats; UnknownSuiteError for any other name."""
    try:
        return _HASHES[name]
    except (KeyError, TypeError) as error:
        raise UnknownSuiteError(f"unknown hash {name!r}", code="unknown-hash") from error


__all__ = ["SHA256", "SHA384", "SHA512", "SM3", "Hash", "hash_named"]
