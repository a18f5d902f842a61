"""Rules as data: a small CertLogic evaluator (R29).

CertLogic is the loop-bounded JsonLogic subset of the EU DCC business rules: literals, `var`, `if`, `!`, `and`, `===`,
`in`, `+`, comparisons of integers, comparisons of date-times, `plusTime` and `reduce`. A rule may bring no code and
no unbounded work: every evaluated node counts against `steps`.

A rule that reads a claim the holder did not show is neither kept nor broken: `Rule.judge` answers None (R12). A rule
may be stricter and say that a claim which is not there breaks it (`absent`), never that it helps: what helps the
holder when hidden would be hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from weid.canon import JSON
from weid.errors import MalformedError
from weid.pack import labels

__all__ = ["ABSENT", "HiddenClaim", "Rule", "evaluate", "rules_from_json"]

Value: TypeAlias = object
MAX_STEPS: Final = 10_000
MAX_DEPTH: Final = 32
ABSENT: Final = ("unknown", "fails")  # what a claim that is not there may mean to a rule
_MAX_INT: Final = 2**53 - 1  # the integers every CertLogic implementation shares
_DATE: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:(Z)|([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?)?",
    re.ASCII,
)
_ARITY: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "if": (3, 3), "!": (1, 1), "and": (2, 64), "===": (2, 2), "in": (2, 2), "+": (2, 2),
        ">": (2, 3), "<": (2, 3), ">=": (2, 3), "<=": (2, 3),
        "after": (2, 3), "before": (2, 3), "not-after": (2, 3), "not-before": (2, 3),
        "plusTime": (3, 3), "reduce": (3, 3),
    }
)  # fmt: skip
_ORDER: Final[Mapping[str, Callable[[int], bool]]] = MappingProxyType(
    {
        ">": lambda sign: sign > 0,
        "<": lambda sign: sign < 0,
        ">=": lambda sign: sign >= 0,
        "<=": lambda sign: sign <= 0,
        "after": lambda sign: sign > 0,
        "before": lambda sign: sign < 0,
        "not-after": lambda sign: sign <= 0,
        "not-before": lambda sign: sign >= 0,
    }
)


class HiddenClaim(Exception):  # a signal inside one evaluation, never an error of the caller
    """Raised inside an evaluation that reads a claim the holder did not show; carries its name, or "" for all."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a pack: what it says in four languages, its CertLogic expression and the claims it needs.

    `absent` says, claim by claim, what it means to this rule that the claim is not there: hidden by the holder, or
    left out by the issuer. `unknown`: it cannot be judged. `fails`: it is broken.
    """

    id: str
    description: Mapping[str, str]
    logic: JSON
    needs: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_json(cls, value: JSON) -> Rule:
        """The rule in `value`, its expression checked; MalformedError names what is wrong."""
        if not isinstance(value, dict) or set(value) - {"id", "description", "logic", "needs", "absent"}:
            raise MalformedError("a rule is an object of id, description, logic, needs and absent", code="bad-rule")
        rule_id, description, needs = value.get("id"), value.get("description"), value.get("needs", [])
        if not isinstance(rule_id, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", rule_id):
            raise MalformedError(f"not a rule id: {rule_id!r}", code="bad-rule")
        if not isinstance(needs, list) or not all(isinstance(name, str) for name in needs):
            raise MalformedError(f"rule {rule_id}: needs is a list of claim names", code="bad-rule")
        words = labels(description, f"rule {rule_id}: description")
        check_expression(value.get("logic"))
        absent = _absent(value.get("absent", {}), f"rule {rule_id}: absent")
        return cls(rule_id, words, value.get("logic"), tuple(str(name) for name in needs), absent)

    def reads(self, names: Iterable[str]) -> frozenset[str]:
        """Which of these claims the rule may read, by any path; `payload` as a whole reads them all."""
        whole = any(not path or path.rpartition(".")[2] in ("payload", "data") for path in _paths(self.logic))
        return frozenset(names) if whole else self.names() & frozenset(names)

    def names(self) -> frozenset[str]:
        """Every claim that the rule names."""
        parts = (path.split(".") for path in _paths(self.logic))
        found = {after for path in parts for before, after in pairwise(path) if before == "payload"}
        return frozenset(found | set(self.needs) | set(self.absent))

    def judge(self, claims: Mapping[str, JSON], hidden: frozenset[str], now: str) -> bool | None:
        """True when kept, False when broken, None when a claim that is not there decides (R12).

        The expression sees `payload` (the claims shown) and `external.validationClock` (`now`, RFC 3339).
        MalformedError when the expression does not fit the values it meets.
        """
        gone = hidden | {name for name in self.absent if claims.get(name) is None}
        missing = gone.intersection(self.needs)
        if missing:
            return self._without(missing)
        context: dict[str, JSON] = {"payload": dict(claims), "external": {"validationClock": now}}
        try:
            result = evaluate(self.logic, context, hidden=gone)
        except HiddenClaim as claim:
            return self._without({claim.name})
        if not isinstance(result, bool):
            raise MalformedError(f"rule {self.id} answers {type(result).__name__}, not a boolean", code="bad-rule")
        return result

    def _without(self, names: AbstractSet[str]) -> bool | None:
        return False if any(self.absent.get(name) == "fails" for name in names) else None


def rules_from_json(value: JSON) -> tuple[Rule, ...]:
    """The rules of a pack section, ids unique; MalformedError otherwise."""
    if not isinstance(value, list):
        raise MalformedError("rules are a list", code="bad-rule")
    rules = tuple(Rule.from_json(item) for item in value)
    if len({rule.id for rule in rules}) != len(rules):
        raise MalformedError("two rules have the same id", code="bad-rule")
    return rules


def _absent(value: JSON, place: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(meaning in ABSENT for meaning in value.values()):
        raise MalformedError(f"{place} gives {' or '.join(ABSENT)} for each claim", code="bad-rule")
    return MappingProxyType({name: str(meaning) for name, meaning in value.items()})


def _paths(expression: JSON) -> Iterator[str]:
    """Every path of a checked expression."""
    if isinstance(expression, list):
        for item in expression:
            yield from _paths(item)
    elif isinstance(expression, dict):
        name, operands = _operation(expression)
        yield from (str(path) for path in operands) if name == "var" else _paths(list(operands))


def check_expression(expression: JSON, *, depth: int = 0) -> None:
    """MalformedError unless `expression` is built of known operations with the right number of operands."""
    if depth > MAX_DEPTH:
        raise MalformedError("a rule is nested too deeply", code="bad-rule")
    if isinstance(expression, list):
        for item in expression:
            check_expression(item, depth=depth + 1)
    elif isinstance(expression, dict):
        name, operands = _operation(expression)
        if name != "var":
            for item in operands:
                check_expression(item, depth=depth + 1)
    elif not isinstance(expression, bool | int | str):
        raise MalformedError(f"not a CertLogic literal: {expression!r}", code="bad-rule")


def evaluate(expression: JSON, data: JSON, *, hidden: frozenset[str] = frozenset(), steps: int = MAX_STEPS) -> Value:
    """The value of `expression` over `data` (CertLogic); claims in `hidden` may not be read from `payload`.

    MalformedError for an invalid expression, a type mismatch or too many steps; HiddenClaim for a hidden read.
    """
    return _Evaluation(hidden, steps).value(expression, data, 0)


def _operation(expression: Mapping[str, JSON]) -> tuple[str, Sequence[JSON]]:
    if len(expression) != 1:
        raise MalformedError("an operation has exactly one name", code="bad-rule")
    ((name, operands),) = expression.items()
    if name == "var":
        if not isinstance(operands, str):
            raise MalformedError("var takes one path", code="bad-rule")
        return name, (operands,)
    if name not in _ARITY:
        raise MalformedError(f"unknown operation {name!r}", code="bad-rule")
    least, most = _ARITY[name]
    if not isinstance(operands, list) or not least <= len(operands) <= most:
        raise MalformedError(f"{name} takes {least} to {most} operands", code="bad-rule")
    return name, operands


class _Evaluation:
    """One run: what is hidden and how many steps are left."""

    __slots__ = ("_hidden", "_steps")

    def __init__(self, hidden: frozenset[str], steps: int) -> None:
        self._hidden = hidden
        self._steps = steps

    def value(self, expression: JSON, data: Value, depth: int) -> Value:
        self._steps -= 1
        if self._steps < 0 or depth > MAX_DEPTH:
            raise MalformedError("a rule takes too many steps", code="bad-rule")
        if isinstance(expression, list):
            return [self.value(item, data, depth + 1) for item in expression]
        if isinstance(expression, dict):
            return self._apply(*_operation(expression), data, depth + 1)
        if isinstance(expression, bool | int | str):
            return expression
        raise MalformedError(f"not a CertLogic literal: {expression!r}", code="bad-rule")

    def _apply(self, name: str, operands: Sequence[JSON], data: Value, depth: int) -> Value:
        if name == "var":
            return self._read(str(operands[0]), data)
        if name == "if":
            return self.value(operands[1 if _truth(self.value(operands[0], data, depth)) else 2], data, depth)
        if name == "and":
            return self._conjunction(operands, data, depth)
        if name == "reduce":
            return self._fold(operands, data, depth)
        return _plain(name, [self.value(item, data, depth) for item in operands])

    def _conjunction(self, operands: Sequence[JSON], data: Value, depth: int) -> Value:
        result: Value = True
        for operand in operands:
            result = self.value(operand, data, depth)
            if not _truth(result):
                break
        return result

    def _fold(self, operands: Sequence[JSON], data: Value, depth: int) -> Value:
        items = self.value(operands[0], data, depth)
        result = self.value(operands[2], data, depth)
        if items is None:
            return result
        if not isinstance(items, list | tuple):
            raise MalformedError("reduce runs over an array", code="bad-rule")
        for item in items:
            inner = {"current": item, "accumulator": result, "data": data}
            result = self.value(operands[1], inner, depth)
        return result

    def _read(self, path: str, data: Value) -> Value:
        parts = path.split(".") if path else []
        value = data
        for index, part in enumerate(parts):
            if self._hidden and part in self._hidden and index and parts[index - 1] == "payload":
                raise HiddenClaim(part)
            value = _step(value, part)
        # `payload` as a whole, or anything holding it, would show by its size what was hidden
        if self._hidden and (not parts or parts[-1] in ("payload", "data")):
            raise HiddenClaim("")
        return value


def _step(value: Value, part: str) -> Value:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list | tuple) and part.isascii() and part.isdigit() and len(part) < 9:
        return value[int(part)] if int(part) < len(value) else None
    return None


def _truth(value: Value) -> bool:
    """Truthy or falsy as CertLogic says; date-times and fractions are neither."""
    if value is None or isinstance(value, bool | int | str | list | tuple | Mapping):
        return bool(value)
    raise MalformedError("a date-time is neither truthy nor falsy", code="bad-rule")


def _plain(name: str, values: list[Value]) -> Value:
    if name == "!":
        return not _truth(values[0])
    if name == "===":
        return _same(values[0], values[1])
    if name == "in":
        return _member(values[0], values[1])
    if name == "+":
        return _bounded(_integer(values[0]) + _integer(values[1]))
    if name == "plusTime":
        return _plus_time(*values)
    return _ordered(name, values)


def _same(left: Value, right: Value) -> bool:
    return type(left) is type(right) and left == right  # 1 is not true, "1" is not 1


def _member(item: Value, items: Value) -> bool:
    if not isinstance(items, list | tuple):
        raise MalformedError("in looks into an array", code="bad-rule")
    return any(_same(item, other) for other in items)


def _integer(value: Value) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedError(f"not an integer: {type(value).__name__}", code="bad-rule")
    return value


def _bounded(value: int) -> int:
    if abs(value) > _MAX_INT:
        raise MalformedError("an integer leaves the shared range", code="bad-rule")
    return value


def _ordered(name: str, values: list[Value]) -> bool:
    holds = _ORDER[name]
    return all(holds(_sign(name, left, right)) for left, right in pairwise(values))


def _sign(name: str, left: Value, right: Value) -> int:
    if name in (">", "<", ">=", "<="):
        a, b = _integer(left), _integer(right)
        return (a > b) - (a < b)
    if not isinstance(left, datetime) or not isinstance(right, datetime):
        raise MalformedError(f"{name} compares date-times made by plusTime", code="bad-rule")
    return (left > right) - (left < right)


def _plus_time(text: Value, amount: Value, unit: Value) -> datetime:
    if not isinstance(text, str):
        raise MalformedError("plusTime starts from a date text", code="bad-rule")
    try:
        return _shifted(_moment(text), _integer(amount), unit)
    except (ValueError, OverflowError):
        raise MalformedError(f"plusTime cannot move {text!r}", code="bad-rule") from None


def _shifted(start: datetime, amount: int, unit: Value) -> datetime:
    if unit == "hour":
        return start + timedelta(hours=amount)
    if unit == "day":
        return start + timedelta(days=amount)
    if unit not in ("month", "year"):
        raise MalformedError(f"not a time unit: {unit!r}", code="bad-rule")
    months = start.year * 12 + start.month - 1 + amount * (12 if unit == "year" else 1)
    # a day the target month lacks runs over into the next month: 29 February + 1 year = 1 March
    first = start.replace(year=months // 12, month=months % 12 + 1, day=1)
    return first + timedelta(days=start.day - 1)


def _moment(text: str) -> datetime:
    match = _DATE.fullmatch(text)
    if match is None:
        raise MalformedError(f"not a date: {text!r}", code="bad-rule")
    year, month, day, hour, minute, second, fraction, _zulu, sign, off_h, off_m = match.groups()
    offset = timedelta(hours=int(off_h or 0), minutes=int(off_m or 0)) * (-1 if sign == "-" else 1)
    millis = int(((fraction or "") + "000")[:3])
    local = datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), millis * 1000,
        tzinfo=timezone(offset),
    )  # fmt: skip
    return local.astimezone(UTC)
