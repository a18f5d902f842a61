"""Which HTTP status a refusal has, and its RFC 9457 form for programs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import Response, json

from weid.canon import JSON
from weid.errors import IssueError, MalformedError, RegistryError, RejectedError, WeidError

__all__ = ["NotFoundError", "RefusedError", "problem", "status_of"]

_BY_CODE: Mapping[str, int] = MappingProxyType({
    "not-accredited": 403, "not-permitted": 403, "not-authorised": 403, "no-role": 403, "no-scope": 403, "no-desk": 403,
    "no-office": 403, "signed-out": 401, "bad-key": 401, "not-found": 404, "already-revoked": 409, "key-reused": 422,
    "not-suspended": 409, "key-in-use": 409, "unreachable": 503, "too-large": 413, "erased": 410,
    "no-invitation": 404, "second-person": 403, "not-waiting": 409, "compare-again": 409, "changed-meanwhile": 409,
    "request-altered": 409, "other-count": 409, "not-in-force": 409,
    "too-many-hooks": 409, "hook-off": 409,
})  # fmt: skip


class RefusedError(WeidError):
    """This app says no before the registry is asked; `code` says why."""

    default_code = "not-permitted"


class NotFoundError(WeidError):
    """Nothing here has that name."""

    default_code = "not-found"


def status_of(error: WeidError) -> int:
    """The HTTP status of one of our errors; never a 5xx for what the caller sent."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, RefusedError | RejectedError):
        return 403 if isinstance(error, RefusedError) else 409
    if isinstance(error, IssueError):
        return 422
    if isinstance(error, MalformedError):
        return 400
    return 502 if isinstance(error, RegistryError) else 400


def problem(status: int, code: str, title: str, detail: str = "", errors: Mapping[str, str] | None = None) -> Response:
    """A problem document; `type` is a URN of the stable code, `errors` says what is wrong with which claim."""
    body: dict[str, JSON] = {"type": f"urn:weid:problem:{code}", "title": title, "status": status, "code": code}
    if detail and detail != title:
        body["detail"] = detail
    if errors:
        body["errors"] = [{"claim": name, "detail": text} for name, text in errors.items()]
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/problem+json")
