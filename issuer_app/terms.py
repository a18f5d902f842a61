"""How an institution issues, as its pack says: periods, typed checks, how often status is renewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from credentials.status import MIN_BITS
from issuer_app.depending.terms import Dependence, depends_of, read_depends, told
from issuer_app.lookups.rules import Lookup, lookup_of, read_lookup
from issuer_app.two_people import ACTS
from weid.canon import JSON, jcs, parse_json
from weid.errors import MalformedError
from weid.pack import Pack

__all__ = ["Terms"]

WEEK = 10_080


@dataclass(frozen=True, slots=True)
class Terms:
    """`valid`: minutes by schema name (else the schema's lifetime); `typed`: the fields of the typed check by
    schema name; `next_update`: minutes until the status must be published again; `list_size`: slots in a list;
    `lookup`: by what certificates are found, and by whom. `two_people`: the acts that a second person has to agree to;
    `depends`: the kinds that stand on another certificate."""

    valid: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    typed: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    next_update: int = WEEK
    list_size: int = MIN_BITS
    lookup: Lookup = field(default_factory=Lookup)
    two_people: frozenset[str] = frozenset()
    depends: Mapping[str, Dependence] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of_pack(cls, pack: Pack) -> Terms:
        """From issue.json, lookup.json and status.json; MalformedError names what is wrong."""
        issue, status = pack.section("issue"), pack.section("status")
        typed = pack.section("lookup").get("typed", {}) if issue.get("typedCode") is True else {}
        return cls._read(
            {"valid": issue.get("valid", {}), "typed": typed, "nextUpdate": status.get("nextUpdate", WEEK),
             "listSize": status.get("listSize", MIN_BITS), "lookup": lookup_of(pack).to_json(),
             "twoPeople": issue.get("twoPeople", []), "depends": depends_of(pack)}
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> Terms:
        """The terms as kept in a desk's folder."""
        value = parse_json(data)
        if not isinstance(value, dict):
            raise MalformedError("terms are a JSON object")
        return cls._read(value)

    def to_bytes(self) -> bytes:
        """The same as JSON."""
        acts = list[JSON](sorted(self.two_people))
        return jcs({
            "valid": dict(self.valid), "typed": {name: list(fields) for name, fields in self.typed.items()},
            "nextUpdate": self.next_update, "listSize": self.list_size, "lookup": self.lookup.to_json(), "twoPeople": acts,
            "depends": told(self.depends),
        })  # fmt: skip

    @classmethod
    def _read(cls, value: Mapping[str, JSON]) -> Terms:
        valid, typed = value.get("valid"), value.get("typed")
        renew, size = value.get("nextUpdate"), value.get("listSize")
        if not isinstance(valid, dict) or any(type(count) is not int or count < 1 for count in valid.values()):
            raise MalformedError("issue.json: valid gives minutes by schema name")
        if not isinstance(typed, dict) or any(not isinstance(fields, list) for fields in typed.values()):
            raise MalformedError("lookup.json: typed gives fields by schema name")
        if type(renew) is not int or renew < 1 or type(size) is not int or size < MIN_BITS or size % 8:
            raise MalformedError(f"status.json: nextUpdate in minutes, listSize at least {MIN_BITS}")
        acts = value.get("twoPeople", [])
        if not isinstance(acts, list) or len(set(map(str, acts))) != len(acts) or not all(act in ACTS for act in acts):
            raise MalformedError(f"issue.json: twoPeople names some of {', '.join(ACTS)}, each once")
        fields = {name: tuple(map(str, names)) for name, names in typed.items() if isinstance(names, list)}
        periods = {name: count for name, count in valid.items() if isinstance(count, int)}
        lookup = value.get("lookup", {})
        if not isinstance(lookup, dict):
            raise MalformedError("terms: lookup is an object of rules and pace")
        return cls(
            MappingProxyType(periods),
            MappingProxyType(fields),
            renew,
            size,
            read_lookup(lookup),
            frozenset(map(str, acts)),
            read_depends(value.get("depends", {})),
        )
