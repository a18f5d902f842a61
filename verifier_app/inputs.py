"""What a stranger hands in, sorted before anything trusts it: a picture with codes, a file, a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from credentials import carrier, picture
from credentials.foreign.reading import is_code, items_in
from verifier_app.papers.sheet import Page
from weid.errors import MalformedError

__all__ = ["MAX_CODES", "Handed", "from_bytes", "from_frame"]

MAX_CODES: Final = 8  # judged in one picture; a wall of codes is not worth a minute of work
MAX_LINES: Final = 64
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


@dataclass(frozen=True, slots=True)
class Handed:
    """The credentials to judge. `more`: the picture held others beyond the cap; `problem`: why there are none.

    `pages` is, for each item, what the paper it stands on shows; empty where nothing was on paper.
    """

    items: tuple[bytes, ...]
    more: bool = False
    problem: str | None = None
    pages: tuple[tuple[Page, ...] | None, ...] = ()


def from_bytes(data: bytes) -> Handed:
    """An uploaded file or a pasted text: every code of a picture, every line that is a code, else one document."""
    if not data.strip():
        return Handed((), problem="empty")
    if data.startswith(_PICTURES):
        return _codes(data)
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    for lines in (text.splitlines(), text.split()) if text.count(b"\n") < MAX_LINES else ():  # base45 has spaces
        held = tuple(line.strip() for line in lines if line.strip())
        if len(held) > 1 and all(_is_code(line) for line in held):
            return _capped(items_in(held))
    return _capped(items_in((text,)))


def from_frame(data: bytes) -> tuple[Handed, bool]:
    """One camera frame: only codes that we read, and whether another kind of code was in sight."""
    found = _codes(data)
    ours = items_in(tuple(item for item in found.items if _is_code(item)))
    return Handed(ours, found.more, found.problem), any(not _is_code(item) for item in found.items)


def _codes(data: bytes) -> Handed:
    try:
        texts = picture.read(data)
    except MalformedError as error:
        return Handed((), problem="too-large" if error.code == "too-large" else "not-a-picture")
    if not texts:
        return Handed((), problem="no-code")
    different = tuple(dict.fromkeys(text.encode("utf-8", "replace") for text in texts))
    return _capped(items_in(different))


def _capped(items: tuple[bytes, ...]) -> Handed:
    return Handed(items[:MAX_CODES], more=len(items) > MAX_CODES)


def _is_code(line: bytes) -> bool:
    """Whether a line is a code: of ours, or of another system that is read here."""
    if is_code(line):
        return True
    try:
        carrier.from_text(line.decode("ascii"))
    except (MalformedError, UnicodeDecodeError):
        return False
    return True
