"""What a certificate can be found by, each in one spelling: document number, name, a second factor, the printed number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

from credentials.typed import read_code
from issuer_app.documents import read_document
from issuer_app.lookups.names import name_forms
from issuer_app.lookups.printed import read_printed
from weid.errors import MalformedError

__all__ = ["CLAIM", "FACTORS", "Given", "InputFault", "is_contact", "read_forms"]

CLAIM: Final = "claim:"  # an input that is a claim of the certificate itself: claim:certificateNumber
_MAX: Final = 200  # characters of any input
_DATE: Final = re.compile(r"([0-9]{4})(?:([0-9]{2})([0-9]{2})|[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?)", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")

_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}[0-9]|\([0-9 +]{1,5}\)[0-9 ()./-]{3,30}[0-9]", re.ASCII)


class InputFault(MalformedError):
    """An input of a look-up that cannot be used: `field` is which, `code` why. It carries nothing of what was typed."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}", code=code)
        self.field = field


@dataclass(frozen=True, slots=True)
class Given:
    """What one certificate is to be found by: its forms by input, its documents (kind, number), and who is to hear.

    `contact` is where one-time links go, `code` the claim code handed to the holder; either may be empty.
    """

    forms: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    documents: tuple[tuple[str, str], ...] = ()
    contact: str = ""
    code: str = ""


def is_contact(text: str) -> bool:
    """Whether a message could reach somebody there: an e-mail address or a telephone number, as people write them."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if "@" in plain:
        return _EMAIL.fullmatch(plain) is not None
    return _PHONE.fullmatch(plain) is not None and 5 <= sum(letter.isdigit() for letter in plain) <= 15


def _name(text: str) -> tuple[str, ...]:
    return name_forms(text)


def _date(text: str) -> tuple[str, ...]:
    match = _DATE.fullmatch(_plain(text))
    try:
        year, month, day = (int(part) for part in match.groups() if part) if match else (0, 0, 0)
        return (date(year, month, day).isoformat(),)
    except ValueError as error:
        raise MalformedError("not a day", code="lookup-date") from error


def _tail(text: str) -> tuple[str, ...]:
    plain = _plain(text)
    if not re.fullmatch(r"[0-9]{4}", plain, re.ASCII):
        raise MalformedError("four digits", code="lookup-tail")
    return (plain,)


def _email(text: str) -> tuple[str, ...]:
    plain = _plain(text).casefold()
    if not _EMAIL.fullmatch(plain):
        raise MalformedError("not an e-mail address", code="lookup-email")
    return (plain,)


def _code(text: str) -> tuple[str, ...]:
    try:
        return (read_code(text).hex(),)
    except MalformedError as error:
        raise MalformedError(str(error), code="lookup-code") from error


def _printed(text: str) -> tuple[str, ...]:
    return (read_printed(text),)


def _claim(text: str) -> tuple[str, ...]:
    plain = _plain(text).casefold()
    if not plain:
        raise MalformedError("nothing to look for", code="lookup-input")
    return (plain,)


def _plain(text: str) -> str:
    """Without width and blanks."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


FACTORS: Final[Mapping[str, Callable[[str], tuple[str, ...]]]] = MappingProxyType({
    "name": _name, "birthDate": _date, "phoneTail": _tail, "email": _email, "claimCode": _code, "certificateId": _printed,
})  # fmt: skip


def read_forms(name: str, text: str, *, kind: str = "", today: date | None = None) -> tuple[str, ...]:
    """The forms of one input, the whole one first; for `documentNumber` with its kind in front. InputFault."""
    if not text.strip():
        raise InputFault(name, "lookup-missing")
    if len(text) > _MAX:
        raise InputFault(name, "lookup-long")
    try:
        if name == "documentNumber":
            return (f"{kind}:{read_document(kind, text, today=today)}",)
        return (_claim if name.startswith(CLAIM) else FACTORS[name])(text)
    except MalformedError as error:
        raise InputFault("documentKind" if error.code == "document-kind" else name, error.code) from error
