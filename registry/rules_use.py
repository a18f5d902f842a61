"""Rules of use registers (R25): a nullifier is claimed once, and the answer to the second says nothing but that.

The register's owner may send the claims of all its members, so that the log does not tell who claimed; the commitment lets
the claimer prove it, and only the claimer's release key gives the use back.
"""

from __future__ import annotations

from dataclasses import replace

from registry import bodies
from registry.rejections import reject
from registry.view import Changes, View, check_text, digest_of
from weid.assets import ClaimRecord, UseRegisterRecord, claim_key, register_key
from weid.nullifier import SECRET, release_lock

__all__ = ["MAX_CLAIMERS", "claim", "claimers", "open_register", "release"]

MAX_CLAIMERS = 256


def open_register(view: View, body: bodies.UseOpen) -> Changes:
    """An approved issuer, a reviewer or a member opens a register of its own, for one purpose, and says who claims there."""
    # Registers travel in every bundle: only those open one whom somebody let in.
    if not (view.approved() or view.has_role("reviewer", None) or view.weight(view.author)):
        reject("wrong-role", view.author)
    owner, _, name = view.operation.sub.partition("|")
    if owner != view.author:
        reject("not-yours", view.operation.sub)
    check_text(name, "name")
    check_text(body.purpose, "purpose")
    if "|" in name or len(body.check) != SECRET:
        reject("malformed", "a register has a name without bars and a 32-byte check of its group key")
    if view.get("use-register", register_key(owner, name)) is not None:
        reject("already-exists", view.operation.sub)
    listed = _listed(view, body.claimers)
    record = UseRegisterRecord(owner, name, body.purpose, listed, body.reusable, body.check, view.now)
    return Changes(put=(record,))


def claimers(view: View, body: bodies.UseClaimers) -> Changes:
    """Its owner says anew who claims; what was claimed stays."""
    old = _register(view, view.operation.sub)
    if old.owner != view.author:
        reject("not-yours", view.operation.sub)
    listed = _listed(view, body.claimers)
    if listed == old.claimers:
        reject("wrong-delta")
    return Changes(put=(replace(old, claimers=listed),))


def claim(view: View, body: bodies.UseClaim) -> Changes:
    """The first claim of a nullifier in a register wins; the second learns `already-used` and nothing else."""
    nullifier = digest_of(view.operation.sub)
    register = _register(view, body.register)
    if view.author != register.owner and view.author not in register.claimers:
        reject("not-a-claimer", body.register)
    if len(body.commitment) != SECRET or len(body.lock) != SECRET:
        reject("malformed", "commitment and lock have 32 bytes")
    if view.get("claim", claim_key(register.key, nullifier)) is not None:
        reject("already-used")
    return Changes(put=(ClaimRecord(nullifier, register.key, view.author, body.commitment, body.lock),))


def release(view: View, body: bodies.UseRelease) -> Changes:
    """Who sent the claim gives the use back, with the key that only the claimer can make, where the register allows it."""
    nullifier = digest_of(view.operation.sub)
    register = _register(view, body.register)
    key = claim_key(register.key, nullifier)
    old: ClaimRecord | None = view.get("claim", key)
    if old is None:
        reject("not-active")
    if old.by != view.author:
        reject("not-yours")
    if not register.reusable:
        reject("not-reusable", register.key)
    if len(body.key) != SECRET or release_lock(view.genesis.hash, body.key) != old.lock:
        reject("wrong-release-key")
    return Changes(drop=(("claim", key),))


def _register(view: View, key: str) -> UseRegisterRecord:
    record: UseRegisterRecord | None = view.get("use-register", key)
    if record is None:
        reject("unknown-register")
    return record


def _listed(view: View, dids: tuple[str, ...]) -> tuple[str, ...]:
    """Claimers by DID: registered institutions, each once, never the owner, who claims anyway."""
    if len(dids) > MAX_CLAIMERS or len(set(dids)) != len(dids) or view.author in dids:
        reject("malformed", f"at most {MAX_CLAIMERS} claimers, each once, without the owner")
    for did in dids:
        view.did(did)
    return tuple(sorted(dids))
