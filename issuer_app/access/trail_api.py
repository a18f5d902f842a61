"""The trail for programs: all of it with the scope, and what a key did itself for whoever holds that key."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuer_app.access.exports import signed
from issuer_app.access.trail import KEY, KINDS, PERSON, Row
from issuer_app.calling import allows, key_of
from issuer_app.frame import access, desk
from issuer_app.paging import after, limit, paged
from weid.errors import MalformedError

__all__ = ["routes"]

routes = Blueprint("api-trail", __name__, url_prefix="/api/v1")
_FILTERS = ("who", "kind", "act", "target")


@routes.get("/trail")
@allows("trail:read")
def trail() -> ResponseReturnValue:
    """Newest first, by who, kind, act and target. The digests let a reader check the chain anew."""
    asked = {name: request.args.get(name, "") for name in _FILTERS}
    if any(len(text) > 200 for text in asked.values()) or request.args.get("kind", PERSON) not in KINDS:
        raise MalformedError(f"a filter has at most 200 characters; kind is one of {', '.join(KINDS)}")
    held, count, words = access().trail, limit(), tuple(asked.values())
    head = held.head()
    rows = held.rows(who=asked["who"] or None, kind=asked["kind"] or None, act=asked["act"], target=asked["target"] or None,
                     before=after(*words), limit=count + 1)  # fmt: skip
    return paged(_shown(rows, count), _next(rows, count), *words, head={"seq": head[0], "hash": head[1].hex()})


@routes.get("/me/trail")
@allows(None)
def own() -> ResponseReturnValue:
    """What was done with the key of this request."""
    key, count = key_of(), limit()
    rows = access().trail.rows(who=f"{key.label} ({key.id})", kind=KEY, before=after(key.id), limit=count + 1)
    return paged(_shown(rows, count), _next(rows, count), key.id)


@routes.get("/certificates/<id_>/trail")
@allows("certificates:read")
def certificate(id_: str) -> Response:
    """What was done to one certificate and by whom, as the clerk's page gives it."""
    row = desk().get(id_)
    return signed(access().trail.rows(target=row.id, limit=None), row.id)


def _shown(rows: tuple[Row, ...], count: int) -> list[object]:
    return [row.to_json() for row in rows[:count]]


def _next(rows: tuple[Row, ...], count: int) -> int | None:
    return rows[count - 1].seq if len(rows) > count else None
