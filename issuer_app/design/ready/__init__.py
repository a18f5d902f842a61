"""Templates to begin with, for people who own no drawing program: drawn here once, filled with the fields of a design.

A ready template is SVG in which `<!--each large-->` and `<!--each row-->` hold the lines that stand once for each such field.
What comes out is an ordinary template: it can be saved, changed in any drawing program, and brought back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from issuer_app.design.plan import Plan
from issuer_app.papers.look import ACCENT

__all__ = ["READY", "form_of", "made", "title_of"]

READY: Final = ("frame", "side", "across", "card", "poster")
_BLOCK: Final = re.compile(r"<!--each (large|row)-->\n(.*?)<!--end-->\n", re.DOTALL)
_MARK: Final = re.compile(r"\[(?:(field|x)|y\+([0-9.]+)|([0-9.]+)s)\]")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}", re.ASCII)


def form_of(name: str) -> str:
    """What a ready template is for; KeyError for a name that there is not."""
    return str(_ready()[name]["form"])


def title_of(name: str) -> Mapping[str, str]:
    """What it is called, in four languages."""
    return dict(_ready()[name]["title"])


def made(name: str, plan: Plan) -> bytes:
    """The template for the fields of a plan, in its colour. Fields that must be shown stand on it in any case (R12)."""
    held = _ready()[name]
    text = files("issuer_app.design.ready").joinpath(f"{name}.svg").read_text("utf-8")
    large, rows = _placed(plan, int(held["large"]["most"]))

    def each(found: re.Match[str]) -> str:
        kind, lines = found.groups()
        return _larges(lines, held["large"], large) if kind == "large" else _rows(lines, held["rows"], rows, len(large))

    accent = plan.page.accent if _COLOUR.fullmatch(plan.page.accent) else ACCENT
    return _BLOCK.sub(each, text).replace("[accent]", accent).encode("utf-8")


def _placed(plan: Plan, most: int) -> tuple[list[str], list[str]]:
    names = [field.name for field in plan.fields]
    large = ([name for name in plan.page.large if name in names] or names[:1])[:most]
    wanted = set(plan.page.rows or names) | {field.name for field in plan.fields if field.privacy == "public"}
    return large, [name for name in names if name in wanted and name not in large]


def _larges(lines: str, place: Mapping[str, Any], names: Sequence[str]) -> str:
    return "".join(_filled(lines, name, 0, place["y"] + number * place["step"], 1) for number, name in enumerate(names))


def _rows(lines: str, place: Mapping[str, Any], names: Sequence[str], large: int) -> str:
    """In columns, drawn closer and smaller where there are more than fit at the usual distance."""
    columns, top = place["x"], place["y"][min(large, len(place["y"])) - 1]
    count = -(-len(names) // len(columns)) or 1
    scale = min(1.0, (place["end"] - top) / count / place["step"])
    return "".join(
        _filled(lines, name, columns[at % len(columns)], top + at // len(columns) * place["step"] * scale, scale)
        for at, name in enumerate(names)
    )


def _filled(lines: str, name: str, x: float, y: float, scale: float) -> str:
    def mark(found: re.Match[str]) -> str:
        word, below, size = found.groups()
        if word is not None:
            return name if word == "field" else f"{x:g}"
        return f"{y + float(below) * scale:.2f}" if below is not None else f"{float(size) * scale:.2f}"

    return _MARK.sub(mark, lines)


@lru_cache(maxsize=1)
def _ready() -> Mapping[str, Mapping[str, Any]]:
    return dict(json.loads(files("issuer_app.design.ready").joinpath("ready.json").read_text("utf-8")))
