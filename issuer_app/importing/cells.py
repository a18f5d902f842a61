"""Cells and rows as every reader gives them, and how large a spreadsheet may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["EMPTY", "MAX_BYTES", "MAX_CELL", "MAX_COLUMNS", "MAX_ROWS", "Cell", "Row", "Table", "column_name", "header_of"]

MAX_BYTES: Final = 20 << 20
MAX_ROWS: Final = {"xlsx": 100_000, "csv": 300_000}
MAX_COLUMNS: Final = 100
MAX_CELL: Final = 4_000  # characters
_LOOK: Final = 10  # rows in which the header is looked for: titles stand above it


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `kind` is text, number, date or boolean; `fault` is the key of a text where the cell itself is unusable.

    `shown` is what the spreadsheet shows where its number is another text, such as 000123 for 123.
    """

    text: str
    kind: str = "text"
    fault: str | None = None
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its number in the file, counted from 1 as spreadsheet programs do."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A spreadsheet: `form` csv or xlsx, `detail` its encoding or sheet, the header, and the rows below it, read anew
    by each call of `rows`. `about` is how many rows there may be, for a bar; `notices` are keys of texts."""

    form: str
    detail: str
    header: tuple[str, ...]
    header_row: int
    rows: Callable[[], Iterator[Row]]
    about: int = 0
    notices: tuple[str, ...] = ()


EMPTY: Final = Cell("")


def column_name(index: int) -> str:
    """A, B, … Z, AA for 0, 1, … 25, 26."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(65 + letter) + name
    return name


def header_of(rows: Iterator[Row]) -> Row | None:
    """The header: of the first rows with content, the first that fills at least half as many columns as the fullest."""
    first = [row for row, _ in zip((row for row in rows if filled(row)), range(_LOOK), strict=False)]
    most = max((filled(row) for row in first), default=0)
    return next((row for row in first if filled(row) * 2 > most), None)


def filled(row: Row) -> int:
    """How many cells of a row hold something; a merged range counts once."""
    return sum(1 for cell in row.cells if cell.text or cell.fault not in (None, "fault.cell-merged"))
