"""CSV as spreadsheet programs write it: UTF-8 with or without a mark, UTF-16, GB18030; the delimiter is found out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from issuer_app.importing.cells import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Cell, Row, Table, filled, header_of
from weid.errors import MalformedError

__all__ = ["read_csv", "text_cell"]

_DELIMITERS: Final = ",;\t|"
_SAMPLE: Final = 20  # records that decide the delimiter
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_csv(data: bytes) -> Table:
    """The table in the bytes of a CSV file; MalformedError `sheet-…` names what is wrong with the file as a whole."""
    text, encoding = _decode(data)
    delimiter = _delimiter(text)

    def every() -> Iterator[Row]:
        return _rows(text, delimiter)

    header = header_of(every())
    if header is None:
        raise MalformedError("the file has no rows", code="sheet-empty")
    names = tuple(cell.text for cell in header.cells)

    def below() -> Iterator[Row]:
        return (row for row in every() if row.number > header.number and filled(row))

    notices = ("import.notice-gb18030",) if encoding == "gb18030" else ()
    return Table("csv", encoding.removesuffix("-sig"), names, header.number, below, text.count("\n"), notices)


def _decode(data: bytes) -> tuple[str, str]:
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    for name in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise MalformedError("bytes that are no text", code="sheet-binary")
        return text, name
    raise MalformedError("neither UTF-8, UTF-16 nor GB18030", code="sheet-encoding")


def _delimiter(text: str) -> str:
    """The delimiter by which the first records have most columns, and the same number of them most often."""

    def score(delimiter: str) -> tuple[int, int]:
        counts: list[int] = []
        try:
            for row in _rows(text, delimiter):
                counts.append(len(row.cells))
                if len(counts) == _SAMPLE:
                    break
        except MalformedError as error:
            if error.code == "sheet-columns":
                counts.append(MAX_COLUMNS + 1)
        most = max(counts, default=0)
        return (sum(1 for count in counts if count == most), most) if most > 1 else (0, most)

    return max(_DELIMITERS, key=score)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    """Every record; a record over several lines is one row, as a spreadsheet program counts it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, 1):
            if number > MAX_ROWS["csv"] + 1:
                raise MalformedError(f"more than {MAX_ROWS['csv']} rows", code="sheet-rows")
            while record and not record[-1].strip():
                record.pop()
            if len(record) > MAX_COLUMNS:
                raise MalformedError(f"row {number} has more than {MAX_COLUMNS} columns", code="sheet-columns")
            yield Row(number, tuple(map(text_cell, record)))
    except csv.Error as error:
        raise MalformedError(f"after row {number}: {error}", code="sheet-quotes") from error


def text_cell(text: str) -> Cell:
    """The cell of a text, whichever file it stood in."""
    text = text.strip()
    if len(text) > MAX_CELL:
        return Cell("", fault="fault.cell-long")
    if text[:1] == "'" and text[1:2] in _RISKY:  # how a spreadsheet program, and our own reports, say "this is text"
        text = text[1:]
    return Cell(text, fault=None if not _runs(text) else "fault.cell-runs")


_RISKY: Final = frozenset("=+-@\t\r")


def _runs(text: str) -> bool:
    """Whether a spreadsheet program that opens the value later could run it (CSV injection).

    A sign before digits is a number or a telephone number; before anything else it begins a formula.
    """
    if text[:1] in ("=", "@"):
        return True
    return text[:1] in ("+", "-") and len(text) > 1 and not text[1:].replace(" ", "").replace("-", "").replace(".", "").isdigit()
