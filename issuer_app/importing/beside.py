"""What a line of an import says beside the claims: what its holder finds it by, and the certificate that it is to stand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from credentials.schema import Schema
from issuer_app.depending import kept
from issuer_app.depending.judging import Base, judged
from issuer_app.forms import Fault
from issuer_app.importing.checking import Checked, Wrong
from issuer_app.importing.columns import BASE, Mapped
from issuer_app.lookups import index_faults, index_rows
from weid.errors import IssueError
from weid.suites import Random

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.importing.drafts import Index
    from issuer_app.importing.records import Line

__all__ = ["base_of", "faults_beside", "index_beside"]


def base_of(extra: Mapping[str, str]) -> bytes | None:
    """The certificate that a line's is to stand on."""
    return extra["base"].encode("utf-8", "replace") if "base" in extra else None


def faults_beside(desk: Desk, schema: Schema, mapped: Mapped, line: Checked, at: int) -> tuple[Wrong, ...]:
    """What is wrong with either, by column."""
    found: list[Wrong] = []
    if desk.lookups.lookup.of(schema.name):
        for fault in index_faults(desk, schema, line.claims, _found_by(line.extra), at=at):
            found.append(_wrong(mapped, f"lookup.{fault.field}", fault.code))
    if not found:
        try:
            judged(desk, schema, line.claims, base_of(line.extra), at)
        except IssueError as error:
            found.append(_wrong(mapped, BASE, error.code))
    return tuple(found)


def index_beside(desk: Desk, schema: Schema, bases: Mapping[int, Base], *, at: int, random: Random) -> Index:
    """What writes both with each draft, in its transaction; `bases` by the number of the line, as they were judged last."""
    findable = bool(desk.lookups.lookup.of(schema.name))

    def index(id_: str, line: Line) -> None:
        if findable:
            index_rows(desk, id_, schema, _found_by(line.extra), claims=line.claims, at=at, random=random)
        if line.number in bases:
            with desk.books.change() as db:
                kept.keep(db, id_, bases[line.number])

    return index


def _found_by(extra: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in extra.items() if name != "base"}


def _wrong(mapped: Mapped, target: str, code: str) -> Wrong:
    place = mapped.claim(target)
    return Wrong(-1 if place is None else place, Fault(f"problem.{code}"))
