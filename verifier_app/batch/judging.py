"""One file to its results: every credential in it judged, and the paper's name beside the signed one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from credentials.report import Report
from verifier_app.checker import Checker
from verifier_app.offers import Offer
from verifier_app.papers import visible
from verifier_app.papers.intake import Contents, Found, contents_of, seen_beside
from verifier_app.papers.visible import Seen
from weid.errors import WeidError

__all__ = ["MOST_NAME", "Result", "judge_file", "plain_name"]

MOST_NAME = 120


@dataclass(frozen=True, slots=True)
class Result:
    """One line of a batch: a judged credential, or why the file gave none. `more`: the file held more than was judged."""

    name: str
    digest: bytes
    report: Report | None = None
    seen: Seen | None = None
    page: int = 0
    inside: str = ""
    problem: str = ""
    more: bool = False

    @property
    def signed_names(self) -> tuple[str, ...]:
        """The names that the signature covers; none of a credential that is not genuine."""
        said = None if self.report is None or self.report.authentic is None else self.report.presented
        return () if said is None else visible.names_of(said).values


def judge_file(held: Checker, name: str, data: bytes, offer: Offer | None) -> tuple[Result, ...]:
    """The results of one file, at least one. What it says of a person is in the results and nowhere else."""
    digest, name = hashlib.sha256(data).digest(), plain_name(name)
    contents = contents_of(data, held.readers) if data else Contents(problem="empty")
    if contents.problem:
        return (Result(name, digest, problem=contents.problem, more=contents.more),)
    try:
        judged = tuple((found, held.judge(found.item, offer)) for found in contents.found)
    except WeidError:
        return (Result(name, digest, problem="cannot-judge"),)
    for found, report in judged:
        held.keep_undecided(found.item, report, "" if offer is None else offer.id)
    return _results(name, digest, judged, contents.more)


def plain_name(name: str) -> str:
    """A file's name as a page shows it: the last part, no control or direction characters, not endless."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:MOST_NAME] or "?"


def _results(name: str, digest: bytes, judged: tuple[tuple[Found, Report], ...], more: bool) -> tuple[Result, ...]:
    """A code that is no certificate is left out beside one that is; the same certificate as file and code is one line."""
    certificates = [(found, report) for found, report in judged if report.verdict != "not-a-credential"] or judged[:1]
    lines: dict[tuple[object, ...], Result] = {}
    for found, report in certificates:
        seen = seen_beside(found.pages, report)
        said = report.presented
        same = (
            (said.cid, report.verdict, None if seen is None else seen.outcome) if said and said.cid else (found.page, found.item)
        )
        line = Result(name, digest, report, seen, found.page, found.file, more=more)
        if same not in lines or (found.page and not lines[same].page):
            lines[same] = line
    return tuple(lines.values())
