"""The section `assets` of a pack: state machines, business keys and use registers, as data.

{"machines": {"receipt": {"registry": "home", "document": {"machine": "weid/machine/v1", …}}},
 "keys": {"receipt": {"fields": [{"name": "receiptNumber", "kind": "code"}]}},
 "registers": {"financing": {"owner": "exchange", "purpose": "financing", "claimers": ["bank"], "reusable": true,
                             "key": "receipt"}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from registry.machine import parse_machine
from weid.business_key import BusinessKey
from weid.canon import JSON, jcs
from weid.errors import MalformedError
from weid.pack import Pack

__all__ = ["Assets", "MachineTerms", "RegisterTerms", "read_assets"]


@dataclass(frozen=True, slots=True)
class MachineTerms:
    """A machine and the registry it is published in, by the pack's name."""

    registry: str
    document: bytes


@dataclass(frozen=True, slots=True)
class RegisterTerms:
    """A use register: owner and claimers are parties of the pack, `key` one of its business keys."""

    owner: str
    purpose: str
    claimers: tuple[str, ...]
    reusable: bool
    key: str


@dataclass(frozen=True, slots=True)
class Assets:
    """What a pack says of assets; empty where it says nothing."""

    machines: Mapping[str, MachineTerms]
    keys: Mapping[str, BusinessKey]
    registers: Mapping[str, RegisterTerms]


def read_assets(pack: Pack) -> Assets:
    """The section of a pack; MalformedError names the member that is wrong."""
    section = pack.section("assets")
    if extra := set(section) - {"machines", "keys", "registers"}:
        raise MalformedError(f"assets.json: unknown member {min(extra)}")
    machines = {name: _machine(name, value) for name, value in _table(section, "machines").items()}
    keys = {name: BusinessKey.from_json(name, value) for name, value in _table(section, "keys").items()}
    registers = {name: _register(name, value, keys) for name, value in _table(section, "registers").items()}
    return Assets(MappingProxyType(machines), MappingProxyType(keys), MappingProxyType(registers))


def _machine(name: str, value: JSON) -> MachineTerms:
    place = f"assets.json: machines: {name}"
    if not isinstance(value, dict) or set(value) != {"registry", "document"}:
        raise MalformedError(f"{place}: needs registry and document")
    document = jcs(value["document"])
    try:
        parse_machine(document)
    except MalformedError as error:
        raise MalformedError(f"{place}: {error}", code=error.code) from error
    return MachineTerms(_text(value["registry"], f"{place}: registry"), document)


def _register(name: str, value: JSON, keys: Mapping[str, BusinessKey]) -> RegisterTerms:
    place = f"assets.json: registers: {name}"
    if not isinstance(value, dict) or set(value) != {"owner", "purpose", "claimers", "reusable", "key"}:
        raise MalformedError(f"{place}: needs owner, purpose, claimers, reusable and key")
    claimers, reusable, key = value["claimers"], value["reusable"], _text(value["key"], f"{place}: key")
    if not isinstance(claimers, list) or not isinstance(reusable, bool):
        raise MalformedError(f"{place}: claimers is a list, reusable true or false")
    if key not in keys:
        raise MalformedError(f"{place}: the pack has no business key {key}")
    listed = tuple(_text(item, f"{place}: claimers") for item in claimers)
    return RegisterTerms(
        _text(value["owner"], f"{place}: owner"), _text(value["purpose"], f"{place}: purpose"), listed, reusable, key
    )  # fmt: skip


def _table(section: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    value = section.get(name, {})
    if not isinstance(value, dict):
        raise MalformedError(f"assets.json: {name} must be an object")
    return value


def _text(value: JSON, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{place} must be text")
    return value
