"""The texts of the pages (`weid.words` says how the files lie), and which language somebody reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from weid.words import words_of

__all__ = ["LANGUAGES", "SELF_NAMES", "choose", "in_words", "text", "texts"]

LANGUAGES: Final = ("zh-Hans", "zh-Hant", "en", "pt")
SELF_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"zh-Hans": "简体", "zh-Hant": "繁體", "en": "English", "pt": "Português"}
)
_NEAREST: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "zh-Hans": ("zh-Hans", "zh-Hant", "en", "pt"),
        "zh-Hant": ("zh-Hant", "zh-Hans", "en", "pt"),
        "en": ("en", "pt", "zh-Hans", "zh-Hant"),
        "pt": ("pt", "en", "zh-Hant", "zh-Hans"),
    }
)
_TRADITIONAL: Final = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


@lru_cache(maxsize=len(LANGUAGES))
def texts(language: str) -> Mapping[str, str]:
    """Every text of one language; KeyError for a language we do not speak."""
    if language not in LANGUAGES:
        raise KeyError(language)
    return words_of("verifier_app", language)


def text(language: str, key: str, **values: object) -> str:
    """One text with its values put in; KeyError for an unknown key, so that no page can lack a word."""
    return texts(language)[key].format(**values)


def in_words(words: Mapping[str, str], language: str) -> str:
    """The text in the viewer's language, or in the nearest one there is; "" where there is none."""
    for nearest in _NEAREST[language]:
        if words.get(nearest):
            return words[nearest]
    return next((word for word in words.values() if word), "")


def choose(asked: str | None, remembered: str | None, accepted: tuple[str, ...]) -> str:
    """The language of a page: the one asked for, the one remembered, the browser's first that we speak, English."""
    for name in (asked, remembered):
        if name in LANGUAGES:
            return str(name)
    for name in accepted:
        spoken = _spoken(name.lower())
        if spoken:
            return spoken
    return "en"


def _spoken(name: str) -> str | None:
    if name.startswith(_TRADITIONAL):
        return "zh-Hant"
    return {"zh": "zh-Hans", "en": "en", "pt": "pt"}.get(name.split("-")[0])
