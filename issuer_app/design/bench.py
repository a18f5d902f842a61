"""What the editor's pages share: the drafts, the page with its preview, and how a change is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.design.checking import PlanFault, faults
from issuer_app.design.drafts import Draft, Drafts
from issuer_app.design.plan import Plan
from issuer_app.design.showing import shown
from issuer_app.frame import config, desk, page, speaker, tell
from issuer_app.papers.svg import SvgError
from issuer_app.texts import NAMES_OF_LANGUAGES
from weid.errors import ConflictError, WeidError

__all__ = ["Said", "bench", "drafts", "file_of", "pages", "revision", "said", "saved", "stored", "wrong_words"]

pages = Blueprint("design", __name__, url_prefix="/desk/designs")

_PICTURES = ("bad-look", "bad-svg", "too-large", "digest-mismatch")


def drafts() -> Drafts:
    """The designs of this app's desk, opened once."""
    held = current_app.extensions.get("designs")
    if held is None:
        held = current_app.extensions["designs"] = Drafts(desk().party.folder)
    return cast(Drafts, held)


@dataclass(frozen=True, slots=True)
class Said:
    """A fault in the viewer's words."""

    place: str
    words: str


def said(fault: PlanFault, plan: Plan) -> str:
    """A fault in the viewer's words: languages and fields by the names that people know."""
    names = {}
    for key, value in fault.values:
        field = plan.field(value) if key == "field" else None
        label = value if field is None else speaker().name(field.label) or value
        names[key] = NAMES_OF_LANGUAGES.get(value, value) if key == "language" else label
    return speaker()(fault.key, **names)


def wrong_words(error: WeidError) -> str:
    """Why something was not kept; of a drawing, which element in which line."""
    if isinstance(error, SvgError):
        return speaker()(f"svg.{error.reason}", **error.about)
    return speaker()("design.fault-picture") if error.code in _PICTURES else speaker().problem(error.code)


def bench(template: str, held: Draft, plan: Plan, fault: str | None = None, images: Mapping[str, bytes] | None = None,
          **more: Any) -> str:  # fmt: skip
    """A page of the editor with the preview of `plan`, which may be what was typed and not saved.

    A page with a preview of its own says so with `drawn`; `beyond` are faults that only the desk can see.
    """
    pictures = held.images if images is None else images
    beyond: tuple[PlanFault, ...] = more.pop("beyond", ())
    found = [Said(item.place, said(item, plan)) for item in (*faults(plan, pictures), *beyond)]
    counts = Counter(item.place.partition(":")[0].removesuffix("s") for item in found)
    look = None if "drawn" in more else shown(plan, pictures, desk(), speaker(), config())
    return page(
        template, draft=held, plan=plan, fault=fault, found=found, counts=counts, names_=NAMES_OF_LANGUAGES, look=look,
        pictures=pictures, **more,
    )  # fmt: skip


def saved(template: str, held: Draft, plan: Plan, mark: str, then: str, images: dict[str, bytes] | None = None,
           after: str | None = None, **more: Any) -> ResponseReturnValue:  # fmt: skip
    """Show what was typed (`preview`), or keep it; what was suggested just now is shown once more, to be read."""
    if request.form.get("preview") == "yes":
        return bench(template, held, plan, images=images, **more)
    try:
        drafts().save(plan, revision(), images)
    except WeidError as error:
        return bench(template, held, plan, wrong_words(error), **more), 409 if isinstance(error, ConflictError) else 422
    fresh = mark and any(item.startswith((f"{mark}:", f"{mark}.")) for item in plan.suggested)
    tell("design.suggested" if fresh else "design.saved")
    return redirect(then if fresh else after or url_for("design.draft", name=plan.name))


def stored(
    held: Draft, plan: Plan, then: str, images: dict[str, bytes] | None = None, template: str = "design/draft.html", **more: Any
) -> ResponseReturnValue:  # fmt: skip
    """Keep a change made with one button, or say why not on the page the button is on."""
    try:
        drafts().save(plan, revision(), images)
    except WeidError as error:
        fresh = drafts().get(plan.name)
        return bench(template, fresh, fresh.plan, wrong_words(error), **more), 409 if isinstance(error, ConflictError) else 422
    return redirect(then)


def revision() -> int:
    """The revision that a form was made from."""
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def file_of(data: bytes, kind: str, name: str) -> Response:
    """A file to save."""
    response = Response(data, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
