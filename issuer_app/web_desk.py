"""The clerk's pages: what we may issue, the form, the certificate on one page, and its later life."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from credentials import picture
from credentials.schema import Schema
from issuer_app import forms, selfcheck
from issuer_app.access import two_acts
from issuer_app.bringing import MOST, of_form
from issuer_app.depending import kept
from issuer_app.depending.judging import judged
from issuer_app.frame import acted_on, answers, config, desk, needs, page, slow_down, speaker, tell, user
from issuer_app.ledger import Issued
from issuer_app.lifecycle import planned
from issuer_app.lifecycle.joint import standing
from issuer_app.lifecycle.notes import notes_of
from issuer_app.lookups.fields import Asked, clerk_fields, typed_extra
from issuer_app.lookups.inputs import InputFault
from issuer_app.problems import NotFoundError
from issuer_app.proposals.acts import body_of_end, body_of_issue
from weid.canon import JSON
from weid.codec import unhex
from weid.errors import IssueError, MalformedError, RejectedError
from weid.records import REASONS

__all__ = ["finding", "line", "pages", "shown"]

pages = Blueprint("desk", __name__, url_prefix="/desk")

ACTIONS = ("suspend", "lift", "revoke")
AGAIN = "reissue-"  # how `once` begins where an old certificate is issued again: one new one for each old one


@pages.get("/")
@needs("clerk")
def home() -> ResponseReturnValue:
    """What the institution is accredited for, and the newest certificates."""
    now, here = config().now(), desk()
    return page(
        "desk_home.html", did=here.did, rights=here.accreditations(now), standing=here.standing(now),
        recent=[line(row) for row in here.find("", 8)],
        wanted=here.wanted(now), waiting=here.waiting(),
    )  # fmt: skip


@pages.get("/issue/<digest>")
@needs("clerk")
def form(digest: str) -> ResponseReturnValue:
    """The form of a schema; a schema we hold no right for says so instead (the registry would refuse too)."""
    return _form(schema_named(digest), {}, {})


@pages.post("/issue/<digest>")
@needs("clerk")
def issue(digest: str) -> ResponseReturnValue:
    """Issue from the form; sending the same form twice gives the same certificate."""
    slow_down(config().limits.issue)
    schema = schema_named(digest)
    claims, faults = forms.read_form(schema, request.form, config().zone)
    extra = typed_extra(request.form, finding(schema))
    words = {name: speaker()(fault.key, **dict(fault.values)) for name, fault in faults.items()}
    if not words:
        wrong = desk().lookups.read(schema.name, claims, extra, day=config().now())[1]
        words = {_field_of(fault, schema): speaker().problem(fault.code) for fault in wrong}
    if schema.bind != "none" and not request.form.get("bind", "").strip():
        words["bind"] = speaker()("fault.missing")
    if _once().startswith(AGAIN) and request.form.get("confirmed") != "yes":
        words["confirmed"] = speaker()("fault.confirm")
    base = None
    if not words:
        base, words = brought(schema, claims)
    if words:
        return _form(schema, request.form, words), 422
    if two_acts.needed("issue"):
        return _ask_issue(schema, claims, extra, base)
    try:
        row = desk().issue(
            schema.digest, claims, bind=request.form.get("bind", "").strip() or None, at=config().now(),
            random=config().random, by=user().name, specimen=request.form.get("specimen") == "yes",
            request=_request_key(), lookup=extra, base=base,
        )  # fmt: skip
    except (IssueError, MalformedError, RejectedError) as error:
        field = next((name for name in ("bind", "base") if error.code.startswith(name)), "")
        return _form(schema, request.form, {field: speaker().problem(error.code)}), 403 if field == "" else 422
    acted_on(row.id)
    tell("desk.issued")
    return redirect(url_for("desk.certificate", id_=row.id))


def brought(schema: Schema, claims: Mapping[str, JSON]) -> tuple[bytes | None, dict[str, str]]:
    """The certificate that one with these claims is to stand on, as it was brought; or what is wrong with it."""
    if schema.name not in desk().terms.depends:
        return None, {}
    upload = request.files.get("base-file")
    try:
        base = of_form(upload.read(MOST + 1) if upload is not None else b"", request.form.get("base", ""))
        judged(desk(), schema, claims, base, config().now())
    except (IssueError, MalformedError) as error:
        return None, {"base": speaker().problem(error.code)}
    return base, {}


def stands_on(schema: Schema) -> str:
    """The kinds of certificate that one of this kind may stand on, in words; empty for one that stands alone."""
    asked = desk().terms.depends.get(schema.name)
    digests = () if asked is None else sorted(asked.policy.schemas or ())
    names = dict.fromkeys(speaker().name(_title(digest)) or digest.hex()[:8] for digest in digests)
    return speaker()("depends.or").join(names)


def _title(digest: bytes) -> Mapping[str, str]:
    try:
        return desk().schema(digest, config().now()).title
    except NotFoundError:
        return {}


def _ask_issue(schema: Schema, claims: Mapping[str, JSON], extra: Mapping[str, str], base: bytes | None) -> ResponseReturnValue:
    """The pack wants two people: the filled form waits for another one."""
    if not desk().may_issue(schema.digest, config().now()):
        return _form(schema, request.form, {"": speaker().problem("not-accredited")}), 403
    body = body_of_issue(
        claims, bind=request.form.get("bind", "").strip() or None, minutes=None,
        specimen=request.form.get("specimen") == "yes", request=_request_key(), lookup=extra, base=base,
    )  # fmt: skip
    held = two_acts.ask("issue", schema.digest.hex(), body, by=user().name, once=_request_key(), renew=True)
    tell("two.asked")
    return redirect(url_for("two.one", id_=held.id))


def _request_key() -> str:
    return _once() if _once().startswith(AGAIN) else f"form:{user().name}:{_once()}"


@pages.get("/certificates")
@needs("clerk")
def certificates() -> ResponseReturnValue:
    """Find by name, number or id."""
    text = request.args.get("q", "")[:200]
    rows = desk().find(text, 101)
    return page("certificates.html", q=text, rows=[line(row) for row in rows[:100]], more=len(rows) > 100)


@pages.get("/certificates/<id_>")
@needs("clerk")
def certificate(id_: str) -> ResponseReturnValue:
    """Everything about one certificate on one page; the picture is read back and verified here."""
    row = desk().get(id_)
    if row.erased:
        return page("erased.html", row=row, line=line(row))
    schema = desk().schema(row.schema, config().now())
    drawn = selfcheck.draw(row, config().code_host)
    check = selfcheck.check(drawn, desk().facts(config().now()), config().clock())
    return page(
        "certificate.html", row=row, schema=schema, line=line(row), shown=shown(row, schema), drawn=drawn,
        check=check, reason=_reason, later=notes_of(desk(), id_),
        together=standing(desk(), row, config().now()), original=desk().original(id_) is not None,
        bearer=schema.bind in ("none", "document"),
        findable=bool(desk().lookups.lookup.of(schema.name)), base=_base(id_),
    )  # fmt: skip


def _base(id_: str) -> tuple[kept.Kept, str] | None:
    """What a certificate stands on, and what became of that."""
    found = kept.base_of(desk().books, id_)
    return None if found is None else (found, kept.state_of(desk().facts(config().now()), found, config().now()))


@pages.get("/certificates/<id_>/original")
@needs("clerk")
def original(id_: str) -> ResponseReturnValue:
    """The old certificate that this one was issued for, byte for byte."""
    data = desk().original(desk().get(id_).id)
    if data is None:
        abort(404)
    return _file(data, "application/octet-stream", f"{id_}.original.json", download=True)


@pages.get("/certificates/<id_>/code.png")
@needs("clerk")
def code_png(id_: str) -> ResponseReturnValue:
    """The picture as PNG."""
    return _file(picture.png(_drawn(id_), scale=10), "image/png", f"{id_[:8]}.png")


@pages.get("/certificates/<id_>/code.svg")
@needs("clerk")
def code_svg(id_: str) -> ResponseReturnValue:
    """The picture as SVG, sized in millimetres."""
    text = picture.svg(_drawn(id_), label=speaker()("certificate.code"))
    return _file(text.encode("utf-8"), "image/svg+xml", f"{id_[:8]}.svg")


@pages.get("/certificates/<id_>/certificate.json")
@needs("clerk")
def file(id_: str) -> ResponseReturnValue:
    """The file form (VCDM 2.0)."""
    return _file(_held(id_).file, "application/vc", f"{id_[:8]}.json", download=True)


@pages.get("/certificates/<id_>/print")
@needs("clerk")
def printable(id_: str) -> ResponseReturnValue:
    """The page for paper: title, fields, code at its printed size, the code for typed checks."""
    row, schema = _held(id_), desk().schema(_held(id_).schema, config().now())
    second = request.args.get("also", "")
    return page(
        "print.html", row=row, line=line(row), schema=schema, shown=shown(row, schema), drawn=_drawn(id_),
        second=second if second in ("en", "pt", "zh-Hans", "zh-Hant") else None, institution=desk().names,
        bearer=schema.bind in ("none", "document"), findable=bool(desk().lookups.lookup.of(schema.name)),
    )  # fmt: skip


@pages.get("/certificates/<id_>/<any(suspend,lift,revoke,erase):action>")
@needs("clerk")
def confirm(id_: str, action: str) -> ResponseReturnValue:
    """Say what will happen, and ask for the reason."""
    row = desk().get(id_)
    return page("confirm.html", row=row, line=line(row), action=action, reasons=REASONS[1:], fault=None)


@pages.post("/certificates/<id_>/<any(suspend,lift,revoke,erase):action>")
@needs("clerk")
def act(id_: str, action: str) -> ResponseReturnValue:
    """Do it, with the reason given, and publish."""
    row, reason, now = desk().get(id_), request.form.get("reason", ""), config().now()
    if action in ("suspend", "revoke") and reason not in REASONS[1:]:
        fault = speaker()("fault.reason")
        return page("confirm.html", row=row, line=line(row), action=action, reasons=REASONS[1:], fault=fault), 422
    if action in ("revoke", "erase") and two_acts.needed(action):
        body = body_of_end(desk(), row.id, reason if action == "revoke" else None)
        asked = two_acts.ask(action, row.id, body, by=user().name)
        tell("two.asked")
        return redirect(url_for("two.one", id_=asked.id))
    held = planned.held_minutes(desk()) if action == "revoke" else 0
    if held:
        planned.plan(desk(), [id_], "revoke", reason, due=now + held, at=now, by=user().name)
        tell("later.one-planned", minutes=held)
        return redirect(url_for("desk.certificate", id_=id_))
    if action == "revoke":
        desk().revoke(id_, reason, now)
    elif action == "suspend":
        desk().suspend(id_, reason, now)
    elif action == "lift":
        desk().lift(id_, now)
    else:
        desk().erase(id_)
        answers().forget(id_)
    tell(f"desk.done-{action}")
    return redirect(url_for("desk.certificate", id_=id_))


@pages.post("/publish")
@needs("clerk")
def publish() -> ResponseReturnValue:
    """Tell the registry what it has not heard yet."""
    planned.run_due(desk(), config().now())
    desk().publish(config().now())
    tell("desk.published")
    return redirect(url_for("desk.home"))


def shown(row: Issued, schema: Schema) -> list[tuple[Any, JSON]]:
    """(claim, value) for each claim that has a value, in order."""
    return [(claim, row.claims[claim.name]) for claim in schema.claims if row.claims.get(claim.name) is not None]


def line(row: Issued) -> dict[str, Any]:
    """What lists show: the first two public values, the kind, the state today."""
    schema = desk().schema(row.schema, config().now())
    values = [speaker().shown(claim, value) for claim, value in shown(row, schema)[:2]]
    word = desk().audited(row, config().now())
    state = max(row.state, "valid" if word is None else word.state, key=("valid", "suspended", "revoked", "refused").index)
    if state == "valid" and row.until <= config().now():
        state = "expired"
    return {
        "row": row, "title": values[0] if values else "—", "more": values[1:], "kind": schema.title, "state": state,
        "word": word,
    }  # fmt: skip


def _once() -> str:
    return request.form.get("once", "")[:64]


def schema_named(digest: str) -> Schema:
    """The schema of a digest in hex; 404 for another text."""
    try:
        raw = unhex(digest)
    except MalformedError:
        abort(404)
    return desk().schema(raw, config().now())


def _form(schema: Schema, form: Any, faults: dict[str, str]) -> str:
    allowed = desk().may_issue(schema.digest, config().now())
    return page(
        "issue.html", schema=schema, fields=forms.fields(schema), form=form, faults=faults, allowed=allowed,
        once=form.get("once") or secrets.token_urlsafe(16), zone=config().zone,
        again=str(form.get("once", "")).startswith(AGAIN), finding=finding(schema), depends=stands_on(schema),
    )  # fmt: skip


def _field_of(fault: InputFault, schema: Schema) -> str:
    """The control that a fault belongs to; what stands in a claim has none of its own."""
    return next((field.field for field in finding(schema) if field.name == fault.field), "")


def finding(schema: Schema) -> tuple[Asked, ...]:
    """What the form asks for beside the claims, so that the holder can look the certificate up."""
    return clerk_fields(desk().lookups.lookup.of(schema.name))


def _reason(name: str | None) -> str:
    return speaker()(f"reason.{name if name in REASONS else REASONS[0]}")


def _held(id_: str) -> Issued:
    row = desk().get(id_)
    if row.erased:
        raise IssueError("the certificate was erased here", code="erased")
    return row


def _drawn(id_: str) -> picture.Picture:
    return selfcheck.draw(_held(id_), config().code_host)


def _file(data: bytes, kind: str, name: str, download: bool = False) -> Response:
    response = Response(data, content_type=kind)
    wanted = download or request.args.get("download") is not None
    response.headers["Content-Disposition"] = f'{"attachment" if wanted else "inline"}; filename="{name}"'
    return response
