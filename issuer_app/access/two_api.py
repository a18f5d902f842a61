"""What became of a program's request that waits for a second person. A key reads its own, and agrees to none."""

from __future__ import annotations

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue

from issuer_app.access import two_acts
from issuer_app.calling import allows
from issuer_app.frame import access, config
from issuer_app.problems import NotFoundError

__all__ = ["routes"]

routes = Blueprint("api-two", __name__)


@routes.get("/api/v1/waiting/<id_>")
@allows("certificates:read")
def waiting(id_: str) -> ResponseReturnValue:
    """Its state, and the certificate's id once it is done; nothing of its content."""
    access().waiting.forget(config().now())
    held = access().waiting.get(id_)
    if held.by != two_acts.of_key(g.api_key):
        raise NotFoundError("no request of that id")
    return jsonify(two_acts.described(held))
