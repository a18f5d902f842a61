"""`POST /api/v1/lookups`: an institution's own site or kiosk asks for a holder. The pack's rules hold for it as for strangers."""

from __future__ import annotations

from flask import Blueprint, abort, g, jsonify
from flask.typing import ResponseReturnValue

from issuer_app.api import full
from issuer_app.calling import allows, body_of, texts_of
from issuer_app.frame import config, desk, slow_down
from issuer_app.lookups.asking import ask, on_the_beat, ways
from issuer_app.lookups.inputs import InputFault
from issuer_app.lookups.web_find import state_of

__all__ = ["routes"]

routes = Blueprint("api-lookups", __name__, url_prefix="/api/v1")


@routes.post("/lookups")
@allows("lookups:read")
def look_up() -> ResponseReturnValue:
    """Certificates, their standing, or nothing, as the rule says; the key counts as one address."""
    body, book = body_of("rule", "inputs"), desk().lookups
    inputs = texts_of(body.get("inputs"), "inputs")
    names = set(inputs) - {"documentKind"}
    known = [way for way in ways(book) if way.rule.name == body.get("rule")]
    if not known:
        abort(404)
    way = next((way for way in known if set(way.by) == names), None)
    if way is None:
        raise InputFault("inputs", "lookup-inputs")

    def count(rate: str, what: str, key: str) -> None:
        slow_down(rate, "find", what, key)

    slow_down(config().limits.api, "find", "key", g.api_key.id)
    with on_the_beat(book.lookup.pace.floor):
        ids = ask(book, way, inputs, at=config().now(), count=count)
        if way.rule.shows == "nothing-without-link":
            return jsonify({"shows": way.rule.shows, "items": []})
        rows = [desk().get(id_) for id_ in ids]
        if way.rule.shows == "existence":
            return jsonify({"shows": way.rule.shows, "items": [{"state": state_of(row)} for row in rows]})
        return jsonify({"shows": way.rule.shows, "items": [full(row) for row in rows]})
