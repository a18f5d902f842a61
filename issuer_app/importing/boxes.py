"""What an import keeps of people while it waits, sealed: the uploaded file, what holders are found by and where links go, and
the cells of wrong lines. Each box is bound to its place: one that was moved to another line opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from weid.errors import KeyMaterialError
from weid.sealed import Passphrase, read_header, seal, unseal
from weid.suites import Random

__all__ = ["Boxes"]

_KIND: Final = "import-box"
_PIECE: Final = 8 << 20  # bytes of a file in one box
_BEGINS: Final = b'{"box":'  # what was kept before there were boxes begins otherwise
_COST: Final = {"intl": 10, "gm": 1_000}  # the words are 256 random bits: nothing is gained by stretching them


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of one desk; `words` are the desk's own, `profile` intl or gm."""

    words: Passphrase
    profile: str
    random: Random

    def close(self, data: bytes, place: str) -> bytes:
        """Seal what belongs to this place."""
        pieces = (data[at : at + _PIECE] for at in range(0, max(len(data), 1), _PIECE))
        return b"\n".join(self._one(piece, f"{place}/{number}") for number, piece in enumerate(pieces))

    def open(self, data: bytes, place: str) -> bytes:
        """What was sealed for this place; KeyMaterialError `wrong-box` for another's."""
        if not data.startswith(_BEGINS):
            return data
        found = []
        for number, box in enumerate(data.split(b"\n")):
            if read_header(box).meta != {"place": f"{place}/{number}"}:
                raise KeyMaterialError("this was kept for another line", code="wrong-box")
            found.append(unseal(box, self.words, kind=_KIND))
        return b"".join(found)

    def _one(self, data: bytes, place: str) -> bytes:
        return seal(data, self.words, kind=_KIND, random=self.random, meta={"place": place}, profile=self.profile,
                    cost=_COST[self.profile])  # fmt: skip
