"""The usual rules over a certificate's fields: what the editor's form asks, the CertLogic it becomes, and its sentence (R29).

A rule that can be written here can be read back from a pack; every other one stays with the people who write packs by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from credentials.rules import ABSENT, Rule
from issuer_app.design import reading
from issuer_app.design.skeleton import words
from weid.canon import JSON
from weid.errors import WeidError
from weid.pack import LANGUAGES

__all__ = ["MAX_RULES", "TESTS", "Condition", "description", "fits", "judge", "logic_of", "read_condition", "read_rule"]

TESTS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("equals",), "choice": ("equals", "one-of"), "yesno": ("equals",), "digits": ("equals",), "months": (),
    "number": ("at-least", "at-most", "equals"),
    "date": ("years-ago", "within-days", "not-passed", "from-day", "until-day"),
}  # fmt: skip
MAX_RULES: Final = 16
_ALL: Final = tuple(dict.fromkeys(test for tests in TESTS.values() for test in tests))
_COUNTED: Final = ("at-least", "at-most", "within-days", "years-ago")
_BETWEEN: Final = {"en": ", ", "pt": ", ", "zh-Hans": "、", "zh-Hant": "、"}
_WHOLE: Final = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_MOST: Final = {"within-days": 36_500, "years-ago": 200}


@dataclass(frozen=True, slots=True)
class Condition:
    """`test` over one field. `value` as it was typed: a number, a day, a value of the field, or values with bars between.
    `absent`: what it means that the field is not shown, `unknown` or `fails`."""

    field: str
    test: str = "equals"
    value: str = ""
    absent: str = "unknown"

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"field": self.field, "test": self.test, "value": self.value, "absent": self.absent}


def read_condition(value: JSON) -> Condition:
    """From the plan's JSON; MalformedError `bad-design`."""
    held = reading.members(value, {"field", "test", "value", "absent"}, "rules")
    return Condition(
        reading.text(held.get("field"), "rules.field"), reading.one_of(held.get("test", "equals"), _ALL, "rules.test"),
        reading.text(held.get("value", ""), "rules.value"), reading.one_of(held.get("absent", "unknown"), ABSENT, "rules.absent"),
    )  # fmt: skip


def fits(condition: Condition, kind: str, choices: tuple[str, ...]) -> bool:
    """Whether the test can be made of a field of this kind, with this value."""
    test, value = condition.test, condition.value
    if test not in TESTS[kind]:
        return False
    if test == "not-passed":
        return not value
    if test in _COUNTED or kind == "number":
        return bool(_WHOLE.fullmatch(value)) and (test not in _MOST or 0 <= int(value) <= _MOST[test])
    if kind == "date":
        return _is_day(value)
    if kind == "yesno":
        return value in ("yes", "no")
    values = value.split("|") if test == "one-of" else [value]
    return bool(value) and (kind != "choice" or set(values) <= set(choices))


def logic_of(condition: Condition, kind: str) -> JSON:
    """The CertLogic of a condition that fits."""
    test, value, held = condition.test, condition.value, f"payload.{condition.field}"
    read: JSON = {"var": held}
    if test == "equals":
        return {"===": [read, value == "yes" if kind == "yesno" else int(value) if kind == "number" else value]}
    if test == "one-of":
        return {"in": [read, list[JSON](value.split("|"))]}
    if test in ("at-least", "at-most"):
        return {">=" if test == "at-least" else "<=": [read, int(value)]}
    now = _day("external.validationClock")
    if test == "years-ago":
        return {"not-after": [_day(held, int(value), "year"), now]}
    if test == "not-passed":
        return {"after": [_day(held, 1), now]}
    if test == "within-days":
        # A day begins in the east up to fourteen hours before it does at UTC: one day ahead is not the future.
        return {"and": [{"not-after": [_day(held, -1), now]}, {"after": [_day(held, int(value) + 1), now]}]}
    fixed: JSON = {"plusTime": [value, 0, "day"]}
    return {"not-before" if test == "from-day" else "not-after": [_day(held), fixed]}


def description(
    condition: Condition, kind: str, label: Mapping[str, str], choices: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """What the rule says, in every language in which the field has a label."""
    said, made = words(f"rule-{condition.test}"), {}
    for language in LANGUAGES:
        value = _value_in(condition, kind, choices, language)
        made[language] = str(said[language]).format(field=label.get(language, ""), value=value)
    return made


def judge(condition: Condition, kind: str, claims: Mapping[str, JSON], now: str) -> bool | None:
    """Kept, broken, or None where it cannot be judged: what a verifier's check would come to (`now` in RFC 3339)."""
    rule = Rule("try", {}, logic_of(condition, kind), absent={condition.field: condition.absent})
    try:
        return rule.judge(claims, frozenset(), now)
    except WeidError:
        return None


def read_rule(rule: Any, kinds: Mapping[str, str]) -> Condition | None:
    """The condition whose rule this is; None for one that cannot be written here. `kinds`: the fields' kinds."""
    found = sorted(set(re.findall(r"'var': 'payload\.([A-Za-z0-9_-]+)'", repr(rule["logic"]))))
    absent = rule.get("absent", {})
    for name in found[:1]:
        kind = kinds.get(name, "text")
        for test in TESTS[kind]:
            for value in _values(rule["logic"], kind):
                condition = Condition(name, test, value, str(absent.get(name, "unknown")))
                if fits(condition, kind, tuple(value.split("|"))) and logic_of(condition, kind) == rule["logic"]:
                    return condition
    return None


def _values(logic: JSON, kind: str) -> Iterator[str]:
    """What may have been typed: every literal of the expression, as the form takes it."""
    if isinstance(logic, dict):
        for operands in logic.values():
            yield from _values(operands, kind)
    elif isinstance(logic, list):
        texts = [item for item in logic if isinstance(item, str)]
        if texts and len(texts) == len(logic):
            yield "|".join(texts)
        for item in logic:
            yield from _values(item, kind)
    elif isinstance(logic, bool):
        yield "yes" if logic else "no"
    elif isinstance(logic, int):
        yield from (str(logic), str(logic - 1))  # "within n days" is written as before the day after
    elif isinstance(logic, str):
        yield logic
        yield ""


def _day(path: str, count: int = 0, unit: str = "day") -> JSON:
    return {"plusTime": [{"var": path}, count, unit]}


def _value_in(condition: Condition, kind: str, choices: Mapping[str, Mapping[str, str]], language: str) -> str:
    if kind == "yesno":
        return str(words(f"value-{condition.value or 'no'}")[language])
    if kind != "choice":
        return condition.value
    return _BETWEEN[language].join(choices.get(value, {}).get(language) or value for value in condition.value.split("|"))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
