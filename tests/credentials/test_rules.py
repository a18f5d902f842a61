"""CertLogic: the public behaviour, bounds, and three answers (R29, R12)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.rules import Rule, evaluate, rules_from_json
from weid.errors import MalformedError

DATA = {"payload": {"n": 3, "s": "x", "list": [1, 2, 3], "born": "2008-02-29", "no": None}, "external": {}}


@pytest.mark.parametrize(
    "expression, value",
    [
        ({"var": "payload.n"}, 3),
        ({"var": "payload.list.1"}, 2),
        ({"var": "payload.list.9"}, None),
        ({"var": "payload.absent.deeper"}, None),
        ({"if": [{"var": "payload.n"}, "yes", "no"]}, "yes"),
        ({"if": [{"var": "payload.no"}, "yes", "no"]}, "no"),
        ({"if": ["", 1, 2]}, 2),
        ({"!": [[]]}, True),
        ({"!": [0]}, True),
        ({"and": [True, 1, "last"]}, "last"),
        ({"and": [True, 0, {"in": [1, 2]}]}, 0),
        ({"===": [1, True]}, False),
        ({"===": ["1", 1]}, False),
        ({"===": [{"var": "payload.s"}, "x"]}, True),
        ({"in": [2, {"var": "payload.list"}]}, True),
        ({"in": ["2", {"var": "payload.list"}]}, False),
        ({"+": [1, 2]}, 3),
        ({"<": [1, 2, 3]}, True),
        ({"<=": [1, 1, 0]}, False),
        ({">": [2, 1]}, True),
        ([1, {"+": [1, 1]}], [1, 2]),
        ({"reduce": [{"var": "payload.list"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}, 6),
        ({"reduce": [[], 1, "start"]}, "start"),
        ({"reduce": [{"var": "payload.no"}, 1, "start"]}, "start"),
    ],
)
def test_values(expression: Any, value: Any) -> None:
    """Each operation gives what the CertLogic specification says."""
    assert value == evaluate(expression, DATA)


@pytest.mark.parametrize(
    "text, amount, unit, expected",
    [
        ("2008-02-29", 18, "year", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2008-02-29", 4, "year", datetime(2012, 2, 29, tzinfo=UTC)),
        ("2026-01-31", 1, "month", datetime(2026, 3, 3, tzinfo=UTC)),
        ("2026-01-31", -2, "month", datetime(2025, 12, 1, tzinfo=UTC)),
        ("2026-11-23", 0, "day", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T08:00:00+8", 1, "hour", datetime(2026, 11, 23, 1, tzinfo=UTC)),
        ("2026-11-23T08:00:00.1239Z", 0, "hour", datetime(2026, 11, 23, 8, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_plus_time(text: str, amount: int, unit: str, expected: datetime) -> None:
    """Dates move in UTC; a day that the month lacks runs over."""
    assert expected == evaluate({"plusTime": [text, amount, unit]}, {})


def test_date_order() -> None:
    """before, after and their negations compare date-times, three at a time too."""
    day = {name: {"plusTime": [f"2026-01-0{name}", 0, "day"]} for name in (1, 2, 3)}
    assert evaluate({"before": [day[1], day[2], day[3]]}, {}) is True
    assert evaluate({"after": [day[1], day[2]]}, {}) is False
    assert evaluate({"not-after": [day[2], day[2]]}, {}) is True
    assert evaluate({"not-before": [day[1], day[2]]}, {}) is False


@pytest.mark.parametrize(
    "expression",
    [
        {"or": [True, False]}, {"var": 1}, {"if": [True, 1]}, {"+": [1, "2"]}, {"in": [1, 2]}, {">": [1, True]},
        {"after": ["2026-01-01", "2026-01-02"]}, {"plusTime": ["2026-13-01", 0, "day"]}, 1.5, None,
        {"plusTime": ["2026-01-01", 0, "week"]}, {"plusTime": ["2026-01-01", 10**9, "year"]}, {"a": [], "b": []},
        {"+": [2**53 - 1, 1]}, {"!": [{"plusTime": ["2026-01-01", 0, "day"]}]}, {"reduce": ["text", 1, 2]},
    ],
)  # fmt: skip
def test_invalid(expression: Any) -> None:
    """An invalid expression or a type mismatch is MalformedError, never another exception."""
    with pytest.raises(MalformedError):
        evaluate(expression, DATA)


def test_steps_are_capped() -> None:
    """Nested reduces cannot make the evaluator run long."""
    items: Any = list(range(200))
    inner = {"reduce": [items, {"+": [{"var": "accumulator"}, 1]}, 0]}
    with pytest.raises(MalformedError, match="steps"):
        evaluate({"reduce": [items, inner, 0]}, {})
    deep: Any = True
    for _ in range(64):
        deep = {"!": [deep]}
    with pytest.raises(MalformedError):
        evaluate(deep, {})


def rule(logic: Any, **more: Any) -> Rule:
    words = dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "A rule.")
    return Rule.from_json({"id": "r", "description": words, "logic": logic, **more})


@pytest.mark.parametrize(
    "logic",
    [
        {"===": [{"var": "payload.born"}, "x"]},
        {"!": [{"var": "payload"}]},
        {"!": [{"var": ""}]},
        {"reduce": [[1], {"===": [{"var": "data.payload.born"}, 1]}, True]},
    ],
)
def test_hidden_is_unknown(logic: Any) -> None:
    """Reading a hidden claim, by any path, is neither yes nor no."""
    assert rule(logic).judge({"name": "x"}, frozenset({"born"}), "2026-01-01T00:00:00Z") is None


def test_hidden_but_not_read() -> None:
    """A rule that decides without the hidden claim decides; `needs` can insist."""
    logic = {"if": [{"===": [{"var": "payload.name"}, "x"]}, True, {"var": "payload.born"}]}
    assert rule(logic).judge({"name": "x"}, frozenset({"born"}), "2026-01-01T00:00:00Z") is True
    assert rule(logic, needs=["born"]).judge({"name": "x"}, frozenset({"born"}), "2026-01-01T00:00:00Z") is None


def test_absent_says_what_a_missing_claim_means() -> None:
    """R12: hidden by the holder or left out by the issuer, the claim is unknown or breaks the rule; it never helps."""
    logic, clock = {"===": [{"var": "payload.born"}, "x"]}, "2026-01-01T00:00:00Z"
    unknown, fails = rule(logic, absent={"born": "unknown"}), rule(logic, absent={"born": "fails"})
    for hidden in (frozenset({"born"}), frozenset[str]()):
        assert unknown.judge({}, hidden, clock) is None
        assert fails.judge({}, hidden, clock) is False
    assert fails.judge({"born": "x"}, frozenset(), clock) is True
    assert rule(True, needs=["born"], absent={"born": "fails"}).judge({}, frozenset(), clock) is False
    assert rule({"!": [{"var": "payload"}]}, absent={"born": "fails"}).judge({}, frozenset(), clock) is None


@pytest.mark.parametrize("absent", [{"born": "passes"}, {"born": True}, {"born": None}, {"born": ["fails"]}, ["born"], None])
def test_absent_is_strict(absent: Any) -> None:
    """Nothing lets a missing claim help the holder."""
    with pytest.raises(MalformedError):
        rule(True, absent=absent)


@pytest.mark.parametrize(
    ("logic", "read"),
    [
        (True, set()),
        ({"var": "external.validationClock"}, set()),
        ({"var": "payload.a"}, {"a"}),
        ({"if": [True, True, {"var": "payload.b.0"}]}, {"b"}),
        ({"reduce": [[1], {"===": [{"var": "data.payload.a"}, {"var": "current"}]}, True]}, {"a"}),
        ({"!": [{"var": "payload"}]}, {"a", "b"}),
        ({"in": ["x", [{"var": ""}]]}, {"a", "b"}),
        ({"reduce": [[1], {"!": [{"var": "data"}]}, True]}, {"a", "b"}),
    ],
)
def test_reads(logic: Any, read: set[str]) -> None:
    """What a rule may read is found in every branch; the whole payload is every claim."""
    assert rule(logic).reads(["a", "b"]) == read


@pytest.mark.parametrize("change", [{"id": "Bad Id"}, {"description": {"en": "x"}}, {"logic": {"or": []}}, {"more": 1}])
def test_rule_is_strict(change: dict[str, Any]) -> None:
    """A rule with a wrong id, missing languages, unknown operations or members is refused."""
    words = dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "A rule.")
    with pytest.raises(MalformedError):
        Rule.from_json({"id": "r", "description": words, "logic": True, **change})
    with pytest.raises(MalformedError):
        rules_from_json([{"id": "r", "description": words, "logic": True}] * 2)


EXPRESSIONS = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "2026-01-01"]) | st.builds(
        lambda path: {"var": path}, st.sampled_from(["", "payload.n", "payload.list", "current", "accumulator"])
    ),
    lambda inner: st.lists(inner, max_size=3) | st.builds(
        lambda name, operands: {name: operands},
        st.sampled_from(["if", "!", "and", "===", "in", "+", "<", "after", "plusTime", "reduce"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=12,
)  # fmt: skip


@given(EXPRESSIONS)
def test_total(expression: Any) -> None:
    """Any expression gives the same value twice, or MalformedError twice; nothing else escapes."""

    def once() -> Any:
        try:
            return evaluate(expression, DATA, steps=500)
        except MalformedError:
            return "refused"

    assert once() == once()


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_trichotomy(left: int, right: int) -> None:
    """Exactly one of <, ===, > holds."""
    assert sum(bool(evaluate({name: [left, right]}, {})) for name in ("<", "===", ">")) == 1
