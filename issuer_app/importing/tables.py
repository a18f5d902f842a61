"""A file somebody uploaded, read as the spreadsheet it is: by its first bytes, never by its name."""

from __future__ import annotations

from typing import Final

from issuer_app.importing.cells import MAX_BYTES, Table
from weid.errors import MalformedError

__all__ = ["read_table"]

_REFUSED: Final = (
    (b"\xd0\xcf\x11\xe0", "sheet-old", "an old or locked workbook"),  # .xls, and every workbook with a password
    (b"\x1f\x8b", "sheet-packed", "a gzip file"), (b"7z\xbc\xaf", "sheet-packed", "a 7z file"),
    (b"Rar!", "sheet-packed", "a RAR file"), (b"BZh", "sheet-packed", "a bzip2 file"),
    (b"\xfd7zXZ", "sheet-packed", "an xz file"),
    (b"%PDF", "sheet-binary", "a PDF"), (b"\x89PNG", "sheet-binary", "a picture"), (b"\xff\xd8\xff", "sheet-binary", "a picture"),
)  # fmt: skip


def read_table(data: bytes) -> Table:
    """The table in a file's bytes: CSV or XLSX. MalformedError `sheet-…` says what is wrong with the file as a whole."""
    from issuer_app.importing.csv_table import read_csv
    from issuer_app.importing.xlsx_table import read_xlsx

    if len(data) > MAX_BYTES:
        raise MalformedError(f"more than {MAX_BYTES} bytes", code="sheet-large")
    if not data.strip():
        raise MalformedError("the file is empty", code="sheet-empty")
    for start, code, what in _REFUSED:
        if data.startswith(start):
            raise MalformedError(what, code=code)
    table = read_xlsx(data) if data.startswith(b"PK") else read_csv(data)
    used = [name for name in table.header if name]
    if len(set(used)) != len(used):
        raise MalformedError("two columns have one name", code="sheet-header")
    return table
