"""Business keys: one spelling of what identifies a thing, and no answer where there is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weid.business_key import KINDS, BusinessKey, canonical_field
from weid.errors import MalformedError
from weid.hashes import SHA256


@pytest.mark.parametrize(
    ("kind", "spellings", "one"),
    [
        (
            "text",
            ["Harbour  Store 1", "HARBOUR STORE 1", "ＨＡＲＢＯＵＲ\u3000ｓｔｏｒｅ　１", " harbour\tstore\n1 "],
            "harbour store 1",
        ),
        ("text", ["Straße", "STRASSE"], "strasse"),
        ("text", ["ﬁle", "FILE", "fi\u200bl\u00ade", "\ufefffile"], "file"),
        ("text", ["１号", "1号", "١号", "१号"], "1号"),
        ("text", ["é", "e\u0301", "É"], "é"),
        ("code", ["WR-2026/0017", "wr 2026 0017", "ＷＲ２０２６．００１７", "WR—2026–0017", "(WR)2026_0017"], "wr20260017"),
        ("code", [17, "17", "１７"], "17"),
        ("code", ["冀A·12345", "冀a12345"], "冀a12345"),
        ("number", [40, "40", "40.0", "040", "４０．００"], "40"),
        ("number", ["0.50", "0.5", "00.5"], "0.5"),
        ("number", [0, "0", "0.0", "000"], "0"),
        ("date", ["2026-03-01", "2026/3/1", "2026.03.1", "2026年3月1日", "２０２６年０３月０１日", "2026 - 3 - 1"], "2026-03-01"),
    ],
)
def test_spellings_of_one_value(kind: str, spellings: list[Any], one: str) -> None:
    assert {canonical_field(kind, value) for value in spellings} == {one}


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [("text", "store 1", "store1"), ("code", "A1", "A11"), ("text", "仓", "倉"), ("number", "1", "10"), ("code", "0017", "17"),
     ("text", "store 1", "store l")],
)  # fmt: skip
def test_what_stays_different(kind: str, left: str, right: str) -> None:
    assert canonical_field(kind, left) != canonical_field(kind, right)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", ""), ("text", "  \u200b"), ("code", "--/--"), ("code", None), ("code", True), ("code", 1.5), ("code", ["a"]),
     ("code", {"a": 1}), ("number", "1,000"), ("number", "1e3"), ("number", "-1"), ("number", -1), ("number", 10**50),
     ("number", ""), ("date", "2026-02-30"), ("date", "1.3.2026"), ("date", "2026-3/1"), ("date", "2026年3-1"), ("date", 20260301),
     ("date", "2026-03-01日"), ("text", "x" * 501), ("text", "a\ue000"), ("text", "a\ud800"), ("text", "a\u0378")],
)  # fmt: skip
def test_no_key_of_what_is_missing_or_unreadable(kind: str, value: Any) -> None:
    with pytest.raises(MalformedError) as raised:
        canonical_field(kind, value)
    assert raised.value.code == "bad-business-key"


@given(st.sampled_from(KINDS), st.text(max_size=60))
def test_the_one_spelling_is_its_own(kind: str, text: str) -> None:
    """What is canonical stays as it is, and upper case, full width and blanks around lead to it."""
    try:
        one = canonical_field(kind, text)
    except MalformedError:
        return
    assert canonical_field(kind, one) == one
    assert canonical_field(kind, f" {text} ") == one
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in one)
    assert canonical_field(kind, wide) == one


def key(**changed: Any) -> BusinessKey:
    value = {"fields": [{"name": "a", "kind": "text"}, {"name": "b", "kind": "code"}], **changed}
    return BusinessKey.from_json("thing", value)


def test_only_declared_fields_count_and_each_in_its_place() -> None:
    made = key().digest({"a": "x", "b": "1"}, hash=SHA256)
    assert key().digest({"b": "1", "a": "X ", "c": "anything"}, hash=SHA256) == made
    assert key().digest({"a": "1", "b": "x"}, hash=SHA256) != made
    assert BusinessKey("other", key().fields).digest({"a": "x", "b": "1"}, hash=SHA256) != made
    with pytest.raises(MalformedError):
        key().digest({"a": "x"}, hash=SHA256)


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"fields": []}, {"fields": {}}, {"fields": ["a"]}, {"fields": [{"name": "a"}]},
     {"fields": [{"name": "a", "kind": "else"}]}, {"fields": [{"name": "", "kind": "text"}]},
     {"fields": [{"name": 1, "kind": "text"}]}, {"fields": [{"name": "a", "kind": "text", "more": 1}]},
     {"fields": [{"name": "a", "kind": "text"}, {"name": "a", "kind": "code"}]},
     {"fields": [{"name": f"a{n}", "kind": "text"} for n in range(17)]}, {"fields": [{"name": "a", "kind": "text"}], "more": 1}],
)  # fmt: skip
def test_a_declaration_is_read_strictly(value: Any) -> None:
    with pytest.raises(MalformedError):
        BusinessKey.from_json("thing", value)
