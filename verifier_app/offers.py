"""What the installed packs let an officer ask: requests, and kinds of certificate that can be checked by typing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from credentials.requests import Request, read_request, request_names, schema_digests
from credentials.schema import Schema, read_schema
from weid.errors import MalformedError
from weid.facts import Facts, Found
from weid.pack import Pack

__all__ = ["Offer", "Typed", "offers_of", "typed_of"]


@dataclass(frozen=True, slots=True)
class Offer:
    """One request of one pack; `digests` are its schemas as published, so that a namesake is not accepted."""

    id: str
    pack: Pack
    request: Request
    digests: frozenset[bytes]

    def schema(self, facts: Facts) -> Schema | None:
        """The first of its schemas that the trust data hold."""
        return _held(facts, self.digests)


@dataclass(frozen=True, slots=True)
class Typed:
    """One kind of certificate that can be checked by typing `fields` and the printed code."""

    id: str
    fields: tuple[str, ...]
    title: Mapping[str, str]
    digest: bytes

    def schema(self, facts: Facts) -> Schema | None:
        """Its schema, if the trust data hold it."""
        return _held(facts, (self.digest,))


def offers_of(packs: Iterable[Pack]) -> dict[str, Offer]:
    """Every request by `<pack>/<name>`; MalformedError for a pack that is wrong."""
    found = {}
    for pack in packs:
        known = schema_digests(pack)
        for name in request_names(pack):
            request = read_request(pack, name)
            digests = frozenset(known[schema] for schema in request.schemas if schema in known)
            found[f"{pack.id}/{name}"] = Offer(f"{pack.id}/{name}", pack, request, digests)
    return found


def typed_of(packs: Iterable[Pack]) -> dict[str, Typed]:
    """Every kind in `lookup.json` by `<pack>/<schema>`; MalformedError for a pack that is wrong."""
    found = {}
    for pack in packs:
        table = pack.section("lookup").get("typed", {})
        if not isinstance(table, dict):
            raise MalformedError("lookup.json: typed must be an object")
        known = schema_digests(pack)
        for name, fields in table.items():
            if not isinstance(fields, list) or not fields:
                raise MalformedError(f"lookup.json: typed {name} must be a list of claims")
            if name not in known:
                raise MalformedError(f"lookup.json: nobody in trust.json issues {name}")
            title = read_schema(pack.files[f"schemas/{name}.json"], known[name]).title
            found[f"{pack.id}/{name}"] = Typed(f"{pack.id}/{name}", tuple(map(str, fields)), title, known[name])
    return found


def _held(facts: Facts, digests: Iterable[bytes]) -> Schema | None:
    for digest in sorted(digests):
        answer = facts.fact("schema", digest.hex())
        if isinstance(answer, Found):
            return read_schema(answer.record.document, answer.record.digest)
    return None
