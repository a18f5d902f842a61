"""Codes in one picture, also in a photo of a print: skewed, dim, a little out of focus."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Final

from credentials.picture import MAX_FILE, MAX_PIXELS
from verifier_app.papers.sheet import Code, Paper

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_CODES", "codes_in", "read_picture"]

MAX_CODES: Final = 64
_SMALL: Final = 1600  # pixels of the longer side below which a second look is worth taking larger
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read_picture(data: bytes) -> Paper:
    """Every code of a picture file; the size is asked before anything is decoded."""
    from PIL import Image, UnidentifiedImageError

    if len(data) > MAX_FILE:
        return Paper(problem="too-large")
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return Paper(problem="too-large")
            texts = codes_in(_flat(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Paper(problem="too-large")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return Paper(problem="not-a-picture")
    return Paper(tuple(Code(text, 1) for text in texts[:MAX_CODES]), more=len(texts) > MAX_CODES)


def codes_in(image: Image) -> tuple[str, ...]:
    """The texts of the codes, top to bottom; further looks only where the first found none."""
    import zxingcpp

    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    for look in _looks(image):
        found = [code for code in zxingcpp.read_barcodes(look, formats=wanted) if code.valid]
        if found:
            placed = sorted(found, key=lambda code: (code.position.top_left.y, code.position.top_left.x))
            return tuple(dict.fromkeys(code.text for code in placed))
    return ()


def _looks(image: Image) -> Iterator[Image]:
    from PIL import Image as pictures
    from PIL import ImageFilter, ImageOps

    yield image
    clear = ImageOps.autocontrast(image, cutoff=2)
    yield clear.filter(ImageFilter.UnsharpMask(radius=3, percent=180))
    if max(image.size) < _SMALL:
        yield clear.resize((image.width * 2, image.height * 2), pictures.Resampling.BICUBIC)
    else:
        yield clear.resize((image.width // 2, image.height // 2), pictures.Resampling.BOX)


def _flat(image: Image) -> Image:
    """Grey on white: what is transparent is paper."""
    from PIL import Image as pictures

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        ground = pictures.new("RGBA", image.size, "white")
        return pictures.alpha_composite(ground, image.convert("RGBA")).convert("L")
    return image.convert("L")
