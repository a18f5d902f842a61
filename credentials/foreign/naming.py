"""What the kinds, fields and coded values of other systems are called, from the data files in `words` (four languages)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from credentials.foreign.value import CLAIM_169, EU_DCC, OPEN_ATTESTATION, SMART
from weid.canon import JSON
from weid.pack import LANGUAGES

__all__ = ["FORMS", "labels", "limit", "texts", "title"]

FORMS: Final = (CLAIM_169, EU_DCC, OPEN_ATTESTATION, SMART)
_NUMBER: Final = re.compile(r"\d+(?=\.|\Z)")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def title(form: str, kind: str) -> Mapping[str, str]:
    """What a kind of credential is called, by language."""
    return _words(form)["kinds"].get(kind) or _words(form)["title"]  # type: ignore[no-any-return]


def limit(form: str, language: str) -> str:
    """What a code of this system cannot show, in one sentence; empty for a form that is not one of them."""
    return str(_words(form)["limit"].get(language, "")) if form in FORMS else ""


def labels(form: str, claims: Mapping[str, JSON]) -> dict[str, Mapping[str, str]]:
    """The label of each claim that has one, by language."""
    known = _words(form)["fields"]
    return {name: known[plain] for name in claims if (plain := _NUMBER.sub("", name)) in known}


def texts(form: str, claims: Mapping[str, JSON]) -> dict[str, Mapping[str, str]]:
    """The value of each claim in words, where it is a code with a known meaning or binary data."""
    found: dict[str, Mapping[str, str]] = {}
    for name, value in claims.items():
        words = _words(form)["values"].get(_NUMBER.sub("", name), {}).get(str(value), _NOTHING)
        if isinstance(value, dict) and set(value) == {"bytes"}:
            words = {language: _words(form)["binary"][language].format(count=value["bytes"]) for language in LANGUAGES}
        if words:
            found[name] = words
    return found


@lru_cache(maxsize=8)
def _words(form: str) -> Mapping[str, Any]:
    text = files("credentials.foreign.words").joinpath(f"{form}.json").read_text("utf-8")
    return MappingProxyType(json.loads(text))
