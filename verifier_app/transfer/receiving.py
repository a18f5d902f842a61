"""Animated codes being received, one for each browser, in memory alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from weid.errors import MalformedError
from weid.fountain import Receiver, frame_of

__all__ = ["Progress", "Receivings"]

IDLE: Final = 10  # minutes
MAX_AT_ONCE: Final = 20  # each holds at most a megabyte


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is; `data` when whole."""

    have: int
    needed: int
    data: bytes | None = None


@dataclass(slots=True)
class _Held:
    at: int
    receiver: Receiver = field(default_factory=Receiver)


class Receivings:
    """The receivers under way, by a random id that the browser's session cookie carries."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now, self._lock = now, Lock()
        self._held: dict[str, _Held] = {}

    def take(self, name: str, texts: tuple[str, ...]) -> Progress:
        """Take frames; MalformedError `mixed-sets`, `changed-frames`, `not-a-frame`, `too-many` receivers under way."""
        with self._lock:
            oldest = self._now() - IDLE
            self._held = {key: held for key, held in self._held.items() if held.at >= oldest}
            if name not in self._held and len(self._held) >= MAX_AT_ONCE:
                raise MalformedError("too many receive at once", code="too-many")
            held = self._held.setdefault(name, _Held(self._now()))
            held.at = self._now()
            for text in texts:
                held.receiver.take(frame_of(text))
            return Progress(held.receiver.have, held.receiver.needed, held.receiver.data)

    def forget(self, name: str | None) -> None:
        """Begin again."""
        with self._lock:
            self._held.pop(name or "", None)
