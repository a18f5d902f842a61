"""What people read, in four languages (`weid.words` says how the files lie), and how a language writes names and times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import lru_cache
from types import MappingProxyType

from credentials.claims import Claim
from weid.canon import JSON
from weid.codec import from_minutes, minutes, parse_rfc3339
from weid.pack import LANGUAGES
from weid.records import Names
from weid.words import words_of

__all__ = ["NAMES_OF_LANGUAGES", "Speaker", "choose_language", "table"]

NAMES_OF_LANGUAGES = MappingProxyType({"zh-Hans": "简体中文", "zh-Hant": "繁體中文", "en": "English", "pt": "Português"})


@lru_cache(maxsize=8)
def table(language: str) -> Mapping[str, str]:
    """All texts of one language."""
    return words_of("issuer_app", language)


class Speaker:
    """The words of one language, and how it writes names and times."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language = language
        self.zone = zone
        self._table = table(language)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key; KeyError for an unknown one, which the tests make impossible."""
        return self._table[key].format(**values)

    def problem(self, code: str) -> str:
        """The sentence for an error code; a general one where the code has none of its own."""
        return self._table.get(f"problem.{code}", self._table["problem.other"])

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in self._table

    def knows(self, code: str) -> bool:
        """Whether a code has its own sentence."""
        return f"problem.{code}" in self._table

    def known(self, key: str, fallback: str) -> str:
        """The text of a key that may have none."""
        return self._table.get(key, fallback)

    def reason(self, reason: str) -> str:
        """A reason in words, or as it was written by whoever gave one of their own."""
        return self.known(f"reason.{reason}", reason)

    def span(self, count: int) -> str:
        """A number of minutes as people say it: in days or hours where it is whole ones."""
        name, size = next(unit for unit in (("day", 1440), ("hour", 60), ("minute", 1)) if count % unit[1] == 0)
        whole = count // size
        return self(f"span.{name}" if whole == 1 else f"span.{name}s", count=whole)

    def name(self, names: Names | Mapping[str, str]) -> str:
        """A name in this language, else in English, else in whatever there is."""
        known = dict(names)
        return known.get(self.language) or known.get("en") or next(iter(known.values()), "")

    def time(self, minute: int) -> str:
        """A minute as people write it, with its zone."""
        return from_minutes(minute).astimezone(self.zone).strftime("%Y-%m-%d %H:%M %Z")

    def moment(self, text: str) -> str:
        """An RFC 3339 moment as people write it."""
        return self.time(minutes(parse_rfc3339(text)))

    def shown(self, claim: Claim, value: JSON) -> str:
        """A value of a claim as people read it."""
        return self.moment(value) if claim.kind == "minutes" and isinstance(value, str) else claim.shown(value, self.language)

    def day(self, minute: int) -> str:
        """The day of a minute."""
        return from_minutes(minute).astimezone(self.zone).strftime("%Y-%m-%d")


def choose_language(asked: str | None, kept: str | None, accepted: list[str]) -> str:
    """?lang= first, then the cookie, then Accept-Language; English last."""
    for wish in (asked, kept, *accepted):
        if wish in LANGUAGES:
            return str(wish)
        found = _near(wish or "")
        if found:
            return found
    return "en"


def _near(tag: str) -> str | None:
    parts = tag.lower().replace("_", "-").split("-")
    if parts[0] == "zh":
        return "zh-Hant" if {"hant", "tw", "hk", "mo"} & set(parts[1:]) else "zh-Hans"
    return parts[0] if parts[0] in ("en", "pt") else None
