"""Reading the members of a plan strictly: each refusal names the member that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from weid.canon import JSON
from weid.errors import MalformedError
from weid.pack import LANGUAGES

__all__ = ["flag", "members", "one_of", "text", "texts", "whole", "words", "wrong"]

MAX_TEXT: Final = 400  # characters of any one text
MAX_LIST: Final = 200


def members(value: JSON, known: set[str], place: str) -> Mapping[str, JSON]:
    """An object of these members only."""
    if not isinstance(value, dict) or set(value) - known:
        raise wrong(f"{place} has {', '.join(sorted(known))}")
    return value


def words(value: JSON, place: str) -> Mapping[str, str]:
    """Texts by language, empty ones left out."""
    if not isinstance(value, dict) or set(value) - set(LANGUAGES):
        raise wrong(f"{place}: texts by language")
    return MappingProxyType({language: text(item, place) for language, item in value.items() if item})


def texts(value: JSON, place: str, most: int = MAX_LIST) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or len(value) > most:
        raise wrong(f"{place}: a list of at most {most} texts")
    return tuple(text(item, place) for item in value)


def text(value: JSON, place: str) -> str:
    """One text."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise wrong(f"{place}: a text of at most {MAX_TEXT} characters")
    return value


def whole(value: JSON, place: str, least: int, most: int) -> int:
    """An integer within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(f"{place}: an integer from {least} to {most}")
    return value


def flag(value: JSON, place: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(f"{place} is true or false")
    return value


def one_of(value: JSON, known: tuple[str, ...], place: str) -> str:
    """One of a few words."""
    if value not in known:
        raise wrong(f"{place}: one of {', '.join(known)}")
    return str(value)


def wrong(message: str) -> MalformedError:
    """MalformedError `bad-design`."""
    return MalformedError(f"design: {message}", code="bad-design")
