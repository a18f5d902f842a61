"""The lists of other systems' keys as the page of trust data shows them; they are brought by the command alone.

Whoever reaches the page could otherwise let any key count, so there is no form for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from credentials.foreign import naming
from verifier_app.checker import Checker
from verifier_app.frame import state_of
from verifier_app.languages import in_words
from verifier_app.moments import Moment, moment, old
from weid.anchors import AnchorList

__all__ = ["AnchorLine", "anchor_lines"]


@dataclass(frozen=True, slots=True)
class AnchorLine:
    """One list: what it is for, how many keys it has, whether it tells what was revoked, and its age by its own terms."""

    name: str
    title: str
    size: int
    told: bool
    moment: Moment
    age_text: str
    state: str


def anchor_lines(held: Checker) -> tuple[AnchorLine, ...]:
    """Every list that is here."""
    return tuple(_line(item, held) for item in held.trust.anchors.load())


def _line(item: AnchorList, held: Checker) -> AnchorLine:
    age = held.now() - item.taken
    return AnchorLine(
        item.name,
        in_words(naming.title(item.format, item.format), g.language),
        len(item.anchors),
        item.revocations is not None,
        moment(item.taken, held.settings.zone),
        old(age, g.language),
        state_of(age, (item.warn, item.reject)),
    )
