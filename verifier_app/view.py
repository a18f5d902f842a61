"""A Report as a page shows it: plain values in one language, nothing but signed text from the credential (R28)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from types import MappingProxyType
from typing import Final

from credentials import wording
from credentials.foreign import naming
from credentials.report import Check, Link, Outcome, Presented, Report
from verifier_app.languages import in_words, text, texts
from verifier_app.moments import Moment, moment, moment_of, old
from weid.canon import JSON

__all__ = ["Age", "Beside", "Finding", "Line", "Look", "Shown", "Step", "View", "look_of", "view_of"]

GREEN: Final = frozenset({"valid", "valid-bearer"})
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})
_UNPROVEN: Final = frozenset({"bearer", "document-bound"})  # passed, but left to the officer's eyes
_BESIDE_THE_POINT: Final = frozenset({"not-asked", "not-needed", "none"})


@dataclass(frozen=True, slots=True)
class Look:
    """The verdict component: shape, colour, word, sentence, what to do."""

    name: str
    shape: str
    colour: str
    word: str
    sentence: str
    do: str


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled value. `hidden`: the code does not show it; `moment`: the value is a time."""

    label: str
    value: str
    hidden: bool = False
    moment: Moment | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check in words."""

    id: str
    name: str
    outcome: str
    code: str
    sentence: str

    @property
    def mark(self) -> str:
        """The outcome as the list shows it: what a person must still compare is not ticked off."""
        return Outcome.UNKNOWN.value if self.code in _UNPROVEN else self.outcome


@dataclass(frozen=True, slots=True)
class Age:
    """How old one source is."""

    what: str
    label: str
    old: str
    moment: Moment


@dataclass(frozen=True, slots=True)
class Step:
    """One link of who gave the right: as what, the registered name (or none), the id, and level and period in words."""

    role: str
    name: str
    id: str
    note: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What the paper around the code says beside what is signed; `paper` is not signed by anybody."""

    note: str
    signed: str
    paper: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class View:
    """One judged credential."""

    card: Look
    at: Moment
    specimen: bool
    opened: bool
    lines: tuple[Line, ...]
    about: tuple[Line, ...]
    established: tuple[Finding, ...]
    not_established: tuple[Finding, ...]
    checks: tuple[Finding, ...]
    ages: tuple[Age, ...]
    path_title: str
    path: tuple[Step, ...]
    limit: str
    technical: tuple[Line, ...]
    paper: Beside | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything one hand-in gave: a verdict a code, or why there is none; `purpose` is what it was checked for."""

    views: tuple[View, ...] = ()
    more: bool = False
    problem: str = ""
    purpose: str = ""


def look_of(verdict: str, language: str) -> Look:
    """The component of a verdict; KeyError for an unknown one."""
    words = wording.verdict(verdict, language)
    return Look(verdict, words.shape, words.colour, words.word, words.sentence, words.do)


def view_of(
    report: Report, language: str, zone: tzinfo, *, opened: bool = False, registries: Mapping[str, str] = _NO_NAMES
) -> View:
    """The report in one language. `opened`: the page was opened by the code itself, so nothing is green (R16).
    `registries` are the registries' labels in this viewer's words (R23)."""
    card = look_of(report.verdict, language)
    if opened and report.verdict in GREEN:
        words = (text(language, f"verdict.opened.{part}") for part in ("word", "sentence", "do"))
        card = Look("opened", "loop", "grey", *words)
    said = report.presented if report.authentic is not None else None
    findings = tuple(_finding(check, language) for check in report.checks)
    return View(
        card=card,
        at=moment(report.at, zone),
        specimen=report.presented is not None and report.presented.specimen,
        opened=opened,
        lines=() if said is None else tuple(_lines(said, language, zone)),
        about=() if said is None else (*_about(said, language, zone, registries), *_standing(report, language, zone)),
        established=() if opened else tuple(item for item in findings if item.outcome == Outcome.PASSED and not _open(item)),
        not_established=_unsettled(findings),
        checks=findings,
        ages=_ages(report, language, zone, registries),
        path_title=wording.path_words("title", language),
        path=() if said is None or opened else tuple(_step(link, language, zone) for link in report.path),
        limit="" if said is None else naming.limit(said.form, language) or text(language, f"mode.{said.mode or 'none'}"),
        technical=() if said is None else tuple(_technical(said, report, language)),
    )


def _unsettled(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What was not established; of what is no certificate at all, twenty checks that could not be made say nothing."""
    unread = any(item.id == "format" and item.outcome == Outcome.FAILED for item in findings)
    return tuple(item for item in findings if _open(item) and not (unread and item.outcome == Outcome.SKIPPED))


def _open(item: Finding) -> bool:
    """Whether a person must still settle this."""
    if item.code in _UNPROVEN:
        return True
    if item.outcome == Outcome.SKIPPED:
        return item.code not in _BESIDE_THE_POINT
    return item.outcome != Outcome.PASSED


