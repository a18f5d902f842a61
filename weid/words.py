"""Texts that people read, as data beside a package: `texts/<language>.json` and one file a subject in `texts/<language>/`.

Together they are one flat table, with the same keys in every language; no key stands in two files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

__all__ = ["words_of"]


def words_of(package: str, language: str) -> Mapping[str, str]:
    """All texts of one language that a package brings; FileNotFoundError for a language it does not speak."""
    folder = files(package).joinpath("texts")
    parts = [folder.joinpath(f"{language}.json")]
    if folder.joinpath(language).is_dir():
        parts += sorted(folder.joinpath(language).iterdir(), key=lambda part: part.name)
    held: dict[str, str] = {}
    for part in parts:
        held |= json.loads(part.read_text("utf-8"))
    return MappingProxyType(held)
