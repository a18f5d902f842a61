"""Signing in and out, and the administrator's page for users and API keys."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from issuer_app.access.door import come_in
from issuer_app.access.entry import half_way
from issuer_app.frame import access, acted_on, config, needs, page, safe_next, slow_down, speaker, tell, user, users
from issuer_app.scopes import SCOPES
from issuer_app.users import ROLES
from weid.errors import MalformedError

__all__ = ["pages"]

pages = Blueprint("people", __name__)


@pages.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form; whoever is signed in already goes on."""
    if g.user is not None:
        return redirect(safe_next(request.args.get("next")))
    return page("sign_in.html", wrong=False, name="", next=request.args.get("next", ""))


@pages.post("/sign-in")
def enter() -> ResponseReturnValue:
    """A new session; guessing is slowed down by address and by the name tried."""
    name, password = request.form.get("name", ""), request.form.get("password", "")
    slow_down(config().limits.sign_in)
    slow_down(config().limits.sign_in, "name", name[:64])
    person = users().check(name, password)
    if person is None:
        g.refused = "wrong-password"
        return page("sign_in.html", wrong=True, name=name[:64], next=request.form.get("next", "")), 401
    if access().factors.has(person.name):
        half_way(person, request.form.get("next", ""))
        acted_on(person.name, "code-asked")
        return redirect(url_for("entry.code_form"))
    come_in(person, "password")
    return redirect(safe_next(request.form.get("next")))


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session here and on the server."""
    if isinstance(session.get("sid"), str):
        users().sign_out(session["sid"])
    session.clear()
    return redirect(url_for("people.sign_in"))


@pages.get("/people")
@needs("admin")
def people() -> ResponseReturnValue:
    """Users and API keys."""
    return _people()


@pages.post("/people/users")
@needs("admin")
def add_user() -> ResponseReturnValue:
    """A new user, from name, password and roles."""
    try:
        added = users().add(request.form.get("name", "").strip(), request.form.get("password", ""), _roles())
    except MalformedError as error:
        return _people(user_fault=error.code), 400
    acted_on(added.name)
    tell("people.added", name=added.name)
    return redirect(url_for("people.people"))


@pages.post("/people/users/<name>/disabled")
@needs("admin")
def set_disabled(name: str) -> ResponseReturnValue:
    """Lock a user out or let them in; nobody can lock themselves out."""
    if name == user().name:
        return _people(user_fault="not-yourself"), 400
    locked = request.form.get("disabled") == "yes"
    users().set_disabled(name, locked)
    tell("people.locked" if locked else "people.unlocked", name=name)
    return redirect(url_for("people.people"))


@pages.post("/people/keys")
@needs("admin")
def add_key() -> ResponseReturnValue:
    """A new API key; the page that answers is the only place that ever shows it."""
    try:
        text = users().add_key(
            request.form.get("label", ""), frozenset(request.form.getlist("scope")), config().now(), days=_days()
        )
    except MalformedError as error:
        return _people(key_fault=error.code), 400
    return _people(new_key=text)


@pages.post("/people/keys/<id_>/revoke")
@needs("admin")
def revoke_key(id_: str) -> ResponseReturnValue:
    """End an API key."""
    users().revoke_key(id_, config().now())
    tell("people.key-ended")
    return redirect(url_for("people.people"))


def _roles() -> frozenset[str]:
    return frozenset(request.form.getlist("role"))


def _days() -> int | None:
    text = request.form.get("days", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 5:
        raise MalformedError("days is a number", code="bad-period")
    return int(text)


def _people(user_fault: str | None = None, key_fault: str | None = None, new_key: str | None = None) -> str:
    t = speaker()
    return page(
        "people.html", everyone=users().everyone(), keys=users().keys(), roles=ROLES, scopes=SCOPES, now=config().now(),
        new_key=new_key,
        user_fault=None if user_fault is None else t.problem(user_fault),
        key_fault=None if key_fault is None else t.problem(key_fault),
    )  # fmt: skip
