"""Is the name on the paper the name that is signed? Words of names are data (`names.json`), since packs name their claims.

A genuine code on an edited paper is the plainest forgery there is: the code stays green and the eye reads the paper.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from credentials.report import Presented
from verifier_app.papers.sheet import Page

__all__ = ["ABSENT", "COVERED", "DIFFERS", "NO_NAME", "SAME", "UNREAD", "Names", "Seen", "compare", "names_of"]

SAME: Final = "same"
DIFFERS: Final = "differs"  # beside the label stands another name
ABSENT: Final = "absent"  # the page has text, and the signed name is not in it
COVERED: Final = "covered"  # the name lies under a picture
UNREAD: Final = "unread"  # no text that a machine can read: a scan or a photo
NO_NAME: Final = "no-name"  # the certificate shows no name to compare
_LONGEST: Final = 80  # characters of what a paper says that are shown back
_SEPARATORS: Final = " \t:：﹕-–—|/·.,，、()（）[]【】"
_GAP: Final = re.compile(r"\s{2,}|\t|[|｜;；。]")
_MASKS: Final = "*＊"


@dataclass(frozen=True, slots=True)
class Names:
    """The signed names of one certificate, and the labels a paper may print beside each."""

    values: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    others: tuple[str, ...] = ()  # labels of the other claims: what stands behind one is not a name


@dataclass(frozen=True, slots=True)
class Seen:
    """One comparison; `paper` is what stands beside the label where it differs."""

    outcome: str
    signed: str = ""
    paper: str = ""

    @property
    def wrong(self) -> bool:
        """Whether the paper does not say what is signed."""
        return self.outcome in (ABSENT, DIFFERS)


def names_of(said: Presented) -> Names:
    """The claims that are a person's or thing's name: by their labels, else by the usual member names, one level deep."""
    words, found = _words(), []
    for name, value in _flat(said.claims):
        labels = tuple(said.labels.get(name, {}).values())
        text = " ".join(labels).casefold()
        if labels:
            fits = any(word in text for word in words["labels"]) and not any(word in text for word in words["not"])
        else:
            fits = name.casefold().replace("-", "") in words["members"]
        if fits and value.strip():
            found.append((value, labels))
    mine = {label for _, labels in found for label in labels}
    others = tuple(label for labels in said.labels.values() for label in labels.values() if label not in mine)
    return Names(tuple(value for value, _ in found), tuple(labels for _, labels in found), others)


def compare(names: Names, pages: Iterable[Page]) -> Seen:
    """The names against the text of the pages they stand on; the worst of several names decides."""
    held = tuple(pages)
    seen, covered = tuple(_even(page.seen) for page in held), tuple(_even(page.covered) for page in held)
    if not names.values:
        return Seen(NO_NAME)
    signed = " ".join(names.values)
    if not any(_plain(text) for text in seen):
        return Seen(UNREAD, signed)
    results = [_one(value, labels, names.others, seen, covered) for value, labels in zip(names.values, names.labels, strict=True)]
    return next(result for kind in (DIFFERS, ABSENT, COVERED, SAME) for result in results if result.outcome == kind)


def _one(value: str, labels: tuple[str, ...], others: tuple[str, ...], seen: tuple[str, ...], covered: tuple[str, ...]) -> Seen:
    for text in seen:
        for whole, beside in _beside(text, labels, others):
            if not (_holds(whole, value, labelled=True, start=True) or _holds(beside, value, labelled=True)):
                return Seen(DIFFERS, value, beside[:_LONGEST])
    if any(_holds(text, value) for text in seen):
        return Seen(SAME, value)
    return Seen(COVERED if any(_holds(text, value) for text in covered) else ABSENT, value)


def _beside(text: str, labels: tuple[str, ...], others: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What stands behind or below each label that begins a line ("Name: X", or "Name" and X in the next line), and the part
    of it before a wide gap or another label."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    for index, line in enumerate(lines):
        rest = _after(line, labels)
        if rest is None:
            continue
        if not rest and index + 1 < len(lines) and _after(lines[index + 1], (*labels, *others)) is None:
            rest = lines[index + 1]
        part = _until(rest, others)
        if _plain(part):
            yield rest, part


def _after(line: str, labels: tuple[str, ...]) -> str | None:
    """What follows the labels at the start of a line, in whichever languages they stand; None where none stands there."""
    rest, found = line, False
    while True:
        start = rest.lstrip(_SEPARATORS)
        label = next((word for word in sorted(labels, key=len, reverse=True) if _begins(start, word)), None)
        if label is None:
            return rest.strip(_SEPARATORS) if found else None
        rest, found = start[len(_even(label)) :], True


def _begins(text: str, label: str) -> bool:
    word = _even(label)
    if not word or text[: len(word)].casefold() != word.casefold():
        return False
    following = text[len(word) : len(word) + 1]
    return not (following.isalnum() and following.isascii() and word[-1].isascii())


def _until(rest: str, others: tuple[str, ...]) -> str:
    """Up to a wide gap, or to the label of another claim in the same line."""
    ends = [match.start() for match in _GAP.finditer(rest)][:1]
    for label in others:
        at = rest.casefold().find(_even(label).casefold())
        if at > 0:
            ends.append(at)
    return rest[: min(ends, default=len(rest))].strip(_SEPARATORS)


def _holds(text: str, value: str, *, labelled: bool = False, start: bool = False) -> bool:
    """Whether the text holds the value, letter for letter, however it is set: spaces, case and width do not count.

    A name in letters must not be part of a longer word ("An" is not in "Anderson"), and beside a label no name may be, in
    any script; in running text Chinese has no blanks to go by. `start`: the text must begin with it.
    """
    letters = [letter for letter in _even(value).casefold() if letter.isalnum() or letter in _MASKS]
    if not letters:
        return False
    pattern = r"[\W_]*?".join(r"[\w*]" if letter in _MASKS else re.escape(letter) for letter in letters)
    spelled = labelled or letters[0].isascii() or unicodedata.name(letters[0], "").startswith(("LATIN", "CYRILLIC", "GREEK"))
    edges = (r"(?<!\w)", r"(?!\w)") if spelled else ("", "")
    found = re.search(edges[0] + pattern + edges[1], text.casefold())
    return found is not None and (not start or found.start() == 0)


def _even(text: str) -> str:
    """One width and one apostrophe: a typesetter turns ' into ’."""
    return unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'").replace("`", "'")


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _flat(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in claims.items():
        if isinstance(value, str):
            yield name, value
        for member in value if isinstance(value, list) else (value,):
            if isinstance(member, dict):
                yield from ((inner, text) for inner, text in member.items() if isinstance(text, str))


@lru_cache(maxsize=1)
def _words() -> Mapping[str, list[str]]:
    held: Mapping[str, list[str]] = json.loads(files("verifier_app.papers").joinpath("names.json").read_text("utf-8"))
    return held
