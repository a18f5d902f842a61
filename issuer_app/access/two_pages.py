"""“Waiting for a second person”: what others asked for, and yes or no to it."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from issuer_app.access import two_acts
from issuer_app.frame import access, acted_on, config, desk, needs, page, tell, user
from issuer_app.problems import NotFoundError, RefusedError
from issuer_app.two_people import Asked
from weid.codec import unhex

__all__ = ["pages"]

pages = Blueprint("two", __name__, url_prefix="/waiting")


@pages.get("/")
@needs("clerk", "admin")
def home() -> ResponseReturnValue:
    """Everything that waits."""
    return page("access/waiting.html", waiting=[(held, _title(held)) for held in access().waiting.open(config().now())])


@pages.get("/<id_>")
@needs("clerk", "admin")
def one(id_: str) -> ResponseReturnValue:
    """One request, with all that the second person has to judge."""
    access().waiting.forget(config().now())
    held = access().waiting.get(id_)
    return page("access/waiting_one.html", held=held, title=_title(held), own=held.by == user().name, values=_values(held))


@pages.post("/<id_>/<any(agree,decline,withdraw):action>")
@needs("clerk", "admin")
def decide(id_: str, action: str) -> ResponseReturnValue:
    """Agree: it is done now. Decline, or take back what one asked for oneself: nothing is done."""
    held = access().waiting.get(id_)
    acted_on(held.target if held.act != "issue" else held.id)
    if action == "agree":
        result = two_acts.agree(id_, user().name)
        acted_on(result, f"ok asked-by={held.by}")
        tell("two.done")
        if "clerk" in user().roles and held.act in ("issue", "revoke", "erase"):
            return redirect(url_for("desk.certificate", id_=result))
        return redirect(url_for("two.home"))
    if (action == "withdraw") != (held.by == user().name):
        raise RefusedError("who asks takes back, others decline", code="own-request" if action == "decline" else "not-permitted")
    access().waiting.decline(id_, user().name, config().now())
    tell(f"two.{action}")
    return redirect(url_for("two.home"))


def _title(held: Asked) -> dict[str, str]:
    """The kind of certificate, in the four languages; nothing where it is not known (any more)."""
    try:
        digest = unhex(held.target) if held.act == "issue" else desk().get(held.target).schema
        return dict(desk().schema(digest, config().now()).title)
    except NotFoundError:
        return {}


def _values(held: Asked) -> list[tuple[object, object]]:
    """(claim, value) of the certificate that is to be issued, or to be ended."""
    if held.act == "issue":
        claims = held.body.get("claims")
        schema = desk().schema(unhex(held.target), config().now())
    elif held.act in ("revoke", "erase") and held.state in ("waiting", "doing"):
        row = desk().get(held.target)
        claims, schema = dict(row.claims), desk().schema(row.schema, config().now())
    else:
        return []
    known = claims if isinstance(claims, dict) else {}
    return [(claim, known[claim.name]) for claim in schema.claims if known.get(claim.name) is not None]
