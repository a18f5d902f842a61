"""What was typed into the editor's forms, as a changed plan. Nothing is refused here that a person could still finish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from issuer_app.design.plan import BINDS, CLASSES, TYPES, WAYS, Finding, Page, Plan, PlanField, field_name, read_plan
from issuer_app.design.words import completed
from issuer_app.documents import KINDS
from weid.pack import LANGUAGES

__all__ = ["with_basics", "with_field_form", "with_finding", "with_page"]

Form = Mapping[str, str]


def with_basics(plan: Plan, form: Form) -> Plan:
    """Title, validity and binding."""
    title, marks = _labelled(plan, form, "title", "title")
    days = _whole(form.get("days", ""))
    return _kept(replace(
        plan, title=title, suggested=_marked(plan, "title", marks), days=min(max(days or 1, 1), 36_500),
        bind=_one_of(form.get("bind", ""), BINDS),
    ))  # fmt: skip


def with_field_form(plan: Plan, name: str, form: Form) -> tuple[Plan, str]:
    """One field changed, or added where `name` is empty; the plan and the field's name."""
    known = name or field_name(form.get("label.en", ""), [field.name for field in plan.fields])
    label, marks = _labelled(plan, form, "label", f"field.{known}")
    type_, most = _one_of(form.get("type", ""), TYPES), _whole(form.get("most", ""))
    choices, more = _choices(form.get("choices", "") if type_ == "choice" else "", f"field.{known}")
    numbered = type_ in ("text", "number")
    made = PlanField(
        known, label, type_, _one_of(form.get("class", ""), CLASSES), form.get("required") == "yes",
        _whole(form.get("least", "")) if numbered else None, most if numbered or type_ == "digits" else None, tuple(choices),
        form.get("sample", "").strip(),
    )  # fmt: skip
    changed = replace(plan.with_field(made), suggested=_marked(plan, f"field.{known}", marks | more))
    if not changed.page.large and made.type == "text":
        changed = replace(changed, page=replace(changed.page, large=(known,)))
    return _kept(changed), known


def with_finding(plan: Plan, form: Form, documents: tuple[str, ...]) -> Plan:
    """How holders find their certificates."""
    way = _one_of(form.get("way", ""), WAYS)
    return _kept(replace(plan, finding=Finding(
        way, form.get("person", "") if way != "nobody" else "", form.get("number", "") if way == "number" else "",
        tuple(kind for kind in KINDS if kind in documents) if way in ("document", "private") else (),
        form.get("printed") == "yes",
    )))  # fmt: skip


def with_page(plan: Plan, form: Form, large: tuple[str, ...], rows: tuple[str, ...]) -> Plan:
    """What stands where on the certificate."""
    says, marks = _labelled(plan, form, "says", "says")
    names = [field.name for field in plan.fields]
    chosen = tuple(name for name in names if name in rows and name not in large)
    everything = tuple(name for name in names if name not in large)
    accent = form.get("accent", "").strip().lower()
    page = Page(tuple(name for name in names if name in large), () if chosen == everything else chosen, accent, says)
    return _kept(replace(plan, page=page, suggested=_marked(plan, "says", marks)))


def _labelled(plan: Plan, form: Form, prefix: str, place: str) -> tuple[dict[str, str], frozenset[str]]:
    """The words typed, suggestions where a Chinese script is missing, and the marks of what nobody has read yet.

    A text keeps its mark while it is a suggestion that this form is showing for the first time.
    """
    typed = {language: form.get(f"{prefix}.{language}", "").strip()[:400] for language in LANGUAGES}
    return completed(typed, place)


def _marked(plan: Plan, place: str, marks: frozenset[str]) -> frozenset[str]:
    """Saving what the form showed is having read it: only what was suggested just now is marked."""
    seen = (f"{place}:", f"{place}.")
    return frozenset(mark for mark in plan.suggested if not mark.startswith(seen)) | marks


def _choices(text: str, place: str) -> tuple[list[tuple[str, dict[str, str]]], frozenset[str]]:
    """One choice a line, `value | English | português | 简体 | 繁體`, labels or none; a missing script is suggested."""
    made: list[tuple[str, dict[str, str]]] = []
    marks: set[str] = set()
    for line in text.splitlines()[:200]:
        value, *labels = (part.strip()[:100] for part in line.split("|"))
        if value:
            words, new = completed(dict(zip(LANGUAGES, labels, strict=False)), f"{place}.{value}")
            made.append((value, words))
            marks |= new
    return made, frozenset(marks)


def _kept(plan: Plan) -> Plan:
    """Through the reader, so that its bounds hold for what was typed, too."""
    return read_plan(plan.to_bytes())


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if len(text) < 13 and text.isascii() and text.removeprefix("-").isdecimal() else None


def _one_of(text: str, known: tuple[str, ...]) -> str:
    return text if text in known else known[0]
