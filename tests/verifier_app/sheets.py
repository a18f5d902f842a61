"""Certificates on paper, made for the tests: what a desk prints, and what a forger makes of it."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

FONTS = '#set text(font: ("Noto Serif CJK SC", "DejaVu Sans"), size: 11pt)\n'
TEXT = "持有人姓名 Holder's name: {name}\n\n证书编号 Certificate number: 202600000123\n\n"


def pdf(body: str, files: Mapping[str, bytes] | None = None) -> bytes:
    """A PDF of Typst source; `files` are the pictures and attachments it names."""
    typst = pytest.importorskip("typst")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (files or {}).items():
            Path(folder, name).write_bytes(data)
        source = Path(folder, "paper.typ")
        source.write_text("#set page(width: 210mm, height: 297mm)\n" + FONTS + body, encoding="utf-8")
        made: bytes = typst.compile(str(source))
        return made


def certificate(name: str, code: bytes, *, more: str = "", files: Mapping[str, bytes] | None = None) -> bytes:
    """One page as a desk prints it: labels, values, one code of 50 mm."""
    body = TEXT.format(name=name) + '#image("code.png", width: 50mm)\n' + more
    return pdf(body, {"code.png": code, **(files or {})})


def photo(code: bytes, *, skew: float = 0.12, blur: float = 1.0, glare: bool = True) -> bytes:
    """A photo of a print, taken by hand: seen from the side, a little out of focus, a lamp on it."""
    sheet = Image.new("L", (1400, 1900), 235)
    card = Image.open(io.BytesIO(code)).convert("L").resize((620, 620), Image.Resampling.LANCZOS)
    sheet.paste(card, (390, 900))
    width, height = sheet.size
    corners = (0, 0, int(width * skew), height, width, height - int(height * skew), width - int(width * skew), int(height * 0.05))
    seen = sheet.transform(sheet.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=90)
    if glare:
        spot = Image.new("L", seen.size, 0)
        spot.paste(Image.new("L", (200, 200), 200), (230, 520))
        seen = Image.composite(Image.new("L", seen.size, 250), seen, spot.filter(ImageFilter.GaussianBlur(60)))
    out = io.BytesIO()
    seen.rotate(5, Image.Resampling.BICUBIC, fillcolor=90).filter(ImageFilter.GaussianBlur(blur)).save(out, "JPEG", quality=70)
    return out.getvalue()


def side_by_side(codes: Sequence[bytes]) -> bytes:
    """Several codes in one picture."""
    cards = [Image.open(io.BytesIO(code)).convert("L") for code in codes]
    side = max(card.width for card in cards) + 40
    sheet = Image.new("L", (side * len(cards), side), 255)
    for index, card in enumerate(cards):
        sheet.paste(card, (side * index + 20, 20))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()
