"""Nullifiers of use registers (R25): one use of one thing, named so that only a group can tell which.

    nullifier  = H("weid/use-claim/v1", origin, register, group key, digest of the business key)
    commitment = H("weid/use-commitment/v1", register, nullifier, claimer, opening)
    lock       = H("weid/use-lock/v1", release key)
    opening    = H("weid/use-opening/v1", secret)        release key = H("weid/use-release/v1", secret)

The group key keeps strangers from trying business keys. The secret is the claimer's own: what follows from it, the opening
for an auditor and the release key for the register's owner, tells neither the other nor the secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from weid import cbor
from weid.errors import MalformedError
from weid.hashes import Hash
from weid.signing import framed

__all__ = [
    "SECRET",
    "Claim",
    "asset_fingerprint",
    "claim",
    "commitment",
    "group_check",
    "nullifier",
    "opening_of",
    "release_key",
    "release_lock",
]

SECRET = 32


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claimer sends, or hands to the register's owner to send: it shows neither claimer nor content."""

    register: str
    nullifier: bytes
    commitment: bytes
    lock: bytes


def nullifier(hash: Hash, *, origin: str, register: str, group: bytes, key: bytes) -> bytes:
    """The name of one use; `key` is the digest of a business key (`weid.business_key`), `group` the group's secret."""
    return hash(framed("weid/use-claim/v1", cbor.encode([origin, register, _secret(group), _secret(key)])))


def commitment(hash: Hash, *, register: str, nullifier: bytes, claimer: str, opening: bytes) -> bytes:
    """Who claimed, closed: bound to this one claim, so that a copied commitment proves nothing elsewhere."""
    return hash(framed("weid/use-commitment/v1", cbor.encode([register, nullifier, claimer, _secret(opening)])))


def opening_of(hash: Hash, secret: bytes) -> bytes:
    """What shows an auditor who claimed, and cannot give the use back."""
    return hash(framed("weid/use-opening/v1", _secret(secret)))


def release_key(hash: Hash, secret: bytes) -> bytes:
    """What gives a use back, and does not show who claimed."""
    return hash(framed("weid/use-release/v1", _secret(secret)))


def release_lock(hash: Hash, key: bytes) -> bytes:
    """What a claim keeps of its release key."""
    return hash(framed("weid/use-lock/v1", _secret(key)))


def group_check(hash: Hash, group: bytes) -> bytes:
    """What a register says of its group key, so that a claimer finds out at once if it has another one."""
    return hash(framed("weid/use-group/v1", _secret(group)))


def claim(hash: Hash, *, origin: str, register: str, group: bytes, key: bytes, claimer: str, secret: bytes) -> Claim:
    """A claim by this claimer; the secret is 32 fresh random bytes that the claimer keeps."""
    name = nullifier(hash, origin=origin, register=register, group=group, key=key)
    closed = commitment(hash, register=register, nullifier=name, claimer=claimer, opening=opening_of(hash, secret))
    return Claim(register, name, closed, release_lock(hash, release_key(hash, secret)))


def asset_fingerprint(hash: Hash, *, origin: str, issuer: str, salt: bytes, digest: bytes) -> bytes:
    """The name of an asset on the log (R25): with a fresh salt nobody finds it by guessing what it is."""
    return hash(framed("weid/asset/v1", cbor.encode([origin, issuer, _secret(salt), _secret(digest)])))


def _secret(data: bytes) -> bytes:
    if len(data) != SECRET:
        raise MalformedError(f"keys, salts, openings and digests have {SECRET} bytes")
    return data
