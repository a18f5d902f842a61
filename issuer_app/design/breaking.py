"""Values that break a rule: each rule of a made pack has a case that shows it can fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from issuer_app.design.conditions import Condition, fits, judge
from issuer_app.design.plan import Plan, PlanField
from issuer_app.design.samples import changed, claims_of
from weid.canon import JSON

__all__ = ["broken_by", "kept_by_samples"]


def broken_by(plan: Plan, clock: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(the number of a rule, claims that break it and nothing else about the field), where there are such values."""
    claims = claims_of(plan)
    for number, condition, field in _usable(plan):
        for value in _candidates(field, clock):
            if judge(condition, field.type, {**claims, field.name: value}, clock) is False:
                yield number, {**claims, field.name: value}
                break


def kept_by_samples(plan: Plan, clock: str) -> Iterator[tuple[int, Condition]]:
    """The rules that the sample values do not keep: the golden case could not pass."""
    claims = claims_of(plan)
    for number, condition, field in _usable(plan):
        if judge(condition, field.type, claims, clock) is not True:
            yield number, condition


def _usable(plan: Plan) -> Iterator[tuple[int, Condition, PlanField]]:
    for number, condition in enumerate(plan.rules, 1):
        field = plan.field(condition.field)
        if field is not None and fits(condition, field.type, tuple(value for value, _ in field.choices)):
            yield number, condition, field


def _candidates(field: PlanField, clock: str) -> Iterator[JSON]:
    """Values that the schema allows."""
    if field.type == "choice":
        yield from (value for value, _ in field.choices)
    elif field.type == "date":
        today = date.fromisoformat(clock[:10])
        yield from (str(today + timedelta(days=days)) for days in (0, -1, 3, -40_000, 40_000))
    elif field.type == "number":
        least, most = field.least if field.least is not None else 0, field.most if field.most is not None else 10**9
        yield from (least, most, min(least + 1, most))
    else:
        yield changed(field)
