"""The texts of the pages, as data: `texts/<language>.json` and one file a subject in `texts/<language>/`.

Together they are one flat table, with the same keys in every language; no key stands in two files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

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
    folder = files("verifier_app").joinpath("texts")
    parts = [folder.joinpath(f"{language}.json")]
    if folder.joinpath(language).is_dir():
        parts += sorted(folder.joinpath(language).iterdir(), key=lambda part: part.name)
    held: dict[str, str] = {}
    for part in parts:
        held |= json.loads(part.read_text("utf-8"))
    return MappingProxyType(held)


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
