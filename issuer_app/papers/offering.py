"""The addresses a wallet asks to take a certificate over (OpenID4VCI 1.0): the offer, who we are, a token, the file.

Nothing here says more than the holder's link does, and a withdrawn link ends all of it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import NotFound

from issuer_app.config import secret_key
from issuer_app.frame import config, desk, slow_down
from issuer_app.ledger import Issued
from issuer_app.papers.holder import opened, standing_of
from issuer_app.papers.links import mark_of
from issuer_app.papers.offers import GRANT, MINUTES, Codes, issuer_of, metadata, offer, server
from issuer_app.papers.web import links
from weid.canon import parse_json
from weid.errors import MalformedError

__all__ = ["routes"]

routes = Blueprint("offering", __name__)


@routes.after_request
def _unkept(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


@routes.get("/c/<token>/offer.json")
def offered(token: str) -> ResponseReturnValue:
    """The offer for whoever has this link; a fresh code each time."""
    row, issuer = opened(token).row, _issuer()
    if not _given(row):
        raise NotFound
    code = _codes().make("code", mark_of(token).hex(), at=config().now(), random=config().random)
    return jsonify(offer(issuer, row.schema, code))


@routes.get("/.well-known/openid-credential-issuer")
def about_issuer() -> ResponseReturnValue:
    """What is handed out here, and where."""
    issuer, now = _issuer(), config().now()
    known = [desk().schema(bytes(row["schema"]), now) for row in desk().books.rows("SELECT DISTINCT schema FROM issued")]
    return jsonify(metadata(issuer, desk().names, known))


@routes.get("/.well-known/oauth-authorization-server")
def about_server() -> ResponseReturnValue:
    """Where a code becomes a token."""
    return jsonify(server(_issuer()))


@routes.post("/openid4vci/token")
def token() -> ResponseReturnValue:
    """An access token for a code, once."""
    _issuer()
    if request.form.get("grant_type") != GRANT:
        return _refused("unsupported_grant_type")
    link = _codes().read("code", request.form.get("pre-authorized_code", ""), config().now())
    if link is None or _row(link) is None:
        slow_down(config().limits.sign_in, "offer", get_remote_address())
        return _refused("invalid_grant")
    made = _codes().make("access", link, at=config().now(), random=config().random)
    return jsonify({"access_token": made, "token_type": "Bearer", "expires_in": 60 * MINUTES})


@routes.post("/openid4vci/credential")
def credential() -> ResponseReturnValue:
    """The file, word for word as it was issued, in the envelope of the protocol."""
    _issuer()
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    link = _codes().read("access", text.strip(), config().now()) if scheme.lower() == "bearer" else None
    row = None if link is None else _row(link)
    if row is None:
        slow_down(config().limits.sign_in, "offer", get_remote_address())
        answer = _refused("invalid_token", 401)
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return answer
    asked = _asked()
    if asked.get("credential_configuration_id") != row.schema.hex():
        return _refused(
            "unknown_credential_configuration" if "credential_configuration_id" in asked else "invalid_credential_request"
        )
    return jsonify({"credentials": [{"credential": parse_json(row.file)}]})


def _asked() -> Mapping[str, Any]:
    try:
        value = parse_json(request.get_data(), max_bytes=config().limits.form_bytes)
    except MalformedError:
        return {}
    return value if isinstance(value, dict) else {}


def _row(link: str) -> Issued | None:
    """The certificate of an open link that may be handed out today."""
    found = links().of_mark(bytes.fromhex(link), config().now())
    row = None if found is None else desk().get(found.certificate)
    return row if row is not None and not row.erased and _given(row) else None


def _given(row: Issued) -> bool:
    """Whether a wallet may take it: it stands, and is bound to nobody's key (else the holder's wallet made the request)."""
    now = config().now()
    return desk().schema(row.schema, now).bind in ("none", "document") and standing_of(row, now)[0] == "valid"


def _issuer() -> str:
    found = issuer_of(config().public) if config().desk is not None else None
    if found is None:
        raise NotFound
    return found


def _refused(code: str, status: int = 400) -> Response:
    """An error of OAuth: a code for the wallet, which has the words."""
    answer = jsonify({"error": code})
    answer.status_code = status
    return answer


def _codes() -> Codes:
    held = current_app.extensions.get("offer_codes")
    if held is None:
        held = current_app.extensions["offer_codes"] = Codes(secret_key(config().folder))
    return cast(Codes, held)
