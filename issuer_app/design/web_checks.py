"""What a check of this kind asks for: the purpose, how old data may be, and the rules over its fields, with a try-out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.design import conditions, filling
from issuer_app.design.bench import bench, drafts, pages, saved, stored
from issuer_app.design.cases import CLOCK
from issuer_app.design.conditions import MAX_RULES, TESTS, Condition
from issuer_app.design.plan import Plan, PlanField
from issuer_app.design.samples import value_of
from issuer_app.frame import needs, speaker
from issuer_app.problems import NotFoundError
from weid.canon import JSON

__all__ = ["pages"]

_PURPOSES = ("employment", "study", "entry", "venue", "membership", "financing")


@dataclass(frozen=True, slots=True)
class Line:
    """A rule in words; `kept` is what a try-out came to: kept, broken, unknown, or nothing tried."""

    number: int
    words: str
    absent: str
    kept: str


@pages.route("/<name>/checks", methods=["GET", "POST"])
@needs("admin")
def checks(name: str) -> ResponseReturnValue:
    """Purpose and ages; the rules below each have a page of their own."""
    held = drafts().get(name)
    if request.method == "GET":
        return bench("design/checks.html", held, held.plan, **_more(held.plan))
    plan = filling.with_asking(held.plan, request.form)
    there = url_for("design.checks", name=name)
    return saved("design/checks.html", held, plan, "", there, after=there, **_more(plan))


@pages.post("/<name>/checks/try")
@needs("admin")
def try_rules(name: str) -> ResponseReturnValue:
    """What the rules say to values that somebody makes up; nothing of them is kept."""
    held = drafts().get(name)
    day = request.form.get("day", "")
    claims = _typed(held.plan)
    now = f"{day}T12:00:00Z" if _is_day(day) else CLOCK
    return bench("design/checks.html", held, held.plan, **_more(held.plan, claims, now))


@pages.route("/<name>/rules/<int:number>", methods=["GET", "POST"])
@needs("admin")
def rule(name: str, number: int) -> ResponseReturnValue:
    """One rule, or a new one (0) over the field `?field=`."""
    held = drafts().get(name)
    known = held.plan.rules[number - 1] if 0 < number <= len(held.plan.rules) else None
    field = held.plan.field(known.field if known else request.values.get("field", ""))
    if field is None or (number and known is None) or not TESTS[field.type]:
        raise NotFoundError("no rule of that number, or no field it could be about")
    chosen = known or Condition(field.name, TESTS[field.type][0])
    plan = held.plan
    if request.method == "POST":
        tests = tuple(request.form.getlist("value"))
        plan = filling.with_rule(plan, number, field, request.form, tests)
        chosen = plan.rules[number - 1] if number else plan.rules[-1]
    fitting = conditions.fits(chosen, field.type, tuple(value for value, _ in field.choices))
    more: dict[str, Any] = {
        "number": number, "field": field, "rule": chosen, "tests": TESTS[field.type], "values": chosen.value.split("|"),
        "sure": field.privacy == "public" and field.required, "sentence": _words(chosen, field), "said": fitting,
        "drawn": None,
    }  # fmt: skip
    if request.method == "GET" or request.form.get("preview") == "yes":
        return bench("design/rule.html", held, held.plan, **more)
    if not fitting:
        return bench("design/rule.html", held, held.plan, speaker()("design.fault-rule-value"), **more), 422
    return saved(
        "design/rule.html", held, plan, "", url_for("design.checks", name=name), after=url_for("design.checks", name=name), **more
    )


@pages.post("/<name>/rules/<int:number>/remove")
@needs("admin")
def rule_remove(name: str, number: int) -> ResponseReturnValue:
    """Take a rule out."""
    held = drafts().get(name)
    rules = tuple(item for place, item in enumerate(held.plan.rules, 1) if place != number)
    plan = replace(held.plan, rules=rules)
    return stored(held, plan, url_for("design.checks", name=name), template="design/checks.html", **_more(held.plan))


def _more(plan: Plan, claims: dict[str, JSON] | None = None, now: str = CLOCK) -> dict[str, Any]:
    lines = []
    for number, item in enumerate(plan.rules, 1):
        field = plan.field(item.field)
        if field is None:
            continue
        usable = conditions.fits(item, field.type, tuple(value for value, _ in field.choices))
        verdict = conditions.judge(item, field.type, claims, now) if usable and claims is not None else None
        kept = "" if claims is None else {True: "kept", False: "broken", None: "unknown"}[verdict]
        sure = field.privacy == "public" and field.required
        lines.append(Line(number, _words(item, field) if usable else "", "" if sure else item.absent, kept))
    read = [field for field in plan.fields if any(item.field == field.name for item in plan.rules)]
    shown = {field.name: _as_typed(field, claims) for field in read}
    return {
        "lines": lines, "read": read, "shown": shown, "day": now[:10], "tried": claims is not None, "purposes": _PURPOSES,
        "about": [field for field in plan.fields if TESTS[field.type]], "full": len(plan.rules) >= MAX_RULES,
    }  # fmt: skip


def _words(item: Condition, field: PlanField) -> str:
    return speaker().name(conditions.description(item, field.type, field.label, dict(field.choices)))


def _as_typed(field: PlanField, claims: dict[str, JSON] | None) -> str:
    value = value_of(field) if claims is None else claims.get(field.name)
    return ("yes" if value else "no") if isinstance(value, bool) else "" if value is None else str(value)


def _typed(plan: Plan) -> dict[str, JSON]:
    """The values of a try-out; what is left empty is not shown."""
    claims: dict[str, JSON] = {}
    for field in plan.fields:
        text = request.form.get(f"try-{field.name}", "").strip()[:400]
        if text and field.type == "number":
            if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 13:
                claims[field.name] = int(text)
        elif text:
            claims[field.name] = text == "yes" if field.type == "yesno" else text
    return claims


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
