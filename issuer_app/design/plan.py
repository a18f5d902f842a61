"""A kind of certificate as its institution thinks of it: title, fields, validity, how it is found, what its page shows.

A plan may be unfinished; `checking.faults` says what is missing. As JSON it is what `weid pack init --from` reads:

{"name": "course-award", "version": 1, "title": {"en": "…"}, "days": 3650, "bind": "none",
 "fields": [{"name": "person", "label": {"en": "…"}, "type": "text", "class": "public", "required": true,
             "least": 1, "most": 60, "choices": [{"value": "a", "label": {"en": "…"}}], "sample": "…"}],
 "finding": {"way": "document", "person": "person", "number": "", "documents": ["cn-id"], "printed": true},
 "page": {"large": ["person"], "rows": [], "accent": "#1d4f6e", "says": {}}, "suggested": ["title:zh-Hant"]}
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from weid.canon import JSON, jcs, parse_json
from weid.errors import MalformedError
from weid.pack import LANGUAGES

__all__ = ["BINDS", "CLASSES", "MAX_FIELDS", "NAME", "TYPES", "WAYS", "Finding", "Page", "Plan", "PlanField", "field_name",
           "read_plan"]  # fmt: skip

TYPES: Final = ("text", "choice", "date", "digits", "number", "yesno", "months")
CLASSES: Final = ("public", "disclosable")
BINDS: Final = ("none", "key")
WAYS: Final = ("nobody", "document", "number", "private")
MAX_FIELDS: Final = 64
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,47}", re.ASCII)
_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_MAX_TEXT: Final = 400  # characters of any one text
_MAX_CHOICES: Final = 200
_TYPED: Final = 4  # more fields nobody types


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PlanField:
    """One field. `least` and `most` bound a text's length or a number; of digits `most` is how many. `choices` are
    values with their labels; `sample` is what previews and the pack's cases show."""

    name: str
    label: Mapping[str, str] = dataclasses.field(default_factory=_nothing)
    type: str = "text"
    privacy: str = "disclosable"
    required: bool = True
    least: int | None = None
    most: int | None = None
    choices: tuple[tuple[str, Mapping[str, str]], ...] = ()
    sample: str = ""

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {
            "name": self.name, "label": dict(self.label), "type": self.type, "class": self.privacy, "required": self.required,
            "least": self.least, "most": self.most, "sample": self.sample,
            "choices": [{"value": value, "label": dict(label)} for value, label in self.choices],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """How holders find their certificates. `way`: nobody; document number and name; a field and name; private (the
    answer never says whether there is one). `person` and `number` are fields; `printed` lets strangers ask by the number
    printed on the certificate whether it is in force."""

    way: str = "nobody"
    person: str = ""
    number: str = ""
    documents: tuple[str, ...] = ()
    printed: bool = False

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"way": self.way, "person": self.person, "number": self.number, "documents": list(self.documents),
                "printed": self.printed}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """What stands where on the certificate: fields in large letters, the others in order (none: all of them)."""

    large: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    accent: str = ""
    says: Mapping[str, str] = dataclasses.field(default_factory=_nothing)

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"large": list(self.large), "rows": list(self.rows), "accent": self.accent, "says": dict(self.says)}


@dataclass(frozen=True, slots=True)
class Plan:
    """A kind of certificate. `suggested` names texts nobody has read yet: `title:zh-Hant`, `field.NAME:zh-Hans`."""

    name: str
    version: int = 1
    title: Mapping[str, str] = dataclasses.field(default_factory=_nothing)
    fields: tuple[PlanField, ...] = ()
    days: int = 3650
    bind: str = "none"
    finding: Finding = dataclasses.field(default_factory=Finding)
    page: Page = dataclasses.field(default_factory=Page)
    suggested: frozenset[str] = frozenset()

    @property
    def typed(self) -> tuple[str, ...]:
        """The fields of the check by typing: those that always stand on the certificate, at most four."""
        return tuple(field.name for field in self.fields if field.privacy == "public" and field.required)[:_TYPED]

    def field(self, name: str) -> PlanField | None:
        """The field of this name."""
        return next((item for item in self.fields if item.name == name), None)

    def with_field(self, changed: PlanField) -> Plan:
        """With one field changed, or added at the end."""
        if self.field(changed.name) is None:
            return replace(self, fields=(*self.fields, changed))
        return replace(self, fields=tuple(changed if item.name == changed.name else item for item in self.fields))

    def without(self, name: str) -> Plan:
        """Without one field, wherever it was named."""
        page, finding = self.page, self.finding
        return replace(
            self, fields=tuple(item for item in self.fields if item.name != name),
            page=replace(page, large=_less(page.large, name), rows=_less(page.rows, name)),
            finding=replace(
                finding, person="" if finding.person == name else finding.person,
                number="" if finding.number == name else finding.number,
            ),
            suggested=frozenset(place for place in self.suggested if not place.startswith(f"field.{name}:")),
        )  # fmt: skip

    def moved(self, name: str, by: int) -> Plan:
        """With one field moved up (-1) or down (1); at an end nothing changes."""
        names = [item.name for item in self.fields]
        place = names.index(name) if name in names else -1
        there = place + by
        if place < 0 or not 0 <= there < len(names):
            return self
        rows = list(self.fields)
        rows[place], rows[there] = rows[there], rows[place]
        return replace(self, fields=tuple(rows))

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {
            "name": self.name, "version": self.version, "title": dict(self.title), "days": self.days, "bind": self.bind,
            "fields": [item.to_json() for item in self.fields], "finding": self.finding.to_json(), "page": self.page.to_json(),
            "suggested": [*sorted(self.suggested)],
        }  # fmt: skip

    def to_bytes(self) -> bytes:
        """The same as canonical JSON."""
        return jcs(self.to_json())


