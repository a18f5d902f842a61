"""The clerk's pages for what comes after the issue: correct, change many, what waits, what ends soon, an exposed key."""

from __future__ import annotations

import json
import secrets
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app import forms
from issuer_app.access import two_acts
from issuer_app.bringing import MOST, of_form
from issuer_app.frame import acted_on, config, desk, needs, page, slow_down, speaker, tell, user
from issuer_app.importing.tables import read_table
from issuer_app.lifecycle import ending, exposure, many, planned
from issuer_app.lifecycle.renewing import may_renew
from issuer_app.lifecycle.renewing import renew as renewed
from issuer_app.lifecycle.replacing import supersede
from issuer_app.proposals.acts import body_of_change, body_of_renewal, body_of_replacement
from issuer_app.web_desk import line as line_of
from issuer_app.web_desk import schema_named, stands_on
from weid.canon import JSON
from weid.codec import minutes
from weid.errors import IssueError, MalformedError, RejectedError
from weid.records import REASONS

__all__ = ["pages"]

pages = Blueprint("later", __name__, url_prefix="/later")
DAYS: Final = (30, 60, 90, 180)
_SHOWN: Final = 50
_CHOSEN: Final = """CREATE TABLE IF NOT EXISTS chosen (token TEXT PRIMARY KEY, by TEXT NOT NULL, action TEXT NOT NULL,
 ids TEXT NOT NULL, made INTEGER NOT NULL) STRICT"""
_KEPT: Final = 240  # minutes a choice waits for its confirmation


@pages.get("/replace/<id_>")
@needs("clerk")
def replace(id_: str) -> ResponseReturnValue:
    """The form of a new certificate, filled with what the old one says."""
    row = desk().get(id_)
    schema = desk().schema(row.schema, config().now())
    return _replace(id_, forms.filled(schema, row.claims, config().zone), {})


@pages.post("/replace/<id_>")
@needs("clerk")
def replace_now(id_: str) -> ResponseReturnValue:
    """Issue the corrected one and revoke the old one as superseded, in one step."""
    slow_down(config().limits.issue)
    row = desk().get(id_)
    schema = desk().schema(row.schema, config().now())
    claims, faults = forms.read_form(schema, request.form, config().zone)
    words = {name: speaker()(fault.key, **dict(fault.values)) for name, fault in faults.items()}
    bind = request.form.get("bind", "").strip() or None
    if schema.bind != "none" and bind is None:
        words["bind"] = speaker()("fault.missing")
    if not words and claims == dict(row.claims):
        words[""] = speaker()("later.replace-same")
    if words:
        return _replace(id_, request.form, words), 422
    try:
        upload = request.files.get("base-file")
        base = of_form(upload.read(MOST + 1) if upload is not None else b"", request.form.get("base", "")) or None
    except MalformedError as error:
        return _replace(id_, request.form, {"base": speaker().problem(error.code)}), 422
    if two_acts.needed("replace"):
        return _ask("replace", id_, body_of_replacement(desk(), id_, claims, bind=bind, base=base))
    try:
        made = supersede(desk(), id_, claims, at=config().now(), random=config().random, by=user().name, bind=bind, base=base)
    except (IssueError, MalformedError, RejectedError) as error:
        return _replace(id_, request.form, {"": speaker().problem(error.code)}), 422
    tell("later.replaced")
    return redirect(url_for("desk.certificate", id_=made.id))


def _replace(id_: str, form: Any, faults: dict[str, str]) -> str:
    row = desk().get(id_)
    schema = desk().schema(row.schema, config().now())
    return page(
        "lifecycle/replace.html", schema=schema, fields=forms.fields(schema), form=form, faults=faults, zone=config().zone,
        allowed=desk().may_issue(schema.digest, config().now()), once="", again=False, row=row, line=line_of(row),
        target=url_for("later.replace_now", id_=id_), asks=two_acts.needed("replace"),
        depends=stands_on(schema),
    )  # fmt: skip


@pages.get("/many")
@needs("clerk")
def choose() -> ResponseReturnValue:
    """Choose certificates by what they are, or by a list."""
    return _choose({}, "")


@pages.post("/many")
@needs("clerk")
def check() -> ResponseReturnValue:
    """Show what would change; nothing has happened yet."""
    form, action, now = request.form, request.form.get("action", ""), config().now()
    if action not in many.ACTIONS:
        return _choose(form, "later.fault-action"), 422
    upload = request.files.get("list")
    missing: tuple[many.Missing, ...] = ()
    data = upload.read() if upload is not None else b""
    try:
        if data:
            listed = many.by_table(desk(), read_table(data))
            ids, missing = listed.ids, listed.missing
        else:
            ids = many.by_filter(desk(), _filter(form), action)
    except MalformedError as error:
        return _choose(form, "later.fault-days" if error.code == "bad-time" else f"problem.{error.code}"), 422
    if not ids:
        return _choose(form, "later.fault-none", missing=missing), 422
    token = secrets.token_urlsafe(16)
    with desk().books.change() as db:
        db.execute(_CHOSEN)
        db.execute("DELETE FROM chosen WHERE made < ?", (now - _KEPT,))
        db.execute("INSERT INTO chosen VALUES (?, ?, ?, ?, ?)", (token, user().name, action, json.dumps(ids), now))
    return _check(token, action, ids, "", missing=missing)


