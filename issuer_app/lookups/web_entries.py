"""The clerk's page about looking a certificate up: what its holder can be found by, corrections, and links for the counter."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.frame import config, desk, needs, page, speaker, tell
from issuer_app.ledger import Issued
from issuer_app.lookups.book import PRINTED
from issuer_app.lookups.fields import clerk_fields, typed_extra
from issuer_app.lookups.links import make_link
from issuer_app.lookups.rules import Rule
from issuer_app.web_desk import line

__all__ = ["pages"]

pages = Blueprint("entries", __name__, url_prefix="/desk/certificates/<id_>/look-up")


@pages.get("/")
@needs("clerk")
def home(id_: str) -> ResponseReturnValue:
    """What the holder is found by (kinds and days, never a number), and the form for another document."""
    return _home(_row(id_), {})


@pages.post("/")
@needs("clerk")
def change(id_: str) -> ResponseReturnValue:
    """Write another document, instead of an earlier entry if one is chosen; it counts for all certificates of the person."""
    row, at = _row(id_), config().now()
    schema, book = desk().schema(row.schema, at), desk().lookups
    extra = typed_extra(request.form, clerk_fields(book.lookup.of(schema.name), contact=False))
    given, faults = book.read(schema.name, row.claims, extra, day=at)
    if not extra:
        return _home(row, {"": speaker().problem("lookup-nothing")}), 422
    if faults:
        return _home(row, {fault.field: speaker().problem(fault.code) for fault in faults}), 422
    book.replace(row.id, schema.name, _entry(row), given, at=at, random=config().random)
    tell("lookup.changed")
    return redirect(url_for("entries.home", id_=id_))


@pages.post("/remove")
@needs("clerk")
def remove(id_: str) -> ResponseReturnValue:
    """Take an entry away: the holder is no longer found by it."""
    row = _row(id_)
    if _entry(row) is None:
        abort(404)
    desk().lookups.remove(row.id, str(_entry(row)))
    tell("lookup.removed")
    return redirect(url_for("entries.home", id_=id_))


@pages.post("/link")
@needs("clerk")
def link(id_: str) -> ResponseReturnValue:
    """A one-time link, shown here once: for a holder at the counter."""
    row = _row(id_)
    letter = make_link(desk().lookups, row.id, _rules(row)[0].name, config().now(), config().random)
    path = url_for("find.link", token=letter.token)
    address = f"{(config().public or request.host_url).rstrip('/')}{path}"
    return _home(row, {}, link=address, until=letter.until)


def _home(row: Issued, faults: dict[str, str], **values: Any) -> str:
    book, rules = desk().lookups, _rules(row)
    others = [line(desk().get(id_)) for id_ in book.together(row.id) if id_ != row.id]
    contact, code = book.note(row.id)
    return page(
        "lookups/entries.html", row=row, line=line(row), rules=rules, entries=book.entries(row.id), others=others,
        contact=contact, code=code, fields=clerk_fields(rules, contact=False), form=request.form, faults=faults,
        printed_kind=PRINTED, **values,
    )  # fmt: skip


def _rules(row: Issued) -> tuple[Rule, ...]:
    rules = desk().lookups.lookup.of(desk().schema(row.schema, config().now()).name)
    if not rules:
        abort(404)
    return rules


def _row(id_: str) -> Issued:
    row = desk().get(id_)
    if row.erased:
        abort(404)
    return row


def _entry(row: Issued) -> str | None:
    """The entry chosen in the form, if it is one of this certificate's holder."""
    chosen = request.form.get("entry", "")
    return next((entry.id for entry in desk().lookups.entries(row.id) if entry.id == chosen and entry.kind != PRINTED), None)
