"""What was typed into the editor's forms, as a changed plan. Nothing is refused here that a person could still finish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from credentials.rules import ABSENT
from issuer_app.design.conditions import MAX_RULES, TESTS, Condition
from issuer_app.design.plan import BINDS, CLASSES, TYPES, WAYS, Asking, Finding, Plan, PlanField, field_name, read_plan
from issuer_app.design.together import MOST, SIGNING, Together
from issuer_app.design.words import completed
from issuer_app.documents import KINDS
from issuer_app.two_people import ACTS
from weid.pack import LANGUAGES

__all__ = ["with_asking", "with_basics", "with_field_form", "with_finding", "with_page", "with_rule", "with_signing"]

Form = Mapping[str, str]


def with_basics(plan: Plan, form: Form) -> Plan:
    """Title, validity and binding."""
    title, marks = _labelled(plan, form, "title", "title")
    count = max(_whole(form.get("days", "")) or 1, 1)
    short = form.get("unit") == "hours"
    return _kept(replace(
        plan, title=title, suggested=_marked(plan, "title", marks), days=1 if short else min(count, 36_500),
        hours=min(count, 876_000) if short else 0, bind=_one_of(form.get("bind", ""), BINDS),
    ))  # fmt: skip


def with_signing(plan: Plan, form: Form, signers: tuple[str, ...], acts: tuple[str, ...]) -> Plan:
    """Which institutions sign, and for which acts a second person inside agrees. `place.DID` says who signs first."""
    ordered = sorted(dict.fromkeys(signers), key=lambda did: _whole(form.get(f"place.{did}", "")) or MOST + 1)
    way = _one_of(form.get("together", ""), SIGNING)
    count = min(max(_whole(form.get("threshold", "")) or 2, 1), MOST)
    named = way == "named"
    together = Together(way, tuple(ordered[:MOST]) if named else (), count, named and form.get("ordered") == "yes")
    return _kept(replace(plan, together=together, two_people=tuple(act for act in ACTS if act in acts)))


def with_asking(plan: Plan, form: Form) -> Plan:
    """What a check asks for."""
    warn, reject = (min(max(_whole(form.get(name, "")) or usual, 1), 3650) for name, usual in (("warn", 7), ("reject", 30)))
    return _kept(replace(plan, asking=Asking(form.get("purpose", "").strip()[:32], warn, reject)))


def with_rule(plan: Plan, number: int, field: PlanField, form: Form, values: tuple[str, ...]) -> Plan:
    """One rule changed, or added at the end where `number` is 0."""
    test, typed = form.get("test", ""), form.get("count", "")
    if field.type == "choice":
        test, typed = "equals" if len(values) == 1 else "one-of", "|".join(values)
    elif test in ("from-day", "until-day"):
        typed = form.get("day", "")
    elif field.type in ("text", "digits", "yesno"):
        test, typed = "equals", form.get("value", "")
    made = Condition(
        field.name, _one_of(test, TESTS[field.type]), "" if test == "not-passed" else typed.strip()[:400],
        _one_of(form.get("absent", ""), ABSENT),
    )  # fmt: skip
    rules = [*plan.rules, made] if not number else [made if at == number else old for at, old in enumerate(plan.rules, 1)]
    return _kept(replace(plan, rules=tuple(rules[:MAX_RULES])))


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
        way, form.get("person", "") if way not in ("nobody", "code") else "", form.get("number", "") if way == "number" else "",
        tuple(kind for kind in KINDS if kind in documents) if way in ("document", "private") else (),
        form.get("printed") == "yes", way != "nobody" and form.get("required") == "yes",
    )))  # fmt: skip


def with_page(plan: Plan, form: Form, large: tuple[str, ...], rows: tuple[str, ...]) -> Plan:
    """What stands where on the certificate."""
    says, marks = _labelled(plan, form, "says", "says")
    names = [field.name for field in plan.fields]
    chosen = tuple(name for name in names if name in rows and name not in large)
    everything = tuple(name for name in names if name not in large)
    accent = form.get("accent", "").strip().lower()
    large = tuple(name for name in names if name in large)
    page = replace(plan.page, large=large, rows=() if chosen == everything else chosen, accent=accent, says=says)
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
