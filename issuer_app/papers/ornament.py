"""The drawn background of a certificate: guilloche bands and a rosette as one SVG, from a colour and a size alone.

The colour is `#rrggbb`; `look` has checked it.
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["band", "code_path", "frame"]


@lru_cache(maxsize=16)
def frame(width: float, height: float, accent: str) -> str:
    """A sheet of `width` × `height` mm: a guilloche border between two lines, a pale rosette behind the text."""
    edge, wide = 8.0, 6.4
    middle, corner = edge + wide / 2, edge + wide
    strands = "".join(
        _strand(corner, line, width - 2 * corner, phase, turned=False)
        for line in (middle, height - middle)
        for phase in (0, 1, 2)
    ) + "".join(
        _strand(corner, line, height - 2 * corner, phase, turned=True) for line in (middle, width - middle) for phase in (0, 1, 2)
    )
    corners = "".join(_corner(x, y, wide) for x in (middle, width - middle) for y in (middle, height - middle))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">'
        f'<rect width="{width:g}" height="{height:g}" fill="#fffefb"/>'
        f'<g fill="none" stroke="{accent}"><g stroke-width="0.16" stroke-opacity="0.11">{_rosette(width / 2, height * 0.45)}</g>'
        f'<path d="{strands}" stroke-width="0.2" stroke-opacity="0.8"/>{corners}'
        f'<path d="{_box(width, height, edge)}" stroke-width="0.75"/>'
        f'<path d="{_box(width, height, corner)}" stroke-width="0.3"/></g></svg>'
    )


@lru_cache(maxsize=32)
def band(width: float, height: float, head: float, accent: str) -> str:
    """A picture card of `width` × `height` mm: a coloured head of `head` mm with fine waves, paper below."""
    lines = "".join(_wave(width, head, index) for index in range(14))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">'
        f'<rect width="{width:g}" height="{height:g}" fill="#f6f4ee"/>'
        f'<rect width="{width:g}" height="{head:g}" fill="{accent}"/>'
        f'<path d="{lines}" fill="none" stroke="#ffffff" stroke-width="0.16" stroke-opacity="0.17"/>'
        f'<rect y="{head:g}" width="{width:g}" height="0.9" fill="#c8a24a"/></svg>'
    )


def code_path(rows: tuple[tuple[bool, ...], ...]) -> str:
    """The dark modules of a code as one path, one unit a module, runs joined: a fifth of the size of single squares."""
    parts: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                parts.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return "".join(parts)


def _box(width: float, height: float, inset: float) -> str:
    return f"M{inset:g} {inset:g}H{width - inset:g}V{height - inset:g}H{inset:g}Z"


def _strand(start: float, line: float, length: float, phase: int, *, turned: bool) -> str:
    """One wave along a side: half waves as parabolas, each the mirror of the one before (`t`), so it takes few bytes."""
    halves = round(length / 3.9)
    half = length / halves
    first = half * phase / 3
    step = f"t0 {half:.3f}" if turned else f"t{half:.3f} 0"
    swing, bow = 4.4, half / 2
    opening = f"q{swing:g} {bow:.3f} 0 {half:.3f}" if turned else f"q{bow:.3f} {swing:g} {half:.3f} 0"
    place = f"{line:g} {start + first:.3f}" if turned else f"{start + first:.3f} {line:g}"
    return f"M{place}{opening}" + step * (halves - 2)


def _corner(x: float, y: float, wide: float) -> str:
    half, petals = wide / 2, "".join(
        f'<ellipse cx="{x:g}" cy="{y:g}" rx="2.6" ry="0.9" stroke-width="0.18" transform="rotate({turn} {x:g} {y:g})"/>'
        for turn in range(0, 180, 30)
    )  # fmt: skip
    return f'<rect x="{x - half:g}" y="{y - half:g}" width="{wide:g}" height="{wide:g}" stroke-width="0.3"/>{petals}'


def _rosette(x: float, y: float) -> str:
    """Ellipses turned about one centre, as engraved on banknotes."""
    return "".join(
        f'<ellipse cx="{x:g}" cy="{y:g}" rx="{long}" ry="{short}" transform="rotate({turn:g} {x:g} {y:g})"/>'
        for long, short, count in ((66, 33, 30), (44, 15, 30))
        for turn in (180 / count * step for step in range(count))
    )


def _wave(width: float, head: float, index: int) -> str:
    points = []
    for step in range(121):
        x = width * step / 120
        swing = head * 0.34 * math.sin(2 * math.pi * (x / width * 1.4 + index * 0.035)) * (0.35 + 0.05 * index)
        points.append((x, min(head, max(0.0, head * (0.25 + 0.045 * index) + swing))))
    return _path(points)


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
