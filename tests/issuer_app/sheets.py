"""Spreadsheets for tests: good ones, and those that people and enemies make."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl

HEADER = ("持有人姓名", "证书编号", "职业技能", "颁发日期", "技能等级", "成绩")


def person(number: int, **changes: str) -> list[str]:
    """A row of the skill certificate that is right; keys of `changes` are labels."""
    row = dict(zip(HEADER, (f"王小明{number}", f"{number:012}", "区块链应用操作员", "2026-11-20", "3", "优秀"), strict=True))
    return list((row | changes).values())


def csv_of(
    rows: Sequence[Sequence[object]], *, encoding: str = "utf-8", delimiter: str = ",", header: Sequence[str] = HEADER
) -> bytes:
    """A CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue().encode(encoding)


def xlsx_of(
    rows: Sequence[Sequence[Any]], *, header: Sequence[str] = HEADER, change: Callable[[Any], None] = lambda sheet: None
) -> bytes:
    """A workbook; `change` may do to the sheet what people do."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [header, *rows]:
        sheet.append(list(row))
    change(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, change: Callable[[str, bytes], bytes | None], more: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """A workbook whose parts were changed; None drops one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            made = change(part.filename, old.read(part))
            if made is not None:
                new.writestr(part.filename, made)
        for name, body in more:
            new.writestr(name, body)
    return out.getvalue()
