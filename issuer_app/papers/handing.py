"""Handing out: the paper or picture is drawn, the drawn thing is read as a worn copy would be, and only then given."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import tzinfo
from threading import Lock
from typing import TYPE_CHECKING, Final

from issuer_app.ledger import Issued
from issuer_app.papers import pdf_of, picture_of, scan
from issuer_app.papers.codes import code_of
from issuer_app.papers.scan import Score

if TYPE_CHECKING:
    from issuer_app.desk import Desk

__all__ = ["FORMS", "Handed", "Way", "hand_out", "page_png"]

FORMS: Final = ("pdf", "card", "poster")
_KEPT: Final = 512
_scores: OrderedDict[tuple[str, str, bytes], Score] = OrderedDict()  # ids, digests and numbers
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Way:
    """How a certificate is drawn: languages (one or two), the host in its code, the zone of its times."""

    languages: tuple[str, ...]
    host: str
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Handed:
    """What is handed out, and how well it reads."""

    data: bytes
    score: Score


def hand_out(desk: Desk, row: Issued, form: str, way: Way, at: int, *, trials: int = 1) -> Handed:
    """The PDF, card or poster of a certificate; IssueError `hard-to-read` below the floor, else as `pdf_of`."""
    if form == "pdf":
        data = pdf_of(desk, row, way.languages, host=way.host, zone=way.zone, at=at)
    else:
        data = picture_of(desk, row, form, way.languages, host=way.host, zone=way.zone, at=at)
    found = _score(row, form, way, data, trials)
    scan.require(found)
    return Handed(data, found)


def page_png(data: bytes, *, dpi: int = 100) -> bytes:
    """The first page of a PDF as PNG, to look at."""
    from io import BytesIO

    import pypdfium2

    document, out = pypdfium2.PdfDocument(data), BytesIO()
    try:
        document[0].render(scale=dpi / 72).to_pil().save(out, format="PNG")
    finally:
        document.close()
    return out.getvalue()


def _score(row: Issued, form: str, way: Way, data: bytes, trials: int) -> Score:
    """The score of what was drawn; the same bytes are not worn down twice in one process."""
    key = (row.id, f"{form}|{trials}", hashlib.sha256(data).digest())
    with _lock:
        held = _scores.get(key)
    if held is not None:
        return held
    drawn = code_of(row, way.host)
    found = scan.score(scan.page_image(data) if form == "pdf" else data, drawn, seed=row.id, trials=trials)
    with _lock:
        _scores[key] = found
        while len(_scores) > _KEPT:
            _scores.popitem(last=False)
    return found
