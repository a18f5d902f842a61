"""Cases of a pack: steps as data, run in a fresh world, and run again with one expectation flipped (R29)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from weid.codec import parse_rfc3339
from weid.errors import MalformedError
from weid.pack import labels

if TYPE_CHECKING:
    from weid.pack import Pack

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what it shows, when it starts, and its steps as JSON objects."""

    name: str
    title: Mapping[str, str]
    clock: datetime
    steps: tuple[Mapping[str, Any], ...]


def read_cases(pack: Pack) -> dict[str, Case]:
    """Every case of a pack; MalformedError names the file and step that is wrong."""
    from wallet_cli.steps import VERBS

    cases = {}
    for name, value in pack.folder("cases").items():
        place = f"cases/{name}.json"
        steps, clock = value.get("steps"), value.get("clock")
        if not isinstance(steps, list) or not isinstance(clock, str):
            raise MalformedError(f"{place}: needs clock and steps")
        for number, step in enumerate(steps, 1):
            if not isinstance(step, dict) or step.get("do") not in VERBS:
                raise MalformedError(f"{place}: step {number}: unknown verb")
        cases[name] = Case(name, labels(value.get("title"), place), parse_rfc3339(clock), tuple(steps))  # type: ignore[arg-type]
    return cases


def run_case(pack: Pack, case: Case, *, tell: Tell | None = None) -> list[str]:
    """What did not come out as expected, one sentence each; empty when all did."""
    from wallet_cli.steps import run_step
    from wallet_cli.world import world

    problems = []
    with world(pack, case.clock) as here:
        for number, step in enumerate(case.steps, 1):
            wrong = run_step(here, step, tell or (lambda line: None))
            problems += [f"step {number} ({step['do']}): {problem}" for problem in wrong]
            if wrong:
                break
    return problems


def run_flipped(pack: Pack, case: Case) -> list[str]:
    """A problem when the case still passes with its last expectation turned round: such a case proves nothing."""
    flipped = _flip(case)
    if flipped is None:
        return ["the case expects nothing, so it cannot fail"]
    return [] if run_case(pack, flipped) else ["still passes with an expectation flipped"]


def _flip(case: Case) -> Case | None:
    steps = [copy.deepcopy(dict(step)) for step in case.steps]
    for step in reversed(steps):
        for holder, name in _expectations(step):
            value = holder[name]
            holder[name] = value + 1 if isinstance(value, int) else f"not-{value}"
            return Case(case.name, case.title, case.clock, tuple(steps))
    return None


def _expectations(step: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    expect = step.get("expect")
    if isinstance(expect, dict):
        for name in ("verdict", "error", "answer", "exit"):
            if name in expect:
                yield expect, name
