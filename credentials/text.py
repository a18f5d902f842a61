"""Visible text that cannot lie (R28): NFC, no control, bidi or invisible characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from weid.canon import JSON

__all__ = ["escaped", "misleads", "unsafe_text"]

# Bidi controls reorder what is read; zero-width, filler and tag characters hide differences; variation selectors
# stay allowed because ideographic variants in personal names need them.
_INVISIBLE: Final = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e00ff\ue000-\uf8ff]"
)


@lru_cache(maxsize=4096)
def unsafe_text(text: str) -> str | None:
    """What is wrong with a text that people will read (a short English reason), or None."""
    if text.isascii() and text.isprintable():
        return None
    found = _INVISIBLE.search(text)
    if found:
        return f"holds the invisible or private character U+{ord(found.group()):04X}"
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return "holds a lone surrogate"
    if not unicodedata.is_normalized("NFC", text):
        return "is not in Unicode normal form NFC"
    return None


def misleads(value: JSON) -> bool:
    """Whether any text in a value, a name included, could mislead a reader (R28)."""
    if isinstance(value, str):
        return unsafe_text(value) is not None
    if isinstance(value, dict):
        return any(misleads(name) or misleads(item) for name, item in value.items())
    return isinstance(value, list) and any(misleads(item) for item in value)


def escaped(text: str, *, keep: str = "") -> str:
    """The text with every character that a terminal or reader could obey, not show, written as JSON writes it.

    `keep` names characters to leave alone, such as the line feeds of laid-out JSON.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "".join(f"\\u{unit:04x}" for unit in _units(letter)) if letter not in keep and _hides(letter) else letter
        for letter in text
    )


def _hides(letter: str) -> bool:
    return _INVISIBLE.match(letter) is not None or 0xD800 <= ord(letter) <= 0xDFFF


def _units(letter: str) -> tuple[int, ...]:
    data = letter.encode("utf-16-be", "surrogatepass")
    return tuple(int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2))
