"""“Waiting for a second person”: what others asked for, and yes or no to it."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app import proposals
from issuer_app.access import two_acts
from issuer_app.access.two_shown import as_csv, shown_of, title_of
from issuer_app.frame import access, acted_on, config, needs, page, speaker, tell, user
from issuer_app.problems import NotFoundError, RefusedError, status_of
from issuer_app.proposals import deciding
from issuer_app.two_people import Asked

__all__ = ["pages"]

pages = Blueprint("two", __name__, url_prefix="/waiting")
_OPEN = ("waiting", "doing")
_AGAIN = ("compare-again", "changed-meanwhile")


@pages.get("/")
@needs("clerk", "admin")
def home() -> ResponseReturnValue:
    """Everything that waits."""
    deciding.settle(two_acts.room())
    return page("access/waiting.html", waiting=[(held, title_of(held)) for held in access().waiting.open(config().now())])


@pages.get("/<id_>")
@needs("clerk", "admin")
def one(id_: str) -> ResponseReturnValue:
    """One request, with all that the second person has to judge."""
    access().waiting.forget(config().now())
    deciding.settle(two_acts.room())
    return _one(access().waiting.get(id_), "")


@pages.get("/<id_>/certificates.csv")
@needs("clerk", "admin")
def listed(id_: str) -> ResponseReturnValue:
    """Every certificate of a request."""
    held = access().waiting.get(id_)
    if held.act != "change" or held.state not in _OPEN:
        raise NotFoundError("there is no list of this request")
    answer = Response("\ufeff" + as_csv(held, deciding.examine(two_acts.room(), held)), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{id_}.csv"'
    return answer


@pages.post("/<id_>/<any(agree,decline,withdraw):action>")
@needs("clerk", "admin")
def decide(id_: str, action: str) -> ResponseReturnValue:
    """Agree: it is done now. Decline, or take back what one asked for oneself: nothing is done."""
    held = access().waiting.get(id_)
    acted_on(held.target if held.act in proposals.ON_ONE else held.id)
    if action == "agree":
        return _agree(held)
    if (action == "withdraw") != (held.by == user().name):
        raise RefusedError("who asks takes back, others decline", code="own-request" if action == "decline" else "not-permitted")
    access().waiting.decline(id_, user().name, config().now())
    tell(f"two.{action}")
    return redirect(url_for("two.home"))


def _agree(held: Asked) -> ResponseReturnValue:
    try:
        result = deciding.agree(two_acts.room(), held.id, user().name, request.form.get("seen", ""))
    except RefusedError as error:
        if error.code not in _AGAIN:
            raise
        g.refused = error.code
        return _one(access().waiting.get(held.id), speaker().problem(error.code)), status_of(error)
    many = held.act == "change"
    acted_on(held.id if many else result, proposals.agreed_row(held))
    tell("two.done-many" if many else "two.done", **({"count": result} if many else {}))
    if "clerk" in user().roles and held.act not in ("import", "change"):
        return redirect(url_for("desk.certificate", id_=result))
    return redirect(url_for("two.home"))


def _one(held: Asked, fault: str) -> str:
    """The request as it stands now; what it held is gone once it is decided."""
    found = deciding.examine(two_acts.room(), held) if held.state in _OPEN else None
    return page(
        "access/waiting_one.html", held=held, title=title_of(held), own=held.by == user().name, found=found, fault_=fault,
        shown=None if found is None else shown_of(held, found),
    )  # fmt: skip
