"""SVG artwork from a pack: read strictly against lists of what is allowed, or refused by name (docs/spec/paper.md).

What a template may do is draw shapes and say where texts and three pictures go. It cannot run, fetch, reference or
animate anything, and nothing in it is large enough to keep a machine busy. Nothing is repaired silently: what is not
on the lists is refused, because a cleaned picture is not the picture whose digest was published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from xml.etree import ElementTree as Tree  # to build and print; what comes from outside is parsed by defusedxml

from credentials.text import unsafe_text
from weid.errors import MalformedError

__all__ = ["MAX_BYTES", "Artwork", "Box", "Slot", "SvgError", "read_svg"]

MAX_BYTES: Final = 512 * 1024
MAX_ELEMENTS: Final = 4_000
MAX_DEPTH: Final = 24
MAX_NUMBERS: Final = 60_000  # in all paths and lists of points together
MAX_SIZE: Final = 100_000.0  # of any number in a shape
_NS: Final = "{http://www.w3.org/2000/svg}"

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,7}(?:\.[0-9]{0,8})?|\.[0-9]{1,8})(?:e-?[0-9]{1,2})?", re.ASCII | re.I)
_LENGTH: Final = re.compile(r"-?(?:[0-9]{1,6}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(?:px|mm|%)?", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_PATH: Final = re.compile(r"[MmZzLlHhVvCcSsQqTtAa0-9eE+\-., \n\r\t]*", re.ASCII)
_LIST: Final = re.compile(r"[0-9eE+\-., \n\r\t]*", re.ASCII)
_TURN: Final = re.compile(r"(?:\s*(?:matrix|translate|scale|rotate|skewX|skewY)\([0-9eE+\-., ]{1,120}\)\s*,?){1,8}", re.ASCII)
_PAINT: Final = re.compile(
    r"none|currentColor|#[0-9A-Fa-f]{3,8}|[a-z]{3,24}|rgba?\([0-9., %]{5,40}\)|url\(#([A-Za-z][A-Za-z0-9_-]{0,63})\)", re.ASCII
)
_WORD: Final = re.compile(r"[A-Za-z0-9 ,'._-]{1,120}", re.ASCII)
_TEXT: Final = re.compile(r".{0,200}", re.DOTALL)
_PAGE: Final = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body)", re.I)
_GAP: Final = re.compile(r"\{\{\s*([A-Za-z][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z][A-Za-z0-9_-]{0,63}){0,3})\s*\}\}", re.ASCII)

_EVERYWHERE: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType({
    "id": _ID, "transform": _TURN, "fill": _PAINT, "stroke": _PAINT, "clip-path": _PAINT, "opacity": _LENGTH,
    "fill-opacity": _LENGTH, "fill-rule": _WORD, "clip-rule": _WORD, "stroke-width": _LENGTH, "stroke-opacity": _LENGTH,
    "stroke-linecap": _WORD, "stroke-linejoin": _WORD, "stroke-miterlimit": _LENGTH, "stroke-dasharray": _LIST,
    "stroke-dashoffset": _LENGTH, "shape-rendering": _WORD, "role": _WORD, "aria-label": _TEXT, "aria-hidden": _WORD,
})  # fmt: skip
_BOX: Final = ("x", "y", "width", "height")
_LENGTHS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "svg": ("width", "height"), "g": (), "defs": (), "title": (), "desc": (), "rect": (*_BOX, "rx", "ry"),
    "circle": ("cx", "cy", "r"), "ellipse": ("cx", "cy", "rx", "ry"), "line": ("x1", "y1", "x2", "y2"), "path": (),
    "polyline": (), "polygon": (), "text": ("x", "y", "font-size", "letter-spacing", "data-width", "data-lines"),
    "image": _BOX, "clipPath": (), "linearGradient": ("x1", "y1", "x2", "y2"), "stop": ("offset", "stop-opacity"),
    "radialGradient": ("cx", "cy", "r", "fx", "fy"),
})  # fmt: skip
_OTHERS: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = MappingProxyType({
    "svg": {"viewBox": _LIST, "version": _WORD, "preserveAspectRatio": _WORD},
    "path": {"d": _PATH}, "polyline": {"points": _LIST}, "polygon": {"points": _LIST},
    "text": {"font-family": _WORD, "font-weight": _WORD, "font-style": _WORD, "text-anchor": _WORD, "data-lang": _WORD},
    "image": {"href": re.compile(r"\{\{(?:code|logo|seal)\}\}"), "preserveAspectRatio": _WORD},
    "clipPath": {"clipPathUnits": _WORD}, "stop": {"stop-color": _PAINT},
    "linearGradient": {"gradientUnits": _WORD, "gradientTransform": _TURN, "spreadMethod": _WORD},
    "radialGradient": {"gradientUnits": _WORD, "gradientTransform": _TURN, "spreadMethod": _WORD},
})  # fmt: skip


class SvgError(MalformedError):
    """Why a drawing is refused: `reason` has a sentence in every language, `about` fills it (element, line, what stood there)."""

    default_code = "bad-svg"

    def __init__(self, reason: str, message: str, code: str | None = None, /, **about: object) -> None:
        line = f" (line {about['line']})" if "line" in about else ""
        super().__init__(f"SVG: {message}{line}", code=code)
        self.reason = reason
        self.about: Mapping[str, str] = MappingProxyType({name: str(value) for name, value in about.items()})


class _Element(Tree.Element):
    """An element that knows the line it begins on."""

    line = 0


@dataclass(frozen=True, slots=True)
class Box:
    """One line of text: where it stands and what fills it; `width` is what it is shrunk to, 0 for as wide as it gets."""

    text: str
    x: float
    y: float
    size: float
    width: float
    lines: int
    anchor: str  # start | middle | end
    fill: str
    bold: bool
    sans: bool

    @property
    def gaps(self) -> tuple[str, ...]:
        """The names in its {{ }}."""
        return tuple(_GAP.findall(self.text))

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with its gaps filled in; values are characters, never markup."""
        return _GAP.sub(lambda found: values.get(found.group(1), ""), self.text)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a picture goes: code, logo or seal."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Artwork:
    """A picture without its texts, and what is put on it, in reading order. Units are those of the viewBox."""

    width: float
    height: float
    art: str
    boxes: tuple[Box, ...]
    slots: tuple[Slot, ...]


