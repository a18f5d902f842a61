"""For whoever issues many at once: what a row is to be found by, checked beforehand and written with the certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from credentials.schema import Schema
from issuer_app.lookups.inputs import InputFault
from weid.canon import JSON
from weid.suites import Random

if TYPE_CHECKING:
    from issuer_app.desk import Desk

__all__ = ["index_faults", "index_printed", "index_rows"]

_UNPRINTED = """SELECT i.id AS id FROM issued i WHERE i.erased = 0 AND i.state <> 'refused' AND NOT EXISTS (SELECT 1
 FROM lookup_people p JOIN lookup_entries e ON e.person = p.person WHERE p.id = i.id AND e.id = i.id AND e.kind = 'printed')"""


def index_faults(
    desk: Desk, schema: Schema, claims: Mapping[str, JSON], extra: Mapping[str, str], *, at: int
) -> tuple[InputFault, ...]:
    """What is wrong with the look-up inputs of a row: the input and the code of each fault. Nothing is written."""
    return desk.lookups.read(schema.name, claims, extra, day=at)[1]


def index_rows(
    desk: Desk, row_id: str, schema: Schema, extra: Mapping[str, str], *, claims: Mapping[str, JSON], at: int, random: Random
) -> None:
    """Write the index rows of one certificate, inside the transaction that writes the certificate; InputFault.

    `extra` is what the certificate does not say: documentKind and documentNumber, or numbers by kind (`cn-id`), the second
    factors of the pack's rules (name, birthDate, phoneTail, email), and `contact`. Empty texts count as not given.
    """
    given, faults = desk.lookups.read(schema.name, claims, extra, day=at)
    if faults:
        raise faults[0]
    desk.lookups.add(row_id, schema.name, given, at=at, random=random)


def index_printed(desk: Desk, *, at: int, random: Random) -> int:
    """Let what was issued before its rules be found by what stands on it, its number and claims; how many that makes.

    Documents and second factors are kept nowhere: the clerk adds them on the certificate's page when the holder comes.
    """
    count, book = 0, desk.lookups
    for found in book.store.rows(_UNPRINTED):
        row = desk.get(str(found["id"]))
        schema = desk.schema(row.schema, at)
        if book.lookup.of(schema.name):
            book.replace(row.id, schema.name, None, book.read(schema.name, row.claims, {})[0], at=at, random=random)
            count += bool(book.entries(row.id))
    return count