def _finding(check: Check, language: str) -> Finding:
    known = texts(language)
    name = known.get(f"checkname.{check.id}")
    if name is None:
        name = known["checkname.rules" if check.id.startswith("rules.") else "checkname.other"]
    said = check.evidence.get("description")
    sentence = in_words({str(k): str(v) for k, v in said.items()}, language) if isinstance(said, dict) else ""
    plain = check.outcome is Outcome.PASSED and check.code == "ok"  # a tick says it; a rule says what it asks
    return Finding(check.id, name, check.outcome.value, check.code, sentence or ("" if plain else check.sentence(language)))


def _lines(said: Presented, language: str, zone: tzinfo) -> Iterable[Line]:
    """Signed claims in their order, then those the code hides."""
    for name, value in said.claims.items():
        label = in_words(said.labels.get(name, {}), language) or name
        words = in_words(said.texts.get(name, {}), language)
        yield _line(label, words, value, language, zone)
    for name in said.hidden:
        yield Line(in_words(said.labels.get(name, {}), language) or name, "", hidden=True)


def _line(label: str, words: str, value: JSON, language: str, zone: tzinfo) -> Line:
    if words:
        return Line(label, words)
    if isinstance(value, bool):
        return Line(label, text(language, "values.yes" if value else "values.no"))
    if isinstance(value, str):
        return Line(label, value, moment=moment_of(value, zone))
    if isinstance(value, int):
        return Line(label, str(value))
    if isinstance(value, dict | list):  # only foreign and old formats nest
        return Line(label, json.dumps(value, ensure_ascii=False))
    return Line(label, "" if value is None else str(value))


def _about(said: Presented, language: str, zone: tzinfo, registries: Mapping[str, str]) -> Iterable[Line]:
    title = in_words(said.title, language) or said.type
    name = in_words(said.issuer_names, language)
    source = "values.named-by-list" if said.form in naming.FORMS else "values.named-by"
    note = text(language, source, registry=registries.get(said.registry, said.registry))
    if said.recognised:
        note += f" · {text(language, 'values.recognised')}"
    yield Line(text(language, "values.kind"), title)
    yield Line(text(language, "values.issuer"), name or text(language, "values.unnamed"), note=note if name else "")
    for key, count in (("issued", said.issued), ("from", said.valid_from), ("until", said.valid_until)):
        shown = None if count is None else moment(count, zone)
        yield Line(text(language, f"values.{key}"), text(language, "values.open"), moment=shown)
    if said.unsigned:
        yield Line(text(language, "values.unsigned"), ", ".join(said.unsigned))


def _standing(report: Report, language: str, zone: tzinfo) -> Iterable[Line]:
    """Since when, why and by whom it was revoked or suspended."""
    known = texts(language)
    for check in report.checks:
        if check.id == "status" and check.code in ("revoked", "suspended"):
            when, source = str(check.evidence.get("at", "")), str(check.evidence.get("source", ""))
            words = [known.get(f"reason.{check.evidence.get('reason')}"), known.get(f"standing.{source}")]
            note = " · ".join(word for word in words if word) or known["standing.seen"]
            shown = moment_of(when, zone)
            yield Line(known[f"standing.{check.code}"], "" if shown else note, moment=shown, note=note if shown else "")
            if "replacedBy" in check.evidence:
                yield Line(known["standing.replaced"], str(check.evidence["replacedBy"]))


def _step(link: Link, language: str, zone: tzinfo) -> Step:
    notes = [] if link.level is None else [wording.path_words(f"{link.role}-level", language, level=link.level)]
    times = {name: "" if count is None else moment(count, zone).text for name, count in
             (("since", link.since), ("until", link.until), ("ended", link.ended))}  # fmt: skip
    notes += [wording.path_words("period", language, **times)] if link.since is not None else []
    notes += [wording.path_words("ended", language, **times)] if link.ended is not None else []
    return Step(wording.path_words(link.role, language), in_words(link.names, language), link.id, " · ".join(notes))


def _ages(report: Report, language: str, zone: tzinfo, registries: Mapping[str, str]) -> tuple[Age, ...]:
    known = texts(language)
    return tuple(
        Age(
            known.get(f"age.{age.what}", known["age.other"]),
            registries.get(age.label, age.label),
            old(age.age, language),
            moment(age.as_of, zone),
        )
        for age in report.ages
    )


def _technical(said: Presented, report: Report, language: str) -> Iterable[Line]:
    yield Line(text(language, "tech.verdict"), report.verdict)
    yield Line(text(language, "tech.suite"), said.suite)
    yield Line(text(language, "tech.issuer"), said.issuer)
    if said.cid is not None:
        yield Line(text(language, "values.id"), said.cid.hex())
