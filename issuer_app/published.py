"""Status lists as the world fetches them: each state of a list is signed once, and caches are told how long it is good.

A signature over SM2 or P-256 is another one each time, so the same state must be the same bytes (a strong ETag says so).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from flask import Response, request

from weid.canon import JSON, jcs

__all__ = ["REFRESH", "Published", "Shelf", "answer"]

REFRESH: Final = 60  # minutes: the `ttl` of our lists, after which asking again makes sense
_MEDIA: Final = ("application/json", "application/vc")


@dataclass(frozen=True, slots=True)
class Published:
    """One signed state of a list: its bytes, and the minute its period ends."""

    body: bytes
    until: int


class Shelf:
    """The newest signed state of every list, by its place; a state that was signed is not signed again."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[Hashable, Published]] = {}
        self._lock = Lock()

    def get(self, place: Hashable, state: Hashable, make: Callable[[], Mapping[str, JSON]], *, until: int) -> Published:
        """What was signed for this state, or what `make` signs now."""
        with self._lock:  # two threads must not sign one state twice
            held = self._held.get(place)
            if held is None or held[0] != state:
                held = self._held[place] = (state, Published(jcs(dict(make())), until))
            return held[1]


def answer(found: Published, now: int) -> Response:
    """The list with its ETag, or 304; shared caches may keep it until it asks to be refreshed, or its period ends."""
    media = request.accept_mimetypes.best_match(_MEDIA) or _MEDIA[0]
    response = Response(found.body, content_type=media)
    response.set_etag(hashlib.sha256(media.encode() + b"\0" + found.body).hexdigest()[:32])
    response.headers["Cache-Control"] = f"public, max-age={60 * max(0, min(REFRESH, found.until - now))}"
    response.headers["Access-Control-Allow-Origin"] = "*"  # a checker's page may be anywhere; there is nothing private here
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.vary.add("Accept")
    response.make_conditional(request)
    return response
