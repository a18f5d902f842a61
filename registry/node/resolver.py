"""GET and POST {resolver}/{did}: the HTTP binding of W3C DID Resolution, as one blueprint for a node or an app.

It lives here because the methods it serves are `weid`'s, its data a node's, and an app may import a node (not the other
way). It fetches nothing: a did:web document comes from the `documents` it was made with, or the method is not supported.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from flask import Blueprint, Response, jsonify, request

from weid.canon import parse_json
from weid.errors import MalformedError
from weid.resolver import REPRESENTATIONS, URI_LIST, Resolver, Result, split_did_url

__all__ = ["DEREFERENCING", "RESOLUTION", "resolver_blueprint"]

RESOLUTION: Final = "application/did-resolution"
DEREFERENCING: Final = "application/did-url-dereferencing"
MAX_BODY: Final = 4096
_OFFERED: Final = (RESOLUTION, DEREFERENCING, *REPRESENTATIONS, URI_LIST)
_ESCAPED: Final = re.compile("%(23|3[Ff]|2[Ff])")  # never part of a DID we read, so they end the DID


def resolver_blueprint(resolver: Resolver, *, prefix: str = "/1.0/identifiers") -> Blueprint:
    """The one route, below `prefix`. Whoever serves it caps rates, as for every other read.

    POST is a read too: it carries the options as a JSON object in its body, and changes nothing.
    """
    routes = Blueprint("did-resolver", __name__, url_prefix=prefix)

    @routes.get("/", defaults={"identifier": ""})
    @routes.get("/<path:identifier>")
    def identifiers(identifier: str) -> Response:
        found = _asked(prefix, identifier)
        return _answer(resolver, *found)

    @routes.post("/", defaults={"identifier": ""})
    @routes.post("/<path:identifier>")
    def posted(identifier: str) -> Response:
        text, query = _asked(prefix, identifier, whole=True)
        options = _body()
        if options is None or query:
            return _whole(Result(error="INVALID_OPTIONS", detail="options stand in the body, an object of texts"), RESOLUTION)
        return _answer(resolver, text, options)

    return routes


def _body() -> list[tuple[str, str]] | None:
    """The options of a POST; true and false may stand as such. None for a body that holds no options."""
    request.max_content_length = MAX_BODY
    data = request.get_data(cache=False)
    try:
        value = parse_json(data, max_bytes=MAX_BODY, max_depth=2) if data else {}
    except MalformedError:
        return None
    if not isinstance(value, dict) or not all(isinstance(item, str | bool) for item in value.values()):
        return None
    return [(name, str(item).lower() if isinstance(item, bool) else str(item)) for name, item in value.items()]


def _asked(prefix: str, decoded: str, *, whole: bool = False) -> tuple[str, list[tuple[str, str]]]:
    """(DID or DID URL, options) of the request line.

    The raw line decides: a DID may hold an encoded colon (did:web with a port), which a decoded path no longer shows.
    An identifier that begins with a plain `did:` stands as it is; any other was encoded as a whole. With `whole` the query is
    the DID URL's own, for the options are in the body.
    """
    line = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or "")
    path, _, query = line.partition("?")
    _, mark, raw = path.partition(f"{prefix}/")
    if not mark:
        raw, query = decoded, request.query_string.decode("ascii", "replace")
    if whole and query:
        raw, query = f"{raw}?{query}", ""
    text = _ESCAPED.sub(lambda match: unquote(match[0]), raw) if raw.startswith("did:") else unquote(raw)
    try:
        return text, parse_qsl(query, keep_blank_values=True, max_num_fields=16)
    except ValueError:
        return text, [("", "")] * 2  # more fields than options there are: refused as invalid options


def _answer(resolver: Resolver, text: str, pairs: list[tuple[str, str]]) -> Response:
    options = dict(pairs)
    accept = _accepted(text, options)
    if accept is None:
        problem = Result(error="REPRESENTATION_NOT_SUPPORTED", detail=f"offered are {', '.join(_OFFERED)}")
        return _whole(problem, RESOLUTION)
    if len(options) != len(pairs):
        return _whole(Result(error="INVALID_OPTIONS", detail="an option stands twice"), accept)
    if accept == RESOLUTION:
        return _whole(resolver.resolve(text, options), accept)
    if accept == DEREFERENCING:
        return _dereferenced(resolver, text, options)
    found = resolver.dereference(text, options, accept=accept) if _beyond(text, options) else resolver.resolve(
        text, options, accept=accept
    )  # fmt: skip
    return _bare(found) if found.status in (200, 303) else _whole(found, RESOLUTION)


def _accepted(text: str, options: dict[str, str]) -> str | None:
    """What the caller prefers; for a caller without a wish, the whole result of the fitting function."""
    usual = DEREFERENCING if _beyond(text, options) else RESOLUTION
    if not request.headers.get("Accept"):
        return usual
    offered = [usual, *(name for name in _OFFERED if name != usual)]
    return request.accept_mimetypes.best_match(offered)


def _beyond(text: str, options: dict[str, str]) -> bool:
    """Whether more than a DID is asked for."""
    return not {"service", "serviceType", "verificationRelationship"}.isdisjoint(options) or any(mark in text for mark in "/?#")


def _dereferenced(resolver: Resolver, text: str, options: dict[str, str]) -> Response:
    """The whole result, except where a service leads to an address: then the caller is sent there (303)."""
    if _names_a_service(text, options):
        found = resolver.dereference(text, options, accept=URI_LIST)
        return _bare(found) if found.status == 303 else _whole(found, DEREFERENCING)
    return _whole(resolver.dereference(text, options), DEREFERENCING)


def _names_a_service(text: str, options: dict[str, str]) -> bool:
    try:
        asked = {**split_did_url(text).query, **options}
    except MalformedError:
        return False
    return "service" in asked or "serviceType" in asked


def _whole(found: Result, accept: str) -> Response:
    inner: dict[str, Any] = {"contentType": accept}
    if found.error:
        inner["error"] = found.problem()
    metadata = dict(found.metadata)
    if accept == DEREFERENCING:
        body = {"dereferencingMetadata": inner, "contentStream": found.content, "contentMetadata": metadata}
    else:
        body = {"didResolutionMetadata": inner, "didDocument": found.content, "didDocumentMetadata": metadata}
    return _sent(body, found.status, accept)


def _bare(found: Result) -> Response:
    if found.status == 303:
        return Response(b"", status=303, headers={"Location": str(found.content)}, content_type=URI_LIST)
    return _sent(found.content, 200, found.content_type)


def _sent(body: Any, status: int, content_type: str) -> Response:
    response = jsonify(body)
    response.status_code, response.mimetype = status, content_type
    response.headers["Vary"] = "Accept"
    return response
