"""A corrected certificate in place of another: issued, the old one revoked as superseded, and the log told which is which.

All of it is one transaction here and one publication there: after a crash there are both or neither, and `Desk.publish` sends
the rest. The pointer is anchored under the old id (`credentials.replacement`), so that a stranger's phone can say it offline.
"""

from __future__ import annotations

from collections.abc import Mapping

from credentials.compact import read_compact
from credentials.replacement import replaced_fingerprint
from issuer_app import pointers
from issuer_app.desk import Desk, Issued
from issuer_app.rights import log_time
from issuer_app.two_people import Approval, require
from weid.canon import JSON, jcs
from weid.errors import IssueError, RejectedError
from weid.hashes import SHA256
from weid.suites import Random

__all__ = ["request_of", "supersede"]


def supersede(
    desk: Desk, id_: str, claims: Mapping[str, JSON], *, at: int, random: Random, by: str, bind: str | None = None,
    minutes: int | None = None, publish: bool = True, approval: Approval | None = None,
    base: bytes | None = None,
) -> Issued:  # fmt: skip
    """The certificate with these claims in place of another one of ours; the same again gives the same.

    IssueError `already-revoked`, `already-replaced` (by other claims), `erased`, `second-person`, or what `Desk.issue`
    says; RejectedError when
    the registry refuses, and then nothing has happened.
    """
    with desk.party.locked():
        old = desk.get(id_)
        request = request_of(id_, claims)
        known = pointers.successor(desk.books, id_)
        if known is None:
            made = _replace(
                desk, old, claims, request, at=at, random=random, by=by, bind=bind, minutes=minutes, approval=approval,
                base=base,
            )  # fmt: skip
        else:
            made = desk.get(known)
            if desk.books.row("SELECT 1 FROM issued WHERE id = ? AND request = ?", known, request) is None:
                raise IssueError(f"it was replaced by {known} before", code="already-replaced")
        if publish:
            try:
                desk.publish(at)
            except RejectedError:
                _undo(desk, old, made)
                raise
        return desk.get(made.id)


def request_of(id_: str, claims: Mapping[str, JSON]) -> str:
    """The key under which the certificate with these claims in place of this one is issued, once."""
    return f"replace:{id_}:{SHA256(jcs(dict(claims))).hex()[:32]}"


def _replace(
    desk: Desk, old: Issued, claims: Mapping[str, JSON], request: str, *, at: int, random: Random, by: str, bind: str | None,
    minutes: int | None, approval: Approval | None, base: bytes | None,
) -> Issued:  # fmt: skip
    require(desk.terms.two_people, "revoke", approval)  # it ends the old one: what may not be ended alone is not corrected alone
    if old.erased:
        raise IssueError("its content was erased: nothing can be corrected", code="erased")
    if old.state in ("revoked", "refused"):
        raise IssueError("revoked is final", code="already-revoked")
    if old.list_number is None:
        raise IssueError("this certificate has no status list", code="no-status")
    noted = min(at, log_time(desk.facts(at)))
    mark = replaced_fingerprint(
        bytes.fromhex(old.id), origin=desk.client.genesis.origin, issuer=desk.did, hash=read_compact(old.compact).hash
    )
    with desk.books.change() as db:  # both or neither, whenever this machine stops
        made = desk.issue(
            old.schema, claims, bind=bind, minutes=minutes, at=at, random=random, by=by, specimen=old.specimen, publish=False,
            request=request, approval=approval, base=base, base_of=old.id if base is None else None,
        )  # fmt: skip
        desk.ledger.set_state(old.id, "revoked", "superseded", noted)
        pointers.keep(db, old.id, made.id, mark)
    return made


def _undo(desk: Desk, old: Issued, made: Issued) -> None:
    """The registry said no: the old one stands as it was, and the new one never counts."""
    if desk.get(made.id).published:
        return
    with desk.books.change() as db:
        desk.ledger.refuse(made.id)
        pointers.forget(db, old.id)
        desk.ledger.set_state(old.id, old.state, old.reason, old.changed)
