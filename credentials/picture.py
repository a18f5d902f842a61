"""QR pictures: credential bytes to PNG or SVG, and pictures back to texts.

The prefix is a byte segment, the digits a numeric segment. Level M for print, L for screens: readability is decided
by pixels per module, not by error correction. `qrcode`, Pillow and `zxing-cpp` are imported where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from credentials import carrier
from weid.errors import MalformedError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_VERSION", "Level", "Picture", "draw", "png", "read", "readable", "svg"]

MAX_VERSION: Final = 20
MM_PER_MODULE: Final = 0.5
QUIET: Final = 4  # modules of white border (ISO/IEC 18004)
MAX_PIXELS: Final = 40_000_000
MAX_FILE: Final = 20_000_000
Level = Literal["L", "M"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn code: its text, its modules row by row (True = dark) and what it needs to be read."""

    text: str
    level: Level
    version: int
    rows: tuple[tuple[bool, ...], ...]

    @property
    def modules(self) -> int:
        """Modules along one side, without the quiet zone."""
        return len(self.rows)

    @property
    def printed_mm(self) -> float:
        """The printed side in millimetres at 0.5 mm a module, quiet zone included."""
        return (self.modules + 2 * QUIET) * MM_PER_MODULE


def draw(data: bytes, *, host: str, level: Level = "M") -> Picture:
    """The code for credential bytes; MalformedError `code-too-dense` above version 20."""
    import qrcode
    from qrcode import constants, exceptions, util

    levels = {"L": constants.ERROR_CORRECT_L, "M": constants.ERROR_CORRECT_M}
    text = carrier.to_text(data, host)
    head, digits = carrier.prefix(host), text[len(carrier.prefix(host)) :]
    code = qrcode.QRCode(error_correction=levels[level], border=0)
    code.add_data(util.QRData(head.encode("ascii"), mode=util.MODE_8BIT_BYTE), optimize=0)
    code.add_data(util.QRData(digits.encode("ascii"), mode=util.MODE_NUMBER), optimize=0)
    try:
        version = code.best_fit(start=1)
    except (exceptions.DataOverflowError, ValueError):
        version = MAX_VERSION + 1
    if version > MAX_VERSION:
        needed = f"{len(data)} bytes need more than version {MAX_VERSION} at level {level}"
        raise MalformedError(needed, code="code-too-dense")
    code.make(fit=False)
    return Picture(text, level, version, tuple(tuple(bool(cell) for cell in row) for row in code.get_matrix()))


def svg(picture: Picture, *, label: str = "QR code") -> str:
    """An SVG with one path, one unit a module, sized in millimetres for print."""
    size = picture.modules + 2 * QUIET
    path = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(picture.rows) for x, dark in enumerate(row) if dark
    )
    safe = label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{safe}" viewBox="0 0 {size} {size}" '
        f'width="{picture.printed_mm}mm" height="{picture.printed_mm}mm" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )


def png(picture: Picture, *, scale: int = 8) -> bytes:
    """A black and white PNG, `scale` pixels a module, quiet zone included."""
    out = BytesIO()
    _image(picture, scale).save(out, format="PNG", optimize=True)
    return out.getvalue()


def read(data: bytes) -> tuple[str, ...]:
    """The texts of every QR code in a picture file, top to bottom; MalformedError `not-a-picture`.

    The picture is untrusted: file size and pixels are capped before anything is decoded.
    """
    from PIL import Image, UnidentifiedImageError

    if len(data) > MAX_FILE:
        raise MalformedError("the picture file is too large", code="too-large")
    try:
        with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF", "BMP")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise MalformedError("the picture has too many pixels", code="too-large")
            return _texts(_on_white(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise MalformedError("the picture has too many pixels", code="too-large") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        if isinstance(error, MalformedError):
            raise
        raise MalformedError("not a picture that can be read", code="not-a-picture") from None


def _on_white(image: Image) -> Image:
    """The picture in grey on white paper: what is transparent is no ink, whatever colour stands behind it."""
    if not image.has_transparency_data:
        return image.convert("L")
    from PIL import Image as images

    layers = image.convert("RGBA")
    paper = images.new("L", layers.size, 255)
    paper.paste(layers.convert("L"), mask=layers.getchannel("A"))
    return paper


def readable(picture: Picture, *, scale: int = 4) -> bool:
    """Whether a reader gets this picture's own text back at `scale` pixels a module: the issue-time check."""
    return _texts(_image(picture, scale)) == (picture.text,)


def _image(picture: Picture, scale: int) -> Image:
    from PIL import Image

    size = picture.modules + 2 * QUIET
    image = Image.new("L", (size, size), 255)
    for y, row in enumerate(picture.rows):
        for x, dark in enumerate(row):
            if dark:
                image.putpixel((x + QUIET, y + QUIET), 0)
    return image.resize((size * scale, size * scale), Image.Resampling.NEAREST)


def _texts(image: Image) -> tuple[str, ...]:
    import zxingcpp

    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    placed = sorted(found, key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    return tuple(code.text for code in placed if code.valid)
