"""Schemas and claims: strict reading, injective typed encodings, refusals that name the field (R15, R17, R28)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.claims import Claim
from credentials.schema import Schema, read_schema, schema_digest
from credentials.text import unsafe_text
from tests.credentials.world import DATA, labels, pass_schema
from weid.cbor import encode
from weid.errors import MalformedError, SchemaError
from weid.hashes import SHA256

DEGREE = (DATA / "certificate-12.schema.json").read_bytes()
TWELVE = json.loads((DATA / "certificate-12.json").read_text("utf-8"))


def read(value: Any) -> Schema:
    data = json.dumps(value, ensure_ascii=False).encode()
    return read_schema(data, schema_digest(data, SHA256))


def changed(path: str, value: Any) -> Any:
    document = json.loads(DEGREE)
    place = document
    *parents, last = path.split("/")
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def claim(kind: str, **more: Any) -> Claim:
    values = {"choices": (), "choice_labels": {}, "digits": 0, **more}
    return Claim("c", kind, "disclosable", True, labels("c"), **values)


def test_round_trip() -> None:
    """Twelve claims go to CBOR and back."""
    schema = read(json.loads(DEGREE))
    items = schema.items(TWELVE)
    assert schema.values((1 << 12) - 1, items) == TWELVE
    assert schema.values(0b101, (items[0], items[2])) == {"name": "张伟", "birthDate": "1998-04-17"}
    assert schema.mandatory == 0b10000001
    assert schema.mask(frozenset({"name", "nameLatin"})) == 3


@pytest.mark.parametrize(
    "path, value",
    [
        ("type", "array"), ("$schema", "http://json-schema.org/draft-07/schema#"), ("additionalProperties", True),
        ("allOf", []), ("title", "degree credential"), ("x-weid", {}), ("x-weid/width", 16), ("x-weid/bind", "photo"),
        ("x-weid/lifetime", 0), ("x-weid/status", False), ("x-weid/version", "1"), ("x-weid/order", ["name"]),
        ("x-weid/title", {"en": "x"}), ("x-weid/name", "Degree"), ("required", ["other"]), ("properties/name", {}),
        ("properties/name/x-class", "secret"), ("properties/name/x-label", {"en": "x"}), ("properties/name/$ref", "#"),
        ("properties/name/type", "number"), ("properties/name/format", "email"), ("properties/name/x-type", "odd"),
        ("properties/certificateNumber/maxLength", 19), ("properties/name/enum", ["a", "a"]), ("$id", 1),
        ("properties/name/x-values", {"A": {}}), ("properties", {}),
    ],
)  # fmt: skip
def test_unusable(path: str, value: Any) -> None:
    """A schema without a compact meaning is refused with a reason."""
    with pytest.raises(SchemaError):
        read(changed(path, value))


def test_too_many_claims() -> None:
    """At most 64 claims; the names id and type belong to W3C."""
    document = json.loads(pass_schema())
    one = document["properties"]["name"]
    for names in ([f"c{index}" for index in range(65)], ["id"], ["type"], ["1st"]):
        document["properties"] = dict.fromkeys(names, one)
        document["x-weid"]["order"], document["required"] = names, []
        with pytest.raises(SchemaError):
            read(document)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"name": None}, "name"), ({"name": ""}, "name"), ({"birthDate": "1998-02-30"}, "birthDate"),
        ({"birthDate": "19980417"}, "birthDate"), ({"nationality": "cn"}, "nationality"),
        ({"certificateNumber": "1"}, "certificateNumber"), ({"certificateNumber": "１" * 18}, "certificateNumber"),
        ({"studyPeriod": "2020-06/2016-09"}, "studyPeriod"), ({"studyPeriod": "2016-13/2020-06"}, "studyPeriod"),
        ({"other": "x"}, "other"), ({"degree": 7}, "degree"), ({"grade": "a\u202eb"}, "grade"),
        ({"grade": "a\u200bb"}, "grade"), ({"name": "e\u0301"}, "name"), ({"grade": "a\nb"}, "grade"),
    ],
)  # fmt: skip
def test_refused_claims_name_the_field(change: dict[str, Any], word: str) -> None:
    """What cannot be issued is refused with the field's name."""
    with pytest.raises(SchemaError, match=word):
        read(json.loads(DEGREE)).items({**TWELVE, **change})


