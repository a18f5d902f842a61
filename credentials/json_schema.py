"""JSON Schema for W3C credentials (VC JSON Schema 1.0): drafts 7, 2019-09 and 2020-12, nothing fetched, work bounded.

A schema is somebody else's program that a checker runs. So references stay inside the document, patterns run in linear
time, and what a schema can cost is counted before it is run: references that fan out or go round are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import unquote

from credentials.data_model import is_url
from weid.canon import JSON, parse_json
from weid.errors import MalformedError, SchemaError

__all__ = ["DIALECTS", "JsonSchema", "misfit", "read_json_schema"]

DIALECTS: Final[Mapping[str, str]] = MappingProxyType({
    "http://json-schema.org/draft-07/schema": "Draft7Validator",
    "https://json-schema.org/draft-07/schema": "Draft7Validator",  # as many issuers and W3C's own tests spell it
    "https://json-schema.org/draft/2019-09/schema": "Draft201909Validator",
    "https://json-schema.org/draft/2020-12/schema": "Draft202012Validator",
})  # fmt: skip
MAX_COST: Final = 10_000  # nodes of a schema with every reference written out
MAX_WORK: Final = 10_000_000  # that, times the values of a document
MAX_TRAIL: Final = 128
MAX_PATTERN: Final = 1 << 20  # bytes of a compiled pattern
_MOVING: Final = ("$dynamicRef", "$recursiveRef")
_NAMING: Final = ("$id", "$schema")


class _Misfit(Protocol):
    @property
    def instance_path(self) -> Sequence[str | int]: ...
    @property
    def schema_path(self) -> Sequence[str | int]: ...


class JsonSchema(Protocol):
    """A schema that was read, ready to judge documents."""

    def iter_errors(self, instance: object) -> Iterator[_Misfit]:
        """Everything that does not fit."""
        ...


@lru_cache(maxsize=64)
def read_json_schema(data: bytes) -> tuple[JsonSchema, str, int]:
    """(the schema in JSON bytes, its `$id`, its cost); SchemaError `schema-dialect-unknown`, or why it is not usable."""
    try:
        value = parse_json(data)
    except MalformedError as error:
        raise SchemaError(f"not a schema: {error}", code="schema-unusable") from None
    if not isinstance(value, dict):
        raise SchemaError("a schema is an object", code="schema-unusable")
    name, dialect = value.get("$id"), value.get("$schema")
    if not isinstance(dialect, str):
        raise SchemaError("a schema says by $schema how it is to be read", code="schema-unusable")
    validator = DIALECTS.get(dialect.removesuffix("#"))
    if validator is None:
        raise SchemaError(f"the dialect {dialect[:80]!r} is not read", code="schema-dialect-unknown")
    if not isinstance(name, str) or not is_url(name):
        raise SchemaError("$id is the URL of the schema", code="schema-unusable")
    cost = _Cost(value, name).of(value)
    own_name = next(known for known, draft in DIALECTS.items() if draft == validator)
    return _validator({**value, "$schema": own_name}, validator), name, cost


def misfit(schema: JsonSchema, cost: int, document: Mapping[str, JSON]) -> str | None:
    """The place and keyword of the first thing that does not fit, never its value; None where all fits.

    SchemaError `schema-unusable` where judging this document could take too long.
    """
    if cost * _size(dict(document)) > MAX_WORK:
        raise SchemaError("the schema and the document are too much work together", code="schema-unusable")
    for error in schema.iter_errors(document):
        place = ".".join(map(str, error.instance_path))
        return f"{place or 'the document'}: does not fit {error.schema_path[-1] if error.schema_path else 'false'}"
    return None


def _validator(value: Mapping[str, JSON], name: str) -> JsonSchema:
    import jsonschema_rs

    # without `offline` this library fetches what a reference names
    options = jsonschema_rs.RegexOptions(size_limit=MAX_PATTERN, dfa_size_limit=MAX_PATTERN)
    try:
        made: JsonSchema = getattr(jsonschema_rs, name)(value, validate_formats=True, offline=True, pattern_options=options)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise SchemaError(f"not a JSON Schema: {str(error).partition(chr(10))[0][:200]}", code="schema-unusable") from None
    return made


class _Cost:
    """How many nodes a schema has once every reference is written out; each object anywhere counts as a schema."""

    def __init__(self, root: dict[str, JSON], name: str) -> None:
        self.root, self.name = root, name.removesuffix("#")
        self.known: dict[int, int] = {}
        self.trail: set[int] = set()

    def of(self, node: JSON) -> int:
        """The cost of one node; SchemaError for a reference that leads away, goes round, or fans out too far."""
        if not isinstance(node, dict | list):
            return 1
        if id(node) in self.known:
            return self.known[id(node)]
        if id(node) in self.trail or len(self.trail) > MAX_TRAIL:
            raise SchemaError("the schema's references go round, or too far", code="schema-unusable")
        self.trail.add(id(node))
        children: list[JSON] = list(node.values()) if isinstance(node, dict) else list(node)
        total = 1 + sum(self.of(child) for child in children)
        if isinstance(node, dict):
            total += self._named(node)
        self.trail.discard(id(node))
        if total > MAX_COST:
            raise SchemaError("the schema is too much work", code="schema-unusable")
        self.known[id(node)] = total
        return total

    def _named(self, node: dict[str, JSON]) -> int:
        if any(isinstance(node.get(word), str) for word in _MOVING):
            raise SchemaError("a reference that moves with its use is not followed", code="schema-unusable")
        if node is not self.root and any(isinstance(node.get(word), str) for word in _NAMING):
            raise SchemaError("a schema inside has a name or dialect of its own", code="schema-unusable")
        reference = node.get("$ref")
        return self.of(self._target(reference)) if isinstance(reference, str) else 0

    def _target(self, reference: str) -> JSON:
        base, _, fragment = reference.partition("#")
        if base not in ("", self.name):
            raise SchemaError(f"the reference {reference[:80]!r} leads out of the schema", code="schema-unusable")
        found: JSON = self.root
        pointer = unquote(fragment)
        if pointer and not pointer.startswith("/"):
            raise SchemaError(f"the reference {reference[:80]!r} is no JSON Pointer", code="schema-unusable")
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isascii() and key.isdecimal() and int(key[:6]) < len(found):
                found = found[int(key[:6])]
            else:
                raise SchemaError(f"the reference {reference[:80]!r} leads nowhere", code="schema-unusable")
        return found


def _size(value: JSON) -> int:
    children: list[JSON] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + sum(_size(child) for child in children)
