"""What is still wrong with a plan, each at the field it is about: everything `weid pack test` would refuse, before it does.

The plain faults come first, in words of their own; then the pack is made and every room reads its section for real.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from credentials.requests import read_request
from credentials.schema import read_schema, schema_digest
from credentials.text import unsafe_text
from issuer_app.design.breaking import kept_by_samples
from issuer_app.design.cases import CLOCK
from issuer_app.design.conditions import fits
from issuer_app.design.making import pack_files
from issuer_app.design.plan import PURPOSE, Plan, PlanField
from issuer_app.design.samples import claims_of
from issuer_app.design.templates import template_faults
from issuer_app.design.together import MOST
from issuer_app.design.words import suggestion
from issuer_app.documents import KINDS
from issuer_app.lookups import lookup_of
from issuer_app.papers.look import read_look
from issuer_app.terms import Terms
from weid.errors import WeidError
from weid.hashes import SHA256
from weid.pack import LANGUAGES, read_pack

__all__ = ["PlanFault", "faults"]

_SCRIPTS: Final = ("zh-Hans", "zh-Hant")
_LONGEST: Final = 300  # characters of a text that still leaves room in a code


@dataclass(frozen=True, slots=True)
class PlanFault:
    """One thing that is wrong. `place`: title, field:NAME, fields, finding, page, template:KEY, signing, checks, pack; `key` is
    one of the texts."""

    place: str
    key: str
    values: tuple[tuple[str, str], ...] = ()


def faults(plan: Plan, images: Mapping[str, bytes] | None = None) -> tuple[PlanFault, ...]:
    """Everything that stands against publishing; empty when nothing does."""
    drawn = tuple(PlanFault(f"template:{key}", text, values) for key, text, values in template_faults(plan, images or {}))
    return (*_plain(plan), *drawn) or tuple(_read(plan, images))


def _plain(plan: Plan) -> Iterator[PlanFault]:
    yield from _worded(plan.title, "title", "title", plan)
    if not plan.fields:
        yield PlanFault("fields", "design.fault-no-fields")
    elif not plan.typed:
        yield PlanFault("fields", "design.fault-no-public")
    for field in plan.fields:
        place = f"field:{field.name}"
        yield from _worded(field.label, place, f"field.{field.name}", plan)
        yield from (PlanFault(place, key) for key in _limits(field))
        if field.type == "choice":
            yield from _choices(field, place, plan)
    yield from _finding(plan)
    yield from _signing(plan)
    yield from _checks(plan)
    if plan.page.says:
        yield from _worded(plan.page.says, "page", "says", plan)
    yield from (PlanFault("page", "design.fault-unknown-field") for name in (*plan.page.large, *plan.page.rows)
                if plan.field(name) is None)  # fmt: skip


def _worded(words: Mapping[str, str], place: str, mark: str, plan: Plan) -> Iterator[PlanFault]:
    for language in LANGUAGES:
        text = words.get(language, "").strip()
        named = (("language", language),)
        if not text:
            yield PlanFault(place, "design.fault-language", named)
        elif unsafe_text(text) is not None:
            yield PlanFault(place, "design.fault-unsafe", named)
        elif f"{mark}:{language}" in plan.suggested:
            yield PlanFault(place, "design.fault-suggested", named)
    hans, hant = (words.get(language, "").strip() for language in _SCRIPTS)
    if hans and hans == hant and suggestion({"zh-Hans": hans}, "zh-Hant") != hant:
        yield PlanFault(place, "design.fault-same-script")


def _limits(field: PlanField) -> Iterator[str]:
    least, most = field.least, field.most
    if field.type == "digits" and (most is None or not 1 <= most <= 18):
        yield "design.fault-digits"
    if field.type == "text" and most is not None and not 1 <= most <= _LONGEST:
        yield "design.fault-long"
    if field.type in ("text", "number") and least is not None and most is not None and least > most:
        yield "design.fault-bounds"
    if field.type == "text" and least is not None and least < 1:
        yield "design.fault-bounds"


def _choices(field: PlanField, place: str, plan: Plan) -> Iterator[PlanFault]:
    values = [value for value, _ in field.choices]
    if not values or len(set(values)) != len(values):
        yield PlanFault(place, "design.fault-choices")
    for value, label in field.choices:
        if label:
            yield from _worded(label, place, f"field.{field.name}.{value}", plan)


def _finding(plan: Plan) -> Iterator[PlanFault]:
    finding = plan.finding
    if finding.way in ("nobody", "code"):
        return
    person = plan.field(finding.person)
    if person is None or person.type != "text":
        yield PlanFault("finding", "design.fault-person")
    if finding.way == "number" and (plan.field(finding.number) is None or finding.number == finding.person):
        yield PlanFault("finding", "design.fault-number")
    if finding.way in ("document", "private") and (not finding.documents or set(finding.documents) - set(KINDS)):
        yield PlanFault("finding", "design.fault-documents")


def _signing(plan: Plan) -> Iterator[PlanFault]:
    together = plan.together
    if together.way == "alone":
        return
    if together.way == "named" and len(set(together.signers)) < 2:
        yield PlanFault("signing", "design.fault-signers")
    elif not 2 <= together.threshold <= (len(together.signers) if together.way == "named" else MOST):
        yield PlanFault("signing", "design.fault-threshold")


def _checks(plan: Plan) -> Iterator[PlanFault]:
    if not PURPOSE.fullmatch(plan.asking.purpose):
        yield PlanFault("checks", "design.fault-purpose")
    if plan.asking.warn > plan.asking.reject:
        yield PlanFault("checks", "design.fault-ages")
    for number, condition in enumerate(plan.rules, 1):
        field = plan.field(condition.field)
        if field is None or not fits(condition, field.type, tuple(value for value, _ in field.choices)):
            yield PlanFault("checks", "design.fault-rule", (("number", str(number)),))
    for number, _ in kept_by_samples(plan, CLOCK):
        yield PlanFault("checks", "design.fault-rule-sample", (("number", str(number)),))


def _read(plan: Plan, images: Mapping[str, bytes] | None) -> Iterator[PlanFault]:
    """What the rooms say to the finished pack, and whether the samples are claims of it."""
    files = pack_files(plan, images)
    place = "pack"
    try:
        pack = read_pack(files)
        document = files[f"schemas/{plan.name}.json"]
        schema = read_schema(document, schema_digest(document, SHA256))
        place = "finding"
        lookup_of(pack)
        Terms.of_pack(pack)
        place = "page"
        read_look(files, plan.name)
        place = "pack"
        read_request(pack, "check")
        place = "fields"
        schema.items(claims_of(plan))
    except WeidError as error:
        name = str(error).partition(":")[0]
        place = f"field:{name}" if place == "fields" and plan.field(name) is not None else place
        key = "design.fault-sample" if place.startswith("field") else "design.fault-engine"
        yield PlanFault(place, key, () if place.startswith("field:") else (("why", str(error)),))