def test_optional_claim() -> None:
    """An optional claim may be left out; it travels as null and comes back absent."""
    schema = read(json.loads(DEGREE))
    claims = {name: value for name, value in TWELVE.items() if name != "grade"}
    items = schema.items(claims)
    assert items[10] is None
    assert schema.values((1 << 12) - 1, items) == claims


PAIRS = [
    (claim("date"), st.dates().map(date.isoformat)),
    (claim("integer"), st.integers(-(2**53) + 1, 2**53 - 1)),
    (claim("boolean"), st.booleans()),
    (claim("digits", digits=6), st.integers(0, 999999).map(lambda number: f"{number:06}")),
    (claim("enum", choices=("A", "B")), st.sampled_from(["A", "B"])),
    (claim("minutes"), st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:00Z")).filter(
        lambda text: len(text) == 20)),
    (claim("text"), st.text(max_size=20).filter(lambda text: unsafe_text(text) is None)),
]  # fmt: skip


@pytest.mark.parametrize("kind, values", PAIRS, ids=[pair[0].kind for pair in PAIRS])
def test_encoding_is_injective(kind: Claim, values: st.SearchStrategy[Any]) -> None:
    """A value comes back as it was, so no two values share bytes."""

    @given(values)
    def law(value: Any) -> None:
        assert kind.from_cbor(kind.to_cbor(value)) == value

    law()


SMALL = st.text(max_size=4) | st.binary(max_size=4)
ITEMS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | SMALL | st.tuples(
    st.integers(-5, 200_000), st.integers(-5, 200_000)
)  # fmt: skip


@given(st.sampled_from([*(pair[0] for pair in PAIRS), claim("months")]), ITEMS)
def test_decoder_takes_only_what_the_encoder_gives(kind: Claim, item: Any) -> None:
    """Any item is refused, or is exactly the encoding of the value it gives."""
    try:
        value = kind.from_cbor(item)
    except MalformedError:
        return
    if unsafe_text(str(value)) is None:
        assert encode(kind.to_cbor(value)) == encode(item)


@pytest.mark.parametrize("text", ["a\u0000", "a\u00ad", "\u202eabc", "\u2066x", "a\u200d", "\ufeff", "e\u0301", "\ue000"])
def test_unsafe(text: str) -> None:
    """Control, bidi, zero-width and private characters and texts out of NFC are named (R28)."""
    assert unsafe_text(text) is not None


@pytest.mark.parametrize("text", ["张伟", "João Ñandú", "O'Neil-Smith", "𠮷野家", "葛\U000e0100"[:1], "3.72/4.00", ""])
def test_safe(text: str) -> None:
    """Names people have are fine."""
    assert unsafe_text(text) is None


def test_the_fast_validator_agrees_with_the_plain_one() -> None:
    """The validator in use and the reference implementation in Python say the same."""
    from jsonschema import Draft202012Validator

    fast = read(json.loads(DEGREE))
    subset = {k: v for k, v in json.loads(DEGREE).items() if k not in ("required", "x-weid", "$id")}
    slow = Draft202012Validator(subset, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for claims in (
        TWELVE,
        {"name": "x"},
        {"nationality": "cn"},
        {"birthDate": "x"},
        {"name": ""},
        {"x": 1},
        {"name": 1},
    ):
        assert fast._checker.is_valid(claims) == slow.is_valid(claims)


@pytest.mark.parametrize("pattern", ["^(?=(a+)+$)b", "(?<=a)b", r"(a)\1"])
def test_patterns_run_in_linear_time_or_not_at_all(pattern: str) -> None:
    """What could backtrack (look-around, back references) makes the schema unusable instead of the checker slow."""
    with pytest.raises(SchemaError):
        read(changed("properties/name/pattern", pattern))
