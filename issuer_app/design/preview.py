"""What a design will look like before anything is published: a specimen made for real, with a key thrown away at once.

The specimen never reaches a ledger or a registry; its code has the size that real ones will have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from credentials import issue as issuing
from credentials import picture
from credentials.binding import NO_BINDING, Binding
from credentials.issue import Registry, Slot
from credentials.schema import Schema, read_schema
from issuer_app.design.making import pack_files, schema_of
from issuer_app.design.plan import Plan
from issuer_app.design.samples import claims_of, longest
from issuer_app.ledger import Issued
from issuer_app.papers.face import Face, face_of
from issuer_app.papers.look import Look, read_look
from issuer_app.papers.placing import code_least
from issuer_app.papers.svg import Artwork
from weid.canon import JSON, jcs
from weid.errors import IssueError, MalformedError, WeidError
from weid.hashes import SM3
from weid.keys import LocalSigner
from weid.pack import LANGUAGES
from weid.suites import Random
from weid.suites import suite as suite_named

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.papers.handing import Way

__all__ = ["Forecast", "Specimen", "code_room", "drawn_png", "face_shown", "specimen"]

_FIT: Final = 50.0  # mm: the square that papers and cards have for a code
_TYPED: Final = "0000-0000-0000-0000"
_INDEX: Final = 65_535  # a place as long as most of a list's places
_DPI: Final = 72


@dataclass(frozen=True, slots=True)
class Forecast:
    """How large a code will be: its printed side in mm and version, or None where no code can hold it."""

    mm: float | None
    version: int | None

    @property
    def good(self) -> bool:
        """Whether it fits where codes are printed."""
        return self.mm is not None and self.mm <= _FIT


@dataclass(frozen=True, slots=True)
class Specimen:
    """A certificate of the design that nobody issued, and the codes of the sample and of the longest values."""

    schema: Schema
    row: Issued
    usual: Forecast
    largest: Forecast


def specimen(plan: Plan, desk: Desk, *, host: str, at: int, random: Random, full: bool = False) -> Specimen | None:
    """The specimen of a plan, unfinished labels filled from other languages; None while it has no usable fields, or where
    no code holds its values. `full`: every text as long as it may be."""
    shown = _filled(plan)
    document = jcs(schema_of(shown))
    try:
        schema = read_schema(document, desk.client.genesis.hash(document))
        row = _made(schema, longest(shown) if full else claims_of(shown), desk, at, random)
    except WeidError:
        return None
    try:
        large = _forecast(_made(schema, longest(shown), desk, at, random), host)
    except WeidError:
        large = Forecast(None, None)
    return Specimen(schema, row, _forecast(row, host), large)


def drawn_png(plan: Plan, images: Mapping[str, bytes], made: Specimen, desk: Desk, way: Way, form: str = "sheet") -> bytes | None:
    """A form as it will be handed out, by the same drawing; None where no typesetter is installed.

    MalformedError or IssueError says why it cannot be drawn.
    """
    from issuer_app.papers import page_of
    from issuer_app.papers.handing import page_png

    look = read_look(pack_files(_filled(plan), images), plan.name)
    try:
        data = page_of(
            made.row, made.schema, look, desk.names, desk.party.folder, form, way.languages, host=way.host, zone=way.zone
        )
        return page_png(data, dpi=_DPI) if form == "sheet" else data
    except IssueError as error:
        if error.code == "no-typesetter":
            return None
        raise


def face_shown(plan: Plan, images: Mapping[str, bytes], made: Specimen) -> Face:
    """The page on a phone, as the holder will see it."""
    try:
        look = read_look(pack_files(_filled(plan), images), plan.name)
    except MalformedError:
        look = Look()
    return face_of(made.schema, look, made.row.claims)


def code_room(art: Artwork, form: str, made: Specimen, host: str) -> tuple[float, float]:
    """(how wide a template's place for the code is, how wide it must be for this specimen), in the template's own units."""
    from issuer_app.papers import PER_MM, shape_of
    from issuer_app.papers.codes import code_of

    slot = next(slot for slot in art.slots if slot.name == "code")
    modules = code_of(made.row, host).modules + 8
    grid = None if form == "sheet" else 1 / PER_MM
    return min(slot.width, slot.height), code_least(art, modules, shape_of(form, art)[0], grid=grid)


def _made(schema: Schema, claims: Mapping[str, JSON], desk: Desk, at: int, random: Random) -> Issued:
    """Signed by a key of the institution's kind that exists for this call only: what it signs verifies nowhere."""
    own, genesis = desk.party.signer("assert"), desk.client.genesis
    name = own.public_key.suite
    signer = LocalSigner(suite_named(name).generate(random), name, own.kid, "assert")
    bind = Binding.to_key(signer.public_key) if schema.bind == "key" else NO_BINDING
    until = at + schema.lifetime
    made = issuing.issue(
        schema, claims, issuer=signer, registry=Registry(genesis.origin, genesis.digest), issued=at, valid_until=until,
        random=random, bind=bind, slot=Slot(1, _INDEX), specimen=True, status_base=desk.public,
    )  # fmt: skip
    code = _TYPED if genesis.hash is not SM3 else None
    return Issued(
        0, made.cid.hex(), schema.digest, 1, _INDEX, at, at, until, claims, made.compact, made.file, code, None, False, "valid",
        None, None, "", False, "", True, None, False,
    )  # fmt: skip


def _forecast(row: Issued, host: str) -> Forecast:
    for level in ("M", "L"):
        try:
            drawn = picture.draw(row.compact, host=host, level=level)
        except MalformedError:
            continue
        return Forecast(drawn.printed_mm, drawn.version)
    return Forecast(None, None)


def _filled(plan: Plan) -> Plan:
    """The plan with something to read in every language: another language's text, or the name."""
    fields = []
    for field in plan.fields:
        choices = tuple((value, _any(label, value) if label else label) for value, label in field.choices) or (("-", {}),)
        fields.append(replace(field, label=_any(field.label, field.name), choices=choices))
    says = _any(plan.page.says, "") if plan.page.says else plan.page.says
    names = {field.name for field in plan.fields}
    page = replace(plan.page, says=says, large=tuple(name for name in plan.page.large if name in names))
    return replace(plan, title=_any(plan.title, plan.name), fields=tuple(fields), page=page)


def _any(words: Mapping[str, str], last: str) -> dict[str, str]:
    known = [words[language] for language in ("en", "zh-Hans", "zh-Hant", "pt") if words.get(language)]
    return {language: words.get(language) or (known or [last])[0] for language in LANGUAGES}
