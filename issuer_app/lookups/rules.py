"""The look-up part of a pack's `lookup.json`: by what a certificate is found, what a stranger may learn, how fast one may ask.

"rules": {"document": {
   "title": {…4 languages…}, "schemas": ["award"], "documents": ["cn-id", "passport"], "from": {"name": "holder"},
   "by": [["documentNumber", "name"]], "shows": "certificate"}},
"pace": {"address": "10 per minute", "floor": 150}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from issuer_app.documents import KINDS
from issuer_app.lookups.inputs import CLAIM, FACTORS
from weid.canon import JSON
from weid.errors import MalformedError
from weid.pack import Pack, labels

__all__ = ["SHOWS", "Lookup", "Pace", "Rule", "lookup_of", "read_lookup"]

SHOWS: Final = ("certificate", "existence", "nothing-without-link")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_RATE: Final = re.compile(r"[1-9][0-9]{0,6} per (?:minute|hour|day)(?:; ?[1-9][0-9]{0,6} per (?:minute|hour|day))*", re.ASCII)
_SURE: Final = ("certificateId", "claimCode")  # nobody guesses these; whatever else a rule asks can be guessed or known
_MEMBERS: Final = {"title", "schemas", "documents", "from", "by", "shows", "required"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to look up. `by` are alternatives, each a set of inputs; `source` names the claim that is an input."""

    name: str
    title: Mapping[str, str]
    schemas: tuple[str, ...]
    by: tuple[tuple[str, ...], ...]
    documents: tuple[str, ...]
    source: Mapping[str, str]
    shows: str
    required: bool

    def extra(self, by: tuple[str, ...]) -> tuple[str, ...]:
        """The inputs of an alternative that stand in no claim and are made by nobody here: the clerk types them."""
        return tuple(name for name in by if name not in self.source and name not in _SURE and not name.startswith(CLAIM))

    @staticmethod
    def shared(by: tuple[str, ...]) -> bool:
        """Whether it finds all certificates of the person: a document names a person, a printed code one certificate."""
        return "documentNumber" in by and not set(by) & set(_SURE) and not any(name.startswith(CLAIM) for name in by)

    def to_json(self) -> dict[str, JSON]:
        """The same as in the pack."""
        return {
            "title": dict(self.title), "schemas": list(self.schemas), "by": [list(names) for names in self.by],
            "documents": list(self.documents), "from": dict(self.source), "shows": self.shows, "required": self.required,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pace:
    """How often strangers may ask: by network, by name, by what is looked for, and all together; answers take `floor` ms."""

    address: str = "10 per minute; 60 per day"
    name: str = "20 per hour; 60 per day"
    value: str = "6 per hour; 20 per day"
    all: str = "5000 per day"
    floor: int = 150
    link_days: int = 7

    def to_json(self) -> dict[str, JSON]:
        """The same as in the pack."""
        return {"address": self.address, "name": self.name, "value": self.value, "all": self.all, "floor": self.floor,
                "linkDays": self.link_days}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lookup:
    """Every rule by name, and the pace. A desk without rules answers no look-up at all."""

    rules: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))
    pace: Pace = field(default_factory=Pace)

    def of(self, schema: str) -> tuple[Rule, ...]:
        """The rules a kind of certificate can be found by."""
        return tuple(rule for rule in self.rules.values() if schema in rule.schemas)

    def to_json(self) -> dict[str, JSON]:
        """The same as in the pack."""
        return {"rules": {name: rule.to_json() for name, rule in self.rules.items()}, "pace": self.pace.to_json()}


def read_lookup(section: Mapping[str, JSON]) -> Lookup:
    """The rules and the pace of a `lookup.json`; MalformedError names the member that is wrong."""
    extra = set(section) - {"typed", "codeBits", "rules", "pace"}
    rules = section.get("rules", {})
    if extra or not isinstance(rules, dict):
        raise MalformedError(f"lookup.json: unknown member {min(extra)}" if extra else "lookup.json: rules must be an object")
    return Lookup(MappingProxyType({name: _rule(name, value) for name, value in rules.items()}), _pace(section.get("pace", {})))


