"""One claim of a schema: how its value looks in JSON, how it travels in CBOR, what people see.

The encoding is fixed by the schema, typed and injective: no two values share bytes (R15, R17).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from credentials.text import unsafe_text
from weid.canon import JSON
from weid.cbor import Item
from weid.codec import minutes, parse_rfc3339, rfc3339
from weid.errors import MalformedError, SchemaError, WeidError
from weid.pack import labels

__all__ = ["CLASSES", "Claim", "claim_from_json", "labels_of"]

CLASSES: Final = ("public", "disclosable", "predicate-only", "encrypted", "hash-only")
_KEYWORDS: Final = frozenset(
    {"type", "enum", "format", "minLength", "maxLength", "minimum", "maximum", "pattern", "title", "description"}
    | {"x-class", "x-label", "x-values", "x-type"}
)
_RESERVED: Final = frozenset({"id", "type"})  # they mean something else inside a W3C credentialSubject
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MONTHS: Final = re.compile(r"([0-9]{4})-([0-9]{2})/([0-9]{4})-([0-9]{2})", re.ASCII)
_EPOCH: Final = date(1970, 1, 1)
_FIRST_DAY: Final = (date.min - _EPOCH).days
_LAST_DAY: Final = (date.max - _EPOCH).days
_LAST_MONTH: Final = 9999 * 12 + 11
_SAFE: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A property of a schema. `kind` names the CBOR encoding; `digits` is the fixed length of kind `digits`."""

    name: str
    kind: str  # text | enum | date | minutes | integer | boolean | digits | months
    privacy: str  # one of CLASSES
    required: bool
    label: Mapping[str, str]
    choices: tuple[str, ...]
    choice_labels: Mapping[str, Mapping[str, str]]
    digits: int

    def to_cbor(self, value: JSON) -> Item:
        """The CBOR item of a JSON value; SchemaError names the claim when the value does not fit."""
        try:
            return self._to_cbor(value)
        except (WeidError, ValueError) as error:
            raise SchemaError(f"{self.name}: {error}", code="bad-claim") from None

    def from_cbor(self, item: Item) -> JSON:
        """The JSON value of a CBOR item; MalformedError for an item `to_cbor` would not give."""
        kind = self.kind
        if item is None and not self.required:
            return None
        if kind == "text" and type(item) is str:
            return item
        if kind == "boolean" and type(item) is bool:
            return item
        if type(item) is int:
            return self._from_int(item)
        if kind == "months" and type(item) is tuple and len(item) == 2:
            return _month_text(item)
        raise MalformedError(f"{self.name}: not a {kind}", code="bad-claim")

    def shown(self, value: JSON, language: str) -> str:
        """The words a person reads for a value."""
        if isinstance(value, str) and value in self.choice_labels:
            return self.choice_labels[value][language]
        if isinstance(value, bool):
            return {"zh-Hans": "是否"[not value], "zh-Hant": "是否"[not value], "pt": ("não", "sim")[value]}.get(
                language, ("no", "yes")[value]
            )
        return str(value)

    def _to_cbor(self, value: JSON) -> Item:
        if value is None:
            return None if not self.required else _refuse("is missing")
        if self.kind == "boolean":
            return value if isinstance(value, bool) else _refuse("must be true or false")
        if self.kind == "integer":
            fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _SAFE
            return value if fits and isinstance(value, int) else _refuse("must be an integer")
        if not isinstance(value, str):
            return _refuse("must be text")
        reason = unsafe_text(value)
        if reason is not None:
            _refuse(reason)
        return self._of_text(value)

    def _of_text(self, value: str) -> Item:
        if self.kind == "enum":
            return self.choices.index(value) if value in self.choices else _refuse("is not one of the choices")
        if self.kind == "date":
            return (date.fromisoformat(value) - _EPOCH).days if _DATE.fullmatch(value) else _refuse("is not a date")
        if self.kind == "minutes":
            moment = parse_rfc3339(value)
            return minutes(moment) if moment.second == 0 else _refuse("must be a whole minute")
        if self.kind == "digits":
            fits = len(value) == self.digits and _DIGITS.fullmatch(value)
            return int(value) if fits else _refuse(f"must be {self.digits} digits")
        if self.kind == "months":
            return _month_items(value)
        return value

    def _from_int(self, item: int) -> JSON:
        kind = self.kind
        if kind == "enum" and 0 <= item < len(self.choices):
            return self.choices[item]
        if kind == "date" and _FIRST_DAY <= item <= _LAST_DAY:
            return (_EPOCH + timedelta(days=item)).isoformat()
        if kind == "integer" and abs(item) <= _SAFE:
            return item
        if kind == "digits" and 0 <= item < 10**self.digits:
            return str(item).zfill(self.digits)
        if kind == "minutes":
            return rfc3339(item)
        raise MalformedError(f"{self.name}: {item} is out of range", code="bad-claim")


