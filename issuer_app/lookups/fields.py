"""The inputs of look-up forms: for a stranger who asks, and for the clerk who issues or corrects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from credentials.schema import Schema
from issuer_app.lookups.asking import Way
from issuer_app.lookups.inputs import CLAIM
from issuer_app.lookups.rules import Rule

__all__ = ["Asked", "asked_fields", "clerk_fields", "typed_extra"]

_INPUTS = {"birthDate": "date", "phoneTail": "digits", "email": "email", "documentKind": "select"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One input: its name in the form, the key of its words, and how it is typed. `choices` are kinds of document."""

    name: str
    word: str
    input: str
    choices: tuple[str, ...] = ()
    required: bool = True
    label: Mapping[str, str] | None = None  # of the claim, where the input is one

    @property
    def field(self) -> str:
        """The name of the control."""
        return f"find-{self.name}"


def asked_fields(way: Way, schemas: Sequence[Schema] = ()) -> tuple[Asked, ...]:
    """What a stranger types for one way; a claim has its label from the first of the schemas that has it."""
    labels = {
        claim.name: claim.label for schema in reversed(schemas) if schema.name in way.rule.schemas for claim in schema.claims
    }
    made = (field for name in way.by for field in _fields(name, way.rule.documents))
    return tuple(
        replace(field, label=labels.get(field.name.removeprefix(CLAIM))) if field.word == "claim" else field for field in made
    )


def clerk_fields(rules: Sequence[Rule], *, contact: bool = True) -> tuple[Asked, ...]:
    """What the clerk types beside the claims: each input once, and where links go if some rule sends them."""
    documents = tuple(dict.fromkeys(kind for rule in rules for kind in rule.documents))
    names = dict.fromkeys(name for rule in rules for by in rule.by for name in rule.extra(by))
    needed = {name for rule in rules if rule.required for name in rule.extra(rule.by[0])}
    made = [replace(field, required=name in needed) for name in names for field in _fields(name, documents)]
    if contact and any(rule.shows == "nothing-without-link" for rule in rules):
        made.append(Asked("contact", "contact", "text", required=False))
    return tuple(made)


def typed_extra(form: Mapping[str, str], fields: Sequence[Asked]) -> dict[str, str]:
    """What was typed into these inputs; a kind of document without a number is nothing yet."""
    typed = {field.name: form.get(field.field, "").strip() for field in fields}
    if not typed.get("documentNumber"):
        typed.pop("documentKind", None)
    return {name: text for name, text in typed.items() if text}


def _fields(name: str, documents: tuple[str, ...]) -> list[Asked]:
    word = "claim" if name.startswith(CLAIM) else name
    field = Asked(name, word, _INPUTS.get(name, "text"))
    return [Asked("documentKind", "documentKind", "select", documents), field] if name == "documentNumber" else [field]
