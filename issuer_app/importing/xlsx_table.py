"""XLSX, read as a stranger's file: the archive is measured before anything is unpacked, and no formula is believed.

What Excel does to numbers is told, never repaired: an identity number kept as a number has lost its last digits, and a number
format that shows leading zeros has no zeros behind it.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from defusedxml.common import DefusedXmlException

from issuer_app.importing.cells import EMPTY, MAX_COLUMNS, MAX_ROWS, Cell, Row, Table, filled, header_of
from issuer_app.importing.csv_table import text_cell
from weid.errors import MalformedError

__all__ = ["read_xlsx"]

MAX_PARTS: Final = 1_000
MAX_UNPACKED: Final = 200 << 20  # bytes, all parts together
MAX_STRINGS: Final = 60 << 20  # bytes of the shared strings, which are held in memory
MAX_MERGES: Final = 10_000
_DIGITS_KEPT: Final = 10**15  # Excel keeps 15 digits of a number
_MERGE: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_ZEROS: Final = re.compile(r"0{2,}")
_CHUNK: Final = 1 << 20
# What the archive, XML (whose errors are SyntaxErrors) and openpyxl raise for a file that is not what it says.
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, SyntaxError, DefusedXmlException, ValueError, KeyError, TypeError, AttributeError, IndexError,
    EOFError, OverflowError, NotImplementedError, RecursionError, RuntimeError, OSError, AssertionError,
)  # fmt: skip


def read_xlsx(data: bytes) -> Table:
    """The first sheet that is shown; MalformedError `sheet-…` names what is wrong with the file as a whole."""
    try:
        return _read(data)
    except MalformedError:
        raise
    except _BROKEN as error:
        raise MalformedError(f"not a workbook: {type(error).__name__}", code="sheet-broken") from error


def _read(data: bytes) -> Table:
    _measure(data)
    name, path, several, about = _sheet(data)
    merges = _merges(data, path)

    def every() -> Iterator[Row]:
        return _rows(data, name, merges)

    header = header_of(every())
    if header is None:
        raise MalformedError("the sheet has no rows", code="sheet-empty")
    if any(low <= header.number <= high and left != right for left, low, right, high in merges):
        raise MalformedError(f"row {header.number} has merged cells", code="sheet-header-merged")
    names = tuple(cell.text for cell in header.cells)

    def below() -> Iterator[Row]:
        return (row for row in every() if row.number > header.number and filled(row))

    return Table("xlsx", name, names, header.number, below, about, ("import.notice-sheets",) if several else ())


def _measure(data: bytes) -> None:
    """Refuse archives that would unpack to too much, and what a table of values has no use for."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
            raise MalformedError("an archive that is no workbook", code="sheet-zip")
        if any(name.startswith("/") or ".." in name.split("/") for name in names) or len(names) != len(parts):
            raise MalformedError("an archive with names that lead elsewhere, or twice the same", code="sheet-broken")
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise MalformedError("a workbook with macros", code="sheet-macros")
        if any(part.flag_bits & 1 for part in parts):
            raise MalformedError("a locked archive", code="sheet-old")
        # zipfile never unpacks more of a part than its directory says, so that these sums bound what comes out.
        strings = sum(part.file_size for part in parts if part.filename.lower().endswith("sharedstrings.xml"))
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED or strings > MAX_STRINGS:
            raise MalformedError("the workbook unpacks to too much", code="sheet-bomb")
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as opened:
                    start = opened.read(4096).replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf")
                if b"<!" in start.split(b"<!--")[0] or b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                    raise MalformedError("a workbook with a document type", code="sheet-entities")


def _book(data: bytes) -> Any:
    import openpyxl
    from openpyxl.xml import DEFUSEDXML

    if not DEFUSEDXML:  # entities would be resolved: better no import than that
        raise MalformedError("defusedxml is not in use", code="sheet-broken")
    return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)


def _sheet(data: bytes) -> tuple[str, str, bool, int]:
    """(name, part of the archive, whether there are others, rows it says it has) of the first sheet that is shown."""
    book = _book(data)
    try:
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not shown:
            raise MalformedError("no sheet is shown", code="sheet-empty")
        about = shown[0].max_row
        known = about if isinstance(about, int) and about < MAX_ROWS["xlsx"] else 0
        return str(shown[0].title), str(shown[0]._worksheet_path), len(shown) > 1, known
    finally:
        book.close()


