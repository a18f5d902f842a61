"""Lists in pages: `limit` and an opaque `cursor`, which names the last item shown and not a number of pages.

So nothing is shown twice or left out because something was added meanwhile. A cursor is signed for one list and its filter:
another one's is refused, and nobody learns or guesses what stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from flask import Response, current_app, jsonify, request
from itsdangerous import BadData, URLSafeSerializer

from weid.errors import MalformedError

__all__ = ["LIMIT", "MOST", "after", "limit", "paged", "sliced"]

LIMIT: Final = 50
MOST: Final = 500
T = TypeVar("T")


def limit(default: int = LIMIT, most: int = MOST) -> int:
    """How many the caller asks for; MalformedError."""
    text = request.args.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= most:
        raise MalformedError(f"limit is 1 to {most}", code="bad-limit")
    return int(text)


def after(*filters: str) -> Any:
    """The place named by the request's cursor, or None for the first page; MalformedError `bad-cursor`."""
    text = request.args.get("cursor")
    if text is None:
        return None
    try:
        return _signer(filters).loads(text[:2_000])
    except BadData:
        raise MalformedError("not a cursor of this list: take `next` of the page before", code="bad-cursor") from None


def paged(items: Sequence[Any], next_: Any, *filters: str, **more: Any) -> Response:
    """The answer for one page; `next_` is the place behind which the next one starts, or None."""
    cursor = None if next_ is None else str(_signer(filters).dumps(next_))
    response = jsonify({"items": list(items), "next": cursor, **more})
    if cursor is not None:
        kept = {name: value for name, value in request.args.items() if name != "cursor"}
        response.headers["Link"] = f'<{request.path}?{urlencode({**kept, "cursor": cursor})}>; rel="next"'
    return response


def sliced(found: Sequence[T], key: Callable[[T], Sequence[Any]], show: Callable[[T], Any], *filters: str) -> Response:
    """A page of a list that is at hand in ascending order of `key`."""
    last, count = after(*filters), limit()
    rest = [item for item in found if last is None or list(key(item)) > last]
    page = rest[:count]
    return paged([show(item) for item in page], list(key(page[-1])) if len(rest) > count else None, *filters)


def _signer(filters: Sequence[str]) -> URLSafeSerializer:
    key: Any = current_app.secret_key
    return URLSafeSerializer(key, salt="\0".join(("cursor", request.endpoint or "", *filters)))
