"""Fields from a table (CSV): name, type, class, required, least, most, choices, sample, and a label a language.

Only `en`, `zh-Hans` or another label column must be there; choices are values with bars between, `1|2|3`.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from issuer_app.design.plan import CLASSES, MAX_FIELDS, TYPES, PlanField, field_name
from weid.errors import MalformedError
from weid.pack import LANGUAGES

__all__ = ["fields_of_csv"]

MAX_BYTES: Final = 256 << 10
_COLUMNS: Final = frozenset({"name", "type", "class", "required", "least", "most", "choices", "sample", *LANGUAGES})
_YES: Final = {"": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def fields_of_csv(data: bytes) -> tuple[PlanField, ...]:
    """The fields of a UTF-8 table, in order; MalformedError `bad-design` names the line and column that is wrong."""
    if len(data) > MAX_BYTES:
        raise MalformedError(f"a table of fields has at most {MAX_BYTES} bytes", code="too-large")
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedError(f"not a UTF-8 table: {error}", code="bad-design") from error
    head = [name.strip() for name in rows[0]] if rows else []
    if not head or set(head) - _COLUMNS or len(set(head)) != len(head) or not set(head) & {"name", *LANGUAGES}:
        raise MalformedError(f"line 1 names columns: {', '.join(sorted(_COLUMNS))}", code="bad-design")
    made: list[PlanField] = []
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(head) or len(made) >= MAX_FIELDS:
            raise MalformedError(f"line {number}: at most {len(head)} columns and {MAX_FIELDS} fields", code="bad-design")
        cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
        made.append(_field(cells, number, [item.name for item in made]))
    if len({item.name for item in made}) != len(made):
        raise MalformedError("a name stands twice", code="bad-design")
    return tuple(made)


def _field(cells: dict[str, str], number: int, taken: list[str]) -> PlanField:
    label = {language: cells[language] for language in LANGUAGES if cells.get(language)}
    type_, privacy = cells.get("type") or "text", cells.get("class") or "public"
    required = _YES.get(cells.get("required", "").lower())
    if type_ not in TYPES or privacy not in CLASSES or required is None:
        raise MalformedError(
            f"line {number}: type is one of {', '.join(TYPES)}, class one of {', '.join(CLASSES)}, required yes or no",
            code="bad-design",
        )
    choices: tuple[tuple[str, dict[str, str]], ...] = tuple(
        (value.strip(), {}) for value in cells.get("choices", "").split("|") if value.strip()
    )
    name = cells.get("name") or field_name(label.get("en", ""), taken)
    return PlanField(
        name, label, type_, privacy, required, _whole(cells.get("least", ""), number), _whole(cells.get("most", ""), number),
        choices, cells.get("sample", ""),
    )  # fmt: skip


def _whole(text: str, number: int) -> int | None:
    if not text:
        return None
    if len(text) > 12 or not text.removeprefix("-").isdecimal() or not text.isascii():
        raise MalformedError(f"line {number}: least and most are whole numbers", code="bad-design")
    return int(text)
