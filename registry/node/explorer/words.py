"""What the explorer's pages say, in four languages: `texts/<language>.json`, all with the same keys."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from registry.rejections import CODES
from weid.codec import CALENDAR_END, from_minutes
from weid.records import Names
from weid.words import words_of

__all__ = ["SELF_NAMES", "Speaker", "choose", "plain_json", "texts"]

SELF_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"zh-Hans": "简体", "zh-Hant": "繁體", "en": "English", "pt": "Português"}
)
_TRADITIONAL: Final = {"hant", "tw", "hk", "mo"}
_NEAREST: Final = {"zh-Hans": "zh-Hant", "zh-Hant": "zh-Hans", "pt": "en", "en": "pt"}
_HIDDEN: Final = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


@lru_cache(maxsize=len(SELF_NAMES))
def texts(language: str) -> Mapping[str, str]:
    """Every text of one language; KeyError for a language we do not speak."""
    if language not in SELF_NAMES:
        raise KeyError(language)
    return words_of("registry.node.explorer", language)


class Speaker:
    """The words of one language, and how it writes names and minutes."""

    def __init__(self, language: str) -> None:
        self.language, self._table = language, texts(language)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key; KeyError for an unknown one, which the tests make impossible."""
        return self._table[key].format(**values)

    def known(self, key: str, default: str) -> str:
        """The text of a key that comes from data, or the word itself."""
        return self._table.get(key, default)

    def result(self, code: str) -> str:
        """The sentence of an operation's result."""
        return self._table.get(f"code.{code}", CODES.get(code, code))

    def name(self, names: Names) -> str:
        """A name in this language, else in the nearest there is."""
        held = dict(names)
        return held.get(self.language) or held.get(_NEAREST[self.language]) or held.get("en") or next(iter(held.values()), "")

    def time(self, minute: int) -> str:
        """A minute of the log, in UTC: the same on every node; one without a date as its number, for no value hides a page."""
        if not 0 <= minute < CALENDAR_END:
            return f"{self.number(minute)} min"
        return from_minutes(minute).strftime("%Y-%m-%d %H:%M UTC")

    def number(self, value: int) -> str:
        """A number in groups of three, which a narrow space parts in every language."""
        return f"{value:,}".replace(",", "\u202f")


def choose(asked: str | None, accepted: Iterable[str]) -> str:
    """The language asked for, else the browser's first that we speak, else English."""
    for wish in (asked,) if asked in SELF_NAMES else tuple(accepted)[:16]:
        parts = (wish or "").lower().split("-")
        if parts[0] == "zh":
            return "zh-Hant" if _TRADITIONAL & set(parts[1:]) else "zh-Hans"
        if parts[0] in ("en", "pt"):
            return parts[0]
    return "en"


def plain_json(value: Any) -> str:
    """A value as JSON for a page: whatever a reader would obey and not see is written as an escape (R28)."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(_escape(letter) if letter != "\n" and unicodedata.category(letter) in _HIDDEN else letter for letter in text)


def _escape(letter: str) -> str:
    return json.dumps(letter)[1:-1]
