"""A claim schema (WeIdentity's CPT): JSON Schema 2020-12 with annotations, read once into a strict value.

Only schemas with a compact meaning are usable: one flat object of at most 64 properties in a fixed order, every
keyword known. So each claim can be checked alone, and a holder may show any subset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Protocol

from credentials.claims import Claim, claim_from_json, labels_of
from credentials.disclosure import MAX_CLAIMS
from credentials.joint import Joint, joint_from_json
from weid.canon import JSON, jcs, parse_json
from weid.cbor import Item
from weid.errors import MalformedError, SchemaError
from weid.hashes import SHA256, SM3, Hash

__all__ = ["BINDS", "SHORT_LIFETIME", "Schema", "read_schema", "schema_digest"]

BINDS: Final[Mapping[str, int]] = MappingProxyType({"none": 0, "key": 1, "chain": 4, "document": 5})
SHORT_LIFETIME: Final = 1440  # minutes: the longest lifetime that may go without a status list (R9)
_TOP: Final = frozenset(
    ["$schema", "$id", "title", "description", "type", "additionalProperties", "properties", "required", "x-weid"]
)
_WEID: Final = frozenset(["name", "version", "order", "title", "lifetime", "bind", "status", "width"])
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Misfit(Protocol):
    @property
    def instance_path(self) -> Sequence[str | int]: ...
    @property
    def schema_path(self) -> Sequence[str | int]: ...


class _Validator(Protocol):
    def is_valid(self, instance: object) -> bool: ...
    def iter_errors(self, instance: object) -> Iterator[_Misfit]: ...


@dataclass(frozen=True, slots=True)
class Schema:
    """A usable schema. `mandatory` has bit i set where claim i is of class `public` (R12); minutes for lifetime."""

    digest: bytes
    id: str
    name: str
    version: int
    type: str
    title: Mapping[str, str]
    claims: tuple[Claim, ...]
    mandatory: int
    lifetime: int
    bind: str
    status: bool
    width: int
    document: bytes
    joint: Joint | None
    _checker: _Validator = field(repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Claim names in their fixed order."""
        return tuple(claim.name for claim in self.claims)

    def items(self, claims: Mapping[str, JSON]) -> tuple[Item, ...]:
        """The CBOR items of a whole set of claims, in order; SchemaError names the claim that does not fit."""
        extra = set(claims) - set(self.names)
        if extra:
            raise SchemaError(f"{min(extra)}: not a claim of schema {self.name}", code="bad-claim")
        items = tuple(claim.to_cbor(claims.get(claim.name)) for claim in self.claims)
        self.check({name: value for name, value in claims.items() if value is not None})
        return items

    def values(self, mask: int, items: tuple[Item, ...]) -> dict[str, JSON]:
        """The JSON values of the items shown under `mask`; an optional claim left out is absent."""
        shown: dict[str, JSON] = {}
        place = 0
        for index, claim in enumerate(self.claims):
            if mask >> index & 1:
                value = claim.from_cbor(items[place])
                place += 1
                if value is not None:
                    shown[claim.name] = value
        return shown

    def check(self, claims: Mapping[str, JSON]) -> None:
        """JSON Schema validation of the claims shown; SchemaError names the first one that does not fit."""
        if not self._checker.is_valid(claims):
            raise SchemaError(_reason(self._checker, claims), code="schema-mismatch")

    def mask(self, names: frozenset[str]) -> int:
        """The mask that shows these claims; SchemaError for a name the schema lacks."""
        unknown = names - set(self.names)
        if unknown:
            raise SchemaError(f"{min(unknown)}: not a claim of schema {self.name}", code="bad-claim")
        return sum(1 << index for index, claim in enumerate(self.claims) if claim.name in names)


def schema_digest(document: bytes, hash: Hash) -> bytes:
    """The name of a schema: the registry's hash over the canonical bytes of its JSON."""
    return hash(jcs(parse_json(document)))


