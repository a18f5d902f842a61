"""A kind of certificate as its institution thinks of it: title, fields, validity, how it is found, what its page shows.

A plan may be unfinished; `checking.faults` says what is missing. As JSON it is what `weid pack init --from` reads:

{"name": "course-award", "version": 1, "title": {"en": "…"}, "days": 3650, "bind": "none",
 "fields": [{"name": "person", "label": {"en": "…"}, "type": "text", "class": "public", "required": true,
             "least": 1, "most": 60, "choices": [{"value": "a", "label": {"en": "…"}}], "sample": "…"}],
 "finding": {"way": "document", "person": "person", "number": "", "documents": ["cn-id"], "printed": true, "required": false},
 "page": {"large": ["person"], "rows": [], "accent": "#1d4f6e", "says": {}, "published": false},
 "hours": 0, "together": {"way": "any", "signers": [], "threshold": 2, "ordered": false}, "twoPeople": ["issue"],
 "rules": [{"field": "person", "test": "equals", "value": "…", "absent": "unknown"}],
 "asking": {"purpose": "employment", "warn": 7, "reject": 30}, "suggested": ["title:zh-Hant"]}

What is left out has its usual value, so that a plan of an earlier version is read as what it was.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from issuer_app.design import reading
from issuer_app.design.conditions import MAX_RULES, Condition, read_condition
from issuer_app.design.together import Together, read_together
from issuer_app.two_people import ACTS
from weid.canon import JSON, jcs, parse_json

__all__ = ["BINDS", "CLASSES", "MAX_FIELDS", "NAME", "PURPOSE", "TYPES", "WAYS", "Asking", "Finding", "Page", "Plan", "PlanField",
           "field_name", "read_plan"]  # fmt: skip

TYPES: Final = ("text", "choice", "date", "digits", "number", "yesno", "months")
CLASSES: Final = ("public", "disclosable")
BINDS: Final = ("none", "key")
WAYS: Final = ("nobody", "document", "number", "private", "email", "code")
MAX_FIELDS: Final = 64
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,47}", re.ASCII)
_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
PURPOSE: Final = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
MINUTES: Final = 1440
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
    answer never says whether there is one); e-mail address and name, as private; a code handed out with it. `person` and
    `number` are fields; `required`: none is issued without what it is found by; `printed` lets strangers ask by the
    number printed on the certificate whether it is in force."""

    way: str = "nobody"
    person: str = ""
    number: str = ""
    documents: tuple[str, ...] = ()
    printed: bool = False
    required: bool = False

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"way": self.way, "person": self.person, "number": self.number, "documents": list(self.documents),
                "printed": self.printed, "required": self.required}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """What stands where on the certificate: fields in large letters, the others in order (none: all of them); whether
    files name their templates."""

    large: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    accent: str = ""
    says: Mapping[str, str] = dataclasses.field(default_factory=_nothing)
    published: bool = False

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"large": list(self.large), "rows": list(self.rows), "accent": self.accent, "says": dict(self.says),
                "published": self.published}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asking:
    """What a verifier's request says: the purpose that a recognition must cover, and after how many days trust data are old."""

    purpose: str = "employment"
    warn: int = 7
    reject: int = 30

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"purpose": self.purpose, "warn": self.warn, "reject": self.reject}


@dataclass(frozen=True, slots=True)
class Plan:
    """A kind of certificate, valid for `hours` if there are any, else for `days`. `two_people` names acts that a second person
    agrees to; `suggested` texts nobody has read yet: `title:zh-Hant`, `field.NAME:zh-Hans`."""

    name: str
    version: int = 1
    title: Mapping[str, str] = dataclasses.field(default_factory=_nothing)
    fields: tuple[PlanField, ...] = ()
    days: int = 3650
    bind: str = "none"
    finding: Finding = dataclasses.field(default_factory=Finding)
    page: Page = dataclasses.field(default_factory=Page)
    suggested: frozenset[str] = frozenset()
    hours: int = 0
    together: Together = dataclasses.field(default_factory=Together)
    rules: tuple[Condition, ...] = ()
    asking: Asking = dataclasses.field(default_factory=Asking)
    two_people: tuple[str, ...] = ()

    @property
    def lifetime(self) -> int:
        """How many minutes a certificate is valid."""
        return self.hours * 60 if self.hours else self.days * MINUTES

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
            rules=tuple(item for item in self.rules if item.field != name),
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
            "suggested": [*sorted(self.suggested)], "hours": self.hours, "together": self.together.to_json(),
            "rules": [item.to_json() for item in self.rules], "asking": self.asking.to_json(), "twoPeople": list(self.two_people),
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
    value = parse_json(data) if isinstance(data, bytes) else dict(data)
    known = {"name", "version", "title", "fields", "days", "bind", "finding", "page", "suggested", "hours", "together", "rules",
             "asking", "twoPeople"}  # fmt: skip
    held = reading.members(value, known, "it")
    name, rows, marks, rules = held.get("name"), held.get("fields", []), held.get("suggested", []), held.get("rules", [])
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise reading.wrong("name: small letters, digits and hyphens")
    if not isinstance(rows, list) or len(rows) > MAX_FIELDS or not isinstance(marks, list) or len(marks) > 1000:
        raise reading.wrong(f"fields: a list of at most {MAX_FIELDS}")
    if not isinstance(rules, list) or len(rules) > MAX_RULES:
        raise reading.wrong(f"rules: a list of at most {MAX_RULES}")
    fields = tuple(_field(row) for row in rows)
    if len({item.name for item in fields}) != len(fields):
        raise reading.wrong("fields: each name once")
    return Plan(
        name, reading.whole(held.get("version", 1), "version", 1, 10_000), reading.words(held.get("title", {}), "title"), fields,
        reading.whole(held.get("days", 3650), "days", 1, 36_500), reading.one_of(held.get("bind", "none"), BINDS, "bind"),
        _finding(held.get("finding", {})), _page(held.get("page", {})),
        frozenset(reading.text(mark, "suggested") for mark in marks), reading.whole(held.get("hours", 0), "hours", 0, 876_000),
        read_together(held.get("together", {})), tuple(read_condition(item) for item in rules), _asking(held.get("asking", {})),
        _acts(held.get("twoPeople", [])),
    )  # fmt: skip


