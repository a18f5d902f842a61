"""Whether the certificate that another one stands on may carry it: asked of the ordinary check, with this desk's trust data.

Refused is the rule: what is missing, ended, of somebody else, or cannot be known carries nothing, unless the pack says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from credentials.report import Outcome, Presented, Report
from credentials.schema import Schema
from credentials.verdicts import decide
from credentials.verify import verify
from issuer_app.depending import kept
from issuer_app.problems import NotFoundError
from weid.canon import JSON
from weid.codec import from_minutes
from weid.errors import IssueError

if TYPE_CHECKING:
    from issuer_app.depending.terms import Dependence
    from issuer_app.desk import Desk

__all__ = ["CODES", "Base", "judged", "least", "same_base"]

# That the holder has the key of the other certificate is not asked here: the clerk sees the person, `same` says whose it is.
_LEFT_OUT: Final = frozenset({"holder.binding", "challenge", "replay"})
_BY_VERDICT: Final = {
    "revoked": "base-revoked", "suspended": "base-suspended", "expired": "base-expired", "not-yet-valid": "base-expired",
    "rule-failed": "base-rule", "not-a-credential": "base-unreadable",
}  # fmt: skip
CODES: Final = (
    "base-missing", "base-not-asked", "base-unreadable", "base-revoked", "base-suspended", "base-expired", "base-kind",
    "base-rule", "base-refused", "base-unknown", "base-hidden", "base-other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    """The certificate that another one stands on: enough to see later what became of it, and nothing that it says."""

    id: str
    schema: bytes
    issuer: str
    status: str | None
    index: int | None
    until: int


def judged(desk: Desk, schema: Schema, claims: Mapping[str, JSON], data: bytes | None, at: int) -> Base | None:
    """The certificate in a file or code (or the id of one of our own) on which one with these claims may stand; None for a kind
    that stands alone.

    IssueError with one of `CODES`.
    """
    asked = desk.terms.depends.get(schema.name)
    if asked is None:
        if data is not None:
            raise IssueError(f"{schema.name} depends on no other certificate", code="base-not-asked")
        return None
    if data is None or not data.strip():
        raise IssueError(f"{schema.name} depends on another certificate, which is missing", code="base-missing")
    report = verify(_bytes(desk, data), facts=desk.facts(at), policy=asked.policy, at=from_minutes(at))
    shown = _stands(report, asked)
    _same(shown, claims, asked)
    if shown.cid is None or shown.schema is None or shown.valid_until is None:
        raise IssueError("it is of a form that has no id here", code="base-unreadable")
    return Base(shown.cid.hex(), shown.schema, shown.issuer, shown.status, shown.index, shown.valid_until)


def same_base(desk: Desk, schema: Schema, id_: str, claims: Mapping[str, JSON], at: int) -> Base | None:
    """What a certificate of ours stands on, for one that takes its place or renews it, if it still stands.

    IssueError `base-missing` where claims changed by which it was seen whose it is; `base-revoked` and the like.
    """
    asked = desk.terms.depends.get(schema.name)
    if asked is None:
        return None
    found, old = kept.base_of(desk.books, id_), desk.get(id_).claims
    if found is None or any(old.get(name) != claims.get(name) for name in asked.same):
        raise IssueError("bring the certificate that it depends on", code="base-missing")
    state = kept.state_of(desk.facts(at), found, at)
    if state != "stands" and not (state == "unknown" and asked.accept):
        raise IssueError(f"the certificate that it depends on is {state}", code=f"base-{state}")
    return Base(found.id, found.schema, found.issuer, found.status, found.index, found.until)


def least(desk: Desk, schema: Schema, base: Base | None, minutes: int | None, at: int) -> int | None:
    """How many minutes a certificate on this base may be valid: not longer than the base, unless the pack says otherwise."""
    asked = desk.terms.depends.get(schema.name)
    if base is None or asked is None or asked.outlives:
        return minutes
    usual = desk.terms.valid.get(schema.name, schema.lifetime) if minutes is None else minutes
    return min(usual, base.until - at)


def _bytes(desk: Desk, data: bytes) -> bytes:
    """The certificate itself, where its id here was given."""
    text = data.strip().lower()
    if len(text) != 32 or text.strip(b"0123456789abcdef"):
        return data
    try:
        return desk.get(text.decode("ascii")).file or data
    except NotFoundError:
        return data


def _stands(report: Report, asked: Dependence) -> Presented:
    checks = [check for check in report if check.id not in _LEFT_OUT]
    failed = [check for check in checks if check.outcome is Outcome.FAILED]
    doubts = [check for check in checks if check.outcome is Outcome.UNKNOWN]
    shown = report.presented
    if shown is None or (report.authentic is None and not failed and not doubts):
        raise IssueError("not a certificate", code="base-unreadable")
    if any(check.id == "policy.type" for check in failed):
        raise IssueError("another kind of certificate is asked for", code="base-kind")
    if failed:
        verdict = decide(failed, bearer=True)
        raise IssueError(", ".join(check.code for check in failed), code=_BY_VERDICT.get(verdict, "base-refused"))
    if report.authentic is None or (doubts and not asked.accept):
        # Accepting what cannot be known is about its standing: whether it is genuine at all must always be known.
        raise IssueError(", ".join(check.code for check in doubts) or "not genuine", code="base-unknown")
    return shown


def _same(shown: Presented, claims: Mapping[str, JSON], asked: Dependence) -> None:
    for ours, theirs in asked.same.items():
        if theirs in shown.hidden or theirs not in shown.claims:
            raise IssueError(f"{theirs}: needed to see whose it is, but not shown", code="base-hidden")
        if shown.claims[theirs] != claims.get(ours):
            raise IssueError(f"{ours}: the other certificate says something else", code="base-other")
