"""The administrator's pages: invitations, which roles need a second factor, everybody's sessions and keys."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.access import door
from issuer_app.access.invitations import DAYS
from issuer_app.access.shown import qr
from issuer_app.frame import access, acted_on, config, needs, page, speaker, tell, user, users
from issuer_app.problems import NotFoundError
from issuer_app.users import ROLES, User
from weid.errors import WeidError

__all__ = ["pages"]

pages = Blueprint("rights", __name__, url_prefix="/people")


@pages.get("/invitations")
@needs("admin")
def invitations() -> ResponseReturnValue:
    """Who was invited, and a form to invite."""
    return _invitations()


@pages.post("/invitations")
@needs("admin")
def invite() -> ResponseReturnValue:
    """A link that works once; the page that answers is the only place that ever shows it."""
    name, days = request.form.get("name", "").strip(), request.form.get("days", "")
    try:
        token = access().invitations.invite(
            name, frozenset(request.form.getlist("role")), by=user().name, days=int(days) if days in map(str, DAYS) else 0,
            at=config().now(), random=config().random,
        )  # fmt: skip
    except WeidError as error:
        return _invitations(fault=speaker().problem(error.code)), 422
    acted_on(name)
    return _invitations(link=door.join_link(token))


@pages.post("/invitations/<id_>/revoke")
@needs("admin")
def revoke(id_: str) -> ResponseReturnValue:
    """End an invitation that nobody used."""
    access().invitations.revoke(id_)
    tell("invite.revoked")
    return redirect(url_for("rights.invitations"))


@pages.get("/rules")
@needs("admin")
def rules() -> ResponseReturnValue:
    """Which roles need a second factor, who has one, and which wallet keys open what."""
    return page(
        "access/rules.html", roles=ROLES, required=access().factors.required(),
        people=[
            (person, access().factors.has(person.name), access().wallet_keys.of(person.name)) for person in users().everyone()
        ],
    )  # fmt: skip


@pages.post("/rules")
@needs("admin")
def set_rules() -> ResponseReturnValue:
    """From now on these roles need a second factor."""
    chosen = frozenset(request.form.getlist("role"))
    access().factors.require(chosen)
    acted_on(" ".join(sorted(chosen)))
    tell("rules.done")
    return redirect(url_for("rights.rules"))


@pages.post("/users/<name>/second-factor/reset")
@needs("admin")
def reset_factor(name: str) -> ResponseReturnValue:
    """Forget a lost device and end the sessions; the person enrols anew after the password."""
    access().factors.remove(_person(name).name)
    users().end_sessions(name)
    tell("rules.reset", name=name)
    return redirect(url_for("rights.rules"))


@pages.post("/users/<name>/wallet-keys/remove")
@needs("admin")
def unlink(name: str) -> ResponseReturnValue:
    """A wallet was lost: its key opens nothing any more, and no session stays open."""
    access().wallet_keys.unlink(request.form.get("did", "")[:2048], _person(name).name)
    users().end_sessions(name)
    tell("rules.unlinked", name=name)
    return redirect(url_for("rights.rules"))


@pages.get("/sessions")
@needs("admin")
def sessions() -> ResponseReturnValue:
    """Everybody's open sessions."""
    return page("access/sessions.html", sessions=users().sessions(config().now()))


@pages.post("/sessions/<id_>/end")
@needs("admin")
def end_session(id_: str) -> ResponseReturnValue:
    """End anybody's session."""
    users().end_session(id_)
    tell("account.ended")
    return redirect(url_for("rights.sessions"))


def _invitations(fault: str = "", link: str = "") -> str:
    return page(
        "access/invitations.html", everyone=access().invitations.everyone(config().now()), roles=ROLES, days=DAYS, fault=fault,
        link=link, picture=qr(link) if link else "",
    )  # fmt: skip


def _person(name: str) -> User:
    found = users().get(name)
    if found is None:
        raise NotFoundError("no such user")
    return found
