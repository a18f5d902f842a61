"""The certificates of an import as a ZIP that is made while it is sent: nothing of it is ever held whole.

Names inside are numbers and ids alone. A person's name in a path could lead elsewhere, or tell who is in the archive.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from credentials import picture
from issuer_app import selfcheck
from issuer_app.desk import Desk
from issuer_app.importing.records import Import, Imports
from issuer_app.ledger import Issued
from issuer_app.papers import pdf_of
from weid.errors import IssueError, MalformedError

__all__ = ["PART", "Manner", "stream"]

PART: Final = 1_000
"""Certificates in one archive."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class _Sink(io.RawIOBase):
    """Where the archive is written: what was written is taken away again at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """It can be written, and not moved about in."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes are all that zipfile writes
        """Keep bytes until they are taken."""
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since."""
        held, self._parts = b"".join(self._parts), []
        return held


@dataclass(frozen=True, slots=True)
class Manner:
    """How certificates are drawn: `host` in the codes, one or two languages, the zone of times, the minute of asking."""

    host: str
    languages: tuple[str, ...]
    zone: tzinfo
    at: int


def stream(desk: Desk, records: Imports, job: Import, manner: Manner, *, part: int) -> Iterator[bytes]:
    """Part 0, 1, … of an import's certificates: the PDF, certificate.json, code.png and the proof of its date for each."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for place, (number, id_) in enumerate(_members(records, job, part), part * PART + 1):
            row = desk.get(id_)
            if row.erased:
                continue
            folder = f"{place:06}-row{number}-{id_[:8]}"
            for name, data in _documents(desk, row, manner):
                archive.writestr(zipfile.ZipInfo(f"{folder}/{name}", _EPOCH), data)
            proof = records.proof(id_)
            if proof is not None:
                archive.writestr(zipfile.ZipInfo(f"{folder}/certificate.proof", _EPOCH), proof)
            yield sink.take()
    yield sink.take()


def _members(records: Imports, job: Import, part: int) -> list[tuple[int, str]]:
    rows = records.store.rows(
        "SELECT number, id FROM import_lines WHERE import = ? AND state = 'issued' ORDER BY number LIMIT ? OFFSET ?",
        job.id, PART, part * PART,
    )  # fmt: skip
    return [(row["number"], row["id"]) for row in rows]


def _documents(desk: Desk, row: Issued, manner: Manner) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of everything handed out for one certificate; what cannot be drawn is named in its place."""
    yield "certificate.json", row.file
    try:
        yield "code.png", picture.png(selfcheck.draw(row, manner.host), scale=6)
    except MalformedError as error:
        if error.code != "code-too-dense":
            raise
        yield "code-does-not-fit.txt", b"This certificate says more than a printed code holds: hand out its file.\n"
        return
    if row.state != "valid":
        return
    try:
        yield "certificate.pdf", pdf_of(desk, row, manner.languages, host=manner.host, zone=manner.zone, at=manner.at)
    except IssueError as error:
        yield "no-pdf.txt", f"{error}\n".encode()
