"""What a checker demands; what is true stays with `Facts` (design §2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from credentials.cpt import Legacy
from credentials.presentation import Challenge
from credentials.rules import Rule

__all__ = ["Policy", "Seen"]

NO_LEGACY: Final = Legacy()
_NOTHING: Final[Mapping[str, bytes]] = MappingProxyType({})
_NOBODY: Final[Mapping[str, Mapping[str, bytes]]] = MappingProxyType({})


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
    the issuers in `status_issuers` and `schema_issuers`. `lists_held` and `schemas_held` hold more of both, by URL and then
    by signer ("" for nobody), the preferred ones first: what a stranger signed under a URL stands beside the right one.
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
    lists_held: Mapping[str, Mapping[str, bytes]] = field(default_factory=lambda: _NOBODY)
    schemas_held: Mapping[str, Mapping[str, bytes]] = field(default_factory=lambda: _NOBODY)

    def status_list(self, url: str, issuer: str) -> bytes | None:
        """The list under a URL for a credential of this issuer; None without any. Whether it counts is asked of it then."""
        return _chosen(self.status_lists.get(url), self.lists_held.get(url, _NOTHING), {issuer, *self.status_issuers})

    def schema(self, url: str, signers: Collection[str], fits: Callable[[bytes], bool] | None = None) -> bytes | None:
        """The schema under a URL: one that `fits` a digest where that is known, else one by these signers; None without any."""
        held = self.schemas_held.get(url, _NOTHING)
        fitting = {} if fits is None else {signer: data for signer, data in held.items() if fits(data)}
        return _chosen(self.schemas_by_url.get(url), fitting or held, signers)


def _chosen(given: bytes | None, held: Mapping[str, bytes], signers: Collection[str]) -> bytes | None:
    """What was given for a check, else the first by one of the signers; by anybody, for its refusal to be told, at last."""
    if given is not None:
        return given
    return next((data for signer, data in held.items() if signer in signers), next(iter(held.values()), None))