def _field(value: JSON) -> PlanField:
    known = {"name", "label", "type", "class", "required", "least", "most", "choices", "sample"}
    held = reading.members(value, known, "fields: each")
    if not _FIELD.fullmatch(reading.text(held.get("name"), "fields")):
        raise reading.wrong("fields: a name has letters, digits, _ and -")
    place, choices = f"fields.{held['name']}", held.get("choices", [])
    if not isinstance(choices, list) or len(choices) > _MAX_CHOICES:
        raise reading.wrong(f"{place}: choices are a list of at most {_MAX_CHOICES}")
    return PlanField(
        str(held["name"]), reading.words(held.get("label", {}), place), reading.one_of(held.get("type", "text"), TYPES, place),
        reading.one_of(held.get("class", "disclosable"), CLASSES, place),
        reading.flag(held.get("required", True), f"{place}.required"), _bound(held.get("least"), place),
        _bound(held.get("most"), place), tuple(_choice(item, place) for item in choices),
        reading.text(held.get("sample", ""), place),
    )  # fmt: skip


def _choice(value: JSON, place: str) -> tuple[str, Mapping[str, str]]:
    held = reading.members(value, {"value", "label"}, f"{place}: a choice")
    if not held.get("value"):
        raise reading.wrong(f"{place}: a choice has a value")
    return reading.text(held["value"], place), reading.words(held.get("label", {}), place)


def _finding(value: JSON) -> Finding:
    held = reading.members(value, {"way", "person", "number", "documents", "printed", "required"}, "finding")
    return Finding(
        reading.one_of(held.get("way", "nobody"), WAYS, "finding.way"), reading.text(held.get("person", ""), "finding"),
        reading.text(held.get("number", ""), "finding"), reading.texts(held.get("documents", []), "finding", MAX_FIELDS),
        reading.flag(held.get("printed", False), "finding.printed"),
        reading.flag(held.get("required", False), "finding.required"),
    )  # fmt: skip


def _page(value: JSON) -> Page:
    held = reading.members(value, {"large", "rows", "accent", "says", "published"}, "page")
    return Page(
        reading.texts(held.get("large", []), "page", MAX_FIELDS), reading.texts(held.get("rows", []), "page", MAX_FIELDS),
        reading.text(held.get("accent", ""), "page"), reading.words(held.get("says", {}), "page.says"),
        reading.flag(held.get("published", False), "page.published"),
    )  # fmt: skip


def _asking(value: JSON) -> Asking:
    held = reading.members(value, {"purpose", "warn", "reject"}, "asking")
    return Asking(
        reading.text(held.get("purpose", "employment"), "asking.purpose"),
        reading.whole(held.get("warn", 7), "asking.warn", 1, 3650),
        reading.whole(held.get("reject", 30), "asking.reject", 1, 3650),
    )  # fmt: skip


def _acts(value: JSON) -> tuple[str, ...]:
    named = reading.texts(value, "twoPeople")
    if set(named) - set(ACTS):
        raise reading.wrong(f"twoPeople: some of {', '.join(ACTS)}")
    return tuple(act for act in ACTS if act in named)


def _less(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(item for item in names if item != name)


def _bound(value: JSON, place: str) -> int | None:
    return None if value is None else reading.whole(value, place, -(10**12), 10**12)
