"""What sign-in, invitations and the own account share: opening a session, and this browser's challenge for a wallet."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import g, request, session, url_for
from werkzeug.wrappers import Response

from issuer_app.access.shown import agent_of
from issuer_app.frame import access, config, speaker, users
from issuer_app.problems import RefusedError
from issuer_app.users import User
from weid.errors import MalformedError
from weid.login import MAX_BYTES, LoginChallenge

__all__ = ["answered", "asked", "challenge", "challenge_file", "come_in", "join_link", "origin"]


def come_in(person: User, how: str) -> None:
    """A session for somebody who was recognised; nothing that another may have planted in the cookie survives (fixation)."""
    if person.disabled:
        raise RefusedError("this user is locked out", code="locked-out")
    session.clear()
    session["sid"] = users().open_session(
        person.name, config().now(), agent=agent_of(request.headers.get("User-Agent", "")), how=how
    )
    g.came_in = person


def origin() -> str:
    """This app's origin as the browser names it: what an answer is bound to.

    Behind a proxy the public address says the scheme. RefusedError `no-origin` for plain HTTP from another machine, where
    whoever is on the way could use the answer first.
    """
    seen = urlsplit(request.host_url)
    public = urlsplit(config().public or "")
    scheme = public.scheme if public.netloc == seen.netloc and public.scheme else seen.scheme
    return f"{scheme}://{seen.netloc}"


def challenge(purpose: str) -> LoginChallenge:
    """A fresh challenge for this browser."""
    browser = session.get("browser")
    if not isinstance(browser, str):
        browser = session["browser"] = secrets.token_hex(16)
    party = config().party
    name = speaker()("app.name") if party is None else speaker().name(party.names) or speaker()("app.name")
    try:
        return access().wallet_keys.ask(
            purpose, browser, origin=origin(), name=name[:200], at=config().now(), random=config().random
        )
    except MalformedError as error:
        raise RefusedError(str(error), code="no-origin") from error


def asked(purpose: str) -> LoginChallenge:
    """The challenge this browser was given."""
    return access().wallet_keys.asked(purpose, str(session.get("browser", "")), config().now())


def challenge_file(purpose: str) -> Response:
    """The same as a file, to open with the wallet."""
    answer = Response(asked(purpose).to_bytes() + b"\n", content_type="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="sign-in.json"'
    return answer


def answered(purpose: str) -> str:
    """The did:key that answers, from the form's text or file."""
    upload = request.files.get("file")
    data = b"" if upload is None else upload.stream.read(MAX_BYTES + 1)
    text = request.form.get("answer", "").encode("utf-8", "replace")[: MAX_BYTES + 1]
    return access().wallet_keys.answered(purpose, str(session.get("browser", "")), data or text, config().now())


def join_link(token: str) -> str:
    """The address of an invitation, as strangers reach this app."""
    return f"{origin()}{url_for('entry.join', token=token)}"
