"""Time tells nothing: what is found and what is not take equally long, whatever is measured."""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path

import pytest

from issuer_app.lookups.asking import on_the_beat
from tests.issuer_app.house import House, Person
from tests.issuer_app.lookup_house import CN, OPEN, PRIVATE, asking_house, award

MANY = {"address": "100000 per minute", "name": "100000 per minute", "value": "100000 per minute", "all": "100000 per day"}


@pytest.mark.parametrize(("spent", "waits"), [(0.0, 0.15), (0.149, 0.001), (0.151, 0.149), (0.31, 0.14), (0.301, 0.149)])
def test_an_answer_ends_on_the_beat(spent: float, waits: float) -> None:
    """At the floor, or at the next multiple of it; what is refused does not wait."""
    now, slept = [100.0], []
    with on_the_beat(150, lambda: now[0], slept.append):
        now[0] += spent
    assert slept == [pytest.approx(waits, abs=1e-9)]

    def refused() -> None:
        with on_the_beat(150, lambda: now[0], slept.append):
            raise ValueError

    with pytest.raises(ValueError):
        refused()
    assert len(slept) == 1


def measured(
    house: House, path: str, hits: list[dict[str, str]], misses: list[dict[str, str]], rounds: int
) -> dict[bool, list[float]]:
    """Seconds of each answer, by whether there was something to find, asked in random order."""
    person, rng = Person(house.app(form="100000 per minute")), random.Random(7)
    token, times = person.token(path), {True: [], False: []}  # type: ignore[var-annotated]
    for _ in range(rounds):
        hit = rng.random() < 0.5
        form = rng.choice(hits if hit else misses)
        began = time.perf_counter()
        answer = person.http.post(path, data={"csrf_token": token, **form})
        times[hit].append(time.perf_counter() - began)
        assert answer.status_code == 303
    return times


def likely(times: dict[bool, list[float]]) -> float:
    """How likely so large a difference of medians is by chance alone: a permutation test."""
    rng, pooled, count = random.Random(11), times[True] + times[False], len(times[True])
    seen = abs(statistics.median(times[True]) - statistics.median(times[False]))
    larger = 0
    for _ in range(2000):
        rng.shuffle(pooled)
        larger += abs(statistics.median(pooled[:count]) - statistics.median(pooled[count:])) >= seen
    return larger / 2000


def forms(names: tuple[str, ...], **more: str) -> list[dict[str, str]]:
    return [{"find-documentKind": "cn-id", "find-documentNumber": CN, "find-name": name, **more} for name in names]


@pytest.mark.long
@pytest.mark.parametrize("rule", [OPEN, PRIVATE], ids=["open", "private"])
def test_found_and_not_found_cannot_be_told_apart_by_time(tmp_path: Path, rule: dict[str, object]) -> None:
    """600 look-ups in random order: the medians differ by no more than chance, or by less than anybody sees over a network."""
    house = asking_house(tmp_path, {"document": rule}, **{**MANY, "floor": 60})
    more = {"find-birthDate": "1990-03-07"} if rule is PRIVATE else {}
    award(house, cn_id=CN, **({"birthDate": "1990-03-07"} if rule is PRIVATE else {}))
    times = measured(house, "/find/document/0", forms(("陳大文", "陈大文"), **more), forms(("陳小文", "陈小文"), **more), 600)
    gap = abs(statistics.median(times[True]) - statistics.median(times[False]))
    print(f"\n{len(times[True])} found, {len(times[False])} not: medians differ by {1e6 * gap:.0f} µs, p = {likely(times):.3f}")
    assert likely(times) > 0.01 or gap < 0.0005
    house.close()


@pytest.mark.long
def test_the_measure_would_see_a_difference(tmp_path: Path) -> None:
    """The same test over answers that do not wait, one of which does more work, is not blind."""
    times = {True: [0.0021 + n * 1e-6 for n in range(300)], False: [0.0012 + n * 1e-6 for n in range(300)]}
    assert likely(times) < 0.01
