"""The authority's pages: a reviewer, or a member of the committee, decides who may issue what and until when; the auditor
revokes with a reason. What a member may not decide alone is put to the vote, and the page says so before."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.decisions import must_vote
from issuer_app.frame import audit, config, decider, needs, page, speaker, tell
from issuer_app.lookup import Target, find_target
from issuer_app.web_votes import put_to_vote
from weid.codec import minutes, unhex
from weid.errors import MalformedError, RegistryError
from weid.records import REASONS

__all__ = ["day", "pages"]

pages = Blueprint("office", __name__, url_prefix="/office")

MAX_LEVEL = 4


@pages.get("/")
@needs("reviewer", "governor")
def home() -> ResponseReturnValue:
    """Applications first, then every institution."""
    known = decider().institutions(config().now())
    waiting = [item for item in known if item.record.state == "applied"]
    return page("office_home.html", waiting=waiting, others=[item for item in known if item not in waiting],
                me=decider())  # fmt: skip


@pages.get("/institutions/<did>")
@needs("reviewer", "governor")
def institution(did: str) -> ResponseReturnValue:
    """One institution: what it asked for, its rights, and the decisions one can take."""
    return _institution(did, None)


@pages.post("/institutions/<did>/approve")
@needs("reviewer", "governor")
def approve(did: str) -> ResponseReturnValue:
    """Give the right to one kind of certificate for a period."""
    try:
        schema = unhex(request.form.get("schema", ""))
        since, until = day(request.form.get("since", "")), day(request.form.get("until", ""))
        level = int(request.form.get("level", "1")[:2])
    except ValueError:
        return _institution(did, speaker()("fault.period")), 422
    now = config().now()
    start = None if since is None or since <= now else since
    end = until + 1440 if until is not None else now
    if len(schema) != 32 or end <= (start or now) or not 1 <= level <= MAX_LEVEL:
        return _institution(did, speaker()("fault.period")), 422
    office = decider().deciding("issuer", now, schema)
    try:
        office.approve(did, schema, since=start, until=end, level=level)
    except RegistryError as error:
        return _institution(did, speaker().problem(error.code)), 403
    if office.proposal is not None:
        return put_to_vote(office, office.proposal)
    tell("office.approved")
    return redirect(url_for("office.institution", did=did))


@pages.get("/institutions/<did>/<any(suspend,reinstate,remove):action>")
@needs("reviewer", "governor")
def confirm(did: str, action: str) -> ResponseReturnValue:
    """Say what will happen, and ask for the reason."""
    return _confirm(did, action, None)


@pages.post("/institutions/<did>/<any(suspend,reinstate,remove):action>")
@needs("reviewer", "governor")
def decide(did: str, action: str) -> ResponseReturnValue:
    """Suspend, reinstate or remove: one right, or the institution."""
    reason, schema = request.form.get("reason", ""), request.form.get("schema") or None
    if action != "reinstate" and reason not in REASONS[1:]:
        return _confirm(did, action, speaker()("fault.reason")), 422
    digest = None if schema is None else unhex(schema)
    office = decider().deciding("issuer", config().now(), digest)
    try:
        if action == "suspend":
            office.suspend_issuer(did, reason, schema=digest)
        elif action == "remove":
            office.remove(did, reason, schema=digest)
        else:
            office.reinstate(did, schema=digest)
    except RegistryError as error:
        return _confirm(did, action, speaker().problem(error.code)), 403
    if office.proposal is not None:
        return put_to_vote(office, office.proposal)
    tell(f"office.done-{action}")
    return redirect(url_for("office.institution", did=did))


@pages.route("/audit", methods=["GET", "POST"])
@needs("auditor")
def audit_home() -> ResponseReturnValue:
    """Find a certificate by its code, picture, file, or place in a list."""
    if request.method == "GET":
        return page("audit.html", fault=None, overrides=audit().overrides(config().now()))
    try:
        upload = request.files.get("file")
        data = upload.read() if upload is not None else b""
        target = find_target(request.form.get("text", ""), data, audit().facts(config().now()), config().clock())
    except MalformedError as error:
        t = speaker()
        sentence = t.problem(error.code if t.knows(error.code) else "not-a-credential")
        return page("audit.html", fault=sentence, overrides=audit().overrides(config().now())), 422
    return _target(target, None)


@pages.post("/audit/override")
@needs("auditor")
def override() -> ResponseReturnValue:
    """Revoke (or suspend, or lift a suspension of ours) beside the issuer's list."""
    list_id, index = request.form.get("list", ""), request.form.get("index", "")
    state, reason = request.form.get("state", ""), request.form.get("reason", "")
    if not index.isascii() or not index.isdigit() or len(index) > 9 or state not in ("revoked", "suspended", "lifted"):
        raise MalformedError("not a place in a status list", code="not-a-place")
    if reason not in REASONS[1:]:
        target = Target(list_id, int(index), None, "")
        return _target(target, speaker()("fault.reason")), 422
    audit().override(list_id, int(index), state, reason, config().now())
    tell(f"audit.done-{state}")
    return redirect(url_for("office.audit_home"))


def _target(target: Target, fault: str | None) -> str:
    return page(
        "audit_target.html", target=target, reasons=REASONS[1:], fault=fault,
        standing=audit().standing_of(target.list_id, target.index, config().now()),
    )  # fmt: skip


def _institution(did: str, fault: str | None) -> str:
    office, now = decider(), config().now()
    found = office.institution(did, now)
    today = speaker().day(now)
    year = speaker().day(now + 3 * 525_600)
    return page("institution.html", found=found, fault=fault, today=today, year=year, levels=range(1, MAX_LEVEL + 1),
                schemas=office.schemas(now), form=request.form,
                asked=must_vote(office.facts(now), office.did, "issuer"))  # fmt: skip


def _confirm(did: str, action: str, fault: str | None) -> str:
    office, now = decider(), config().now()
    found: Any = office.institution(did, now)
    schema = request.values.get("schema") or None
    title = next((right.schema.title for right in found.rights if right.digest.hex() == schema), None)
    asked = must_vote(office.facts(now), office.did, "issuer", unhex(schema) if schema else None)
    return page("office_confirm.html", found=found, action=action, schema=schema, title=title, reasons=REASONS[1:],
                fault=fault, asked=asked)  # fmt: skip


def day(text: str) -> int | None:
    """The first minute of a day in the office's zone; None for an empty field, ValueError for another text."""
    if not text.strip():
        return None
    start = datetime.combine(date.fromisoformat(text.strip()), time(0), config().zone)
    if start.year < 1970:  # in some zones the first day of year 1 is no moment at all
        raise ValueError(text)
    return minutes(start) if start.year < 9000 else minutes(start - timedelta(days=365 * 1000))
