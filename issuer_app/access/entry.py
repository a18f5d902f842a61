"""Ways in beside the password: the second factor's code, a wallet's key, an invitation."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address

from issuer_app.access import door
from issuer_app.access.invitations import Invitation
from issuer_app.access.shown import qr
from issuer_app.frame import access, acted_on, config, page, safe_next, slow_down, speaker, tell, users
from issuer_app.problems import RefusedError
from issuer_app.users import User
from weid.errors import MalformedError, WeidError
from weid.login import LINK, SIGN_IN

__all__ = ["pages"]

pages = Blueprint("entry", __name__)

HALF = 5  # minutes between the password and the code


@pages.get("/sign-in/code")
def code_form() -> ResponseReturnValue:
    """Ask for the second factor of whoever has just given the right password."""
    if _half() is None:
        return redirect(url_for("people.sign_in"))
    return page("access/code.html", fault=None)


@pages.post("/sign-in/code")
def code() -> ResponseReturnValue:
    """A session, if the code is the device's or an unused recovery code."""
    person, after = _half(), session.get("half", {}).get("next")
    if person is None:
        return redirect(url_for("people.sign_in"))
    g.half = person.name
    slow_down(config().limits.sign_in, "code", person.name)
    try:
        right = access().factors.check(person.name, request.form.get("code", "")[:40], config().clock())
    except RefusedError as error:
        g.refused = error.code
        return page("access/code.html", fault=speaker().problem(error.code)), 403
    if not right:
        g.refused = "wrong-code"
        return page("access/code.html", fault=speaker().problem("wrong-code")), 401
    door.come_in(person, "code")
    return redirect(safe_next(after))


@pages.get("/sign-in/wallet")
def wallet_form() -> ResponseReturnValue:
    """A challenge for a wallet key; whoever asks may ask, but not without end."""
    slow_down(config().limits.form, "challenge", get_remote_address())
    return _wallet("")


@pages.post("/sign-in/wallet")
def wallet() -> ResponseReturnValue:
    """A session, if a key that is linked to somebody answered this browser's challenge."""
    slow_down(config().limits.sign_in)
    try:
        name = access().wallet_keys.user_of(door.answered(SIGN_IN))
        person = None if name is None else users().get(name)
        if person is None or person.disabled:
            raise RefusedError("no user has this key", code="unknown-wallet")
    except WeidError as error:
        g.refused = error.code
        return _wallet(speaker().problem(_known(error.code))), 401
    door.come_in(person, "wallet")
    return redirect(url_for("front.front"))


@pages.get("/sign-in/wallet/challenge.json")
def wallet_file() -> ResponseReturnValue:
    """The challenge of this browser as a file."""
    return door.challenge_file(SIGN_IN)


@pages.get("/join/<token>")
def join(token: str) -> ResponseReturnValue:
    """The invited person chooses a password, or brings a wallet key."""
    return _join(token, _invited(token))


@pages.post("/join/<token>")
def accept(token: str) -> ResponseReturnValue:
    """The user is made and signed in; a second factor is next."""
    found, password = _invited(token), request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _join(token, found, speaker()("join.differ")), 422
    try:
        access().invitations.accept(token, password, config().now())
    except MalformedError as error:
        return _join(token, found, speaker().problem(error.code)), 422
    return _came(found, "password")


@pages.post("/join/<token>/wallet")
def join_wallet(token: str) -> ResponseReturnValue:
    """The same with a wallet key instead of a password."""
    found = _invited(token)
    try:
        did = door.answered(LINK)
        with access().invitations.store.change():  # the key and the user, both or neither
            access().wallet_keys.link(did, found.name, config().now())
            access().invitations.accept(token, None, config().now())
    except WeidError as error:
        g.refused = error.code
        return _join(token, found, speaker().problem(_known(error.code))), 422
    return _came(found, "wallet")


@pages.get("/join/<token>/challenge.json")
def join_file(token: str) -> ResponseReturnValue:
    """The invited browser's challenge as a file."""
    _invited(token)
    return door.challenge_file(LINK)


def half_way(person: User, after: str) -> None:
    """The password was right; the code is still to come."""
    session.clear()
    session["half"] = {"name": person.name, "at": config().now(), "next": after[:500]}


def _half() -> User | None:
    held = session.get("half")
    if not isinstance(held, dict) or not isinstance(held.get("at"), int) or config().now() - held["at"] > HALF:
        return None
    found = users().get(str(held.get("name", "")))
    return None if found is None or found.disabled else found


def _wallet(fault: str) -> str:
    asked = door.challenge(SIGN_IN).to_bytes().decode()
    return page("access/wallet.html", fault=fault, challenge=asked, picture=qr(asked), origin=door.origin())


def _invited(token: str) -> Invitation:
    slow_down(config().limits.sign_in, "join", get_remote_address())
    return access().invitations.find(token, config().now())


def _join(token: str, found: Invitation, fault: str = "") -> str:
    try:
        asked = door.challenge(LINK).to_bytes().decode()
    except RefusedError:  # over plain HTTP from another machine: a password only
        asked = ""
    return page(
        "access/join.html", token=token, invited=found, known=users().get(found.name) is not None, fault=fault, challenge=asked,
        picture=qr(asked) if asked else "", origin=door.origin(),
    )  # fmt: skip


def _came(found: Invitation, how: str) -> ResponseReturnValue:
    person = users().get(found.name)
    assert person is not None
    acted_on(found.name)
    if how == "password" and access().factors.has(person.name):  # a new password does not do away with the device
        half_way(person, "")
        return redirect(url_for("entry.code_form"))
    door.come_in(person, how)
    tell("join.done", name=person.name)
    return redirect(url_for("account.home" if how == "wallet" else "account.factor"))


def _known(code: str) -> str:
    return code if speaker().knows(code) else "wrong-answer"
