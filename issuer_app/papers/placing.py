"""A pack's template over one certificate: its texts filled in, every length in millimetres, and the code large enough."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.papers.content import Content
from issuer_app.papers.svg import Artwork, Box, Slot, SvgError
from weid.errors import IssueError

__all__ = ["MM_LEAST", "code_least", "fits", "placed"]

MM_LEAST: Final = 0.5  # a printed module
PIXELS_LEAST: Final = 4  # a module on a screen: below that, cameras fail


def placed(art: Artwork, content: Content, width: float, height: float, *, grid: float | None) -> dict[str, Any]:
    """What the layout `art` is given for a page of `width` × `height` mm.

    `grid` is the pixel in mm of a picture (modules are whole pixels, at least four), None for print (at least 0.5 mm).
    IssueError `code-too-small` when the template's place is too small for this code; SvgError when its proportions are
    not the page's.
    """
    if not fits(art, width, height):
        about = {"width": f"{width:g}", "height": f"{height:g}"}
        raise SvgError("proportions", f"the template is not {width:g} by {height:g} in its proportions", **about)
    scale = width / art.width
    modules = content.code.modules + 8
    return {
        "art": art.art, "width": width, "height": height,
        "boxes": [_box(box, content, scale, width) for box in art.boxes],
        "slots": [_slot(slot, scale, modules, grid) for slot in art.slots],
    }  # fmt: skip


def fits(art: Artwork, width: float, height: float) -> bool:
    """Whether a template has the proportions of a page."""
    return abs(art.width / art.height - width / height) <= 0.01


def code_least(art: Artwork, modules: int, width: float, *, grid: float | None) -> float:
    """How wide, in the template's own units, the place for a code of so many modules must be (quiet zone included)."""
    return modules * (MM_LEAST if grid is None else PIXELS_LEAST * grid) * art.width / width


def _box(box: Box, content: Content, scale: float, width: float) -> dict[str, Any]:
    x = box.x * scale
    room = {"start": width - x, "middle": 2 * min(x, width - x), "end": x}[box.anchor]
    wide = min(box.width * scale, room) if box.width else room
    return {
        "text": box.filled(content.gaps), "x": x, "y": box.y * scale, "size": box.size * scale, "width": max(wide, 1.0),
        "lines": box.lines, "anchor": box.anchor, "fill": box.fill, "bold": box.bold, "sans": box.sans,
    }  # fmt: skip


def _slot(slot: Slot, scale: float, modules: int, grid: float | None) -> dict[str, Any]:
    x, y, width, height = slot.x * scale, slot.y * scale, slot.width * scale, slot.height * scale
    held: dict[str, Any] = {"name": slot.name, "x": x, "y": y, "width": width, "height": height}
    if slot.name != "code":
        return held
    side = min(width, height)
    if grid is None and side / modules < MM_LEAST:
        raise IssueError(f"{modules} modules need {modules * MM_LEAST:g} mm, the template has {side:.1f}", code="code-too-small")
    if grid is not None:
        pixels = int(side / modules / grid + 1e-9)
        if pixels < PIXELS_LEAST:
            raise IssueError(f"{modules} modules do not fit the template's place", code="code-too-small")
        side = pixels * modules * grid
    x, y = x + (width - side) / 2, y + (height - side) / 2
    if grid is not None:
        x, y = round(x / grid) * grid, round(y / grid) * grid
    return {**held, "x": x, "y": y, "side": side}
