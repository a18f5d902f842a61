"""Callers that come while an append is under way share the next one: a block of a chain takes many operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Generic, TypeVar

from weid.errors import RegistryError, WeidError

__all__ = ["Shared"]

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Call(Generic[T]):
    entries: tuple[bytes, ...]
    answers: list[T] = field(default_factory=list)
    problem: WeidError | None = None
    done: bool = False


class Shared(Generic[T]):
    """One append at a time, for everybody who waits; each gets the answers to its own entries."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[_Call[T]] = []

    def submit(self, entries: Sequence[bytes], turn: RLock, work: Callable[[Sequence[bytes]], list[T]]) -> list[T]:
        """The answers of `work` for these entries, which it may have been given with others'; a problem is everybody's."""
        call: _Call[T] = _Call(tuple(entries))
        with self._lock:
            self._waiting.append(call)
        with turn:
            if not call.done:
                with self._lock:
                    calls, self._waiting = self._waiting, []
                self._work(calls, work)
        if call.problem is not None:
            raise call.problem
        return call.answers

    def _work(self, calls: list[_Call[T]], work: Callable[[Sequence[bytes]], list[T]]) -> None:
        # Whatever else breaks the work off goes up in this thread; the others must not take silence for an answer.
        broken = RegistryError("the append broke off: nobody knows what was placed", code="unreachable")
        for call in calls:
            call.problem = broken
        try:
            answers = work([entry for call in calls for entry in call.entries])
        except WeidError as error:
            for call in calls:
                call.problem = error
            return
        finally:
            for call in calls:
                call.done = True
        start = 0
        for call in calls:
            call.problem = None
            call.answers = answers[start : start + len(call.entries)]
            start += len(call.entries)
