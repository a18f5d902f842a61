"""Who gave the issuer its right: from the registry's committee through every delegation down to the issuer.

It is told, not checked: the registry enforced each link when it was given (nobody gives beyond its own level and period).
Times are UTC minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from credentials.case import Case, Established, same_registry
from credentials.report import Link
from weid.facts import Found
from weid.governance import VOTER, DelegationRecord
from weid.records import AccreditationRecord, RoleRecord

__all__ = ["path_of"]

_MOST: Final = 8  # more links than any delegation may have


def path_of(case: Case) -> tuple[Link, ...]:
    """From the committee to the issuer, as it stood when the credential was issued; empty without a right to tell of."""
    established, issued = case.established, case.issued
    if established is None or established.schema is None or established.found is None or issued is None:
        return ()
    right: AccreditationRecord | None = _held(case, established, "accreditation", established.issuer, established.schema.digest)
    period = None if right is None else right.at(issued)
    if right is None or period is None:
        return ()
    found = [_link(case, established, "issuer", established.issuer, right.level, period)]
    by: str | None = right.by
    while by is not None and len(found) < _MOST:
        grant: DelegationRecord | None = _held(case, established, "delegation", by, established.schema.digest)
        office = _office(case, established, by, period.since)
        if office in ("vote", "reviewer") or grant is None:
            found.append(Link(office, by.removeprefix(VOTER), _names(case, established, by)))
            break
        if not grant.since <= issued < grant.until or (grant.ended is not None and grant.ended <= issued):
            found.append(Link("gone", by, _names(case, established, by)))  # given anew since: not what stood behind it then
            break
        found.append(_link(case, established, "delegate", by, grant.level, grant))
        by = grant.by
    return tuple(reversed(found))


def _link(case: Case, established: Established, role: str, did: str, level: int, period: Any) -> Link:
    return Link(role, did, _names(case, established, did), level, period.since, period.until, period.ended)


def _office(case: Case, established: Established, by: str, at: int) -> str:
    """As what somebody who holds no delegation gave it."""
    if by.startswith(VOTER):
        return "vote"
    role: RoleRecord | None = _record(case, established, "role", f"{by}|reviewer")
    if role is not None and role.since <= at < role.until and (role.ended is None or at < role.ended):
        return "reviewer"
    return "gone" if _record(case, established, "member", by) is None else "member"


def _names(case: Case, established: Established, did: str) -> Mapping[str, str]:
    """The registered names of an institution, or the one name of a member."""
    issuer = _record(case, established, "issuer", did)
    if issuer is not None:
        return dict(issuer.names)
    member = _record(case, established, "member", did)
    return {} if member is None else {"en": member.name}


def _held(case: Case, established: Established, kind: str, did: str, schema: bytes) -> Any | None:
    return _record(case, established, kind, f"{did}|{schema.hex()}")


def _record(case: Case, established: Established, kind: str, key: str) -> Any | None:
    """A record of the registry that vouches for the issuer: no other one says who accredited it (R5)."""
    answer = case.facts.fact(kind, key)
    found = established.found
    return (
        answer.record if isinstance(answer, Found) and found is not None and same_registry(answer.source, found.source) else None
    )
