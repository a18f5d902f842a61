"""What a reader found in one paper, as plain values that travel between two processes as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, unb64u
from weid.errors import MalformedError

__all__ = ["MAX_ANSWER", "PROBLEMS", "Attachment", "Code", "Page", "Paper"]

MAX_ANSWER: Final = 24 << 20
PROBLEMS: Final = ("unreadable", "locked", "too-large", "not-a-picture", "no-pdf")


@dataclass(frozen=True, slots=True)
class Code:
    """One code's text and the page it stands on, from 1."""

    text: str
    page: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file inside a PDF."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """The text of one page: what a person sees, and what lies under a picture. What is not drawn at all is left out."""

    seen: str
    covered: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything found. `more`: pages, codes or files beyond the caps were left out; `problem`: why nothing was read."""

    codes: tuple[Code, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    pages: tuple[Page, ...] = ()
    more: bool = False
    problem: str = ""

    def to_bytes(self) -> bytes:
        """The same as JSON, for the other process."""
        value: dict[str, JSON] = {
            "codes": [[code.text, code.page] for code in self.codes],
            "attachments": [[item.name, b64u(item.data)] for item in self.attachments],
            "pages": [[page.seen, page.covered] for page in self.pages],
            "more": self.more,
            "problem": self.problem,
        }
        return jcs(value)

    @classmethod
    def from_bytes(cls, data: bytes) -> Paper:
        """MalformedError for what no reader says: a hostile file may have taken the reader over."""
        value: Any = parse_json(data, max_bytes=MAX_ANSWER)
        try:
            codes = tuple(Code(_text(text), _count(page)) for text, page in value["codes"])
            files = tuple(Attachment(_text(name), unb64u(_text(held))) for name, held in value["attachments"])
            pages = tuple(Page(_text(seen), _text(covered)) for seen, covered in value["pages"])
            more, problem = value["more"], value["problem"]
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedError("not the answer of a reader") from error
        if type(more) is not bool or problem not in ("", *PROBLEMS):
            raise MalformedError("not the answer of a reader")
        return cls(codes, files, pages, more, problem)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 10_000:
        raise TypeError
    return value
