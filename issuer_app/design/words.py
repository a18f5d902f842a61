"""Simplified and Traditional Chinese suggested from each other: a help for whoever writes labels, never the last word.

What is suggested is marked, and a mark goes only when a person saves the text again having seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from weid.pack import LANGUAGES

__all__ = ["completed", "suggestion"]

_PAIRS: Final = {"zh-Hant": ("zh-Hans", "s2hk"), "zh-Hans": ("zh-Hant", "hk2s")}


def suggestion(words: Mapping[str, str], language: str) -> str | None:
    """A text in this language made from the other script, where that one is there."""
    source, table = _PAIRS.get(language, ("", ""))
    text = words.get(source, "")
    return str(_converter(table).convert(text)) if text else None


def completed(words: Mapping[str, str], place: str) -> tuple[dict[str, str], frozenset[str]]:
    """The words with missing scripts suggested, and the marks (`place:language`) of what nobody has read yet."""
    made, marks = {language: words[language] for language in LANGUAGES if words.get(language)}, set()
    for language in _PAIRS:
        text = None if made.get(language) else suggestion(words, language)
        if text:
            made[language] = text
            marks.add(f"{place}:{language}")
    return made, frozenset(marks)


@lru_cache(maxsize=4)
def _converter(table: str) -> Any:
    from opencc import OpenCC

    return OpenCC(table)
