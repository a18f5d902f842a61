"""What a checker demands; what is true stays with `Facts` (design §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from credentials.cpt import Legacy
from credentials.presentation import Challenge
from credentials.rules import Rule

__all__ = ["Policy", "Seen"]

NO_LEGACY: Final = Legacy()


class Seen(Protocol):
    """The checker's memory of live codes (R14)."""

    def claim(self, key: str, until: int) -> bool:
        """True the first time `key` is claimed; it may be forgotten after the UTC minute `until`."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """One checkpoint's demands. Ages and times are minutes; None accepts any.

    `required` names checks that may not be skipped (R26). `require_accreditation=False` asks only whether the proof
    is right, as W3C test suites do, and the report says so. `require_binding` is how a code must be shown: bearer
    (any way), challenge, gate or chain. `seen_revocations` holds `<list id>|<index>` of every revocation this checker
    ever saw (R9). `legacy` is what it holds about credentials of older systems (R30).
    `proof_challenge` and `proof_domain` are what a W3C proof must carry.
    """

    schemas: frozenset[bytes] | None = None
    types: frozenset[str] | None = None
    suites: frozenset[str] | None = None
    purpose: str = ""
    trust_warn: int = 1440
    trust_reject: int = 10_080
    status_warn: int = 1440
    status_reject: int = 10_080
    required: frozenset[str] = frozenset()
    challenge: Challenge | None = None
    gate: str | None = None
    require_binding: str = "bearer"
    require_accreditation: bool = True
    seen: Seen | None = None
    seen_revocations: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    clock_tolerance: int = 2
    legacy: Legacy = NO_LEGACY
    proof_challenge: str | None = None
    proof_domain: str | None = None
