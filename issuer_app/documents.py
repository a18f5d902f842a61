"""Numbers of identity documents: read as people write them, checked as far as the number itself allows.

A number is looked up and compared, so that one spelling counts: capital ASCII letters and digits, without blanks,
hyphens or brackets. Errors carry no part of the number: they end up on pages and in reports that others read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from weid.errors import MalformedError

__all__ = ["KINDS", "read_document"]

MAX_TEXT: Final = 64  # characters; a longer text is no number, and is refused before it is looked at
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # 2^(17-i) mod 11 (GB 11643, ISO 7064 MOD 11-2)
_CHECK_LETTERS: Final = "10X98765432"
# First two digits of the division (GB/T 2260); 81, 82 and 83 stand on residence permits of the same numbering.
_REGIONS: Final = frozenset({
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64,
    65, 71, 81, 82, 83,
})  # fmt: skip
_EARLIEST: Final = date(1900, 1, 1)
_NOISE: Final = re.compile(r"[\s()\-\u2010-\u2015\u2212·.]")  # what people put between the characters of a number


def read_document(kind: str, text: str, *, today: date | None = None) -> str:
    """The number of a document of this kind (one of KINDS), normalised; `today` also refuses births after that day.

    MalformedError: `document-kind`, `document-empty`, `document-length`, `document-shape`, `document-old` (a number of
    15 digits), `document-region`, `document-date`, or `document-check` for a wrong check digit.
    """
    reader = _READERS.get(kind)
    if reader is None:
        raise MalformedError("no such kind of document", code="document-kind")
    if len(text) > MAX_TEXT:
        raise MalformedError("too long for a document number", code="document-length")
    number = _NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()
    if not number:
        raise MalformedError("the document number is empty", code="document-empty")
    if not number.isascii() or not number.isalnum():
        raise MalformedError("a document number has letters A to Z and digits only", code="document-shape")
    return reader(number, today)


def _resident(number: str, today: date | None) -> str:
    """18 characters: division, birth, order, check character."""
    if len(number) == 15 and number.isdigit():
        raise MalformedError("a number of 15 digits is no longer valid", code="document-old")
    _length(number, 18)
    _shape(number, r"[0-9]{17}[0-9X]")
    if int(number[:2]) not in _REGIONS:
        raise MalformedError("no division has these first digits", code="document-region")
    _birth(number[6:14], today)
    _check(number)
    return number


def _foreign_resident(number: str, today: date | None) -> str:
    """18 characters: 9, division, nationality, birth, order, check character (the card of 2023)."""
    _length(number, 18)
    _shape(number, r"9[0-9]{16}[0-9X]")
    if int(number[1:3]) not in _REGIONS:
        raise MalformedError("no division has these digits", code="document-region")
    _birth(number[6:14], today)
    _check(number)
    return number


def _check(number: str) -> None:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    if _CHECK_LETTERS[total % 11] != number[17]:
        raise MalformedError("the last character does not fit the others", code="document-check")


def _birth(digits: str, today: date | None) -> None:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as error:
        raise MalformedError("the birth in the number is no day", code="document-date") from error
    if born < _EARLIEST or (today is not None and born > today):
        raise MalformedError("the birth in the number is not plausible", code="document-date")


def _hk(number: str, today: date | None) -> str:
    """One or two letters, six digits, a check character; the weighted sum is a multiple of 11."""
    if not 8 <= len(number) <= 9:
        raise MalformedError("one or two letters, six digits and the character in brackets", code="document-length")
    _shape(number, r"[A-Z]{1,2}[0-9]{6}[0-9A]")
    values = [36 if letter == " " else int(letter, 36) for letter in number[:-1].rjust(8)]
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    if (total + int(number[-1], 36)) % 11:
        raise MalformedError("the character in brackets does not fit the others", code="document-check")
    return number


def _mo(number: str, today: date | None) -> str:
    """Eight digits, the first 1, 5 or 7. How its last digit is made is not published, so that it is not checked."""
    _length(number, 8)
    _shape(number, r"[157][0-9]{7}")
    return number


def _passport(number: str, today: date | None) -> str:
    """Up to nine letters and digits (ICAO 9303 part 4), at least five, and one of them a digit."""
    if not 5 <= len(number) <= 9:
        raise MalformedError("a passport number has 5 to 9 characters", code="document-length")
    _shape(number, r"[A-Z0-9]*[0-9][A-Z0-9]*")
    return number


def _cn_passport(number: str, today: date | None) -> str:
    """E and eight digits, E with a second letter and seven digits, or an older or service passport."""
    _length(number, 9)
    _shape(number, r"(?:E[A-HJ-NP-Z][0-9]{7}|[DEGPS][0-9]{8}|[DPS]E[0-9]{7})")
    return number


def _home_permit(number: str, today: date | None) -> str:
    """H or M and eight digits for life; two more digits, on older cards, count the replacements and do not name anybody."""
    if len(number) not in (9, 11):
        raise MalformedError("H or M and eight digits", code="document-length")
    _shape(number, r"[HM][0-9]{8}(?:[0-9]{2})?")
    return number[:9]


def _exit_permit(number: str, today: date | None) -> str:
    """C and eight digits, or C, a letter and seven digits; W on older booklets."""
    _length(number, 9)
    _shape(number, r"(?:[CW][0-9]{8}|C[A-HJ-NP-Z][0-9]{7})")
    return number


def _tw_permit(number: str, today: date | None) -> str:
    """Eight digits for life; two more, on older booklets, count the replacements."""
    if len(number) not in (8, 10):
        raise MalformedError("eight digits", code="document-length")
    _shape(number, r"[0-9]{8}(?:[0-9]{2})?")
    return number[:8]


def _length(number: str, count: int) -> None:
    if len(number) != count:
        raise MalformedError(f"this kind of number has {count} characters, not {len(number)}", code="document-length")


def _shape(number: str, pattern: str) -> None:
    if not re.fullmatch(pattern, number, re.ASCII):
        raise MalformedError("letters or digits stand where this kind of number has none", code="document-shape")


_READERS: Final[Mapping[str, Callable[[str, date | None], str]]] = MappingProxyType({
    "cn-id": _resident, "cn-foreigner-id": _foreign_resident, "hk-id": _hk, "mo-id": _mo, "cn-hk-mo-permit": _home_permit,
    "cn-exit-permit": _exit_permit, "cn-tw-permit": _tw_permit, "cn-passport": _cn_passport, "passport": _passport,
})  # fmt: skip
KINDS: Final = tuple(_READERS)
