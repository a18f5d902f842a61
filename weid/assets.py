"""Records of what may be held or used once: machines, assets, use registers, claims. Times are UTC minutes.

Assets and claims are as many as there are things in the world, so they stand in the state map alone, each with its proof;
machines and use registers are few and travel in the bundle.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AssetRecord", "ClaimRecord", "MachineRecord", "UseRegisterRecord", "claim_key", "register_key"]


@dataclass(frozen=True, slots=True)
class MachineRecord:
    """A published state machine: immutable, named by its digest."""

    digest: bytes
    publisher: str
    published: int
    document: bytes


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """One thing, named by a salted fingerprint: in exactly one state, with at most one holder and one party to it."""

    fingerprint: bytes
    machine: bytes
    issuer: str
    state: str
    holder: str | None
    party: str | None
    moved: int
    last_op: bytes


@dataclass(frozen=True, slots=True)
class UseRegisterRecord:
    """A register of what was used for a purpose. `check` shows a claimer that it has the right group key (R25)."""

    owner: str
    name: str
    purpose: str
    claimers: tuple[str, ...]
    reusable: bool
    check: bytes
    opened: int

    @property
    def key(self) -> str:
        """The name of the register: nobody opens one in another's name."""
        return register_key(self.owner, self.name)


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A nullifier that was claimed. It says neither what, nor for whom, nor when; `by` sent the operation."""

    nullifier: bytes
    register: str
    by: str
    commitment: bytes
    lock: bytes


def register_key(owner: str, name: str) -> str:
    """The key of a use register."""
    return f"{owner}|{name}"


def claim_key(register: str, nullifier: bytes) -> str:
    """The key of a claim: within its register, so that nobody takes a nullifier away in a register of their own."""
    return f"{register}|{nullifier.hex()}"
