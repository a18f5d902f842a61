"""Webhooks for programs: the same as the administrator's pages, with a scope of their own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, url_for
from flask.typing import ResponseReturnValue

from issuer_app.calling import allows, body_of
from issuer_app.frame import acted_on, config, desk, slow_down
from issuer_app.paging import after, limit, paged, sliced
from issuer_app.webhooks.endpoints import Delivery, Endpoint
from issuer_app.webhooks.outbox import EVENTS
from issuer_app.webhooks.pages import TESTS
from issuer_app.webhooks.running import hooks
from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import MalformedError

__all__ = ["routes"]

routes = Blueprint("api-hooks", __name__, url_prefix="/api/v1/webhooks")


@routes.get("")
@allows("webhooks:read")
def every() -> ResponseReturnValue:
    """Every address, oldest first."""
    return sliced(hooks().endpoints.all(), lambda item: [item.made, item.id], _told)


@routes.post("")
@allows("webhooks:write")
def add() -> ResponseReturnValue:
    """A new address; its secret is in this answer and in no other."""
    body = body_of("url", "label", "events")
    url, label = body.get("url"), body.get("label")
    if not isinstance(url, str) or not isinstance(label, str):
        raise MalformedError("url and label are texts")
    made, secret = hooks().add(url, label, _events(body.get("events")), at=_now(), random=config().random)
    acted_on(made.id)
    answer = jsonify({**_told(made), "secret": secret})
    answer.headers["Location"] = url_for("api-hooks.one", id_=made.id)
    return answer, 201


@routes.get("/<id_>")
@allows("webhooks:read")
def one(id_: str) -> ResponseReturnValue:
    """One address, and how much waits for it."""
    return jsonify(_told(hooks().endpoints.get(id_)))


@routes.delete("/<id_>")
@allows("webhooks:write")
def remove(id_: str) -> ResponseReturnValue:
    """Forget it, and what waits for it."""
    hooks().remove(id_)
    return "", 204


@routes.put("/<id_>/events")
@allows("webhooks:write")
def choose(id_: str) -> ResponseReturnValue:
    """From now on it is told these."""
    hooks().endpoints.choose(id_, _events(body_of("events").get("events")))
    return jsonify(_told(hooks().endpoints.get(id_)))


@routes.post("/<id_>/secret")
@allows("webhooks:write")
def rotate(id_: str) -> ResponseReturnValue:
    """A new secret, told in this answer alone; the old one signs beside it for a day."""
    body_of()
    return jsonify({"secret": hooks().endpoints.rotate(id_, at=_now(), random=config().random)}), 201


@routes.post("/<id_>/<any(test,on,off,settle):action>")
@allows("webhooks:write")
def act(id_: str, action: str) -> ResponseReturnValue:
    """Send a test event, switch it on or off, or end the old secret now."""
    body_of()
    held = hooks().endpoints
    if action == "test":
        slow_down(TESTS, "webhook", id_)
        held.test(id_, desk().did, at=_now(), random=config().random)
    elif action == "settle":
        held.settle(id_)
    else:
        held.switch(id_, on=action == "on")
    return jsonify(_told(held.get(id_)))


@routes.get("/<id_>/deliveries")
@allows("webhooks:read")
def deliveries(id_: str) -> ResponseReturnValue:
    """What was told to it, the newest first."""
    held, count = hooks().endpoints, limit()
    held.get(id_)
    found = held.deliveries(id_, limit=count + 1, before=after(id_))
    return paged([_delivery(item) for item in found[:count]], found[count - 1].seq if len(found) > count else None, id_)


def _events(value: JSON) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise MalformedError(f"events are some of {', '.join(EVENTS)}", code="bad-events")
    return [str(name) for name in value]


def _now() -> int:
    return int(config().clock().timestamp())


def _told(item: Endpoint) -> dict[str, Any]:
    counts = hooks().endpoints.counts(item.id)
    return {
        "id": item.id, "url": item.url, "label": item.label, "events": [name for name in EVENTS if name in item.events],
        "state": item.state, "why": item.why or None, "made": rfc3339(item.made // 60),
        "oldSecretUntil": None if item.until is None or item.until <= _now() else rfc3339(item.until // 60),
        "failingSince": None if item.failing is None else rfc3339(item.failing // 60),
        "waiting": counts.get("waiting", 0), "lost": counts.get("lost", 0),
    }  # fmt: skip


def _delivery(item: Delivery) -> dict[str, Any]:
    return {
        "event": item.event, "type": item.kind, "state": item.state, "tries": item.tries, "made": rfc3339(item.made // 60),
        "last": None if item.last is None else rfc3339(item.last // 60), "outcome": item.outcome or None,
        "due": rfc3339(item.due // 60) if item.state == "waiting" else None,
    }  # fmt: skip
