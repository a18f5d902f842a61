"""A PDF as a person sees it: its codes, the files inside it, and the text that is really drawn. Runs in the reader process.

Text that is set but not shown (invisible, outside the page, without ink, under a filled shape) is not what the paper says:
an edited certificate often still has the old name there.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from verifier_app.papers.codes import codes_in
from verifier_app.papers.sheet import Attachment, Code, Page, Paper

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_PAGES", "read_pdf"]

MAX_PAGES: Final = 30
MAX_CODES: Final = 64
MAX_FILES: Final = 16
MAX_ATTACHED: Final = 1 << 20  # no credential is larger
MAX_CHARS: Final = 20_000
MAX_OBJECTS: Final = 5_000
SCALES: Final = (3.0, 5.0)  # 216 dpi gives a 0.5 mm module four pixels; the finer one only where no code was found
MAX_PIXELS: Final = 24_000_000
_UNDRAWN: Final = (3, 7)  # text rendering modes: invisible, clip only (ISO 32000-1, table 106)
_INK: Final = 24  # grey levels between the lightest and the darkest dot of a character that is drawn
_IMAGE, _PATH, _TEXT = 3, 2, 1
Box = tuple[float, float, float, float]


def read_pdf(data: bytes) -> Paper:
    """Everything in a PDF; a problem in words of `sheet.PROBLEMS`, never an exception for what the file says."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        return Paper(problem="locked" if "password" in str(error).lower() else "unreadable")
    files, more = _attachments(document)
    codes: list[Code] = []
    pages: list[Page] = []
    for number in range(min(len(document), MAX_PAGES)):
        try:
            page = document[number]
            found, shown = _page(page, number + 1)
        except (pypdfium2.PdfiumError, ValueError, OSError):
            more = True  # one broken page is told, and hides no other
            continue
        codes += found
        pages.append(shown)
    more = more or len(document) > MAX_PAGES or len(codes) > MAX_CODES
    return Paper(tuple(codes[:MAX_CODES]), files, tuple(pages), more)


def _attachments(document: Any) -> tuple[tuple[Attachment, ...], bool]:
    import pypdfium2
    import pypdfium2.raw as pdfium

    found, count = [], document.count_attachments()
    more = count > MAX_FILES
    for index in range(min(count, MAX_FILES)):
        try:
            item = document.get_attachment(index)
            size = ctypes.c_ulong()
            pdfium.FPDFAttachment_GetFile(item, None, 0, size)
            if size.value > MAX_ATTACHED:
                more = True
                continue
            found.append(Attachment(item.get_name()[:200], bytes(item.get_data())))
        except (pypdfium2.PdfiumError, ValueError, UnicodeError):
            more = True
    return tuple(found), more


def _page(page: Any, number: int) -> tuple[list[Code], Page]:
    image, scale = None, SCALES[0]
    texts: tuple[str, ...] = ()
    for wanted in SCALES:
        scale = _scale(page, wanted)
        image = page.render(scale=scale, grayscale=True).to_pil().convert("L")
        texts = codes_in(image)
        if texts or scale < wanted:
            break
    assert image is not None
    return [Code(text, number) for text in texts], _text(page, image, scale)


def _scale(page: Any, wanted: float) -> float:
    width, height = page.get_size()
    if not (0 < width < 1e5 and 0 < height < 1e5):
        raise ValueError("a page without a size")
    return min(wanted, math.sqrt(MAX_PIXELS / (width * height)))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The page's objects in their order: where each text stands, and what is laid over it later."""

    order: dict[int, int]
    undrawn: frozenset[int]
    fills: tuple[tuple[int, Box], ...]
    pictures: tuple[tuple[int, Box], ...]

    def over(self, layers: tuple[tuple[int, Box], ...], address: int, x: float, y: float) -> bool:
        """Whether one of the layers drawn after this text holds the point."""
        mine = self.order.get(address, 0)
        return any(at > mine and box[0] <= x <= box[2] and box[1] <= y <= box[3] for at, box in layers)


def _text(page: Any, image: Image, scale: float) -> Page:
    import pypdfium2.raw as pdfium

    text, drawn = page.get_textpage(), _drawn(page)
    left, bottom, right, top = page.get_bbox()
    seen: list[str] = []
    covered: list[str] = []
    for index in range(min(text.count_chars(), MAX_CHARS)):
        letter = chr(pdfium.FPDFText_GetUnicode(text.raw, index) or 0x20)
        if letter.isspace() or not letter.isprintable():
            seen.append("\n" if letter in "\r\n" else " ")
            covered.append(seen[-1])
            continue
        box = text.get_charbox(index, loose=False)
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        handle = pdfium.FPDFText_GetTextObject(text.raw, index)
        address = _address(handle)
        if address in drawn.undrawn or not (left <= x <= right and bottom <= y <= top):
            continue
        if drawn.over(drawn.fills, address, x, y) or not _ink(image, box, left, top, scale, page.get_rotation()):
            continue
        under = drawn.over(drawn.pictures, address, x, y)
        covered.append(letter)
        if not under:
            seen.append(letter)
    shown, all_of_it = "".join(seen), "".join(covered)
    return Page(shown, all_of_it if all_of_it != shown else "")


def _drawn(page: Any) -> _Drawn:
    import pypdfium2.raw as pdfium

    order: dict[int, int] = {}
    undrawn: set[int] = set()
    fills: list[tuple[int, Box]] = []
    pictures: list[tuple[int, Box]] = []
    for at, item in enumerate(_objects(page)):
        if item.type == _TEXT:
            order[_address(item.raw)] = at
            if pdfium.FPDFTextObj_GetTextRenderMode(item.raw) in _UNDRAWN:
                undrawn.add(_address(item.raw))
        elif item.type == _IMAGE:
            pictures.append((at, item.get_bounds()))
        elif item.type == _PATH and _filled(item):
            fills.append((at, item.get_bounds()))
    return _Drawn(order, frozenset(undrawn), tuple(fills), tuple(pictures))


def _objects(page: Any) -> Iterator[Any]:
    for count, item in enumerate(page.get_objects(max_depth=4)):
        if count >= MAX_OBJECTS:
            raise ValueError("a page of too many objects")
        yield item


def _filled(item: Any) -> bool:
    """Whether a shape is filled and nothing shows through it."""
    import pypdfium2.raw as pdfium

    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(item.raw, mode, stroke) or not mode.value:
        return False
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    return bool(pdfium.FPDFPageObj_GetFillColor(item.raw, red, green, blue, alpha)) and alpha.value > 200


def _address(handle: Any) -> int:
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def _ink(image: Image, box: Box, left: float, top: float, scale: float, rotation: int) -> bool:
    """Whether anything is to be seen where a character stands; on a turned page that is not asked."""
    if rotation:
        return True
    corners = ((box[0] - left) * scale, (top - box[3]) * scale, (box[2] - left) * scale, (top - box[1]) * scale)
    x0, y0 = max(0, math.floor(corners[0])), max(0, math.floor(corners[1]))
    x1, y1 = min(image.width, math.ceil(corners[2]) + 1), min(image.height, math.ceil(corners[3]) + 1)
    if x1 <= x0 or y1 <= y0:
        return False
    low, high = image.crop((x0, y0, x1, y1)).getextrema()
    return bool(high - low >= _INK)  # type: ignore[operator]
