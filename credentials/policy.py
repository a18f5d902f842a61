"""What a checker demands; what is true stays with `Facts` (design §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from credentials.cpt import Legacy
from credentials.presentation import Challenge
from credentials.rules import Rule

__all__ = ["Policy", "Seen"]

NO_LEGACY: Final = Legacy()
_NOTHING: Final[Mapping[str, bytes]] = MappingProxyType({})


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
    `trusted_issuers` are DIDs that this checker trusts without any registry: their proven certificates need no
    accreditation. `proof_challenge` and `proof_domain` are what a W3C proof must carry.

    What W3C credentials refer to is never fetched: `status_lists` and `schemas_by_url` hold the bytes of status list
    credentials, JSON Schemas and schema credentials by URL. Those of the credential's own issuer count, and those of
    the issuers in `status_issuers` and `schema_issuers`.
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
    trusted_issuers: frozenset[str] = frozenset()
    proof_challenge: str | None = None
    proof_domain: str | None = None
    status_lists: Mapping[str, bytes] = field(default_factory=lambda: _NOTHING)
    status_issuers: frozenset[str] = frozenset()
    schemas_by_url: Mapping[str, bytes] = field(default_factory=lambda: _NOTHING)
    schema_issuers: frozenset[str] = frozenset()
