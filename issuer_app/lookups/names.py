"""One spelling of a person's name, so that a name is found however it is typed.

Full-width letters, capitals, accents, blanks, hyphens, apostrophes and interpuncts do not count, traditional and simplified
characters are one, and words in letters are taken in any order: "CHAN Tai Man" is "Tai-man Chan".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from weid.errors import MalformedError

__all__ = ["VERSION", "name_forms", "normal_name"]

VERSION: Final = 1  # index values stand on it: whoever changes a rule or a line of han.txt counts it up
MAX_TEXT: Final = 200  # characters
_HAN: Final = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_RUN: Final = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+")
_LETTERS: Final = str.maketrans({
    "đ": "d", "ð": "d", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n",
    **dict.fromkeys("'’‘ʼ`´＇", None),  # O'Brien, D’Souza
})  # fmt: skip


def normal_name(text: str) -> str:
    """The one spelling: characters of Chinese first, in their order, then the words in letters, sorted.

    MalformedError `lookup-name` for a text without a letter, or of more than 200 characters.
    """
    han, words = _parts(text)
    return " ".join([*(["".join(han)] if han else []), *words])


def name_forms(text: str) -> tuple[str, ...]:
    """The spellings a name may be asked for by: a name in two scripts is found by each of them alone, too."""
    han, words = _parts(text)
    whole = normal_name(text)
    return (whole, "".join(han), " ".join(words)) if han and words else (whole,)


def _parts(text: str) -> tuple[list[str], list[str]]:
    if len(text) > MAX_TEXT:
        raise MalformedError(f"a name has at most {MAX_TEXT} characters", code="lookup-name")
    plain = _folded(text)
    runs = _RUN.findall(plain)
    if not any(character.isalpha() for run in runs for character in run):
        raise MalformedError("a name needs a letter", code="lookup-name")
    table = _han()
    han = [run.translate(table) for run in runs if re.match(f"[{_HAN}]", run)]
    return han, sorted(run for run in runs if not re.match(f"[{_HAN}]", run))


def _folded(text: str) -> str:
    """Without width, case and accents. Again until nothing changes: folding the one may bring out the other."""
    for _ in range(4):
        open_ = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
        bare = "".join(c for c in open_ if not "\u0300" <= c <= "\u036f" and unicodedata.category(c) != "Cf")
        folded = unicodedata.normalize("NFKC", bare)
        if folded == text:
            break
        text = folded
    return text


@lru_cache(maxsize=1)
def _han() -> Mapping[int, str]:
    """Code point → the character it counts as."""
    lines = files("issuer_app").joinpath("lookups", "han.txt").read_text("utf-8").splitlines()
    pairs = [line.split(" ") for line in lines if not line.startswith("#")]
    return {ord(character): one for one, others in pairs for character in others}
