"""The short number of a certificate that is printed and typed: 60 bits of its id and a check letter.

    7K3M-9QXD-2VTC-H

The check letter is the sum of the letters over GF(32), each times another power of a generator: one wrong letter, or two
letters that changed places, never fit.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from weid.errors import MalformedError

__all__ = ["printed", "read_printed"]

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, as in the typed code: no I, L, O, U
_ALIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "–": None, "—": None})
_LENGTH: Final = 12


def printed(id_: str) -> str:
    """The printed form of an id of 32 hex digits."""
    number = int(id_[:16], 16) >> 4
    digits = [number >> shift & 31 for shift in range(55, -1, -5)]
    text = "".join(_LETTERS[digit] for digit in (*digits, _check(digits)))
    return "-".join(text[place : place + 4] for place in range(0, 13, 4))


def read_printed(text: str) -> str:
    """The 15 hex digits that both forms of a number begin with; MalformedError `lookup-number`, `lookup-number-check`."""
    plain = unicodedata.normalize("NFKC", text[:80]).upper()
    if re.fullmatch(r"[0-9A-F]{32}", plain.strip(), re.ASCII):
        return plain.strip()[:15].lower()
    plain = plain.translate(_ALIKE)
    if len(plain) != _LENGTH + 1 or any(letter not in _LETTERS for letter in plain):
        raise MalformedError("a certificate's number has 13 letters and digits", code="lookup-number")
    digits = [_LETTERS.index(letter) for letter in plain]
    if _check(digits[:_LENGTH]) != digits[_LENGTH]:
        raise MalformedError("the last letter does not fit the others", code="lookup-number-check")
    number = 0
    for digit in digits[:_LENGTH]:
        number = number << 5 | digit
    return f"{number:015x}"


def _check(digits: list[int]) -> int:
    """Horner's rule in GF(2)[x]/(x⁵+x²+1)."""
    total = 0
    for digit in digits:
        total = _doubled(total ^ digit)
    return total


def _doubled(value: int) -> int:
    return (value << 1 ^ 0b100101) if value & 16 else value << 1
