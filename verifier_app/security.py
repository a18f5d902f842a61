"""What every answer carries and every request must bring: headers, CSRF, limits, our own origin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

__all__ = ["CSP", "HEADERS", "LIMITS", "protect"]

# Nothing but this origin: a page that holds somebody's certificate has nowhere to send it.
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",  # R16: what was scanned is in no referrer
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LIMITS: Final = {
    "check": "900 per minute",  # one phone scans about six frames a second
    "challenge": "60 per minute",
    "typed": "30 per minute",
    "did-resolver": "600 per minute",
    "trust": "60 per minute",
    "gate": "1200 per minute",  # ten frames a second from a camera that never stops, and a second one
    "kiosk": "300 per minute",
    "batch": "900 per minute",
    "waiting": "60 per minute",
    "transfer": "1200 per minute",
    "openapi": "600 per minute",
    "health": "1200 per minute",
    "manifest": "600 per minute",
    "api": "1200 per minute",
    "vc-api": "1200 per minute",
}


def protect(app: Flask, rooms: Iterable[Blueprint]) -> None:
    """Registers the blueprints under the shared protections.

    The API carries no cookie and takes only content types that a foreign page cannot send unasked, so it needs no
    form token. The host name is checked by TRUSTED_HOSTS, against DNS rebinding to a loopback service.
    """
    csrf = CSRFProtect(app)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    for room in rooms:
        limiter.limit(LIMITS[room.name])(room)
        if room.name in ("api", "vc-api", "did-resolver"):
            csrf.exempt(room)
        app.register_blueprint(room)
    app.before_request(_own_origin)
    app.after_request(_headers)


def _own_origin() -> None:
    """Refuses writes that a page of another origin sent; `no-referrer` makes some browsers send `null`."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.host:
        abort(403)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