def lookup_of(pack: Pack) -> Lookup:
    """The look-up of a pack, whose rules name only schemas and claims that the pack has; MalformedError."""
    known = read_lookup(pack.section("lookup"))
    for rule in known.rules.values():
        for schema in rule.schemas:
            properties = pack.section(f"schemas/{schema}").get("properties")
            claims = set(properties) if isinstance(properties, dict) else set()
            wanted = {name.removeprefix(CLAIM) for by in rule.by for name in by if name.startswith(CLAIM)} | set(
                rule.source.values()
            )
            if not claims or wanted - claims:
                raise MalformedError(
                    f"lookup.json: rules.{rule.name}: schema {schema} has no {', '.join(sorted(wanted - claims))}"
                )
    return known


def _rule(name: str, value: JSON) -> Rule:
    place = f"lookup.json: rules.{name[:64]}"
    if not _NAME.fullmatch(name) or not isinstance(value, dict) or set(value) - _MEMBERS:
        raise MalformedError(f"{place}: a name of small letters, and an object of {', '.join(sorted(_MEMBERS))}")
    documents, source = _texts(value.get("documents", []), f"{place}.documents"), value.get("from", {})
    by = value.get("by")
    if not isinstance(by, list) or not by or len(by) > 4:
        raise MalformedError(f"{place}.by: one to four lists of inputs")
    if not isinstance(source, dict) or not all(key in FACTORS and isinstance(claim, str) for key, claim in source.items()):
        raise MalformedError(f"{place}.from: the claim that an input stands in, by input")
    if set(documents) - set(KINDS):
        raise MalformedError(f"{place}.documents: some of {', '.join(KINDS)}")
    shows, required = value.get("shows"), value.get("required", False)
    if shows not in SHOWS or not isinstance(required, bool):
        raise MalformedError(f"{place}: shows is one of {', '.join(SHOWS)}, required true or false")
    alternatives = tuple(_by(item, place, documents) for item in by)
    schemas = _texts(value.get("schemas"), f"{place}.schemas")
    if not schemas:
        raise MalformedError(f"{place}.schemas: names of schemas")
    given = {key: str(claim) for key, claim in source.items()}
    return Rule(
        name, labels(value.get("title"), f"{place}.title"), schemas, alternatives, documents, MappingProxyType(given),
        str(shows), required,
    )  # fmt: skip


def _by(value: JSON, place: str, documents: tuple[str, ...]) -> tuple[str, ...]:
    """One alternative. A name or a number alone is a question whose answers anybody can collect: refused."""
    names = _texts(value, f"{place}.by")
    for name in names:
        if name not in FACTORS and name != "documentNumber" and not (name.startswith(CLAIM) and len(name) > len(CLAIM)):
            raise MalformedError(f"{place}.by: no input {name[:64]!r}")
    if len(set(names)) != len(names) or ("documentNumber" in names and not documents):
        raise MalformedError(f"{place}.by: each input once, and documents named for documentNumber")
    keyed = "documentNumber" in names or "email" in names or any(name.startswith(CLAIM) for name in names)
    if not set(names) & set(_SURE) and not (keyed and len(names) > 1):
        raise MalformedError(f"{place}.by: {' + '.join(names)} is guessed too easily: add a second input")
    return names


def _pace(value: JSON) -> Pace:
    usual = Pace().to_json()
    if not isinstance(value, dict) or set(value) - set(usual):
        raise MalformedError(f"lookup.json: pace has {', '.join(usual)}")
    known = {**usual, **value}
    rates, floor, days = {key: known[key] for key in ("address", "name", "value", "all")}, known["floor"], known["linkDays"]
    for key, rate in rates.items():
        if not isinstance(rate, str) or not _RATE.fullmatch(rate):
            raise MalformedError(f"lookup.json: pace.{key} is a rate such as 10 per minute; 60 per day")
    if type(floor) is not int or not 20 <= floor <= 2000 or type(days) is not int or not 1 <= days <= 60:
        raise MalformedError("lookup.json: pace.floor is 20 to 2000 milliseconds, linkDays 1 to 60")
    return Pace(**{key: str(rate) for key, rate in rates.items()}, floor=floor, link_days=days)


def _texts(value: JSON, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise MalformedError(f"{place}: a list of texts")
    return tuple(str(item) for item in value)
