"""How often a second something can be done: the median of five rounds after a warm-up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def per_second(work: Callable[[], object], *, seconds: float = 0.4, rounds: int = 5) -> float:
    """Calls a second, single thread."""
    for _ in range(20):
        work()
    rates = []
    for _ in range(rounds):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            work()
            count += 1
        rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates)


def line(what: str, value: float, unit: str, goal: str = "") -> None:
    """One figure, aligned."""
    print(f"{what:<62} {value:>10,.0f} {unit:<10} {goal}")
