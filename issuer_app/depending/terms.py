"""What a pack says one kind of certificate depends on: `depends` in issue.json, in the words of a request of present.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from credentials.policy import Policy
from credentials.requests import policy_for, read_request
from credentials.rules import Rule
from weid.canon import JSON
from weid.codec import unhex
from weid.errors import MalformedError
from weid.pack import Pack

__all__ = ["Dependence", "depends_of", "read_depends", "told"]

UNKNOWN: Final = ("refuse", "accept")
_SAID: Final = frozenset({"request", "same", "unknown", "outlives"})
_KEPT: Final = frozenset({"schemas", "purpose", "trustAge", "statusAge", "rules"}) | _SAID


@dataclass(frozen=True, slots=True)
class Dependence:
    """What a certificate must show beside it when it is issued.

    `policy` is what that one must stand up to; `same` are claims of ours that must be claims of its own (ours → its); with
    `accept` what cannot be known is no obstacle; with `outlives` ours may be valid longer.
    """

    policy: Policy
    same: Mapping[str, str]
    accept: bool
    outlives: bool
    source: Mapping[str, JSON] = field(repr=False, compare=False)


def depends_of(pack: Pack) -> dict[str, JSON]:
    """The members of `depends` with all that their requests say, as a desk keeps them; MalformedError names what is wrong."""
    table = pack.section("issue").get("depends", {})
    if not isinstance(table, dict):
        raise MalformedError("issue.json: depends is an object by schema name")
    return {name: _of(pack, name, value) for name, value in table.items()}


def _of(pack: Pack, name: str, value: JSON) -> dict[str, JSON]:
    place = f"issue.json: depends: {name}"
    if not isinstance(value, dict) or set(value) - _SAID or "request" not in value or "same" not in value:
        raise MalformedError(f"{place}: has request and same, and may have unknown and outlives")
    wanted = str(value["request"])
    request, policy = read_request(pack, wanted), policy_for(pack, wanted)
    if request.mode != "bearer":
        # A challenge is answered by a wallet to a verifier; here the other certificate is brought as a file or code.
        raise MalformedError(f"{place}: {wanted} has the mode {request.mode}, and must have bearer")
    same, table = value["same"], pack.section("rules").get("rules", {})
    _known(pack, (name,), tuple(same) if isinstance(same, dict) else (), place)
    _known(pack, request.schemas, tuple(map(str, same.values())) if isinstance(same, dict) else (), place)
    made: dict[str, JSON] = {
        "request": wanted, "schemas": [digest.hex() for digest in sorted(policy.schemas or ())], "purpose": policy.purpose,
        "trustAge": {"warn": policy.trust_warn, "reject": policy.trust_reject},
        "statusAge": {"warn": policy.status_warn, "reject": policy.status_reject},
        "rules": [{**table[rule.id], "id": rule.id} for rule in request.rules if isinstance(table, dict)],  # type: ignore[dict-item]
        "same": same, "unknown": value.get("unknown", UNKNOWN[0]), "outlives": value.get("outlives", False),
    }  # fmt: skip
    _read(name, made)
    return made


def _known(pack: Pack, schemas: tuple[str, ...], claims: tuple[str, ...], place: str) -> None:
    for schema in schemas:
        properties = pack.section(f"schemas/{schema}").get("properties")
        unknown = [claim for claim in claims if not isinstance(properties, dict) or claim not in properties]
        if unknown:
            raise MalformedError(f"{place}: same: {schema} has no claim {unknown[0]}")


def read_depends(value: JSON) -> Mapping[str, Dependence]:
    """By schema name, as a desk keeps them; MalformedError."""
    if not isinstance(value, dict):
        raise MalformedError("terms: depends is an object by schema name")
    return MappingProxyType({name: _read(name, item) for name, item in value.items()})


def told(depends: Mapping[str, Dependence]) -> dict[str, JSON]:
    """The same, to be kept."""
    return {name: dict(item.source) for name, item in depends.items()}


def _read(name: str, value: JSON) -> Dependence:
    place = f"depends: {name}"
    if not isinstance(value, dict) or set(value) != _KEPT:
        raise MalformedError(f"{place}: needs exactly {', '.join(sorted(_KEPT))}")
    schemas, same, rules = value["schemas"], value["same"], value["rules"]
    if not isinstance(schemas, list) or not schemas or not isinstance(rules, list):
        raise MalformedError(f"{place}: schemas and rules are lists, and there is a schema")
    if not isinstance(same, dict) or not same or not all(isinstance(theirs, str) for theirs in same.values()):
        raise MalformedError(f"{place}: same says by which claims it is seen whose certificate that is")
    if value["unknown"] not in UNKNOWN or not isinstance(value["outlives"], bool):
        raise MalformedError(f"{place}: unknown is {' or '.join(UNKNOWN)}, outlives true or false")
    trust, status = _ages(value["trustAge"], place), _ages(value["statusAge"], place)
    policy = Policy(
        schemas=frozenset(unhex(str(digest)) for digest in schemas), purpose=str(value["purpose"]), trust_warn=trust[0],
        trust_reject=trust[1], status_warn=status[0], status_reject=status[1],
        rules=tuple(Rule.from_json(rule) for rule in rules),
    )  # fmt: skip
    claims = MappingProxyType({ours: str(theirs) for ours, theirs in same.items()})
    return Dependence(policy, claims, value["unknown"] == "accept", value["outlives"], MappingProxyType(dict(value)))


def _ages(value: JSON, place: str) -> tuple[int, int]:
    warn, reject = (value.get("warn"), value.get("reject")) if isinstance(value, dict) else (None, None)
    if type(warn) is not int or type(reject) is not int:
        raise MalformedError(f"{place}: ages need warn and reject in minutes")
    return warn, reject
