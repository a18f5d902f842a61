"""Base45 (RFC 9285), strictly: one text has one meaning and one value has one text."""

from __future__ import annotations

from typing import Final

from weid.errors import MalformedError

__all__ = ["MAX_TEXT", "unb45"]

MAX_TEXT: Final = 10_000  # a QR code holds 4,296 of these characters
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUE: Final = {letter: value for value, letter in enumerate(_ALPHABET)}


def unb45(text: str) -> bytes:
    """The bytes of a base45 text; MalformedError `base45` for another letter, length or value over its bytes."""
    if len(text) > MAX_TEXT:
        raise MalformedError(f"base45 text is over {MAX_TEXT} characters", code="too-large")
    try:
        digits = [_VALUE[letter] for letter in text]
    except KeyError:
        raise MalformedError("a letter that base45 does not have", code="base45") from None
    if len(digits) % 3 == 1:
        raise MalformedError("a length that base45 does not have", code="base45")
    odd = len(digits) % 3 == 2
    last = [digits.pop(-2) + 45 * digits.pop()] if odd else []
    pairs = [one + 45 * two + 2025 * three for one, two, three in zip(*[iter(digits)] * 3, strict=True)]
    if max(pairs, default=0) > 0xFFFF or max(last, default=0) > 0xFF:
        raise MalformedError("a group over its bytes", code="base45")
    return b"".join(number.to_bytes(2, "big") for number in pairs) + bytes(last)
