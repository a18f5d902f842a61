"""Animated codes being received, one for each browser, in memory alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

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

    def open(self, name: str | None) -> str:
        """The id, a new one where it is not known."""
        with self._lock:
            oldest = self._now() - IDLE
            self._held = {key: held for key, held in self._held.items() if held.at >= oldest}
            if name is None or name not in self._held:
                if len(self._held) >= MAX_AT_ONCE:
                    del self._held[min(self._held, key=lambda key: self._held[key].at)]
                name = secrets.token_hex(16)
                self._held[name] = _Held(self._now())
            return name

    def take(self, name: str, texts: tuple[str, ...]) -> Progress:
        """Take frames; MalformedError `mixed-sets`, `changed-frames`, `not-a-frame`."""
        with self._lock:
            held = self._held[name]
            held.at = self._now()
            for text in texts:
                held.receiver.take(frame_of(text))
            return Progress(held.receiver.have, held.receiver.needed, held.receiver.data)

    def forget(self, name: str | None) -> None:
        """Begin again."""
        with self._lock:
            self._held.pop(name or "", None)
