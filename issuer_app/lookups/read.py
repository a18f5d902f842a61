"""From the claims of a certificate and what the clerk typed beside them to what it is found by, with every fault named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from issuer_app.documents import KINDS
from issuer_app.lookups.inputs import CLAIM, FACTORS, Given, InputFault, is_contact, read_forms
from issuer_app.lookups.rules import Rule
from weid.canon import JSON
from weid.codec import from_minutes

__all__ = ["read_given"]

_CONTACT: Final = 200  # characters
_KNOWN: Final = {"documentKind", "documentNumber", "contact", *KINDS, *FACTORS} - {"claimCode", "certificateId"}


def read_given(
    rules: Sequence[Rule], claims: Mapping[str, JSON], extra: Mapping[str, str], day: int | None = None
) -> tuple[Given, tuple[InputFault, ...]]:
    """(what it is found by, what is wrong); with a fault the first is not to be used.

    Empty texts count as not given. Whatever is given must be of use: a birth date alone finds nothing.
    """
    today = None if day is None else from_minutes(day).date()
    typed = {name: text for name, text in extra.items() if text.strip()}
    faults = [InputFault(name[:32], "lookup-not-asked") for name in typed if name not in _KNOWN]
    documents = _documents(typed, faults, today)
    forms = _forms(rules, claims, typed, faults)
    known = {*forms, *(["documentNumber"] if documents else [])}
    if not faults:
        faults += _incomplete(rules, known, set(typed), documents)
    contact = typed.get("contact", "").strip()
    if len(contact) > _CONTACT or not contact.isprintable():
        faults.append(InputFault("contact", "lookup-long"))
    elif contact and not is_contact(contact):
        faults.append(InputFault("contact", "lookup-contact"))
    return Given(MappingProxyType(forms), documents, contact), tuple(faults)


def _documents(typed: Mapping[str, str], faults: list[InputFault], today: date | None) -> tuple[tuple[str, str], ...]:
    found = [(kind, typed[kind], kind) for kind in KINDS if kind in typed]
    if "documentNumber" in typed:
        found.append((typed.get("documentKind", ""), typed["documentNumber"], "documentNumber"))
    made = []
    for kind, text, name in found:
        try:
            made.append((kind, read_forms("documentNumber", text, kind=kind, today=today)[0].partition(":")[2]))
        except InputFault as fault:
            faults.append(InputFault(name if fault.field == "documentNumber" else fault.field, fault.code))
    return tuple(dict.fromkeys(made))


def _forms(
    rules: Sequence[Rule], claims: Mapping[str, JSON], typed: Mapping[str, str], faults: list[InputFault]
) -> dict[str, tuple[str, ...]]:
    """The forms of every input that some rule asks for and that is there, in a claim or typed."""
    made: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        for name in dict.fromkeys(name for by in rule.by for name in by if name not in ("documentNumber", "claimCode")):
            claim = name.removeprefix(CLAIM) if name.startswith(CLAIM) else rule.source.get(name)
            value = typed.get(name) if claim is None else claims.get(claim)
            if name in made or value is None or name == "certificateId":
                continue
            try:
                made[name] = read_forms(name, value if isinstance(value, str) else str(value))
            except InputFault as fault:
                if claim is None:  # a claim is for the schema to judge: it only does not help to find the certificate
                    faults.append(fault)
    return made


def _incomplete(
    rules: Sequence[Rule], known: set[str], typed: set[str], documents: tuple[tuple[str, str], ...]
) -> list[InputFault]:
    """What was typed and leads nowhere, with what is missing beside it; what a rule demands and is not there."""
    made_here = {"claimCode", "certificateId"}
    ways = [(rule, by) for rule in rules for by in rule.by]
    whole = [(rule, by) for rule, by in ways if not set(by) - known - made_here]
    used = {name for _, by in whole for name in by}
    given = {"documentNumber" if name in KINDS else name for name in typed} & {"documentNumber", *FACTORS}
    faults = []
    kinds = {kind for rule in rules for kind in rule.documents}
    faults += [InputFault("documentKind", "document-kind") for kind, _ in documents if kind not in kinds]
    for name in sorted(given - used):
        near = next((by for _, by in ways if name in by), None)
        if near is None:
            faults.append(InputFault(name, "lookup-not-asked"))
            continue
        faults += [InputFault(other, "lookup-missing") for other in near if other not in known | made_here]
    for rule in rules:
        if rule.required and not any(held is rule for held, _ in whole):
            faults += [InputFault(name, "lookup-missing") for name in rule.by[0] if name not in known | made_here]
    return list({(fault.field, fault.code): fault for fault in faults}.values())
