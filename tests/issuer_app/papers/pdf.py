"""What a PDF says about itself, read with pdfium."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
from pypdfium2 import raw


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    document = pypdfium2.PdfDocument(data)
    try:
        yield document
    finally:
        document.close()


def attachments(data: bytes) -> dict[str, bytes]:
    """The files inside."""
    with opened(data) as document:
        found = [document.get_attachment(index) for index in range(document.count_attachments())]
        return {item.get_name(): bytes(item.get_data()) for item in found}


def text(data: bytes) -> str:
    """The text layer of the first page."""
    with opened(data) as document:
        return str(document[0].get_textpage().get_text_range())


def pages(data: bytes) -> list[tuple[float, float]]:
    """The sizes of the pages in mm."""
    with opened(data) as document:
        return [(round(page.get_width() * 25.4 / 72, 1), round(page.get_height() * 25.4 / 72, 1)) for page in document]


def fonts(data: bytes) -> list[tuple[str, bool]]:
    """(name, whether it is embedded) of the font of every text object."""
    with opened(data) as document:
        found = []
        for item in document[0].get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=10):
            font = raw.FPDFTextObj_GetFont(item.raw)
            name = ctypes.create_string_buffer(200)
            raw.FPDFFont_GetBaseFontName(font, name, 200)
            found.append((name.value.decode(), bool(raw.FPDFFont_GetIsEmbedded(font))))
        return found


def tags(data: bytes) -> list[str]:
    """The types of the elements of the first page's structure tree, in order; none where it is not tagged."""
    with opened(data) as document:
        if not raw.FPDFCatalog_IsTagged(document.raw):
            return []
        page = document[0]  # kept: the tree lives as long as its page
        tree = raw.FPDF_StructTree_GetForPage(page.raw)
        found: list[str] = []
        for index in range(raw.FPDF_StructTree_CountChildren(tree)):
            _walk(raw.FPDF_StructTree_GetChildAtIndex(tree, index), found)
        raw.FPDF_StructTree_Close(tree)
        return found


def _walk(item: Any, found: list[str]) -> None:
    if not item:
        return
    held = ctypes.create_string_buffer(100)
    raw.FPDF_StructElement_GetType(item, held, 100)
    found.append(held.raw.decode("utf-16-le").partition("\0")[0])
    for index in range(raw.FPDF_StructElement_CountChildren(item)):
        _walk(raw.FPDF_StructElement_GetChildAtIndex(item, index), found)


def images_without_words(data: bytes) -> int:
    """How many figures of the structure tree have no alternative text."""
    with opened(data) as document:
        page, count = document[0], 0
        tree = raw.FPDF_StructTree_GetForPage(page.raw)
        waiting = [raw.FPDF_StructTree_GetChildAtIndex(tree, index) for index in range(raw.FPDF_StructTree_CountChildren(tree))]
        while waiting:
            item = waiting.pop()
            if not item:
                continue
            held = ctypes.create_string_buffer(100)
            raw.FPDF_StructElement_GetType(item, held, 100)
            if held.raw.decode("utf-16-le").startswith("Figure") and raw.FPDF_StructElement_GetAltText(item, None, 0) <= 2:
                count += 1
            waiting += [
                raw.FPDF_StructElement_GetChildAtIndex(item, at) for at in range(raw.FPDF_StructElement_CountChildren(item))
            ]
        raw.FPDF_StructTree_Close(tree)
        return count


def code_mm(data: bytes, modules: int, text: str, *, dpi: int = 250) -> float:
    """The printed size of one module of the code that says `text`."""
    import zxingcpp

    with opened(data) as document:
        image = document[0].render(scale=dpi / 72, grayscale=True).to_pil()
    found = [code for code in zxingcpp.read_barcodes(image) if code.text == text]
    assert len(found) == 1
    place = found[0].position
    return (place.top_right.x - place.top_left.x) / modules / dpi * 25.4
