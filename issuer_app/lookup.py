"""From whatever an auditor holds (code text, file, picture, or a place written down) to a place in a status list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from credentials import picture, wording
from credentials.policy import Policy
from credentials.report import Presented
from credentials.verify import verify
from weid.errors import MalformedError
from weid.facts import Facts

__all__ = ["Target", "find_target"]

_PLACE = re.compile(r"(did:weid:[0-9]{1,19}:0x[0-9a-f]{40}/status/[0-9]{1,9})\s*[#|]\s*([0-9]{1,9})", re.ASCII)
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM")


@dataclass(frozen=True, slots=True)
class Target:
    """A place in a status list; with the credential it came from, if a genuine one was shown."""

    list_id: str
    index: int
    presented: Presented | None
    verdict: str

    def words(self, language: str) -> str:
        """What a check of the credential says today."""
        return wording.verdict(self.verdict, language).sentence if self.verdict else ""


def find_target(text: str, upload: bytes, facts: Facts, at: datetime) -> Target:
    """The place meant; MalformedError `not-a-credential`, `not-a-picture` or `no-place`.

    Values are shown only of a credential whose proof holds: an auditor must not decide by forged fields.
    """
    place = _PLACE.fullmatch(text.strip())
    if place is not None and not upload:
        return Target(place.group(1), int(place.group(2)), None, "")
    data = _data(text, upload)
    report = verify(data, facts=facts, policy=Policy(), at=at)
    if report.authentic is None or report.presented is None:
        raise MalformedError("not a genuine certificate of this registry", code="not-a-credential")
    if report.presented.status is None or report.presented.index is None:
        raise MalformedError("this certificate has no place in a status list", code="no-place")
    return Target(report.presented.status, report.presented.index, report.presented, report.verdict)


def _data(text: str, upload: bytes) -> bytes:
    if not upload:
        return text.strip().encode("utf-8", "replace")
    if not upload.startswith(_PICTURES):
        return upload
    found = picture.read(upload)
    if not found:
        raise MalformedError("no code in this picture", code="not-a-picture")
    return found[0].encode("utf-8", "replace")
