"""What goes into the trail: one row for each write, made when its answer is ready, whoever asked by whichever door.

Requests of strangers that lead nowhere leave no row (they could fill the disk); failed sign-ins do, and so do, once a
minute, requests with an API key that is none. Passwords, codes and the content of certificates are in no row.
"""

from __future__ import annotations

import secrets
from typing import Final

from flask import Response, g, request

from issuer_app.access.trail import KEY, NOBODY, PERSON
from issuer_app.frame import access, config, for_strangers, users
from issuer_app.users import ApiKey, User

__all__ = ["begin", "end"]

_READS: Final = ("GET", "HEAD", "OPTIONS")
_DOORS: Final = ("people.enter", "entry.code", "entry.wallet", "entry.join", "entry.join_wallet")
_NAMED: Final = ("id_", "name", "did", "digest")


def begin() -> None:
    """Each request has an id, which its answer and its row carry."""
    g.request_id = secrets.token_hex(8)


def end(response: Response) -> Response:
    """The row of this request, if it wrote or tried to."""
    asked = g.get("request_id") or secrets.token_hex(8)
    if not for_strangers():  # caches keep those, and a number of one request would be everybody's
        response.headers["X-Request-Id"] = asked
    if request.method in _READS or request.endpoint is None or response.status_code == 429:
        return response
    kind, who = _who()
    if kind == NOBODY and request.endpoint not in _DOORS and not _bad_key(response):
        return response
    given = request.view_args or {}
    target = g.get("acted_on") or "|".join(str(given[name]) for name in _NAMED if name in given)
    choice = given.get("action")
    access().trail.add(
        minute=config().now(), kind=kind, who=who, act=f"{request.endpoint}-{choice}" if choice else request.endpoint,
        target=target, result=_result(response), request=asked,
    )  # fmt: skip
    return response


def _who() -> tuple[str, str]:
    key, person = g.get("api_key"), g.get("came_in") or g.get("user")
    if isinstance(key, ApiKey):
        return KEY, f"{key.label} ({key.id})"
    if isinstance(person, User):
        return PERSON, person.name
    # Some people type their password where the name belongs: only a name that there is goes into the trail.
    tried = request.form.get("name", "") if request.endpoint == "people.enter" else g.get("half", "")
    found = users().get(tried)
    return NOBODY, "" if found is None else found.name


def _result(response: Response) -> str:
    if response.status_code < 400:
        return str(g.get("outcome", "ok"))
    return str(g.get("refused") or f"http-{response.status_code}")


def _bad_key(response: Response) -> bool:
    """The first request of a minute with an API key that is none."""
    if response.status_code != 401 or "Authorization" not in request.headers:
        return False
    return access().first_of_minute(config().now())
