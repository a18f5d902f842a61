"""Signing a whole batch together: the archive of an import goes to the other institution, one file of its words comes back.

The words themselves are on the log; the file only says which certificates have one, and why others have none.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from issuer_app.bringing import MOST
from issuer_app.desk import Desk
from issuer_app.lifecycle import joint
from weid.canon import JSON, jcs
from weid.errors import MalformedError, WeidError

__all__ = ["Read", "certificates_in", "cosign_all", "read_all", "words_file"]

_MANY: Final = 10_000
_NAME: Final = "certificate.json"


@dataclass(frozen=True, slots=True)
class Read:
    """The certificates of a batch that may have our word, and those that may not: (name in the archive, code)."""

    asked: tuple[tuple[str, joint.Asked], ...]
    refused: tuple[tuple[str, str], ...]


def certificates_in(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every certificate.json in an archive; MalformedError `not-an-archive`, `too-large`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            held = [item for item in opened.infolist() if item.filename.rpartition("/")[2] == _NAME]
            if len(held) > _MANY or any(item.file_size > MOST for item in held):
                raise MalformedError(f"an archive has at most {_MANY} certificates of 1 MB", code="too-large")
            for item in held:
                with opened.open(item) as member:
                    yield item.filename, member.read(MOST + 1)[:MOST]  # whatever size its directory tells
    except WeidError:
        raise
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise MalformedError("not an archive of certificates that can be read", code="not-an-archive") from error


def read_all(desk: Desk, found: Iterable[tuple[str, bytes]], at: datetime) -> Read:
    """Each checked here; one that may not have our word does not keep the others from it."""
    asked: list[tuple[str, joint.Asked]] = []
    refused: list[tuple[str, str]] = []
    for name, data in found:
        try:
            asked.append((name, joint.read_asked(desk, data, at)))
        except WeidError as error:
            if error.code == "unreachable":
                raise
            refused.append((name, error.code))
    return Read(tuple(asked), tuple(refused))


def cosign_all(desk: Desk, read: Read) -> Read:
    """Put our word about each on the log; again, or after a crash, only those are signed that are not yet."""
    signed: list[tuple[str, joint.Asked]] = []
    refused = list(read.refused)
    for name, asked in read.asked:
        try:
            joint.cosign(desk, asked)
        except WeidError as error:
            if error.code == "unreachable":
                raise
            refused.append((name, error.code))
        else:
            signed.append((name, asked))
    return Read(tuple(signed), tuple(refused))


def words_file(desk: Desk, read: Read) -> bytes:
    """What goes back to the institution that issued: which of its certificates we have signed, and why not the others."""
    words: list[JSON] = [
        {"file": name, "id": None if asked.presented.cid is None else asked.presented.cid.hex(), "issuer": asked.presented.issuer}
        for name, asked in read.asked
    ]
    refused: list[JSON] = [{"file": name, "code": code} for name, code in read.refused]
    return jcs({"signer": desk.did, "signed": words, "refused": refused})
