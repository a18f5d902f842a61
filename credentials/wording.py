"""Verdicts and checks in words, from the data files in `credentials/sentences` (four languages)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from weid.pack import LANGUAGES

__all__ = ["Words", "check_codes", "path_words", "sentence", "verdict", "verdict_names"]


@dataclass(frozen=True, slots=True)
class Words:
    """One verdict: a word, a sentence, what to do, and a shape and colour name, never a colour alone."""

    name: str
    word: str
    sentence: str
    do: str
    shape: str
    colour: str


def verdict(name: str, language: str = "en") -> Words:
    """The words of a verdict; KeyError for an unknown name."""
    words, look = _table(language)["verdicts"][name], _looks()[name]
    return Words(name, words["word"], words["sentence"], words["do"], look["shape"], look["colour"])


def sentence(code: str, language: str = "en") -> str:
    """The sentence of a check code; a `needs-…` code says that an earlier check decides."""
    table: Mapping[str, str] = _table(language)["checks"]
    if code.startswith("needs-"):
        code = "needs"
    return table.get(code, table["other"])


def path_words(key: str, language: str = "en", **values: object) -> str:
    """The words for one part of the accreditation path; KeyError for an unknown one."""
    text: str = _table(language)["path"][key]
    return text.format(**values)


def check_codes(language: str = "en") -> frozenset[str]:
    """Every check code that has a sentence."""
    return frozenset(_table(language)["checks"])


def verdict_names() -> tuple[str, ...]:
    """Every verdict that has words."""
    return tuple(_looks())


@lru_cache(maxsize=8)
def _table(language: str) -> Mapping[str, Any]:
    return _read(language if language in LANGUAGES else "en")


@lru_cache(maxsize=1)
def _looks() -> Mapping[str, Any]:
    return _read("looks")


def _read(name: str) -> Mapping[str, Any]:
    text = files("credentials").joinpath("sentences", f"{name}.json").read_text("utf-8")
    return MappingProxyType(json.loads(text))
