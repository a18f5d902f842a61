"""The page for checking by typing what is printed, with the printed code (R25)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, abort, g, render_template, request

from credentials.claims import Claim
from credentials.schema import Schema
from credentials.typed import tidy
from verifier_app.frame import checker, problem_words, t
from verifier_app.languages import in_words
from verifier_app.moments import Moment, moment
from verifier_app.offers import Typed
from verifier_app.typed_check import TypedAnswer
from verifier_app.view import Line, Look, look_of
from weid.canon import JSON
from weid.errors import MalformedError, SchemaError, WeidError

__all__ = ["room"]

room = Blueprint("typed", __name__, url_prefix="/typed")
_INPUTS: Final = {"date": "date", "minutes": "datetime-local", "integer": "number"}
_LOOKS: Final = {"match": ("tick-outline-card", "green-outline"), "no-match": ("not-equal", "orange"),
                 "unknown": ("hourglass-question", "amber")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the form, with what was typed."""

    name: str
    label: str
    type: str
    choices: tuple[tuple[str, str], ...]
    value: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one kind of certificate."""

    title: str
    fields: tuple[Field, ...]
    code: str
    code_wrong: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of certificate to choose."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Result:
    """The answer as the page shows it."""

    card: Look
    at: Moment
    lines: tuple[Line, ...]


@room.get("")
def page() -> str:
    """The empty form."""
    return _page(_kind(request.args.get("kind")))


@room.post("")
def check() -> str:
    """The answer to what was typed; wrong entries stay on the page, marked."""
    kind = _kind(request.form.get("kind"))
    if kind is None:
        abort(400)
    held = checker()
    try:
        schema = kind.schema(held.facts())
        if schema is None:
            return _page(kind)
        wrong, claims = _claims(schema, kind)
        if wrong:
            label = in_words(_claim(schema, wrong).label, g.language)
            return _page(kind, problem=t("typed.bad-field", field=label), wrong=wrong)
        answer = held.check_typed(kind, claims, request.form.get("code", ""))
    except SchemaError:
        return _page(kind, problem=t("problem.400"))
    except MalformedError as error:
        return _page(kind, problem=t("typed.bad-code" if error.code == "bad-code" else "problem.400"), wrong="code")
    except WeidError as error:
        return _page(kind, problem=problem_words(error))
    return _page(kind, result=None if answer is None else _result(answer))


def _kind(name: str | None) -> Typed | None:
    kinds = checker().kinds
    return kinds.get(name) if name else next(iter(kinds.values()), None)


def _claims(schema: Schema, kind: Typed) -> tuple[str, dict[str, JSON]]:
    """(the first entry that is wrong or "", the entries as values)."""
    claims: dict[str, JSON] = {}
    for name in kind.fields:
        claim = _claim(schema, name)
        try:
            claims[name] = _value(claim, tidy(request.form.get(f"f-{name}", "")[:400]))
            claim.to_cbor(claims[name])
        except (SchemaError, ValueError, OverflowError):
            return name, {}
    return "", claims


def _claim(schema: Schema, name: str) -> Claim:
    return next(claim for claim in schema.claims if claim.name == name)


def _value(claim: Claim, typed: str) -> JSON:
    if claim.kind == "integer":
        return int(typed)
    if claim.kind == "boolean":
        return {"true": True, "false": False}[typed] if typed in ("true", "false") else None
    if claim.kind == "minutes" and typed and not typed.endswith("Z"):
        local = datetime.fromisoformat(typed).replace(tzinfo=checker().settings.zone)
        return f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return typed or None


def _page(kind: Typed | None, *, problem: str = "", wrong: str = "", result: Result | None = None) -> str:
    held = checker()
    form = None
    try:
        schema = None if kind is None else kind.schema(held.facts())
    except WeidError as error:
        schema, problem = None, problem_words(error)
    if kind is not None and schema is not None:
        fields = tuple(_fields(schema, kind, wrong))
        form = Form(in_words(schema.title, g.language), fields, request.form.get("code", ""), wrong == "code")
    kinds = tuple(Kind(item.id, in_words(item.title, g.language)) for item in held.kinds.values())
    return render_template(
        "typed.html", kinds=kinds, chosen="" if kind is None else kind.id, form=form, problem=problem, result=result
    )


def _fields(schema: Schema, kind: Typed, wrong: str) -> Iterable[Field]:
    for name in kind.fields:
        claim = _claim(schema, name)
        choices = tuple((value, claim.shown(value, g.language)) for value in claim.choices)
        if claim.kind == "boolean":
            choices = (("true", t("values.yes")), ("false", t("values.no")))
        label, typed = in_words(claim.label, g.language) or name, request.form.get(f"f-{name}", "")
        yield Field(name, label, _INPUTS.get(claim.kind, "text"), choices, typed, wrong == name)


def _result(answer: TypedAnswer) -> Result:
    held = checker()
    lines = []
    if answer.anchored is not None:
        named = held.registries(g.language).get(answer.registry, answer.registry)
        name = in_words(answer.issuer, g.language) or t("values.unnamed")
        lines.append(Line(t("typed.issuer"), name, note=t("values.named-by", registry=named)))
        lines.append(Line(t("values.issued"), moment(answer.anchored, held.settings.zone).text))
    return Result(_look(answer.answer), moment(held.now(), held.settings.zone), tuple(lines))


def _look(answer: str) -> Look:
    if answer not in _LOOKS:
        return look_of(answer, g.language)
    words = (t(f"typed.{answer}.{part}") for part in ("word", "sentence", "do"))
    return Look(answer, *_LOOKS[answer], *words)
