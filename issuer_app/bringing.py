"""A certificate as somebody brings it to the desk: its file, a picture of its code, or the code's text."""

from __future__ import annotations

from typing import Final

from credentials import picture
from weid.canon import JSON, jcs
from weid.errors import MalformedError

__all__ = ["MOST", "of_form", "of_program"]

MOST: Final = 1 << 20
_PICTURES: Final = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")


def of_form(upload: bytes, text: str) -> bytes:
    """The certificate in an uploaded file or a typed text; empty for neither. MalformedError `too-large`, `not-a-picture`."""
    data = upload or text.strip().encode("utf-8", "replace")
    if len(data) > MOST:
        raise MalformedError("a certificate is at most 1 MB", code="too-large")
    if data.startswith(_PICTURES):
        found = picture.read(data)
        if not found:
            raise MalformedError("no code in this picture", code="not-a-picture")
        return found[0].encode("utf-8", "replace")
    return data


def of_program(value: JSON, name: str) -> bytes | None:
    """The certificate that a program sends: an object (the file), or a text (the code, or an id); MalformedError."""
    if value is None:
        return None
    if isinstance(value, dict):
        return jcs(value)
    if not isinstance(value, str) or not value.strip() or len(value) > MOST:
        raise MalformedError(f"{name} is a certificate, the text of its code, or the id of one issued here")
    return value.encode("utf-8", "replace")