def read_svg(data: bytes, *, template: bool = True) -> Artwork:
    """The artwork in SVG bytes; SvgError `bad-svg` or `too-large` names what is not allowed, and the line.

    With `template=False` (a logo, a seal) there are no texts and no places for pictures either.
    """
    root = _parsed(data)
    if root.tag != f"{_NS}svg":
        raise SvgError("not-svg", "the outermost element is not svg")
    _check(root)
    left, top, width, height = _view(root)
    if template and (left, top) != (0, 0):
        raise SvgError("view-box", "viewBox begins at 0 0", line=_line(root))
    placed = [(parent, item) for parent in root.iter() for item in parent if item.tag in (f"{_NS}text", f"{_NS}image")]
    if placed and not template:
        item = placed[0][1]
        raise SvgError("shapes-only", "a logo or seal holds shapes only", element=_name(item), line=_line(item))
    boxes = tuple(_box(item) for _, item in placed if item.tag == f"{_NS}text")
    slots = tuple(_slot(item) for _, item in placed if item.tag == f"{_NS}image")
    codes = [slot.name for slot in slots].count("code")
    if template and codes != 1:
        raise SvgError("two-codes" if codes else "no-code", "a template has exactly one place for the code")
    _free(root)
    for parent, item in placed:
        parent.remove(item)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    Tree.register_namespace("", _NS[1:-1])
    return Artwork(width, height, Tree.tostring(root, encoding="unicode"), boxes, slots)


