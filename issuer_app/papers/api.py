"""Papers for programs with a clerk's key: the PDF and the pictures of a certificate, and links for its holder."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.calling import allows
from issuer_app.frame import config, desk
from issuer_app.papers.described import MEDIA
from issuer_app.papers.handing import hand_out
from issuer_app.papers.web import asked_way, links
from weid.canon import parse_json
from weid.errors import IssueError, MalformedError
from weid.pack import LANGUAGES

__all__ = ["routes"]

routes = Blueprint("papers-api", __name__, url_prefix="/api/v1/certificates")


@routes.get("/<id_>/paper.pdf")
@allows("papers:read")
def paper(id_: str) -> ResponseReturnValue:
    """The PDF; `first` and `second` are its languages."""
    return _given(id_, "pdf")


@routes.get("/<id_>/card.png")
@allows("papers:read")
def card(id_: str) -> ResponseReturnValue:
    """The picture card."""
    return _given(id_, "card")


@routes.get("/<id_>/poster.png")
@allows("papers:read")
def poster(id_: str) -> ResponseReturnValue:
    """The poster."""
    return _given(id_, "poster")


@routes.post("/<id_>/links")
@allows("links:write")
def link(id_: str) -> ResponseReturnValue:
    """A link for the holder, told this once."""
    body = parse_json(request.get_data() or b"{}", max_bytes=config().limits.form_bytes)
    days = body.get("days", 30) if isinstance(body, dict) else None
    if not isinstance(body, dict) or set(body) - {"days"} or type(days) is not int:
        raise MalformedError("the body has days, a number")
    row, now = desk().get(id_), config().now()
    token = links().make(row.id, days=days, by="api", at=now, random=config().random)
    base = config().public or request.url_root.rstrip("/")
    return jsonify({"url": f"{base}{url_for('holder.certificate', token=token)}"}), 201


@routes.delete("/<id_>/links")
@allows("links:write")
def withdraw(id_: str) -> ResponseReturnValue:
    """End every link to a certificate."""
    links().withdraw(desk().get(id_).id)
    return "", 204


def _given(id_: str, form: str) -> Response:
    if any(request.args.get(name, "en") not in LANGUAGES for name in ("first", "second")):  # the page's form says none by ""
        raise IssueError(f"one or two of {', '.join(LANGUAGES)}", code="bad-language")
    made = hand_out(desk(), desk().get(id_), form, asked_way(), config().now())
    response = Response(made.data, content_type=MEDIA[form])
    response.headers["Scannability"] = str(made.score.total)
    return response
