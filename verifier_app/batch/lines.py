"""A batch as its page and its report show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import g

from credentials import check_report
from credentials.report import Presented
from verifier_app.batch.judging import Result
from verifier_app.frame import checker, t
from verifier_app.languages import in_words
from verifier_app.moments import Moment, moment
from verifier_app.papers import words
from verifier_app.papers.visible import Seen
from verifier_app.view import GREEN, Look, look_of
from weid.canon import JSON
from weid.codec import rfc3339

__all__ = ["Line", "counts_of", "line_of", "report_items", "trust_lines"]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. Signed values are empty where nothing genuine was read."""

    number: int
    file: str
    place: str
    look: Look | None
    problem: str
    names: str
    issuer: str
    kind: str
    until: Moment | None
    seen: Seen | None
    note: str
    specimen: bool
    more: bool

    @property
    def group(self) -> str:
        """good, bad or open: for the filter above the table."""
        if self.look is None:
            return "open"
        if self.look.name in GREEN:
            return "good"
        return "open" if self.look.colour in ("amber", "grey", "blue") else "bad"


def line_of(number: int, result: Result) -> Line:
    """The row in the language of this request."""
    report, language = result.report, g.language
    if report is None:
        return Line(
            number, result.name, "", None, t(f"batch.problem.{result.problem}"), "", "", "", None, None, "", False, result.more
        )
    said = report.presented if report.authentic is not None else None
    look = words.look_beside(look_of(report.verdict, language), result.seen, language)
    zone = checker().settings.zone
    ends = None if said is None or said.valid_until is None else moment(said.valid_until, zone)
    return Line(
        number, result.name, _place(result), look, "", "" if said is None else " · ".join(result.signed_names),
        "" if said is None else _issuer(said), "" if said is None else in_words(said.title, language) or said.type,
        ends, result.seen, "" if result.seen is None else words.note_of(result.seen, language),
        report.presented is not None and report.presented.specimen, result.more,
    )  # fmt: skip


def _issuer(said: Presented) -> str:
    return in_words(said.issuer_names, g.language) or said.issuer


def _place(result: Result) -> str:
    if result.page:
        return t("batch.page", page=result.page)
    return t("batch.inside", file=result.inside) if result.inside else ""


def counts_of(lines: tuple[Line, ...]) -> dict[str, int]:
    """How many rows are good, bad and open."""
    found = {"good": 0, "bad": 0, "open": 0}
    for line in lines:
        found[line.group] += 1
    return found


def report_items(results: tuple[Result, ...], *, values: bool) -> tuple[Mapping[str, JSON], ...]:
    """The items of the signed report. Without `values` a file is its digest, and nothing of a person is in it."""
    items: list[Mapping[str, JSON]] = []
    for number, result in enumerate(results, 1):
        file: dict[str, JSON] = {"sha256": result.digest.hex()}
        if result.page:
            file["place"] = f"page {result.page}"
        if values:
            file["name"] = result.name
        if result.report is None:
            items.append({"number": number, "file": file, "problem": result.problem})
        else:
            paper = "" if result.seen is None else result.seen.outcome
            items.append(check_report.item_of(result.report, number, file, paper=paper, values=values))
    return tuple(items)


def trust_lines() -> tuple[Mapping[str, JSON], ...]:
    """What the verdicts rest on: each bundle's registry, size and log time."""
    return tuple(
        {"origin": line.origin, "genesis": line.genesis.hex(), "size": line.size, "asOf": rfc3339(line.log_time)}
        for line in checker().bundles()
    )
