"""The holder's page behind a link: the certificate, its standing today, and everything to take along. It needs no script;
where there is one, the phone's own menu for sharing opens too.

Whoever has the link sees the certificate: the page says so. The link is in no log of ours, no referrer and no cache.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import NotFound

from credentials import picture
from issuer_app.access.shown import qr
from issuer_app.frame import config, desk, page, slow_down
from issuer_app.ledger import Issued
from issuer_app.papers.codes import code_of
from issuer_app.papers.face import face_of
from issuer_app.papers.handing import hand_out
from issuer_app.papers.links import Link
from issuer_app.papers.look import look_of, template_named
from issuer_app.papers.offers import issuer_of, offer_link
from issuer_app.papers.web import asked_way, links, sent
from weid.errors import IssueError

__all__ = ["KeptOut", "opened", "pages", "standing_of", "templates"]

pages = Blueprint("holder", __name__, url_prefix="/c")
templates = Blueprint("templates", __name__)

_ORDER = ("valid", "suspended", "revoked", "refused")
_TOKEN = re.compile(r"(/c/)[A-Za-z0-9_-]{6,}")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a link opens."""

    row: Issued
    link: Link


class KeptOut(logging.Filter):
    """Takes links out of what is logged: a line about a failed page names the page, not the way to it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always let the record through, without tokens."""
        record.msg, record.args = _TOKEN.sub(r"\1…", record.getMessage()), ()
        return True


@pages.after_request
def _unlisted(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


@pages.get("/<token>")
def certificate(token: str) -> ResponseReturnValue:
    """The certificate as its holder sees it."""
    shown, now = opened(token), config().now()
    row, schema = shown.row, desk().schema(shown.row.schema, now)
    state, word = standing_of(row, now)
    face = face_of(schema, look_of(desk().party.folder, schema), row.claims)
    issuer, bearer = issuer_of(config().public), schema.bind in ("none", "document")
    offered = offer_link(issuer, token) if issuer is not None and bearer and state == "valid" else ""
    return page(
        "papers/holder.html", row=row, schema=schema, face=face, state=state, word=word, link=shown.link, token=token,
        bearer=bearer, institution=desk().names, now=now, offered=offered, picture=qr(offered) if offered else "",
    )  # fmt: skip


@pages.get("/<token>/certificate.pdf")
def pdf(token: str) -> ResponseReturnValue:
    """The PDF."""
    return _given(token, "pdf")


@pages.get("/<token>/<any(card,poster):form>.png")
def drawn(token: str, form: str) -> ResponseReturnValue:
    """A picture."""
    return _given(token, form)


@pages.get("/<token>/code.svg")
def code(token: str) -> ResponseReturnValue:
    """The code alone, as large as the screen."""
    row = opened(token).row
    return Response(picture.svg(code_of(row, config().code_host)), content_type="image/svg+xml")


@pages.get("/<token>/certificate.json")
def file(token: str) -> ResponseReturnValue:
    """The credential file, for a wallet; also of a certificate that no longer stands, which the holder may contest."""
    row = opened(token).row
    response = Response(row.file, content_type="application/vc")
    response.headers["Content-Disposition"] = f'attachment; filename="{row.id[:8]}.json"'
    return response


@templates.get("/templates/<digest>.svg")
def template(digest: str) -> ResponseReturnValue:
    """A template that files name, for whoever draws one; it holds nobody's data."""
    data = None if config().desk is None else template_named(desk().party.folder, digest)
    if data is None:
        raise NotFound
    return Response(data, content_type="image/svg+xml")


def standing_of(row: Issued, at: int) -> tuple[str, Any]:
    """(the state today, the auditor's word if there is one): the worse of the two counts (R9)."""
    word = desk().audited(row, at)
    state = max(row.state, "valid" if word is None else word.state, key=_ORDER.index)
    return ("expired" if state == "valid" and row.until <= at else state), word


def opened(token: str) -> Shown:
    """What the link shows; 404 for every link that does not open, and guessing is slowed down."""
    found = links().find(token, config().now()) if config().desk is not None else None
    if found is None:
        slow_down(config().limits.sign_in, "link", get_remote_address())
        raise NotFound
    row = desk().get(found.certificate)
    if row.erased:
        raise IssueError("the content was erased here", code="erased")
    return Shown(row, found)


def _given(token: str, form: str) -> Response:
    shown = opened(token)
    slow_down(config().limits.issue, "paper", hashlib.sha256(token.encode()).hexdigest())
    state, _ = standing_of(shown.row, config().now())
    if state in ("suspended", "revoked"):  # an auditor's word counts like our own
        raise IssueError(f"the certificate is {state}", code="not-valid")
    made = hand_out(desk(), shown.row, form, asked_way(), config().now())
    return sent(made.data, form, shown.row.id)
