"""The dry run: every row becomes claims, or faults that name the cell and say what to do. Nothing is issued here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Final

from credentials.schema import Schema
from credentials.text import unsafe_text
from issuer_app.documents import read_document
from issuer_app.forms import Fault, Field, fields, read_fields
from issuer_app.importing.cells import EMPTY, Cell, Row
from issuer_app.importing.columns import BASE, CONTACT, FACTORS, KIND, NUMBER, Mapped, kind_named
from issuer_app.importing.values import form_of, widened
from issuer_app.lookups.inputs import is_contact
from weid.canon import JSON, jcs
from weid.errors import MalformedError
from weid.hashes import SHA256

__all__ = ["Checked", "Checker", "Wrong", "mark_of"]

MAX_FACTOR: Final = 120  # characters
MAX_BASE: Final = 32_000  # a code is 2,400 digits, a cell of a workbook 32,767 characters


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong in one column of a row; -1 for the row as a whole."""

    column: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Checked:
    """One row, judged. `mark` names its content: two rows of one mark are one certificate. `notices` tell what was changed."""

    number: int
    claims: Mapping[str, JSON]
    extra: Mapping[str, str]
    wrong: tuple[Wrong, ...]
    notices: tuple[Wrong, ...]
    mark: str


def mark_of(schema: bytes, claims: Mapping[str, JSON]) -> str:
    """The name of a certificate's content at this desk: 64 hex digits. It never leaves the desk (contents can be guessed)."""
    return SHA256(jcs([schema.hex(), dict(claims)])).hex()


@dataclass(slots=True)
class Checker:
    """Checks the rows of one table, in order: it remembers what stood above. `width` is the number of columns in the header."""

    schema: Schema
    mapped: Mapped
    zone: tzinfo
    today: date
    width: int
    _inputs: tuple[Field, ...] = field(init=False)
    _places: dict[str, int | None] = field(init=False)
    _marks: dict[str, int] = field(init=False, default_factory=dict)
    _numbers: dict[JSON, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._inputs = fields(self.schema)
        self._places = {item.claim.name: self.mapped.claim(item.claim.name) for item in self._inputs}

    def check(self, row: Row) -> Checked:
        """The row's claims, or what is wrong with it, everything at once."""
        form: dict[str, str] = {}
        wrong: list[Wrong] = []
        notices: list[Wrong] = []
        spoiled: set[str] = set()
        for item in self._inputs:
            name = item.claim.name
            place = self._places[name]
            if place is None:
                continue
            cell = _at(row, place)
            given = form_of(item, cell)
            if isinstance(given, Fault):
                wrong.append(Wrong(place, given))
                spoiled.add(name)
            else:
                form.update(given)
                if widened(cell.text) != cell.text:
                    notices.append(Wrong(place, Fault("import.notice-wide")))
        claims, faults = read_fields(self.schema, self._inputs, form, self.zone)
        wrong += [Wrong(self._column(name), fault) for name, fault in faults.items() if name not in spoiled]
        extra = self._extra(row, wrong)
        if any(cell.text or cell.fault for cell in row.cells[self.width :]):
            wrong.append(Wrong(-1, Fault("fault.row-wide", (("columns", self.width),))))
        mark = mark_of(self.schema.digest, claims)
        if not wrong:
            wrong += self._twice(row.number, claims, mark)
        return Checked(row.number, claims, extra, tuple(sorted(wrong, key=lambda one: one.column)), tuple(notices), mark)

    def _column(self, name: str) -> int:
        place = self._places[name]
        return -1 if place is None else place

    def _twice(self, number: int, claims: Mapping[str, JSON], mark: str) -> list[Wrong]:
        first = self._marks.setdefault(mark, number)
        if first != number:
            return [Wrong(-1, Fault("fault.row-twice", (("row", first),)))]
        key = claims.get(self.mapped.key) if self.mapped.key else None
        if key is None:
            return []
        first = self._numbers.setdefault(key, number)
        if first == number:
            return []
        return [Wrong(self._column(self.mapped.key), Fault("fault.row-number-twice", (("row", first),)))]

    def _extra(self, row: Row, wrong: list[Wrong]) -> Mapping[str, str]:
        """What is for look-ups only: the document's kind and normalised number, and second answers."""
        found: dict[str, str] = {}
        kind, place = self.mapped.kind, self.mapped.claim(KIND)
        if place is not None and _at(row, place).text:
            kind = kind_named(_at(row, place).text)
            if not kind:
                wrong.append(Wrong(place, Fault("problem.document-kind")))
        place = self.mapped.claim(NUMBER)
        if place is not None and kind:
            number = _document(_at(row, place), kind, self.today)
            if isinstance(number, Fault):
                wrong.append(Wrong(place, number))
            elif number:
                found |= {"documentKind": kind, "documentNumber": number}
        for target in (*FACTORS, CONTACT):
            place = self.mapped.claim(target)
            cell = EMPTY if place is None else _at(row, place)
            if cell.fault is not None or len(cell.text) > MAX_FACTOR or unsafe_text(cell.text) is not None:
                wrong.append(Wrong(-1 if place is None else place, Fault(cell.fault or "fault.invisible")))
            elif cell.text:
                found[target.partition(".")[2]] = widened(cell.shown or cell.text)
        place = self.mapped.claim(BASE)
        cell = EMPTY if place is None else _at(row, place)
        if cell.fault is not None or len(cell.text) > MAX_BASE:
            wrong.append(Wrong(self._target(BASE), Fault(cell.fault or "problem.base-unreadable")))
        elif cell.text:
            found["base"] = cell.text.strip()
        if "contact" in found and not is_contact(found["contact"]):
            wrong.append(Wrong(self._target(CONTACT), Fault("problem.lookup-contact")))
        return found

    def _target(self, name: str) -> int:
        place = self.mapped.claim(name)
        return -1 if place is None else place


def _document(cell: Cell, kind: str, today: date) -> str | Fault:
    if cell.fault is not None:
        return Fault(cell.fault)
    if cell.shown is not None:
        return Fault("fault.cell-zeros", (("value", cell.text), ("shown", cell.shown)))
    if not cell.text:
        return ""
    try:
        return read_document(kind, cell.text, today=today)
    except MalformedError as error:
        return Fault(f"problem.{error.code}")


def _at(row: Row, place: int) -> Cell:
    return row.cells[place] if place < len(row.cells) else EMPTY