def _merges(data: bytes, path: str) -> tuple[tuple[int, int, int, int], ...]:
    """(left, top, right, bottom) of every merged range; openpyxl does not tell while it streams."""
    from openpyxl.utils import column_index_from_string as column

    found: list[tuple[int, int, int, int]] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(path.lstrip("/")) as part:
        tail = b""
        while chunk := part.read(_CHUNK):
            text = tail + chunk
            last = 0
            for match in _MERGE.finditer(text):
                left, top, right, bottom = match.groups()
                found.append((column(left.decode()) - 1, int(top), column(right.decode()) - 1, int(bottom)))
                last = match.end()
                if len(found) > MAX_MERGES:
                    raise MalformedError(f"more than {MAX_MERGES} merged ranges", code="sheet-broken")
            tail = text[max(last, len(text) - 200) :]
    return tuple(sorted(found, key=lambda one: one[1]))


def _rows(data: bytes, name: str, merges: tuple[tuple[int, int, int, int], ...]) -> Iterator[Row]:
    book = _book(data)
    waiting, active = list(reversed(merges)), list[tuple[int, int, int, int]]()
    try:
        sheet = book[name]
        sheet.reset_dimensions()  # what the file says of its size may be anything
        for number, cells in enumerate(sheet.iter_rows(), 1):
            if number > MAX_ROWS["xlsx"] + 1:
                raise MalformedError(f"more than {MAX_ROWS['xlsx']} rows", code="sheet-rows")
            while waiting and waiting[-1][1] <= number:
                active.append(waiting.pop())
            active = [one for one in active if one[3] >= number]
            yield Row(number, _cells(cells, number, active))
    except MalformedError:
        raise
    except _BROKEN as error:
        raise MalformedError(f"not a workbook: {type(error).__name__}", code="sheet-broken") from error
    finally:
        book.close()


def _cells(cells: tuple[Any, ...], number: int, merged: list[tuple[int, int, int, int]]) -> tuple[Cell, ...]:
    made = [_cell(cell) for cell in cells]
    for left, _, right, _ in merged:
        made += [EMPTY] * (min(right + 1, MAX_COLUMNS) - len(made))
        made[left : right + 1] = [Cell(cell.text, fault="fault.cell-merged") for cell in made[left : right + 1]]
    while made and not made[-1].text and not made[-1].fault:
        made.pop()
    if len(made) > MAX_COLUMNS:
        raise MalformedError(f"row {number} has more than {MAX_COLUMNS} columns", code="sheet-columns")
    return tuple(made)


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return EMPTY
    if cell.data_type == "f":
        return Cell("", fault="fault.cell-formula")
    if cell.data_type == "e":
        return Cell("", fault="fault.cell-error")
    if isinstance(value, str):
        return text_cell(value)
    if isinstance(value, bool):
        return Cell("yes" if value else "no", "boolean")
    if isinstance(value, datetime):
        whole = value.time() == time(0)
        return Cell(value.strftime("%Y-%m-%d") if whole else value.strftime("%Y-%m-%d %H:%M"), "date")
    if isinstance(value, date):
        return Cell(value.isoformat(), "date")
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format))
    return Cell("", fault="fault.cell-time" if isinstance(value, time | timedelta) else "fault.cell-error")


def _number(value: float, format: str) -> Cell:
    if not math.isfinite(value):
        return Cell("", fault="fault.cell-error")
    if abs(value) >= _DIGITS_KEPT:
        return Cell("", "number", fault="fault.cell-digits-lost")
    if value == int(value):
        text = str(int(value))
        shown = text.zfill(len(format)) if _ZEROS.fullmatch(format) and value >= 0 else text
        return Cell(text, "number", shown=None if shown == text else shown)
    text = repr(float(value))
    if "e" in text or len(text.replace("-", "").replace(".", "").lstrip("0")) > 15:
        return Cell("", "number", fault="fault.cell-inexact")
    return Cell(text, "number")