def field_name(label: str, taken: Sequence[str]) -> str:
    """A name for a field from its English label, like `dateOfAward`; `field2` where no letter is usable."""
    words = re.findall(r"[A-Za-z0-9]+", label)
    made = "".join(word.capitalize() if place else word.lower() for place, word in enumerate(words))[:40]
    if not _FIELD.fullmatch(made) or made in ("id", "type"):
        made = f"field{len(taken) + 1}"
    number, base = 2, made
    while made in taken:
        made, number = f"{base}{number}", number + 1
    return made


def read_plan(data: bytes | Mapping[str, JSON]) -> Plan:
    """A plan from JSON; MalformedError `bad-design` names the member that is wrong. It may still be unfinished."""
    value = parse_json(data) if isinstance(data, bytes) else data
    known = {"name", "version", "title", "fields", "days", "bind", "finding", "page", "suggested"}
    if not isinstance(value, Mapping) or set(value) - known:
        raise _wrong(f"it has {', '.join(sorted(known))}")
    name, rows, marks = value.get("name"), value.get("fields", []), value.get("suggested", [])
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _wrong("name: small letters, digits and hyphens")
    if not isinstance(rows, list) or len(rows) > MAX_FIELDS or not isinstance(marks, list) or len(marks) > 1000:
        raise _wrong(f"fields: a list of at most {MAX_FIELDS}")
    fields = tuple(_field(row) for row in rows)
    if len({item.name for item in fields}) != len(fields):
        raise _wrong("fields: each name once")
    return Plan(
        name, _number(value.get("version", 1), "version", 1, 10_000), _words(value.get("title", {}), "title"), fields,
        _number(value.get("days", 3650), "days", 1, 36_500), _one_of(value.get("bind", "none"), BINDS, "bind"),
        _finding(value.get("finding", {})), _page(value.get("page", {})), frozenset(_text(mark, "suggested") for mark in marks),
    )  # fmt: skip


def _field(value: JSON) -> PlanField:
    known = {"name", "label", "type", "class", "required", "least", "most", "choices", "sample"}
    if not isinstance(value, dict) or set(value) - known or not _FIELD.fullmatch(str(value.get("name"))):
        raise _wrong(f"fields: each has {', '.join(sorted(known))}")
    place, required = f"fields.{value['name']}", value.get("required", True)
    choices = value.get("choices", [])
    if not isinstance(choices, list) or len(choices) > _MAX_CHOICES or not isinstance(required, bool):
        raise _wrong(f"{place}: choices are a list of at most {_MAX_CHOICES}, required true or false")
    return PlanField(
        str(value["name"]), _words(value.get("label", {}), place), _one_of(value.get("type", "text"), TYPES, place),
        _one_of(value.get("class", "disclosable"), CLASSES, place), required, _bound(value.get("least"), place),
        _bound(value.get("most"), place), tuple(_choice(item, place) for item in choices),
        _text(value.get("sample", ""), place),
    )  # fmt: skip


def _choice(value: JSON, place: str) -> tuple[str, Mapping[str, str]]:
    if not isinstance(value, dict) or set(value) - {"value", "label"} or not value.get("value"):
        raise _wrong(f"{place}: a choice has value and label")
    return _text(value["value"], place), _words(value.get("label", {}), place)


def _finding(value: JSON) -> Finding:
    if not isinstance(value, dict) or set(value) - {"way", "person", "number", "documents", "printed"}:
        raise _wrong("finding has way, person, number, documents and printed")
    printed = value.get("printed", False)
    if not isinstance(printed, bool):
        raise _wrong("finding.printed is true or false")
    return Finding(
        _one_of(value.get("way", "nobody"), WAYS, "finding.way"), _text(value.get("person", ""), "finding"),
        _text(value.get("number", ""), "finding"), _texts(value.get("documents", []), "finding"), printed,
    )  # fmt: skip


def _page(value: JSON) -> Page:
    if not isinstance(value, dict) or set(value) - {"large", "rows", "accent", "says"}:
        raise _wrong("page has large, rows, accent and says")
    return Page(
        _texts(value.get("large", []), "page"), _texts(value.get("rows", []), "page"),
        _text(value.get("accent", ""), "page"), _words(value.get("says", {}), "page.says"),
    )  # fmt: skip


def _less(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(item for item in names if item != name)


def _words(value: JSON, place: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or set(value) - set(LANGUAGES):
        raise _wrong(f"{place}: texts by language")
    return MappingProxyType({language: _text(text, place) for language, text in value.items() if text})


def _texts(value: JSON, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_FIELDS:
        raise _wrong(f"{place}: a list of texts")
    return tuple(_text(item, place) for item in value)


def _text(value: JSON, place: str) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise _wrong(f"{place}: a text of at most {_MAX_TEXT} characters")
    return value


def _bound(value: JSON, place: str) -> int | None:
    return None if value is None else _number(value, place, -(10**12), 10**12)


def _number(value: JSON, place: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _wrong(f"{place}: an integer from {least} to {most}")
    return value


def _one_of(value: JSON, known: tuple[str, ...], place: str) -> str:
    if value not in known:
        raise _wrong(f"{place}: one of {', '.join(known)}")
    return str(value)


def _wrong(words: str) -> MalformedError:
    return MalformedError(f"design: {words}", code="bad-design")
