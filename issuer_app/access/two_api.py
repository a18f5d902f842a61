"""What became of a program's request that waits for a second person. A key reads its own and takes it back; it agrees to none."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from issuer_app.access import two_acts
from issuer_app.calling import allows, body_of, key_of
from issuer_app.frame import access, acted_on, config
from issuer_app.paging import after, limit, paged
from issuer_app.problems import NotFoundError
from issuer_app.proposals import deciding
from issuer_app.two_people import Asked

__all__ = ["routes"]

routes = Blueprint("api-two", __name__)


@routes.get("/api/v1/waiting")
@allows("certificates:read")
def mine() -> ResponseReturnValue:
    """What this key asked for, the newest first."""
    access().waiting.forget(config().now())
    count, last = limit(), after()
    found = access().waiting.of(two_acts.of_key(key_of()), count + 1, None if last is None else (last[0], last[1]))
    more = [found[count - 1].asked, found[count - 1].id] if len(found) > count else None
    return paged([two_acts.described(held) for held in found[:count]], more)


@routes.get("/api/v1/waiting/<id_>")
@allows("certificates:read")
def waiting(id_: str) -> ResponseReturnValue:
    """Its state, and what came of it once it is done; nothing of its content."""
    return jsonify(two_acts.described(_own(id_)))


@routes.post("/api/v1/waiting/<id_>/withdraw")
@allows("certificates:read")
def withdraw(id_: str) -> ResponseReturnValue:
    """Take back what this key asked for; nothing is done."""
    body_of()
    held = _own(id_)
    acted_on(held.id)
    access().waiting.decline(id_, held.by, config().now())
    return jsonify(two_acts.described(access().waiting.get(id_)))


def _own(id_: str) -> Asked:
    access().waiting.forget(config().now())
    deciding.settle(two_acts.room())
    held = access().waiting.get(id_)
    if held.by != two_acts.of_key(key_of()):
        raise NotFoundError("no request of that id")
    return held
