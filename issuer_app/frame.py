"""The frame of every page: who is signed in, which language, what a role may open, and how a refusal reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

from flask import Response, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException

from issuer_app.config import Config
from issuer_app.problems import RefusedError, status_of
from issuer_app.texts import NAMES_OF_LANGUAGES, Speaker, choose_language
from issuer_app.users import User, Users
from weid.errors import WeidError
from weid.pack import LANGUAGES

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.office import Office

__all__ = [
    "Running", "audit", "config", "council", "decider", "desk", "for_strangers", "needs", "office", "page", "prepare",
    "refusal_page", "safe_next", "signed_in", "slow_down", "speaker", "tell", "user", "users",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Running:
    """What the views of one application share."""

    config: Config
    users: Users
    limiter: Limiter


P = ParamSpec("P")
R = TypeVar("R")


def config() -> Config:
    """The configuration of the running app."""
    return cast(Running, current_app.extensions["issuer_app"]).config


def users() -> Users:
    """The users of the running app."""
    return cast(Running, current_app.extensions["issuer_app"]).users


def slow_down(rate: str, *key: str) -> None:
    """Count this request against a rate, by address or by a key of the caller's; 429 when it is used up."""
    limiter = cast(Running, current_app.extensions["issuer_app"]).limiter
    chosen = "|".join(key) if key else get_remote_address()
    with limiter.limit(rate, key_func=lambda: chosen):
        pass


def user() -> User:
    """Who is signed in; RefusedError `signed-out` when nobody is."""
    if g.get("user") is None:
        raise RefusedError("sign in first", code="signed-out")
    return cast(User, g.user)


def speaker() -> Speaker:
    """The viewer's language."""
    if "speaker" not in g:
        asked, kept = request.args.get("lang"), request.cookies.get("lang")
        accepted = [tag for tag, _ in request.accept_languages][:10]
        g.speaker = Speaker(choose_language(asked, kept, accepted), config().zone)
    return cast(Speaker, g.speaker)


def desk() -> Desk:
    """The institution's desk; RefusedError where this app has none."""
    found = config().desk
    if found is None:
        raise RefusedError("this app has no issuing desk", code="no-desk")
    return found


def office() -> Office:
    """The reviewer's office; RefusedError where this app has none."""
    found = config().office
    if found is None:
        raise RefusedError("this app has no reviewer's key", code="no-office")
    return found


def audit() -> Office:
    """The auditor's office; RefusedError where this app has none."""
    found = config().audit
    if found is None:
        raise RefusedError("this app has no auditor's key", code="no-office")
    return found


def council() -> Office:
    """The committee member's office; RefusedError where this app has none."""
    found = config().council
    if found is None:
        raise RefusedError("this app has no committee member's key", code="no-office")
    return found


def decider() -> Office:
    """The office that decides about institutions for this person: the reviewer's, else the committee member's."""
    for role, found in (("reviewer", config().office), ("governor", config().council)):
        if role in user().roles and found is not None:
            return found
    raise RefusedError("this app has no key of the authority for this person", code="no-office")


def for_strangers() -> bool:
    """Whether this request is for a status list: whoever asks gets the same, so that caches may keep it."""
    return request.endpoint in ("status.status_list", "vc-api-issuer.status_list")


def prepare() -> None:
    """Before each request: find the session's user and the language."""
    if for_strangers():
        return  # reading a cookie would make the answer vary with it
    held = session.get("sid")
    g.user = users().session(held, config().now()) if isinstance(held, str) else None
    if held is not None and g.user is None:
        session.pop("sid", None)


def keep_language(response: Response) -> Response:
    """Remember ?lang= for the next pages."""
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(
            "lang", request.args["lang"], max_age=31_536_000, secure=config().secure, httponly=True, samesite="Lax"
        )
    return response


def signed_in(role: str) -> bool:
    """Whether this request's session is of somebody with a role; for what must be known before a form is read."""
    held = session.get("sid")
    found = users().session(held, config().now()) if isinstance(held, str) else None
    return found is not None and role in found.roles


def needs(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only for people with one of these roles; signed out goes to sign-in, others read why not (403)."""

    def wrap(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if g.user is None:
                then = request.full_path.rstrip("?") if request.method == "GET" else None
                return cast(R, redirect(url_for("people.sign_in", next=then)))
            if not g.user.roles & set(roles):
                raise RefusedError(f"this needs the role {' or '.join(roles)}", code="no-role")
            return view(*args, **kwargs)

        return guarded

    return wrap


def page(template: str, **values: Any) -> str:
    """A page in the viewer's language."""
    conf = config()
    return render_template(
        template, t=speaker(), user=g.get("user"), languages=NAMES_OF_LANGUAGES, config_=conf,
        same_page=_same_page, **values,
    )  # fmt: skip


def _same_page(language: str) -> str:
    """This page in another language; after a POST, the page it came from is the front page."""
    arguments = {**request.args.to_dict(), "lang": language} if request.method == "GET" else {"lang": language}
    start = "find.home" if request.blueprint == "find" else "front.front"  # strangers stay on the pages that are theirs
    path = quote(request.path) if request.method == "GET" else url_for(start)
    # "//host" and "/\\host" are addresses of other sites to a browser, and a missing page shows this link too.
    return f"/{path.lstrip('/')}?{urlencode(arguments)}"


def tell(key: str, **values: object) -> None:
    """Say something on the next page."""
    flash(speaker()(key, **values))


def safe_next(target: str | None) -> str:
    """Where to go after sign-in: a path of this app, never another site."""
    parts = urlsplit(target or "")
    # a line feed would be a broken header, and browsers drop tabs before they read an address
    good = (
        target and target.isprintable() and target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    )
    return str(target) if good and "\\" not in str(target) else url_for("front.front")


def refusal_page(error: WeidError | HTTPException) -> ResponseReturnValue:
    """A refusal as a page: what happened, in one sentence, and what to do."""
    t = speaker()
    if isinstance(error, HTTPException):
        status, code = error.code or 500, f"http-{error.code or 500}"
        name = None if t.knows(code) else code
    else:
        status, code = status_of(error), error.code
        name = None if t.knows(code) else code
    return page("refused.html", status=status, sentence=t.problem(code), code=name), status
