"""What a certificate's page says beside the rest: what replaced it, what it replaced, what waits for its minute."""

from __future__ import annotations

from dataclasses import dataclass

from issuer_app import pointers
from issuer_app.desk import Desk
from issuer_app.lifecycle import planned

__all__ = ["Notes", "notes_of"]


@dataclass(frozen=True, slots=True)
class Notes:
    """Ids of the certificates before and after, and the change that waits."""

    old: str | None
    new: str | None
    waits: planned.Planned | None


def notes_of(desk: Desk, id_: str) -> Notes:
    """The notes of one certificate."""
    return Notes(pointers.predecessor(desk.books, id_), pointers.successor(desk.books, id_), planned.of(desk, id_))
