"""Requests over HTTP that end where they were sent.

A redirect would let whoever answers choose the host that gets the request, and the Authorization that goes with it: the
reader's key of a private group. Every client of this room asks through here.
"""

from __future__ import annotations

import re
import ssl
import urllib.request
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from weid.errors import MalformedError

__all__ = ["open_straight", "reader_head", "web_url"]

_PRINTED = re.compile("[!-~]+")
_KEY = re.compile("[!-~]{0,256}")


class _Straight(urllib.request.HTTPRedirectHandler):
    """A 3xx answer stays an answer: HTTPError with its status."""

    def redirect_request(self, *args: Any, **more: Any) -> None:
        return None


@lru_cache(maxsize=8)
def _opener(tls: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Straight, *(() if tls is None else (urllib.request.HTTPSHandler(context=tls),)))


def web_url(text: str, *, who: str) -> str:
    """An http or https URL that can be asked, without a trailing slash; MalformedError `bad-url` names `who` is behind it."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
        good = parts.scheme in ("http", "https") and bool(host) and parts.port != 0 and bool(_PRINTED.fullmatch(text))
    except ValueError:  # a bracket left open, a port over 65535, a label that is too long
        good = False
    if not good:
        raise MalformedError(f"{who} is reached by http or https: {text[:200]!r} is no such address", code="bad-url")
    return text.rstrip("/")


def reader_head(key: str | None) -> dict[str, str]:
    """The header that carries a reader's key, where there is one; MalformedError `bad-key` for what no header can carry."""
    if key is None:
        return {}
    if not _KEY.fullmatch(key):
        raise MalformedError("a reader's key is one word of letters, digits and signs", code="bad-key")
    return {"Authorization": f"Bearer {key}"}


def open_straight(message: urllib.request.Request | str, *, timeout: float, tls: ssl.SSLContext | None = None) -> Any:
    """The answer of `urlopen`, without redirects: HTTPError for any status but 2xx; `timeout` in seconds."""
    return _opener(tls).open(message, timeout=timeout)
