"""Reading the trail: administrators and auditors all of it, a clerk what was done to one certificate, for its subject."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuer_app.access.exports import signed
from issuer_app.access.trail import KINDS, PAGE
from issuer_app.frame import access, desk, needs, page, speaker

__all__ = ["pages"]

pages = Blueprint("trail", __name__)


@pages.get("/trail")
@needs("admin", "auditor")
def home() -> ResponseReturnValue:
    """Newest first, filtered by who, kind, act and target; a hundred on a page."""
    asked = {name: request.args.get(name, "")[:200].strip() for name in ("who", "kind", "act", "target")}
    before = request.args.get("before", "")
    rows = access().trail.rows(
        who=asked["who"] or None, kind=asked["kind"] or None, act=asked["act"], target=asked["target"] or None,
        before=int(before) if re.fullmatch(r"[1-9][0-9]{0,11}", before, re.ASCII) else None, limit=PAGE + 1,
    )  # fmt: skip
    return page(
        "access/trail.html", said=_said, outcome=_outcome, rows=rows[:PAGE], asked=asked, kinds=KINDS,
        more=rows[PAGE - 1].seq if len(rows) > PAGE else None, acts=access().trail.acts(), head=access().trail.head(),
    )  # fmt: skip


def _said(act: str) -> str:
    """An act in words; a command, or what a later version did, by its own name."""
    key = f"done.{act.replace('.', '-').replace('_', '-')}"
    return speaker()(key) if speaker().has(key) else act


def _outcome(result: str) -> tuple[str, str]:
    """(class, words) of a result: done, waiting, or refused under its code."""
    t = speaker()
    result = result.partition(" digest=")[0]  # of the request, for whoever compares it
    who = result.removeprefix("ok asked-by=")
    if result == "ok":
        return "valid", t("trail.ok")
    if who != result:
        return "valid", t("trail.asked-by", who=who)
    if result == "second-person-asked":
        return "suspended", t("trail.asked")
    return ("suspended", t("trail.code-asked")) if result == "code-asked" else ("revoked", result)


@pages.get("/desk/certificates/<id_>/trail.json")
@needs("clerk")
def certificate(id_: str) -> Response:
    """What was done to one certificate and by whom: for its subject to take along."""
    row = desk().get(id_)
    return signed(access().trail.rows(target=row.id, limit=None), row.id)
