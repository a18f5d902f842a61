"""From any file to the credentials in it, each with the pages it stands on. No judgement here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from credentials.reading import is_picture
from credentials.report import Report
from credentials.vcdm_enveloped import COSE_TAG
from verifier_app import inputs
from verifier_app.papers.readers import Readers
from verifier_app.papers.sheet import Page, Paper
from verifier_app.papers.visible import Seen, compare, names_of

__all__ = ["Contents", "Found", "contents_of", "seen_beside"]

_SIGNS: Final = (b'"credentialSubject"', b'"verifiableCredential"', b'"cptId"', b'"@context"')
_MOST_TEXT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """One credential in a file. `page` from 1 (0: the file is no paper), `file` the name of the file inside a PDF it came as.

    `pages` is what the paper shows around it, None where there is no paper.
    """

    item: bytes
    page: int = 0
    file: str = ""
    pages: tuple[Page, ...] | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything found in one file. `more`: there was more than is judged; `problem`: why there is nothing."""

    found: tuple[Found, ...] = ()
    more: bool = False
    problem: str = ""


def contents_of(data: bytes, readers: Readers) -> Contents:
    """The credentials of a PDF, a picture, a JSON or text file; problems are those of `credentials.check_report`."""
    if data.startswith(b"%PDF") or b"%PDF-" in data[:1024]:
        return _of_paper(readers.pdf(data))
    if is_picture(data):
        return _of_paper(readers.picture(data))
    if len(data) > _MOST_TEXT:
        return Contents(problem="too-large")
    handed = inputs.from_bytes(data)
    return Contents(tuple(Found(item) for item in handed.items), handed.more, handed.problem or "")


def seen_beside(pages: tuple[Page, ...] | None, report: Report) -> Seen | None:
    """The names on the paper against those signed; None where there is no paper or nothing genuine."""
    if pages is None or report.presented is None or report.authentic is None:
        return None
    return compare(names_of(report.presented), pages)


def _of_paper(paper: Paper) -> Contents:
    if paper.problem:
        return Contents(problem=paper.problem)
    pages = paper.pages or (Page(""),)
    found = [Found(item.data, file=item.name, pages=pages) for item in paper.attachments if _like_a_credential(item.data)]
    for code in paper.codes:
        shown = pages[code.page - 1 : code.page] or pages
        found.append(Found(code.text.encode("utf-8", "replace"), page=code.page, pages=shown))
    return Contents(tuple(found), paper.more, "" if found else "no-code")


def _like_a_credential(data: bytes) -> bool:
    """A PDF carries other files too: invoices, fonts, colour profiles."""
    start = data.lstrip(b" \t\r\n\xef\xbb\xbf")
    if start[:1] == b"{":
        return any(sign in data for sign in _SIGNS)
    return start[:3] == b"eyJ" or data[:1] == bytes((COSE_TAG,)) or 0x80 <= (data[:1] or b"\0")[0] < 0xA0
