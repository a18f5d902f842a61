"""The pages for holders and strangers, without signing in: choose a way, type, and read what the pack lets a stranger learn.

Every look-up is a form that is sent, so that no name and no number stands in an address, and every answer is a page that
the form leads to. What was found is in the browser's own sealed session for half an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from flask import Blueprint, Response, abort, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_limiter.util import get_remote_address

from credentials import picture
from credentials.schema import Schema
from credentials.text import escaped
from issuer_app import selfcheck
from issuer_app.frame import config, desk, page, slow_down, speaker
from issuer_app.ledger import Issued
from issuer_app.lookups.asking import Way, ask, network, on_the_beat, ways
from issuer_app.lookups.book import Book
from issuer_app.lookups.fields import Asked, asked_fields
from issuer_app.lookups.inputs import InputFault
from issuer_app.lookups.links import link_holds, open_link
from issuer_app.lookups.printed import printed
from issuer_app.web_desk import line, shown

__all__ = ["pages", "state_of"]

pages = Blueprint("find", __name__, url_prefix="/find")
pages.add_app_template_filter(printed, "printed_number")
_KEPT: Final = 30  # minutes for which an answer can be opened again in the same browser
_MAX_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One certificate as its holder sees it."""

    row: Issued
    schema: Schema
    line: dict[str, Any]
    values: list[tuple[Any, Any]]
    bearer: bool


@pages.get("/")
def home() -> ResponseReturnValue:
    """The ways there are; the only one opens by itself."""
    known = ways(_book())
    if len(known) == 1:
        return redirect(url_for("find.form", name=known[0].rule.name, number=0))
    return page("lookups/home.html", ways=[(way, _fields(way)) for way in known])


@pages.get("/<name>/<int:number>")
def form(name: str, number: int) -> ResponseReturnValue:
    """The form of one way."""
    return _form(_way(name, number), {})


@pages.post("/<name>/<int:number>")
def look(name: str, number: int) -> ResponseReturnValue:
    """Look up; found or not, the answer takes as long and leads to a page."""
    way, book = _way(name, number), _book()
    typed = {key.removeprefix("find-"): text for key, text in request.form.items() if key.startswith("find-")}
    try:
        _count(book.lookup.pace.address, "address", network(get_remote_address()))
        with on_the_beat(book.lookup.pace.floor):
            ids = ask(book, way, typed, at=config().now(), count=_count)
            return _answered(way, ids)
    except InputFault as fault:
        return _form(way, {fault.field: speaker().problem(fault.code)}), 422
    except RateLimitExceeded:
        return page("lookups/slow.html", way=way), 429


@pages.get("/asked/<name>")
def asked(name: str) -> ResponseReturnValue:
    """The one page that a private look-up leads to, whatever there is."""
    rule = _book().lookup.rules.get(name)
    if rule is None or rule.shows != "nothing-without-link":
        abort(404)
    return page("lookups/asked.html", rule=rule, days=_book().lookup.pace.link_days)


@pages.get("/answer")
def answer() -> ResponseReturnValue:
    """What was found in this browser a moment ago, with the standing of today."""
    held = _held()
    rule = None if held is None else _book().lookup.rules.get(str(held["rule"]))
    if held is None or rule is None:
        return page("lookups/gone.html"), 410
    rows = _rows(held["ids"])
    return page(
        "lookups/answer.html", rule=rule, certificates=[_seen(row) for row in rows], states=held["states"],
        institution=desk().names,
    )  # fmt: skip


@pages.get("/answer/<int:place>/code.<any(png,svg):kind>")
def code(place: int, kind: str) -> ResponseReturnValue:
    """The picture of one of the certificates found."""
    row = _row(place)
    drawn = selfcheck.draw(row, config().code_host)
    if kind == "png":
        return _file(picture.png(drawn, scale=10), "image/png", f"{row.id[:8]}.png")
    return _file(picture.svg(drawn, label=speaker()("certificate.code")).encode("utf-8"), "image/svg+xml", f"{row.id[:8]}.svg")


@pages.get("/answer/<int:place>/certificate.json")
def file(place: int) -> ResponseReturnValue:
    """The file form of one of the certificates found."""
    row = _row(place)
    return _file(row.file, "application/vc", f"{row.id[:8]}.json")


@pages.post("/answer/<int:place>/page")
def own_page(place: int) -> ResponseReturnValue:
    """A page of the certificate's own, behind a link that the holder may keep or pass on: PDF, picture card, poster."""
    from issuer_app.papers.web import links

    row = _row(place)
    token = links().make(row.id, days=_OWN_DAYS, by="look-up", at=config().now(), random=config().random)
    return redirect(url_for("holder.certificate", token=token), 303)


