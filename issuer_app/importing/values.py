"""From a cell to what the form would have been given: dates, choices and answers as people write them.

The form's own reading comes after and has the last word, so that a spreadsheet can say nothing a form could not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from issuer_app.forms import Fault, Field
from issuer_app.importing.cells import Cell

__all__ = ["folded", "form_of", "widened"]

_WIDE: Final = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))} | {
    0x3000: 0x20
}
_DAY: Final = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?", re.ASCII)
_DAY_PACKED: Final = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})", re.ASCII)
_DAY_LAST: Final = re.compile(r"[0-9]{1,2}\s*[-/.]\s*[0-9]{1,2}\s*[-/.]\s*[0-9]{2,4}", re.ASCII)
_SERIAL: Final = re.compile(r"[1-9][0-9]{4}", re.ASCII)
_CLOCK: Final = re.compile(r"(.+?)[T\s]+([0-9]{1,2}):([0-9]{2})(?::00(?:\.0+)?)?", re.ASCII)
_MONTHS: Final = re.compile(
    r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*月?\s*(?:[/~–—至到]|-{1,2}|a|to)\s*([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*月?",
    re.ASCII,
)
_YES: Final = frozenset({"yes", "y", "true", "1", "sim", "s", "是", "有", "√", "✓"})
_NO: Final = frozenset({"no", "n", "false", "0", "não", "nao", "否", "无", "無", "×", "✗"})
_EPOCH: Final = date(1899, 12, 30)  # day 0 of Excel's serial numbers, for days after February 1900


def widened(text: str) -> str:
    """Full-width letters, digits and blanks as the ordinary ones; punctuation stays, which Chinese text writes wide."""
    return text if text.isascii() else text.translate(_WIDE)


def folded(text: str) -> str:
    """A label or choice for comparing: width, case, blanks, and the marks people put around labels do not count."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def form_of(field: Field, cell: Cell) -> Mapping[str, str] | Fault:
    """What the form's inputs of this field would hold, or why the cell cannot be read."""
    if cell.fault is not None:
        return Fault(cell.fault)
    kind, text = field.claim.kind, widened(unicodedata.normalize("NFC", cell.text)).strip()
    if not text:
        return {}
    if kind in ("text", "digits"):
        return _as_written(field, cell, text)
    if kind in ("date", "minutes"):
        return _moment(field, cell, unicodedata.normalize("NFKC", text))
    if kind == "months":
        return _months(field, text)
    if kind == "enum":
        found = _choices(field.claim.name, field).get(folded(text))
        return Fault("fault.cell-choice") if found is None else {field.name: found}
    if kind == "boolean":
        word = text.casefold()
        return {field.name: "yes" if word in _YES else "no"} if word in _YES | _NO else Fault("fault.cell-yes-no")
    return {field.name: text}


def _as_written(field: Field, cell: Cell, text: str) -> Mapping[str, str] | Fault:
    """Text must be the very text: what the spreadsheet only shows is not in it."""
    if cell.kind == "date":
        return Fault("fault.cell-is-date", (("value", text),))
    if cell.shown is not None or (field.claim.kind == "digits" and cell.kind == "number" and len(text) < field.claim.digits):
        return Fault("fault.cell-zeros", (("value", text), ("shown", cell.shown or text.zfill(field.claim.digits))))
    return {field.name: text}


def _moment(field: Field, cell: Cell, text: str) -> Mapping[str, str] | Fault:
    clock = _CLOCK.fullmatch(text)
    day = _day(clock[1].strip() if clock else text)
    if day is None:
        return _no_day(text)
    if field.claim.kind == "date":
        return {field.name: day} if clock is None else Fault("fault.cell-has-time", (("value", text),))
    return {field.name: f"{day}T{int(clock[2]):02}:{clock[3]}" if clock else f"{day}T00:00"}


def _day(text: str) -> str | None:
    found = _DAY.fullmatch(text) or _DAY_PACKED.fullmatch(text)
    if found is None:
        return None
    return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"


def _no_day(text: str) -> Fault:
    if _SERIAL.fullmatch(text):
        return Fault("fault.cell-serial", (("value", text), ("day", (_EPOCH + timedelta(int(text))).isoformat())))
    if _DAY_LAST.fullmatch(text):  # 05/03/2026 is May in one place and March in the other
        return Fault("fault.cell-day-first", (("value", text),))
    return Fault("fault.cell-day", (("value", text[:40]),))


def _months(field: Field, text: str) -> Mapping[str, str] | Fault:
    found = _MONTHS.fullmatch(text)
    if found is None:
        return Fault("fault.cell-months", (("value", text[:40]),))
    first, last = f"{found[1]}-{int(found[2]):02}", f"{found[3]}-{int(found[4]):02}"
    return {f"{field.name}.from": first, f"{field.name}.to": last}


@lru_cache(maxsize=64)
def _choices_of(choices: tuple[str, ...], labels: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    found: dict[str, str] = {folded(choice): choice for choice in choices}
    twice: set[str] = set()
    for choice, label in labels:
        key = folded(label)
        if found.setdefault(key, choice) != choice:
            twice.add(key)  # two choices with one label: neither is meant
    return {key: choice for key, choice in found.items() if key not in twice}


def _choices(name: str, field: Field) -> Mapping[str, str]:
    labels = [(choice, label) for choice, words in field.claim.choice_labels.items() for label in words.values()]
    return _choices_of(field.claim.choices, tuple(labels))
