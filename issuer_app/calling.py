"""Who may call the API: a key in a header and never a cookie, its scopes, and writes that are done once.

A key does what its scopes say, and the registry still checks every operation itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

from flask import Response, abort, g, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from issuer_app.frame import answers, config, slow_down, speaker, users
from issuer_app.keys import ApiKey
from issuer_app.problems import RefusedError, problem, status_of
from issuer_app.scopes import SCOPES
from weid.canon import JSON, parse_json
from weid.codec import unhex
from weid.errors import MalformedError, SchemaError, WeidError

__all__ = ["allows", "body_of", "digest_of", "forget_answers", "key_of", "may_sign", "once_of", "refusal", "texts_of"]

P = ParamSpec("P")
R = TypeVar("R")
MAX_ONCE: Final = 200
_KEPT_HEADERS: Final = ("Allow", "Retry-After")


def allows(scope: str | None, *, own_once: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only for keys with this scope (any key, for None). A write that brings an Idempotency-Key is done once.

    `own_once`: the view itself sees to that, in the same transaction as what it does.
    """
    if scope is not None and scope not in SCOPES:
        raise ValueError(f"{scope} is no scope")

    def wrap(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.api_key = _let_in(scope)
            once = once_of()
            if once is None or own_once or request.method in ("GET", "HEAD"):
                return view(*args, **kwargs)
            return cast(R, _once(once, lambda: make_response(cast(ResponseReturnValue, view(*args, **kwargs)))))

        return guarded

    return wrap


def may_sign() -> bool:
    """Whether this request to the VC-API brings a key that may sign there, or change a status; it counts either way."""
    key = g.api_key = _brought()
    wanted = "status:write" if (request.endpoint or "").endswith("status") else "credentials:sign"
    return key is not None and wanted in key.scopes


def key_of() -> ApiKey:
    """The key of this request, which `allows` has let in."""
    return cast(ApiKey, g.api_key)


def once_of() -> str | None:
    """The Idempotency-Key of the request; MalformedError for one that is none."""
    once = request.headers.get("Idempotency-Key")
    if once is not None and not (once and len(once) <= MAX_ONCE and once.isprintable()):
        raise MalformedError(f"an Idempotency-Key has 1 to {MAX_ONCE} printable characters", code="bad-once")
    return once


def forget_answers(about: str) -> None:
    """Destroy what programs were answered about a certificate, with the certificate (R25)."""
    answers().forget(about)


def refusal(error: WeidError | HTTPException) -> Response:
    """The problem document of a refusal; a sentence in the caller's language, never a stack."""
    t = speaker()
    g.refused = error.code if isinstance(error, WeidError) else None
    if isinstance(error, HTTPException):
        status = error.code or 500
        response = problem(status, f"http-{status}", t.problem(f"http-{status}"))
        told = dict(error.get_headers())
        for name in _KEPT_HEADERS:
            if name in told:
                response.headers[name] = told[name]
        if status == 429:
            response.headers.setdefault("Retry-After", "60")
        return response
    claims: dict[str, str] = {}
    name, colon, text = str(error).partition(": ")
    if isinstance(error, SchemaError) and colon and error.code in ("bad-claim", "schema-mismatch"):
        claims[name] = text
    response = problem(status_of(error), error.code, t.problem(error.code), str(error), claims)
    if error.code == "bad-key":
        response.headers["WWW-Authenticate"] = "Bearer"
    elif error.code == "no-scope":  # RFC 6750, 3.1
        response.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{g.get("wanted_scope", "")}"'
    return response


def body_of(*known: str) -> dict[str, JSON]:
    """The JSON object of the request with no members but these; an empty body is an empty object."""
    data = request.get_data()
    if not data.strip():
        return {}
    if request.mimetype != "application/json":
        abort(415)
    value = parse_json(data, max_bytes=config().limits.form_bytes)
    if not isinstance(value, dict):
        raise MalformedError("the body must be a JSON object")
    extra = set(value) - set(known)
    if extra:
        raise MalformedError(f"unknown member {min(extra)[:64]!r}")
    return value


def texts_of(value: JSON, name: str) -> dict[str, str]:
    """An object of texts, or nothing."""
    held = {} if value is None else value
    if not isinstance(held, dict) or len(held) > 40 or not all(isinstance(text, str) for text in held.values()):
        raise MalformedError(f"{name} is an object of texts")
    return {key: str(text) for key, text in held.items()}


def digest_of(text: JSON) -> bytes:
    """A schema digest as the API takes it; MalformedError."""
    data = unhex(text) if isinstance(text, str) else b""
    if len(data) != 32:
        raise MalformedError("schema is a digest of 64 hex digits")
    return data


def _let_in(scope: str | None) -> ApiKey:
    key = g.api_key = _brought()  # kept before the scope is looked at: the trail names who was refused
    if key is None:
        raise RefusedError("an API key is needed: Authorization: Bearer …", code="bad-key")
    if scope is not None and scope not in key.scopes:
        g.wanted_scope = scope
        raise RefusedError(f"this needs a key with the scope {scope}", code="no-scope")
    return key


def _brought() -> ApiKey | None:
    """The key in the request's header, if it is one of ours."""
    slow_down(config().limits.api)
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return users().key(text.strip(), config().now()) if scheme.lower() == "bearer" else None


def _once(once: str, do: Callable[[], Response]) -> Response:
    secret = request.headers["Authorization"].partition(" ")[2].strip()
    asked = b"\0".join((request.method.encode(), request.full_path.encode(), request.mimetype.encode(), request.get_data()))
    about = str((request.view_args or {}).get("id_", ""))
    return answers().once(secret, once, asked, about, do, at=config().now(), random=config().random)
