"""Business keys: the few fields that say which thing it is, spelled in one way only.

Whoever changes a field that does not identify the thing, or spells one that does in another way (full-width digits, case,
blanks, hyphens), gets the same key and so the same nullifier. What counts is data of a pack:

    {"fields": [{"name": "warehouse", "kind": "text"}, {"name": "receiptNumber", "kind": "code"}]}
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from weid import cbor
from weid.canon import JSON
from weid.errors import MalformedError
from weid.hashes import Hash
from weid.signing import framed

__all__ = ["KINDS", "BusinessKey", "Field", "canonical_field"]

KINDS = ("code", "date", "number", "text")
_MAX_FIELDS, _MAX_TEXT = 16, 500
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)
_DATE = re.compile(r"([0-9]{4})([-/.年])([0-9]{1,2})([-/.月])([0-9]{1,2})(日?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """A field that identifies the thing, and how its spellings are brought to one."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class BusinessKey:
    """The identifying fields of one kind of thing, in a fixed order."""

    name: str
    fields: tuple[Field, ...]

    @classmethod
    def from_json(cls, name: str, value: JSON) -> BusinessKey:
        """The business key that a pack declares; MalformedError names what is wrong."""
        rows = value.get("fields") if isinstance(value, dict) and set(value) == {"fields"} else None
        if not isinstance(rows, list) or not 0 < len(rows) <= _MAX_FIELDS or not _NAME.fullmatch(name):
            raise MalformedError(f"business key {name[:80]!r}: has 1 to {_MAX_FIELDS} fields")
        fields = tuple(_field(name, row) for row in rows)
        if len({field.name for field in fields}) != len(fields):
            raise MalformedError(f"business key {name!r}: has a field twice")
        return cls(name, fields)

    def canonical(self, values: Mapping[str, JSON]) -> tuple[tuple[str, str], ...]:
        """(field, value in its one spelling) in the declared order; other fields of `values` do not count.

        MalformedError `bad-business-key` for a field that is missing, empty, or not of its kind.
        """
        return tuple((field.name, canonical_field(field.kind, values.get(field.name))) for field in self.fields)

    def digest(self, values: Mapping[str, JSON], *, hash: Hash) -> bytes:
        """The digest a nullifier is made of."""
        return hash(framed("weid/business-key/v1", cbor.encode([self.name, self.canonical(values)])))


def canonical_field(kind: str, value: JSON) -> str:
    """The one spelling of a value.

    text: compatible letters and digits made one (NFKC), case folded, blanks made one, nothing invisible;
    code: the same, and only its letters and digits; number: no leading or trailing zeros; date: yyyy-mm-dd.
    """
    if not isinstance(value, str | int) or isinstance(value, bool) or (isinstance(value, int) and abs(value) >= 10**40):
        raise _bad("a field of a business key is text or a whole number")
    text = _text(str(value))
    if kind == "code":
        text = "".join(letter for letter in text if letter.isalnum())
    elif kind == "number":
        text = _number(text)
    elif kind == "date":
        text = _date(text)
    if not text:
        raise _bad("a field of a business key is not empty")
    return text


def _field(name: str, row: JSON) -> Field:
    field, kind = (row["name"], row["kind"]) if isinstance(row, dict) and set(row) == {"name", "kind"} else (None, None)
    if not isinstance(field, str) or not _NAME.fullmatch(field) or not isinstance(kind, str) or kind not in KINDS:
        raise MalformedError(f"business key {name!r}: a field has a name and a kind of {', '.join(KINDS)}")
    return Field(field, kind)


def _text(text: str) -> str:
    if len(text) > _MAX_TEXT:
        raise _bad(f"a field of a business key has at most {_MAX_TEXT} characters")
    before = None
    while text != before:  # folding can undo normalising and the other way round; each step only simplifies, so it ends
        before = text
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = " ".join("".join(_letter(letter) for letter in text).split())
    return text


def _letter(letter: str) -> str:
    """A digit of any script as 0 to 9; nothing for what is not seen."""
    category = unicodedata.category(letter)
    if category in ("Cn", "Co", "Cs"):  # what this Unicode does not know, another one might fold otherwise
        raise _bad("a field of a business key has characters without a meaning")
    if category == "Nd":
        return str(unicodedata.digit(letter))
    return "" if category == "Cf" or (category == "Cc" and not letter.isspace()) else letter


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise _bad("a number has digits and at most one decimal point, no separators")
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def _date(text: str) -> str:
    found = _DATE.fullmatch(text.replace(" ", ""))
    if found is None or (found[2], found[4], found[6]) not in (*((mark, mark, "") for mark in "-/."), ("年", "月", "日")):
        raise _bad("a date is year, month, day")
    try:
        return date(int(found[1]), int(found[3]), int(found[5])).isoformat()
    except ValueError:
        raise _bad("a date of the calendar") from None


def _bad(sentence: str) -> MalformedError:
    return MalformedError(sentence, code="bad-business-key")
