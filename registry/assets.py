"""Operations of machines, assets and use registers, one builder each.

made = assets.asset_register(author, fingerprint, machine, holder=did)
assets.asset_move(author, fingerprint, prev=made.id, move="pledge", target=bank)
"""

from __future__ import annotations

from collections.abc import Sequence

from registry import bodies
from registry.operations import Author, SignedOperation
from weid.assets import register_key
from weid.nullifier import Claim, group_check

__all__ = [
    "asset_move", "asset_register", "machine_publish", "use_claim", "use_claimers", "use_open", "use_release",
]  # fmt: skip


def machine_publish(author: Author, document: bytes) -> SignedOperation:
    """Publish a state machine: canonical JSON bytes, named by their digest, immutable."""
    return author.sign("machine.publish", author.hash(document).hex(), bodies.MachinePublish(document))


def asset_register(author: Author, fingerprint: bytes, machine: bytes, *, holder: str | None = None) -> SignedOperation:
    """Bring a thing in under its salted fingerprint, in the first state of a machine."""
    return author.sign("asset.register", fingerprint.hex(), bodies.AssetRegister(machine, holder))


def asset_move(
    author: Author, fingerprint: bytes, *, prev: bytes, move: str, target: str | None = None
) -> SignedOperation:  # fmt: skip
    """Move an asset; `prev` is the record's `last_op`, `target` the new holder or party where the move sets one."""
    return author.sign("asset.move", fingerprint.hex(), bodies.AssetMove(move, target), prev=prev)


def use_open(
    author: Author, name: str, *, purpose: str, group: bytes, claimers: Sequence[str] = (), reusable: bool = False
) -> SignedOperation:
    """Open a register of one's own; only the check of the group key goes on the log."""
    body = bodies.UseOpen(purpose, tuple(claimers), reusable, group_check(author.hash, group))
    return author.sign("use.open", register_key(author.did, name), body)


def use_claimers(author: Author, name: str, claimers: Sequence[str]) -> SignedOperation:
    """Say anew who claims in one's register."""
    return author.sign("use.claimers", register_key(author.did, name), bodies.UseClaimers(tuple(claimers)))


def use_claim(author: Author, claim: Claim) -> SignedOperation:
    """Claim a nullifier, for oneself or, as the register's owner, for a member that handed in the claim."""
    body = bodies.UseClaim(claim.register, claim.commitment, claim.lock)
    return author.sign("use.claim", claim.nullifier.hex(), body)


def use_release(author: Author, register: str, nullifier: bytes, key: bytes) -> SignedOperation:
    """Give a use back; `key` is the release key of the claimer's secret."""
    return author.sign("use.release", nullifier.hex(), bodies.UseRelease(register, key))
