"""Requests over HTTP that end where they were sent.

A redirect would let whoever answers choose the host that gets the request, and the Authorization that goes with it: the
reader's key of a private group. Every client of this room asks through here.
"""

from __future__ import annotations

import ssl
import urllib.request
from functools import lru_cache
from typing import Any

__all__ = ["open_straight"]


class _Straight(urllib.request.HTTPRedirectHandler):
    """A 3xx answer stays an answer: HTTPError with its status."""

    def redirect_request(self, *args: Any, **more: Any) -> None:
        return None


@lru_cache(maxsize=8)
def _opener(tls: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Straight, *(() if tls is None else (urllib.request.HTTPSHandler(context=tls),)))


def open_straight(message: urllib.request.Request | str, *, timeout: float, tls: ssl.SSLContext | None = None) -> Any:
    """The answer of `urlopen`, without redirects: HTTPError for any status but 2xx; `timeout` in seconds."""
    return _opener(tls).open(message, timeout=timeout)