@pages.get("/link/<token>")
def link(token: str) -> ResponseReturnValue:
    """Ask before a one-time link is used up: mail programs open links to look at them."""
    _count(_book().lookup.pace.address, "address", network(get_remote_address()))
    if not link_holds(_book(), token, config().now()):
        return page("lookups/gone.html"), 410
    return page("lookups/link.html", token=token)


@pages.post("/link/<token>")
def follow(token: str) -> ResponseReturnValue:
    """Use the link up, and show what it leads to in this browser."""
    book = _book()
    _count(book.lookup.pace.address, "address", network(get_remote_address()))
    found = open_link(book, token, config().now())
    rule = None if found is None else book.lookup.rules.get(found["rule"])
    if found is None or rule is None:
        return page("lookups/gone.html"), 410
    ids = book.together(found["id"], rule.schemas) or (found["id"],)
    _keep(rule.name, ids, [])
    return redirect(url_for("find.answer"), 303)


_OWN_DAYS = 30


def downloads(place: int) -> list[tuple[str, str]]:
    """(key of the words, address) of what a holder can take away from the answer: the one place where it is said."""
    return [
        ("certificate.file", url_for("find.file", place=place)),
        ("certificate.png", url_for("find.code", place=place, kind="png", download=1)),
        ("certificate.svg", url_for("find.code", place=place, kind="svg", download=1)),
    ]


pages.add_app_template_global(downloads, "holder_downloads")


def state_of(row: Issued) -> str:
    """The standing of a certificate today, an auditor's word included."""
    return str(line(row)["state"])


def _answered(way: Way, ids: tuple[str, ...]) -> ResponseReturnValue:
    if way.rule.shows == "nothing-without-link":
        return redirect(url_for("find.asked", name=way.rule.name), 303)
    if way.rule.shows == "certificate":
        _keep(way.rule.name, ids, [])
    else:  # the browser can read its own session: where only the standing may be known, only that is in it
        _keep(way.rule.name, (), [state_of(row) for row in _rows(ids)])
    return redirect(url_for("find.answer"), 303)


def _keep(rule: str, ids: tuple[str, ...], states: list[str]) -> None:
    session["found"] = {"rule": rule, "ids": list(ids[:_MAX_SHOWN]), "states": states[:_MAX_SHOWN], "at": config().now()}


def _held() -> dict[str, Any] | None:
    held = session.get("found")
    if not isinstance(held, dict) or not 0 <= config().now() - cast(int, held.get("at", 0)) <= _KEPT:
        session.pop("found", None)
        return None
    return held


def _rows(ids: Any) -> list[Issued]:
    """The certificates of these ids that are still here."""
    found = [desk().get(str(id_)) for id_ in ids]
    return [row for row in found if not row.erased and row.state != "refused"]


def _row(place: int) -> Issued:
    held = _held()
    rows = _rows(held["ids"]) if held is not None else []
    if not 0 <= place < len(rows):
        abort(404)
    return rows[place]


def _seen(row: Issued) -> Shown:
    schema = desk().schema(row.schema, config().now())
    return Shown(row, schema, line(row), shown(row, schema), schema.bind in ("none", "document"))


def _book() -> Book:
    """The index of the desk; 404 where there is no desk, or its pack has no rules."""
    held = config().desk
    if held is None or not held.lookups.lookup.rules:
        abort(404)
    return held.lookups


def _way(name: str, number: int) -> Way:
    rule = _book().lookup.rules.get(name)
    if rule is None or not 0 <= number < len(rule.by):
        abort(404)
    return Way(rule, number)


def _form(way: Way, faults: dict[str, str]) -> str:
    typed = {key: escaped(text[:200]) for key, text in request.form.items() if key.startswith("find-")}
    return page("lookups/form.html", way=way, fields=_fields(way), form=typed, faults=faults, single=len(ways(_book())) == 1)


def _fields(way: Way) -> tuple[Asked, ...]:
    return asked_fields(way, [right.schema for right in desk().accreditations(config().now())])


def _count(rate: str, what: str, key: str) -> None:
    slow_down(rate, "find", what, key)


def _file(data: bytes, kind: str, name: str) -> Response:
    response = Response(data, content_type=kind)
    wanted = kind == "application/vc" or request.args.get("download") is not None
    response.headers["Content-Disposition"] = f'{"attachment" if wanted else "inline"}; filename="{name}"'
    return response
