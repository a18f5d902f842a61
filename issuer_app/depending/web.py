"""Certificates whose base has ended: a page for the clerk, and the same for programs."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuer_app.calling import allows
from issuer_app.depending import kept
from issuer_app.frame import config, desk, needs, page
from issuer_app.paging import after, limit, paged
from issuer_app.web_desk import line
from weid.codec import rfc3339

__all__ = ["pages", "routes"]

pages = Blueprint("depending", __name__, url_prefix="/depending")
routes = Blueprint("api-depending", __name__, url_prefix="/api/v1/depending")
_SHOWN: Final = 200


@pages.get("/")
@needs("clerk")
def home() -> ResponseReturnValue:
    """Certificates in force that stand on nothing any more."""
    found = list(islice(kept.ended(desk(), config().now()), _SHOWN + 1))
    lines = [(line(desk().get(base.own)), base, state) for _, base, state in found[:_SHOWN]]
    return page("depending/home.html", lines=lines, more=len(found) > _SHOWN)


@routes.get("")
@allows("certificates:read")
def ended() -> ResponseReturnValue:
    """The same, the oldest first."""
    count = limit()
    found = list(islice(kept.ended(desk(), config().now(), behind=after() or 0), count + 1))
    return paged([_told(base, state) for _, base, state in found[:count]], found[count - 1][0] if len(found) > count else None)


def _told(base: kept.Kept, state: str) -> dict[str, Any]:
    return {
        "certificate": base.own, "base": base.id, "schema": base.schema.hex(), "issuer": base.issuer, "state": state,
        "validUntil": rfc3339(base.until),
    }  # fmt: skip
