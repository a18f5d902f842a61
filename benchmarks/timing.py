"""How often a second something can be done: the median of five rounds after a warm-up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def per_second(work: Callable[[], object], *, seconds: float = 0.4, rounds: int = 5) -> float:
    """Calls a second, single thread."""
    for _ in range(20):
        work()
    return statistics.median(_rate(work, seconds) for _ in range(rounds))


def in_turn(works: Sequence[Callable[[], object]], *, seconds: float = 0.2, rounds: int = 9) -> list[float]:
    """Calls a second of several works, a short turn each: what else the machine does falls on all of them alike."""
    rates: list[list[float]] = [[_rate(work, seconds) for work in works] for _ in range(rounds + 1)][1:]
    return [statistics.median(column) for column in zip(*rates, strict=True)]


def _rate(work: Callable[[], object], seconds: float) -> float:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        work()
        count += 1
    return count / (time.perf_counter() - start)


def line(what: str, value: float, unit: str, goal: str = "") -> None:
    """One figure, aligned."""
    print(f"{what:<62} {value:>10,.0f} {unit:<10} {goal}")
