"""How a registry of a pack is founded: the parties of `trust.json` with a seat, and under `decisions` how they decide.

{"registries": {"joint": {"origin": …, "chain": 7301, "profile": "intl", "names": {…},
                          "decisions": {"recognition": {"agree": 2, "delay": 2880}}}},
 "parties": {"north": {"registry": "joint", "committee": 1, "names": {…}}, …}}

`agree` becomes the floor of the genesis, which no later rule undercuts (R24); the rest are rules that the committee sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from registry.genesis import FLOORS, PROFILES
from weid.canon import JSON
from weid.errors import MalformedError
from weid.pack import Pack

__all__ = ["RULES", "Founding", "SeatTerms", "floors", "read_founding"]

RULES = ("participates", "win", "delay", "period")
"""What `decisions` may say beside `agree`, in the words of a rule record."""
_MOST = {"agree": 1 << 31, "participates": 100, "win": 100, "delay": 527_040, "period": 527_040}


@dataclass(frozen=True, slots=True)
class SeatTerms:
    """A party with a seat: its name in the pack, the name it is shown under, its weight."""

    party: str
    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class Founding:
    """One registry as its pack says. `rules`: category → what is to be other than at first, in the order in which it is set."""

    origin: str
    chain: int
    profile: str
    seats: tuple[SeatTerms, ...]
    floors: Mapping[str, int]
    rules: Mapping[str, Mapping[str, int]]


def floors(total: int) -> dict[str, int]:
    """The least weight in favour where nothing else is said: more than half of all."""
    return {name: min(total, total // 2 + 1) for name in FLOORS}


def read_founding(pack: Pack, registry: str) -> Founding:
    """The founding of a pack's registry; MalformedError names the member that is wrong."""
    trust = pack.section("trust")
    terms = _table(trust.get("registries"), "registries").get(registry)
    place = f"trust.json: registries: {registry}"
    if not isinstance(terms, dict):
        raise MalformedError(f"{place}: there is no such registry in the pack")
    origin, chain, profile = terms.get("origin"), terms.get("chain"), terms.get("profile")
    if not isinstance(origin, str) or type(chain) is not int or profile not in PROFILES:
        raise MalformedError(f"{place}: needs origin, chain and profile")
    parties = _table(trust.get("parties"), "parties")
    seats = tuple(_seat(name, item) for name, item in parties.items() if _sits(item, registry))
    if not seats:
        raise MalformedError(f"{place}: no party has a seat (`committee`)")
    total = sum(seat.weight for seat in seats)
    decisions = {name: _decision(f"{place}: decisions: {name}", name, item, total)
                 for name, item in _table(terms.get("decisions", {}), f"{place}: decisions").items()}  # fmt: skip
    least = floors(total) | {name: item["agree"] for name, item in decisions.items() if "agree" in item}
    order = sorted(decisions, key=lambda name: (name == "rules", name))  # what holds for rules themselves is set last
    rules = {name: {key: value for key, value in decisions[name].items() if key != "agree"} for name in order}
    rules = {name: item for name, item in rules.items() if item}
    return Founding(origin, chain, str(profile), seats, MappingProxyType(least), MappingProxyType(rules))


def _sits(party: JSON, registry: str) -> bool:
    return isinstance(party, dict) and party.get("registry") == registry and "committee" in party


def _seat(name: str, party: Any) -> SeatTerms:
    weight, names = party["committee"], party.get("names")
    if type(weight) is not int or not 0 < weight < 1 << 31 or not isinstance(names, dict):
        raise MalformedError(f"trust.json: parties: {name}: committee is a weight above 0, names are needed")
    return SeatTerms(name, str(names.get("en", name)), weight)


def _decision(place: str, category: str, value: JSON, total: int) -> Mapping[str, int]:
    if category not in FLOORS or not isinstance(value, dict) or not value:
        raise MalformedError(f"{place}: one of {', '.join(FLOORS)}, with what is to be other than at first")
    found: dict[str, int] = {}
    for name, number in value.items():
        if name not in _MOST or type(number) is not int or not 0 <= number <= _MOST[name]:
            raise MalformedError(f"{place}: {name}: one of {', '.join(_MOST)}, a whole number within its limit")
        found[name] = number
    if not 0 < found.get("agree", 1) <= total or found.get("period", 1) == 0:
        raise MalformedError(f"{place}: agree is 1 to {total}, the weight of all seats; a period is at least a minute")
    return MappingProxyType(found)


def _table(value: JSON, place: str) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise MalformedError(f"trust.json: {place} must be an object")
    return value