def _parsed(data: bytes) -> Tree.Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    if len(data) > MAX_BYTES:
        raise SvgError("too-large", f"an SVG has at most {MAX_BYTES} bytes", "too-large", most=MAX_BYTES // 1024)
    if _PAGE.match(data):
        raise SvgError("web-page", "this is a web page, not an SVG")
    made: list[Tree.Element] = []

    def begun(tag: str, attributes: dict[str, str]) -> _Element:
        item = _Element(tag, attributes)
        item.line = reader.parser.CurrentLineNumber
        made.append(item)
        if len(made) > MAX_ELEMENTS:  # while it is read: what is refused in the end need not be held first
            raise SvgError("many", f"more than {MAX_ELEMENTS} elements", line=item.line, most=MAX_ELEMENTS)
        return item

    reader = DefusedXMLParser(target=Tree.TreeBuilder(element_factory=begun), forbid_dtd=True)
    try:
        reader.feed(data.decode("utf-8"))
        root: Tree.Element = reader.close()
    except DefusedXmlException as error:
        line = reader.parser.CurrentLineNumber
        raise SvgError("doctype", f"not plain XML: {type(error).__name__}", line=line) from None
    except (Tree.ParseError, UnicodeDecodeError, ValueError, RecursionError, AssertionError) as error:
        if isinstance(error, SvgError):
            raise
        line = reader.parser.CurrentLineNumber
        raise SvgError("not-xml", f"not plain XML: {type(error).__name__}", line=line) from None
    return root


def _check(root: Tree.Element) -> None:
    ids: set[str] = set()
    wanted: dict[str, Tree.Element] = {}
    numbers = 0
    for depth, item in _walk(root):
        _shape(item, depth)
        for key, value in item.attrib.items():
            numbers += _attribute(item, key, value)
            if key == "id":
                if value in ids:
                    raise SvgError("twice", f"the id {value} stands twice", value=value, line=_line(item))
                ids.add(value)
            found = _PAINT.fullmatch(value) if key in ("fill", "stroke", "clip-path") else None
            if found is not None and found.group(1):
                wanted.setdefault(found.group(1), item)
    for name in sorted(set(wanted) - ids):
        raise SvgError("no-target", f"there is no #{name}", value=name, line=_line(wanted[name]))
    if numbers > MAX_NUMBERS:
        raise SvgError("numbers", f"more than {MAX_NUMBERS} numbers in its shapes", most=MAX_NUMBERS)


def _shape(item: Tree.Element, depth: int) -> None:
    """Whether the element may stand here at all."""
    name, line = _name(item), _line(item)
    if depth > MAX_DEPTH:
        raise SvgError("deep", f"more than {MAX_DEPTH} elements inside each other", most=MAX_DEPTH, line=line)
    if not isinstance(item.tag, str) or not item.tag.startswith(_NS) or name not in _LENGTHS:
        raise SvgError("element", f"<{name}> is not allowed", element=name, line=line)
    if (name == "svg") != (depth == 0):
        raise SvgError("element", "an svg inside the svg", element=name, line=line)
    if name not in ("text", "title", "desc") and ((item.text or "").strip() or any((child.tail or "").strip() for child in item)):
        raise SvgError("stray", f"text directly inside <{name}>", element=name, line=line)


def _name(item: Tree.Element) -> str:
    """The element's name as its author wrote it, or nearly: a foreign one keeps its namespace."""
    return str(item.tag).removeprefix(_NS)[:80]


def _line(item: Tree.Element) -> int:
    return getattr(item, "line", 0)


def _walk(root: Tree.Element) -> Iterator[tuple[int, Tree.Element]]:
    waiting = [(0, root)]
    while waiting:
        depth, item = waiting.pop()
        yield depth, item
        waiting.extend((depth + 1, child) for child in item)


def _attribute(item: Tree.Element, key: str, value: str) -> int:
    """Check one attribute; how many numbers it holds."""
    name = _name(item)
    about = {"element": name, "name": key[:60], "value": value[:40], "line": _line(item)}
    if key in _LENGTHS[name]:
        pattern: re.Pattern[str] | None = _LENGTH
    else:
        pattern = _OTHERS.get(name, {}).get(key) or _EVERYWHERE.get(key)
    if pattern is None:
        raise SvgError("attribute", f'<{name} {key[:60]}="…"> is not allowed', **about)
    if len(value) > MAX_BYTES or not pattern.fullmatch(value):
        raise SvgError("value", f'<{name} {key}="{value[:40]}"> is not an allowed value', **about)
    if key not in ("d", "points", "transform", "gradientTransform", "viewBox", "stroke-dasharray"):
        return 0
    found = _NUMBER.findall(value)
    if any(abs(float(number)) > MAX_SIZE for number in found) or re.search(r"[0-9]{8}|e\+?[0-9]{2}", value, re.I):
        raise SvgError("big-number", f"a number in {key} is larger than {MAX_SIZE:g}, or too long", **about)
    return len(found)


def _view(root: Tree.Element) -> tuple[float, float, float, float]:
    parts = _NUMBER.findall(root.get("viewBox", ""))
    if len(parts) != 4:
        raise SvgError("view-box", "viewBox needs four numbers", line=_line(root))
    left, top, width, height = map(float, parts)
    if not (0 < width <= 10_000 and 0 < height <= 10_000 and 0.2 <= width / height <= 5):
        raise SvgError("view-box", "viewBox is 1 to 10000 wide and high, and not five times as long as wide", line=_line(root))
    return left, top, width, height


def _box(item: Tree.Element) -> Box:
    text, line = " ".join("".join(item.itertext()).split()), _line(item)
    if len(item) or "transform" in item.attrib:
        raise SvgError("text-inside", "a text holds characters only and is not turned", line=line)
    rest = _GAP.sub("", text)
    if "{" in rest or "}" in rest:
        raise SvgError("braces", f"{text[:60]!r}: only {{{{names}}}} may stand in double braces", value=text[:60], line=line)
    if unsafe_text(rest) is not None or len(text) > 400:
        raise SvgError("invisible", "a text has at most 400 characters, and none that is invisible", line=line)
    anchor = item.get("text-anchor", "start")
    if anchor not in ("start", "middle", "end"):
        raise SvgError("value", f"text-anchor {anchor}", element="text", name="text-anchor", value=anchor[:40], line=line)
    fill = item.get("fill", "#000000")
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", fill):
        raise SvgError("text-colour", "the fill of a text is written like #1d4f6e", value=fill[:40], line=line)
    lines = _number(item, "data-lines", 1)
    if not 1 <= lines <= 12:
        value = item.get("data-lines")
        raise SvgError("value", "data-lines is 1 to 12", element="text", name="data-lines", value=value, line=line)
    return Box(
        text, _number(item, "x", 0), _number(item, "y", 0), max(0.1, _number(item, "font-size", 16)),
        max(0.0, _number(item, "data-width", 0)), int(lines), anchor, fill.lower(),
        item.get("font-weight", "normal") in ("bold", "600", "700", "800", "900"), "sans" in item.get("font-family", "").lower(),
    )  # fmt: skip


def _slot(item: Tree.Element) -> Slot:
    name = item.get("href", "").strip("{}")
    width, height = _number(item, "width", 0), _number(item, "height", 0)
    if not name or width <= 0 or height <= 0 or "transform" in item.attrib:
        raise SvgError("picture", "an image has href, width and height, and is not turned", line=_line(item))
    return Slot(name, _number(item, "x", 0), _number(item, "y", 0), width, height)


def _number(item: Tree.Element, name: str, default: float) -> float:
    value = item.get(name)
    if value is None:
        return default
    try:
        return float(value.removesuffix("px"))
    except ValueError:
        about = {"element": _name(item), "name": name, "value": value[:20], "line": _line(item)}
        raise SvgError("unit", f"{name}={value[:20]} is given in units of the viewBox", **about) from None


def _free(root: Tree.Element) -> None:
    """Texts and pictures stand where their numbers say: nothing around them may move or hide them."""
    for parent in root.iter():
        inside = [item for item in parent.iter() if item is not parent and item.tag in (f"{_NS}text", f"{_NS}image")]
        moved = {"transform", "clip-path", "opacity"} & set(parent.attrib)
        if inside and (moved or parent.tag not in (f"{_NS}svg", f"{_NS}g")):
            about = {"element": _name(parent), "line": _line(inside[0])}
            raise SvgError("moved", "a text or image stands in a group that is moved, clipped or hidden", **about)
