"""The doors of a running app to what two people decide: asking by page or key, with a row in the trail; agreeing by page."""

from __future__ import annotations

from flask import jsonify, url_for
from werkzeug.wrappers import Response

from issuer_app import proposals
from issuer_app.frame import access, acted_on, config, desk
from issuer_app.importing.running import importer
from issuer_app.proposals import deciding
from issuer_app.proposals.acts import Room
from issuer_app.two_people import Asked
from issuer_app.users import ApiKey
from weid.canon import JSON
from weid.codec import rfc3339

__all__ = ["answer", "ask", "described", "needed", "of_key", "room"]


def room() -> Room:
    """Where this request's decisions are made."""
    return Room(desk(), access().waiting, config().now(), config().random, importer)


def needed(act: str) -> bool:
    """Whether the desk's terms ask for two people here."""
    return deciding.needed(desk().terms.two_people, act)


def of_key(key: ApiKey) -> str:
    """An API key as one who asks; no person has such a name, so it is nobody's own request."""
    return f"api:{key.label} ({key.id})"


def ask(
    act: str, target: str, body: dict[str, JSON], *, by: str, once: str | None = None, renew: bool = False,
    until: int | None = None,
) -> Asked:  # fmt: skip
    """Let it wait; asking again for the same gives the same request, with `renew` unless nobody agreed to that."""
    held = deciding.ask(room(), act, target, body, by=by, once=once, renew=renew, until=until)
    acted_on(target if act in proposals.ON_ONE else held.id, proposals.asked_row(held))
    return held


def described(held: Asked) -> dict[str, JSON]:
    """For programs: nothing of its content but its digest."""
    return {
        "waiting": held.id, "act": held.act, "target": held.target, "state": held.state, "asked": rfc3339(held.asked),
        "until": rfc3339(held.until), "result": held.result, "digest": held.digest.hex(),
    }  # fmt: skip


def answer(held: Asked) -> Response:
    """202: asked, not done."""
    made = jsonify(described(held))
    made.status_code = 202
    made.headers["Location"] = url_for("api-two.waiting", id_=held.id)
    return made
