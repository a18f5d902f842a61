"""Everybody's own page: second factor, wallet keys, sessions, and the trail of what they did."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from issuer_app.access import door
from issuer_app.access.exports import signed
from issuer_app.access.shown import qr
from issuer_app.access.trail import PERSON
from issuer_app.frame import access, acted_on, config, page, slow_down, speaker, tell, user, users
from issuer_app.problems import RefusedError
from weid.errors import WeidError
from weid.login import LINK

__all__ = ["pages"]

pages = Blueprint("account", __name__, url_prefix="/account")


@pages.before_request
def signed_in() -> ResponseReturnValue | None:
    """Every role has its own account, and nobody another's. Without a factor that their role needs: only that page."""
    if g.user is None:
        return redirect(url_for("people.sign_in", next=request.path if request.method == "GET" else None))
    if access().factors.lacks(g.user) and request.endpoint not in ("account.factor", "account.confirm"):
        return redirect(url_for("account.factor"))
    return None


@pages.get("/")
def home() -> ResponseReturnValue:
    """All of it on one page."""
    return _home()


@pages.get("/second-factor")
def factor() -> ResponseReturnValue:
    """The code to scan with a device; a signed-in person who has one shows it to go on."""
    return _factor("")


@pages.post("/second-factor")
def confirm() -> ResponseReturnValue:
    """The device works: recovery codes, shown once. For somebody who has a device: this session has shown it, too."""
    slow_down(config().limits.sign_in, "code", user().name)
    given, has = request.form.get("code", "")[:40], access().factors.has(user().name)
    try:
        if has and not access().factors.check(user().name, given, config().clock()):
            raise RefusedError("not the code of this device now", code="wrong-code")
        codes = () if has else access().factors.confirm(user().name, given, config().clock())
    except RefusedError as error:
        g.refused = error.code
        return _factor(speaker().problem(error.code)), 422
    users().strengthen(str(session.get("sid")))
    if not has:  # a session that somebody else opened with the password alone must not outlive the enrolment
        users().end_sessions(user().name, but=str(session.get("sid")))
    return redirect(url_for("front.front")) if has else page("access/recovery.html", codes=codes)


@pages.post("/second-factor/remove")
def remove_factor() -> ResponseReturnValue:
    """Without it from now on, if no role of this person needs it; a code of the device is asked for."""
    slow_down(config().limits.sign_in, "code", user().name)
    if user().roles & access().factors.required():
        return _home(speaker().problem("factor-required")), 403
    try:
        right = access().factors.check(user().name, request.form.get("code", "")[:40], config().clock())
    except RefusedError as error:
        return _home(speaker().problem(error.code)), 403
    if not right:
        g.refused = "wrong-code"
        return _home(speaker().problem("wrong-code")), 422
    access().factors.remove(user().name)
    tell("account.factor-gone")
    return redirect(url_for("account.home"))


@pages.get("/wallet-key")
def wallet() -> ResponseReturnValue:
    """A challenge for the wallet whose key shall sign in from now on."""
    return _wallet("")


@pages.post("/wallet-key")
def link() -> ResponseReturnValue:
    """Link the key that answered."""
    slow_down(config().limits.sign_in, "code", user().name)
    try:
        did = door.answered(LINK)
        access().wallet_keys.link(did, user().name, config().now())
    except WeidError as error:
        g.refused = error.code
        code = error.code if speaker().knows(error.code) else "wrong-answer"
        return _wallet(speaker().problem(code)), 422
    acted_on(did)
    tell("account.linked")
    return redirect(url_for("account.home"))


@pages.get("/wallet-key/challenge.json")
def wallet_file() -> ResponseReturnValue:
    """The challenge as a file."""
    return door.challenge_file(LINK)


@pages.post("/wallet-key/remove")
def unlink() -> ResponseReturnValue:
    """This key opens nothing any more."""
    access().wallet_keys.unlink(request.form.get("did", "")[:2048], user().name)
    acted_on(request.form.get("did", ""))
    tell("account.unlinked")
    return redirect(url_for("account.home"))


@pages.post("/sessions/<id_>/end")
def end_session(id_: str) -> ResponseReturnValue:
    """End one session of one's own."""
    users().end_session(id_, user().name)
    tell("account.ended")
    return redirect(url_for("account.home"))


@pages.post("/sessions/end-others")
def end_others() -> ResponseReturnValue:
    """End all but this one."""
    users().end_sessions(user().name, but=str(session.get("sid")))
    tell("account.ended-others")
    return redirect(url_for("account.home"))


@pages.get("/trail.json")
def trail() -> Response:
    """What this person did here, signed by the institution."""
    return signed(access().trail.rows(who=user().name, kind=PERSON, limit=None), user().name)


def _home(fault: str = "") -> str:
    name, held = user().name, str(session.get("sid"))
    open_ = users().sessions(config().now(), name)
    return page(
        "access/account.html", fault=fault, has=access().factors.has(name), left=access().factors.left(name),
        needed=bool(user().roles & access().factors.required()), wallet_keys=access().wallet_keys.of(name), sessions=open_,
        mine={item.id for item in open_ if users().is_session(item, held)},
    )  # fmt: skip


def _factor(fault: str) -> str:
    name = user().name
    if access().factors.has(name):
        return page("access/factor.html", fault=fault, secret=None, picture=None, needed=True)
    import pyotp

    secret, party = access().factors.enrol(name), config().party
    issuer = speaker()("app.name") if party is None else speaker().name(party.names) or speaker()("app.name")
    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer.replace(":", " ")[:60])
    return page(
        "access/factor.html", fault=fault, secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        picture=qr(address), needed=bool(user().roles & access().factors.required()),
    )  # fmt: skip


def _wallet(fault: str) -> str:
    asked = door.challenge(LINK).to_bytes().decode()
    return page("access/link.html", fault=fault, challenge=asked, picture=qr(asked), origin=door.origin())