@lru_cache(maxsize=512)
def read_schema(document: bytes, digest: bytes) -> Schema:
    """The schema in JSON bytes, named by its digest; SchemaError says why a schema is not usable."""
    try:
        value = parse_json(document)
    except MalformedError as error:
        raise SchemaError(f"not a schema: {error}") from None
    # SM3 first: a gm registry computes no other hash (R19)
    if digest != SM3(jcs(value)) and digest != SHA256(jcs(value)):
        # whoever keeps the record could otherwise give signed claims another meaning
        raise SchemaError("the digest is not that of the schema", code="wrong-digest")
    if not isinstance(value, dict) or set(value) - _TOP:
        raise SchemaError("a schema has a member without a compact meaning")
    if value.get("$schema") != _DIALECT or value.get("type") != "object":
        raise SchemaError("a schema is a JSON Schema 2020-12 object")
    if value.get("additionalProperties") is not False:
        raise SchemaError("additionalProperties must be false")
    own = value.get("x-weid")
    if not isinstance(own, dict) or set(own) - {"joint"} != _WEID:
        raise SchemaError(f"x-weid needs exactly {', '.join(sorted(_WEID))}")
    return _build(value, own, document, digest)


def _build(value: Mapping[str, JSON], own: Mapping[str, JSON], document: bytes, digest: bytes) -> Schema:
    claims = _claims(value, own)
    lifetime, width, bind, status = own["lifetime"], own["width"], own["bind"], own["status"]
    version, name, type_, id_ = own["version"], own["name"], value.get("title"), value.get("$id")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise SchemaError("x-weid.name must be lower-case letters, digits and hyphens")
    if type(version) is not int or version < 1 or type(lifetime) is not int or not 0 < lifetime < 2**32:
        raise SchemaError("x-weid.version and lifetime must be positive integers")
    if width not in (20, 32) or not isinstance(bind, str) or bind not in BINDS or type(status) is not bool:
        raise SchemaError("x-weid: width is 20 or 32, bind key, chain, none or document, status true or false")
    if not status and lifetime > SHORT_LIFETIME:
        raise SchemaError(f"only a lifetime of at most {SHORT_LIFETIME} minutes may go without status (R9)")
    if not isinstance(type_, str) or not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,63}", type_) or not isinstance(id_, str):
        raise SchemaError("a schema needs $id and a title in UpperCamelCase")
    mandatory = sum(1 << index for index, claim in enumerate(claims) if claim.privacy == "public")
    title = labels_of(own["title"], "x-weid.title")
    if "joint" in own and width != 32:
        raise SchemaError("a joint schema needs x-weid.width 32 (R15)")
    return Schema(
        digest, id_, name, version, type_, title, claims, mandatory, lifetime, bind, status,
        20 if width == 20 else 32, document, joint_from_json(own["joint"]) if "joint" in own else None, _validator(value),
    )  # fmt: skip


def _claims(value: Mapping[str, JSON], own: Mapping[str, JSON]) -> tuple[Claim, ...]:
    properties, required, order = value.get("properties"), value.get("required", []), own["order"]
    if not isinstance(properties, dict) or not isinstance(order, list) or not isinstance(required, list):
        raise SchemaError("a schema needs properties, required and x-weid.order")
    names = [str(name) for name in order]
    if len(set(names)) != len(names) or set(names) != set(properties) or set(map(str, required)) - set(names):
        raise SchemaError("x-weid.order must name every property once")
    if not 0 < len(names) <= MAX_CLAIMS:
        raise SchemaError(f"a schema has 1 to {MAX_CLAIMS} claims")
    return tuple(claim_from_json(name, properties[name], name in required) for name in names)


def _validator(value: Mapping[str, JSON]) -> _Validator:
    """The check of a disclosed subset: the schema without `required`, which the claim encodings enforce.

    One validator only, whose patterns run in bounded time: a publisher's `^(a+)+$` must not hold up a checker, and two
    validators could disagree about what fits.
    """
    import jsonschema_rs

    subset = {name: part for name, part in value.items() if name not in ("required", "x-weid", "$id")}
    try:
        linear = jsonschema_rs.RegexOptions()  # no look-around: the only kind that can backtrack here
        return jsonschema_rs.Draft202012Validator(subset, validate_formats=True, offline=True, pattern_options=linear)
    except ValueError as error:
        raise SchemaError(f"not a JSON Schema: {error}") from None


def _reason(checker: _Validator, claims: Mapping[str, JSON]) -> str:
    """Which claim does not fit which keyword; never its value."""
    for error in checker.iter_errors(claims):
        place = ".".join(map(str, error.instance_path))
        return f"{place or 'claims'}: does not fit {error.schema_path[-1]}"
    return "claims: a value has the wrong format"
