"""The comparison of a paper with what is signed, in words and as the verdict a person sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from verifier_app.languages import text
from verifier_app.papers.visible import Seen
from verifier_app.view import GREEN, Beside, Look, View

__all__ = ["ALTERED", "look_beside", "note_of", "view_beside"]

ALTERED: Final = "paper-differs"
_NOTES: Final[Mapping[str, str]] = {
    "same": "paper.note.same", "differs": "paper.note.differs", "absent": "paper.note.absent",
    "covered": "paper.note.covered", "unread": "paper.note.unread", "no-name": "paper.note.no-name",
}  # fmt: skip


def look_beside(card: Look, seen: Seen | None, language: str) -> Look:
    """The verdict's component; never green around a paper that does not say what is signed."""
    if seen is None or not seen.wrong or card.name not in GREEN:
        return card
    words = (text(language, key) for key in ("paper.word", "paper.sentence", "paper.do"))
    return Look(ALTERED, "paper-differs", "red", *words)


def note_of(seen: Seen, language: str) -> str:
    """One sentence about the paper."""
    return text(language, _NOTES[seen.outcome])


def view_beside(view: View, seen: Seen | None, language: str) -> View:
    """The view with what its paper says, and with a verdict that takes it into account."""
    if seen is None:
        return view
    beside = Beside(note_of(seen, language), seen.signed, seen.paper, seen.wrong)
    return replace(view, card=look_beside(view.card, seen, language), paper=beside)
