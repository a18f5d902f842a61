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

__all__ = ["index_faults", "index_rows"]


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
