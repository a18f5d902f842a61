"""One certificate made: signed in both forms, with its place in a list and its code for checks by typing; not stored yet.

The form, the API and imports make certificates here alone, so that none differs from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credentials import issue as issuing
from credentials.binding import NO_BINDING, Binding
from credentials.issue import Registry, Slot
from credentials.schema import Schema
from credentials.typed import new_code, read_code, typed_fingerprint
from issuer_app.terms import Terms
from weid.canon import JSON
from weid.hashes import Hash
from weid.keys import Signer
from weid.suites import Random

__all__ = ["Maker"]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes certificates of one kind with one key at one minute (UTC minutes); `public` is where strangers find the lists.

    `templates` are digests of what its files are drawn with.
    """

    schema: Schema
    signer: Signer
    registry: Registry
    hash: Hash
    issuer: str
    terms: Terms
    public: str | None
    at: int
    templates: tuple[str, ...] = ()

    def row(
        self, claims: Mapping[str, JSON], slot: Slot | None, random: Random, *, by: str, bind: Binding = NO_BINDING,
        minutes: int | None = None, specimen: bool = False, request: str | None = None, asked: bytes | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The row that `Ledger.add` stores; IssueError or SchemaError names the claim that does not fit."""
        schema, at = self.schema, self.at
        length = min(minutes or self.terms.valid.get(schema.name, schema.lifetime), schema.lifetime)
        length = length if bind.minutes is None else min(length, bind.minutes)
        made = issuing.issue(
            schema, claims, issuer=self.signer, registry=self.registry, issued=at, valid_until=at + length, random=random,
            bind=bind, slot=slot, specimen=specimen, status_base=self.public, templates=self.templates,
        )  # fmt: skip
        code, mark = self._typed(claims, slot, random)
        return {
            "id": made.cid.hex(), "schema": schema.digest, "list": None if slot is None else slot.number,
            "slot": None if slot is None else slot.index, "issued": at, "since": at, "until": at + length,
            "compact": made.compact, "file": made.file, "code": code, "mark": mark, "by": by,
            "specimen": int(specimen), "request": request, "asked": asked,
        }  # fmt: skip

    def _typed(self, claims: Mapping[str, JSON], slot: Slot | None, random: Random) -> tuple[str | None, bytes | None]:
        names = self.terms.typed.get(self.schema.name, ())
        if not names or slot is None:
            return None, None
        code = new_code(random)
        mark = typed_fingerprint(
            self.schema, claims, names, read_code(code), origin=self.registry.origin, issuer=self.issuer, hash=self.hash
        )
        return code, mark