@pages.post("/many/<token>")
@needs("clerk")
def change(token: str) -> ResponseReturnValue:
    """Do it, now or at a minute: the person has typed how many they are."""
    now, form = config().now(), request.form
    row = _chosen(token)
    action, ids = str(row["action"]), tuple(json.loads(row["ids"]))
    reason = form.get("reason", "")
    if action != "lift" and reason not in REASONS[1:]:
        return _check(token, action, ids, "fault.reason"), 422
    if form.get("count", "").strip() != str(len(ids)):
        return _check(token, action, ids, "later.fault-count"), 422
    try:
        due = _moment(form.get("due", ""))
    except MalformedError:
        return _check(token, action, ids, "fault.moment"), 422
    if action == "revoke" and two_acts.needed("change"):
        if due is not None and due <= now:
            return _check(token, action, ids, "later.fault-past"), 422
        asked = _ask("change", "", body_of_change(desk(), ids, action, reason, due=due), until=due)
        _forget(token)
        return asked
    held = planned.held_minutes(desk()) if action == "revoke" else 0
    if due is not None or held:
        planned.plan(desk(), ids, action, reason, due=max(due or 0, now + held), at=now, by=user().name)
        answer = redirect(url_for("later.waiting"))
        tell("later.many-planned", count=len(ids))
    else:
        done = many.change_many(desk(), ids, action, reason, now)
        tell("later.many-done", count=done.changed, left=done.left)
        answer = redirect(url_for("desk.certificates"))
    _forget(token)
    return answer


def _ask(act: str, target: str, body: dict[str, JSON], *, until: int | None = None) -> ResponseReturnValue:
    """The pack wants two people: what was decided here waits for another one."""
    held = two_acts.ask(act, target, body, by=user().name, until=until)
    tell("two.asked")
    return redirect(url_for("two.one", id_=held.id))


def _forget(token: str) -> None:
    with desk().books.change() as db:
        db.execute("DELETE FROM chosen WHERE token = ?", (token,))


def _chosen(token: str) -> dict[str, Any]:
    with desk().books.change() as db:
        db.execute(_CHOSEN)
    row = desk().books.row("SELECT * FROM chosen WHERE token = ? AND by = ?", token, user().name)
    if row is None:
        abort(404)
    return row


def _choose(form: Any, fault: str, missing: tuple[many.Missing, ...] = ()) -> str:
    rights = desk().accreditations(config().now())
    words = speaker()
    said = words.problem(fault.removeprefix("problem.")) if fault.startswith("problem.") else words(fault) if fault else ""
    return page("lifecycle/many.html", form=form, fault_=said, rights=rights, actions=many.ACTIONS, missing=missing[:_SHOWN])


def _check(token: str, action: str, ids: tuple[str, ...], fault: str, missing: tuple[many.Missing, ...] = ()) -> str:
    lines = [line_of(desk().get(id_)) for id_ in ids[:_SHOWN]]
    return page(
        "lifecycle/many_check.html", token=token, action=action, count=len(ids), lines=lines, reasons=REASONS[1:],
        fault_=speaker()(fault) if fault else "", missing=missing[:_SHOWN], missed=len(missing),
        held=planned.held_minutes(desk()), form=request.form, zone=config().zone,
        asks=action == "revoke" and two_acts.needed("change"),
    )  # fmt: skip


def _filter(form: Any) -> many.Filter:
    kind = form.get("kind", "")
    return many.Filter(
        schema=schema_named(kind).digest if kind else None, since=_day(form.get("since", "")),
        until=_day(form.get("until", ""), after=True), text=form.get("text", "")[:200],
    )  # fmt: skip


def _day(text: str, *, after: bool = False) -> int | None:
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip()) + timedelta(days=1 if after else 0)
        return minutes(datetime.combine(day, time(), tzinfo=config().zone))
    except (ValueError, OverflowError) as error:
        raise MalformedError("a day is written 2026-11-30", code="bad-time") from error


