"""The words that every made pack has, in four languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from weid.canon import JSON

__all__ = ["words"]


@lru_cache(maxsize=1)
def _skeleton() -> Mapping[str, Mapping[str, str]]:
    return dict(json.loads(files("issuer_app.design").joinpath("skeleton.json").read_text("utf-8")))


def words(key: str, **values: object) -> dict[str, JSON]:
    """A text of the skeleton in the four languages, its gaps filled where there are values."""
    held = _skeleton()[key]
    return {language: text.format(**values) if values else text for language, text in held.items()}