def claim_from_json(name: str, value: JSON, required: bool) -> Claim:
    """The claim a schema property describes; SchemaError names the property that is not usable."""
    place = f"property {name}"
    if not _NAME.fullmatch(name) or name in _RESERVED or not isinstance(value, dict):
        raise SchemaError(f"{place}: not a usable name or description")
    extra = set(value) - _KEYWORDS
    if extra:
        raise SchemaError(f"{place}: keyword {min(extra)} has no compact meaning")
    privacy = value.get("x-class", "disclosable")
    if privacy not in CLASSES:
        raise SchemaError(f"{place}: unknown x-class {privacy!r}")
    kind, choices, digits = _kind(place, value)
    return Claim(
        name, kind, str(privacy), required, labels_of(value.get("x-label"), f"{place}: x-label"), choices,
        _choice_labels(value.get("x-values", {}), choices, place), digits,
    )  # fmt: skip


def _kind(place: str, value: Mapping[str, JSON]) -> tuple[str, tuple[str, ...], int]:
    type_, special = value.get("type"), value.get("x-type")
    if type_ in ("integer", "boolean"):
        return str(type_), (), 0
    if type_ != "string":
        raise SchemaError(f"{place}: type must be string, integer or boolean")
    if "enum" in value:
        return "enum", _choices(place, value["enum"]), 0
    if special == "digits":
        return "digits", (), _fixed_digits(place, value)
    if special == "month-range":
        return "months", (), 0
    if special is not None:
        raise SchemaError(f"{place}: unknown x-type {special!r}")
    known = {None: "text", "date": "date", "date-time": "minutes"}
    format_ = value.get("format")
    if not (format_ is None or isinstance(format_, str)) or format_ not in known:
        raise SchemaError(f"{place}: unknown format {format_!r}")
    return known[format_], (), 0


def _choices(place: str, value: JSON) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= 4096 or len(set(map(str, value))) != len(value):
        raise SchemaError(f"{place}: enum must list different texts")
    if not all(isinstance(item, str) for item in value):
        raise SchemaError(f"{place}: enum must list different texts")
    return tuple(str(item) for item in value)


def _fixed_digits(place: str, value: Mapping[str, JSON]) -> int:
    least, most = value.get("minLength"), value.get("maxLength")
    if not isinstance(least, int) or least != most or not 1 <= least <= 18:
        raise SchemaError(f"{place}: digits need minLength = maxLength of 1 to 18")
    return least


def labels_of(value: JSON, place: str) -> Mapping[str, str]:
    """A text in the four languages, as plain as what is signed: labels stand beside values in a verdict (R28)."""
    try:
        found = labels(value, place)
    except MalformedError as error:
        raise SchemaError(str(error)) from None
    for language, text in found.items():
        reason = unsafe_text(text)
        if reason is not None:
            raise SchemaError(f"{place}: the text in {language} {reason}")
    return found


def _choice_labels(value: JSON, choices: tuple[str, ...], place: str) -> Mapping[str, Mapping[str, str]]:
    if not isinstance(value, dict) or set(value) - set(choices):
        raise SchemaError(f"{place}: x-values must label the choices of enum")
    return MappingProxyType({name: labels_of(text, f"{place}: {name}") for name, text in value.items()})


def _refuse(reason: str) -> Item:
    raise MalformedError(reason)


def _month_items(value: str) -> Item:
    match = _MONTHS.fullmatch(value)
    if match is None:
        return _refuse("must look like 2016-09/2020-06")
    year, month, last_year, last_month = (int(part) for part in match.groups())
    if not (1 <= month <= 12 and 1 <= last_month <= 12):
        _refuse("has no such month")
    first, last = year * 12 + month - 1, last_year * 12 + last_month - 1
    return (first, last) if first <= last else _refuse("ends before it begins")


def _month_text(item: tuple[Item, ...]) -> str:
    first, last = item
    if type(first) is not int or type(last) is not int or not 0 <= first <= last <= _LAST_MONTH:
        raise MalformedError("not a range of months", code="bad-claim")
    return f"{first // 12:04}-{first % 12 + 1:02}/{last // 12:04}-{last % 12 + 1:02}"
