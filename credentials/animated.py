"""Frames of an animated code as pictures, and the frames in a picture."""

from __future__ import annotations

from typing import Any

from credentials.picture import Picture
from weid.fountain import Frame, is_frame

__all__ = ["draw_frame", "frames_among"]


def draw_frame(frame: Frame) -> Picture:
    """One frame as a numeric code at level L: a screen wants few modules, and the next frame mends what is lost."""
    import zxingcpp

    text = frame.to_text()
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    image: Any = drawn.to_image(scale=1, add_quiet_zones=False)
    width, height = image.shape
    flat = bytes(image)
    rows = tuple(tuple(flat[y * width + x] < 128 for x in range(width)) for y in range(height))
    return Picture(text, "L", (width - 17) // 4, rows)


def frames_among(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that are frames of some set."""
    return tuple(text for text in texts if is_frame(text))