def _moment(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return minutes(datetime.fromisoformat(text.strip()[:16]).replace(tzinfo=config().zone))
    except (ValueError, OverflowError) as error:
        raise MalformedError("a moment is written 2026-11-30T12:00", code="bad-time") from error


@pages.get("/waiting")
@needs("clerk")
def waiting() -> ResponseReturnValue:
    """Changes that wait for their minute."""
    rows = [(row, line_of(desk().get(row.id))) for row in planned.planned(desk())]
    return page("lifecycle/waiting.html", rows=rows, held=planned.held_minutes(desk()))


@pages.post("/waiting/take-back/<id_>")
@needs("clerk")
def take_back(id_: str) -> ResponseReturnValue:
    """It will not happen."""
    if planned.take_back(desk(), [id_]):
        tell("later.taken-back")
    return redirect(url_for("later.waiting"))


@pages.get("/hold")
@needs("admin")
def holding() -> ResponseReturnValue:
    """How long revocations are held back."""
    return _holding("")


@pages.post("/hold")
@needs("admin")
def hold() -> ResponseReturnValue:
    """How long revocations are held back from now on: an institution's rule, not a clerk's choice."""
    text = request.form.get("minutes", "").strip()
    try:
        planned.hold(desk(), int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1)
    except IssueError:
        return _holding("later.fault-hold"), 422
    acted_on(text)
    tell("later.hold-set")
    return redirect(url_for("later.holding"))


def _holding(fault: str) -> str:
    return page("lifecycle/hold.html", held=planned.held_minutes(desk()), most=planned.MOST_HELD,
                fault_=speaker()(fault) if fault else "")  # fmt: skip


@pages.get("/ending")
@needs("clerk")
def soon() -> ResponseReturnValue:
    """Certificates that end soon."""
    days = request.args.get("days", "")
    chosen = int(days) if days in map(str, DAYS) else DAYS[0]
    rows = ending.ending(desk(), chosen, config().now(), limit=201)
    kinds = {row.schema: desk().schema(row.schema, config().now()) for row in rows}
    return page("lifecycle/ending.html", days=DAYS, chosen=chosen, lines=[line_of(row) for row in rows[:200]],
                more=len(rows) > 200, kinds=list(kinds.values()))  # fmt: skip


@pages.get("/ending.csv")
@needs("clerk")
def soon_csv() -> ResponseReturnValue:
    """The same of one kind, for a mailing."""
    days = request.args.get("days", "")
    chosen = int(days) if days in map(str, DAYS) else DAYS[0]
    schema = schema_named(request.args.get("kind", ""))
    rows = [row for row in ending.ending(desk(), chosen, config().now(), limit=100_000) if row.schema == schema.digest]
    answer = Response("\ufeff" + ending.as_csv(rows, schema), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="ending-{chosen}-days.csv"'
    return answer


@pages.get("/renew/<id_>")
@needs("clerk")
def renew(id_: str) -> ResponseReturnValue:
    """Ask before the same certificate is issued again for a new period."""
    row = desk().get(id_)
    return page("lifecycle/renew.html", row=row, line=line_of(row), asks=two_acts.needed("renew"))


@pages.post("/renew/<id_>")
@needs("clerk")
def renew_now(id_: str) -> ResponseReturnValue:
    """The same values for a new period; the old certificate stands until it ends."""
    slow_down(config().limits.issue)
    if two_acts.needed("renew"):
        may_renew(desk(), id_, config().now())
        return _ask("renew", id_, body_of_renewal(desk(), id_))
    made = renewed(desk(), id_, at=config().now(), random=config().random, by=user().name)
    tell("later.renewed")
    return redirect(url_for("desk.certificate", id_=made.id))


@pages.get("/key")
@needs("clerk")
def key() -> ResponseReturnValue:
    """Say that a signing key was in other hands."""
    return page("lifecycle/key.html", fault_="", found=None, since="", zone=config().zone)


@pages.post("/key")
@needs("clerk")
def key_exposed() -> ResponseReturnValue:
    """First what it would mean; with the typed word, do it."""
    text, now = request.form.get("since", ""), config().now()
    try:
        since = _moment(text)
    except MalformedError:
        since = None
    if since is None or since > now:
        return page("lifecycle/key.html", fault_=speaker()("fault.moment"), found=None, since=text, zone=config().zone), 422
    found = exposure.exposed(desk(), since)
    if request.form.get("count", "").strip() != str(len(found.after)) or request.form.get("sure") != "yes":
        fault = speaker()("later.fault-count") if "count" in request.form else ""
        return page("lifecycle/key.html", fault_=fault, found=found, since=text, zone=config().zone), 422 if fault else 200
    exposure.declare(desk(), found.number, since, now)
    made, bound = exposure.reissue(desk(), found.after, at=now, random=config().random, by=user().name)
    tell("later.key-done", count=made, bound=len(bound))
    return redirect(url_for("desk.home"))
