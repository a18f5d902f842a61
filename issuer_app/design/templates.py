"""A design's templates: which papers each is for, what it uses of a certificate, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from issuer_app.design.making import drawings
from issuer_app.design.plan import Plan
from issuer_app.papers import shape_of
from issuer_app.papers.look import FORMS, artwork, unknown_names
from issuer_app.papers.placing import fits
from issuer_app.papers.svg import Artwork, SvgError
from weid.pack import LANGUAGES

__all__ = ["Use", "key_of", "languages_of", "template_faults", "use_of"]


@dataclass(frozen=True, slots=True)
class Use:
    """What a template says: its placeholders, those that mean nothing, the fields it leaves out, those of them that must
    always be shown, the words that stand in it as they are, and whether there are places for logo and seal."""

    names: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    hidden: tuple[str, ...]
    fixed: tuple[str, ...]
    slots: tuple[str, ...]


def key_of(form: str, language: str) -> str | None:
    """The key of a template: its form, and a language if it is for papers in that one alone; None for what there is not."""
    if form not in FORMS or (language and language not in LANGUAGES):
        return None
    return f"{form}.{language}" if language else form


def languages_of(key: str, images: Mapping[str, bytes]) -> tuple[str, ...]:
    """The languages of the papers that are drawn from a template."""
    form, _, language = key.partition(".")
    return (language,) if language else tuple(item for item in LANGUAGES if f"{form}.{item}" not in images)


def use_of(art: Artwork, plan: Plan) -> Use:
    """What a template says of the certificates of a plan."""
    names = tuple(dict.fromkeys(gap for box in art.boxes for gap in box.gaps))
    held = {name.partition(".")[2] for name in names if name.startswith(("shown.", "credentialSubject."))}
    missing = tuple(field.name for field in plan.fields if field.name not in held)
    return Use(
        names, unknown_names(art, [field.name for field in plan.fields]), missing,
        tuple(field.name for field in plan.fields if field.name in missing and field.privacy == "public"),
        tuple(text for box in art.boxes if (text := box.filled({}).strip(" :：·-–,，/()（）")) and any(map(str.isalpha, text))),
        tuple(slot.name for slot in art.slots if slot.name != "code"),
    )  # fmt: skip


def template_faults(plan: Plan, images: Mapping[str, bytes]) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """(key, text, what fills it) of everything that is wrong with the templates, without drawing any."""
    for key in drawings(images):
        try:
            art = artwork(images[key], template=True)
        except SvgError as error:
            yield key, f"svg.{error.reason}", tuple(error.about.items())
            continue
        width, height = shape_of(key.partition(".")[0], art)
        if not fits(art, width, height):
            yield key, "svg.proportions", (("width", f"{width:g}"), ("height", f"{height:g}"))
        use = use_of(art, plan)
        yield from ((key, "design.fault-placeholder", (("name", name),)) for name in use.unknown)
        yield from ((key, "design.fault-hides", (("field", name),)) for name in use.hidden)
