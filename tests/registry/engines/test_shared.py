"""Callers that share an append: each has its own answers, or knows that it has none."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from registry.engines.shared import Shared
from weid.errors import RegistryError, WeidError


def together(work: object, count: int = 3) -> list[object]:
    """What each of some callers gets who all came while an append was under way."""
    shared: Shared[bytes] = Shared()
    turn, found = threading.RLock(), [None] * count  # type: list[object]

    def call(number: int) -> None:
        try:
            found[number] = shared.submit([bytes([number])], turn, work)  # type: ignore[arg-type]
        except (WeidError, KeyError) as error:
            found[number] = error

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    with turn:
        for thread in threads:
            thread.start()
        while len(shared._waiting) < count:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    return found


def test_each_gets_the_answers_to_its_own() -> None:
    assert together(list) == [[b"\0"], [b"\1"], [b"\2"]]


@pytest.mark.parametrize("problem", [KeyError("x"), RegistryError("no", code="engine-behind")])
def test_nobody_takes_a_failure_for_an_empty_answer(problem: Exception) -> None:
    """An error that is not ours goes up where it arose; the others are told that nothing is known."""

    def broken(entries: Sequence[bytes]) -> list[bytes]:
        raise problem

    found = together(broken)
    assert all(isinstance(item, Exception) for item in found)
    others = [item for item in found if item is not problem]
    assert all(isinstance(item, RegistryError) and item.code == "unreachable" for item in others)
    assert len(others) == (2 if isinstance(problem, KeyError) else 0)
