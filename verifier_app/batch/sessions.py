"""Batches under way, in memory alone: gone when the person ends them, an hour after the last file, or with the process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

from verifier_app.batch.judging import Result

__all__ = ["Batches"]

IDLE: Final = 60  # minutes
MAX_BATCHES: Final = 200
MAX_LINES: Final = 2_000


class Batches:
    """The results of each browser's batch, by a random id that its signed session cookie carries."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = Lock()
        self._held: dict[str, tuple[int, list[Result]]] = {}

    def add(self, name: str, results: tuple[Result, ...]) -> int | None:
        """The number of the first line added; None when the batch, or this machine, is full: nobody's batch makes room."""
        with self._lock:
            self._purge()
            if name not in self._held and len(self._held) >= MAX_BATCHES:
                return None
            lines = self._held.get(name, (0, []))[1]
            if len(lines) + len(results) > MAX_LINES:
                return None
            lines.extend(results)
            self._held[name] = (self._now(), lines)
            return len(lines) - len(results) + 1

    def lines(self, name: str | None) -> tuple[Result, ...]:
        """The lines so far."""
        with self._lock:
            self._purge()
            return tuple(self._held.get(name or "", (0, []))[1])

    def forget(self, name: str | None) -> None:
        """Drops the batch and everything in it."""
        with self._lock:
            self._held.pop(name or "", None)

    def __len__(self) -> int:
        with self._lock:
            self._purge()
            return len(self._held)

    def _purge(self) -> None:
        oldest = self._now() - IDLE
        self._held = {name: held for name, held in self._held.items() if held[0] >= oldest}
