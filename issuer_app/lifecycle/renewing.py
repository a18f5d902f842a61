"""The same certificate for a new period: the old one stands until it ends, and each is renewed once."""

from __future__ import annotations

from issuer_app.desk import Desk, Issued
from issuer_app.two_people import Approval
from weid.errors import IssueError
from weid.suites import Random

__all__ = ["may_renew", "renew", "request_of"]


def request_of(id_: str) -> str:
    """The key under which the renewal of this certificate is issued, once."""
    return f"renew:{id_}"


def may_renew(desk: Desk, id_: str, at: int) -> Issued:
    """The certificate, if it may be renewed.

    IssueError `erased`, `not-in-force` for one that was revoked or is suspended, by us or by an auditor: a renewal would be a
    way around that; NotFoundError.
    """
    row = desk.get(id_)
    if row.erased:
        raise IssueError("its content was erased: there is nothing to renew", code="erased")
    word = desk.audited(row, at)
    state = row.state if word is None or row.state != "valid" else word.state
    if state != "valid":
        raise IssueError(f"only a certificate in good standing is renewed, this one is {state}", code="not-in-force")
    return row


def renew(
    desk: Desk, id_: str, *, at: int, random: Random, by: str, bind: str | None = None, approval: Approval | None = None
) -> Issued:
    """A certificate with the same values for a new period; the same again gives the same.

    IssueError as `may_renew` and `Desk.issue` say.
    """
    with desk.party.locked():
        row = may_renew(desk, id_, at)
        return desk.issue(
            row.schema, row.claims, bind=bind, at=at, random=random, by=by, specimen=row.specimen, request=request_of(id_),
            approval=approval, base_of=id_,
        )  # fmt: skip
