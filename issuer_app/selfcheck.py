"""Before a code is handed out: its picture is read back and the text in it verified like anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from credentials import carrier, picture, wording
from credentials.picture import Picture
from credentials.policy import Policy
from credentials.verify import verify
from issuer_app.ledger import Issued
from weid.errors import MalformedError
from weid.facts import Facts

__all__ = ["SelfCheck", "check", "draw"]

# The desk asks its own registry: what counts here is the code, not how old the bundle is.
_POLICY = Policy(trust_warn=10**7, trust_reject=10**7, status_warn=10**7, status_reject=10**7)


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """Whether the picture gives back its own text, and the verdict over that text."""

    read: bool
    verdict: str

    @property
    def good(self) -> bool:
        """Nothing stands against handing it out (a code for a wallet is bound, so it is not valid by itself)."""
        return self.read and self.verdict in ("valid", "valid-bearer", "not-bound", "specimen")

    def sentence(self, language: str) -> str:
        """The verdict in words."""
        return wording.verdict(self.verdict, language).sentence


def draw(row: Issued, host: str) -> Picture:
    """The code of a certificate: level M where it fits, else L; MalformedError `code-too-dense`."""
    try:
        return picture.draw(row.compact, host=host, level="M")
    except MalformedError as error:
        if error.code != "code-too-dense":
            raise
        return picture.draw(row.compact, host=host, level="L")


def check(drawn: Picture, facts: Facts, at: datetime) -> SelfCheck:
    """Decode the very PNG that is handed out, and verify what it says."""
    texts = picture.read(picture.png(drawn, scale=4))
    if texts != (drawn.text,):
        return SelfCheck(False, "unreadable")
    carrier.from_text(texts[0])
    report = verify(texts[0].encode("ascii"), facts=facts, policy=_POLICY, at=at)
    return SelfCheck(True, report.verdict)
