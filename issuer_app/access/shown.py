"""Small things that pages about people show: a code to scan, and in a word or two which browser a session is in."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final

__all__ = ["agent_of", "qr"]

_BROWSERS: Final = (
    ("edge", r"Edg(?:e|A|iOS)?/"),
    ("firefox", r"Firefox/|FxiOS/"),
    ("chrome", r"Chrome/|CriOS/"),
    ("safari", r"Safari/"),
)
_SYSTEMS: Final = (("android", r"Android"), ("ios", r"iPhone|iPad"), ("windows", r"Windows"), ("macos", r"Mac OS X|Macintosh"),
                   ("linux", r"Linux|X11"))  # fmt: skip


def agent_of(header: str) -> str:
    """`firefox linux`: one of few words each, so that a session can be recognised and nobody is fingerprinted."""
    return f"{_first(_BROWSERS, header)} {_first(_SYSTEMS, header)}"


def _first(known: tuple[tuple[str, str], ...], header: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, header[:512])), "other")


def qr(text: str) -> str:
    """A QR code as a data: URL for an image; the page's policy lets no script and no other site in."""
    import qrcode

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=4)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}" shape-rendering="crispEdges">'
        f'<rect width="{len(rows)}" height="{len(rows)}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )
    return f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"
