"""The templates of a design: put in by upload or from those that are ready, seen as they will be printed, replaced, taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.design import ready
from issuer_app.design.bench import bench, drafts, file_of, pages, revision, stored, wrong_words
from issuer_app.design.drafts import Draft
from issuer_app.design.making import drawings
from issuer_app.design.parcel import MAX_FILE
from issuer_app.design.showing import Drawing, Wish, drawing
from issuer_app.design.templates import key_of, languages_of, use_of
from issuer_app.frame import config, desk, needs, slow_down, speaker, tell
from issuer_app.papers import PICTURES
from issuer_app.papers.look import FORMS, artwork
from issuer_app.papers.svg import SvgError
from issuer_app.problems import NotFoundError
from weid.errors import ConflictError, WeidError
from weid.pack import LANGUAGES

__all__ = ["pages"]

_FORM = "design/templates.html"


@pages.get("/<name>/templates/")
@needs("admin")
def templates(name: str) -> ResponseReturnValue:
    """The templates that there are, and where another comes from."""
    return _list(drafts().get(name))


@pages.post("/<name>/templates/")
@needs("admin")
def template_add(name: str) -> ResponseReturnValue:
    """Put one in: a file, or a ready one made for these fields. What the strict reader refuses is not kept."""
    slow_down(config().limits.issue)
    held = drafts().get(name)
    chosen, data = request.form.get("ready", ""), _uploaded()
    if not data and chosen in ready.READY:
        form, data = ready.form_of(chosen), ready.made(chosen, held.plan)
    else:
        form = request.form.get("form", "")
    key = key_of(form, request.form.get("language", ""))
    if not data or key is None:
        return _list(held, speaker()("design.fault-no-template")), 422
    return _kept(held, key, data)


@pages.post("/<name>/templates/published")
@needs("admin")
def template_names(name: str) -> ResponseReturnValue:
    """Whether new files name their templates (W3C render methods)."""
    held = drafts().get(name)
    page = replace(held.plan.page, published=request.form.get("published") == "yes")
    there = url_for("design.templates", name=name)
    return stored(held, replace(held.plan, page=page), there, template=_FORM, **_more(held))


@pages.get("/<name>/templates/<key>")
@needs("admin")
def template(name: str, key: str) -> ResponseReturnValue:
    """One template: drawn with sample values, what it uses and what it leaves out."""
    held = drafts().get(name)
    return _one(held, _known(held, key))


@pages.post("/<name>/templates/<key>")
@needs("admin")
def template_change(name: str, key: str) -> ResponseReturnValue:
    """Another file in its place; with `preview` it is only looked at."""
    slow_down(config().limits.issue)
    held = drafts().get(name)
    data = _uploaded()
    if request.form.get("preview") == "yes":
        return _looked(held, _known(held, key), data)
    if not data:
        return _one(held, _known(held, key), speaker()("design.fault-no-template")), 422
    return _kept(held, _known(held, key), data)


@pages.post("/<name>/templates/<key>/remove")
@needs("admin")
def template_remove(name: str, key: str) -> ResponseReturnValue:
    """Take one out: the form is drawn as usual again."""
    held = drafts().get(name)
    images = {other: data for other, data in held.images.items() if other != _known(held, key)}
    there = url_for("design.templates", name=name)
    return stored(held, held.plan, there, images, _FORM, **_more(held))


@pages.get("/<name>/templates/<key>/file.svg")
@needs("admin")
def template_file(name: str, key: str) -> ResponseReturnValue:
    """The template as it is, to go on with in a drawing program. Only to be saved: it is never opened as a page."""
    held = drafts().get(name)
    return file_of(held.images[_known(held, key)], "image/svg+xml", f"{name}-{key.replace('.', '-')}.svg")


@pages.get("/<name>/templates/<key>/drawn.png")
@needs("admin")
def template_drawn(name: str, key: str) -> ResponseReturnValue:
    """A form as its holder will get it, with the sample values."""
    held = drafts().get(name)
    return _picture(_drawn(held, _known(held, key), held.images))


@pages.get("/<name>/ready/<like>.png")
@needs("admin")
def ready_drawn(name: str, like: str) -> ResponseReturnValue:
    """A ready template, drawn with the fields of this design."""
    slow_down(config().limits.issue, "ready", desk().did)
    held = drafts().get(name)
    if like not in ready.READY:
        raise NotFoundError("no ready template of that name")
    form = ready.form_of(like)
    images = {key: data for key, data in held.images.items() if key in ("logo", "seal")} | {form: ready.made(like, held.plan)}
    wish = Wish(form, speaker().language)
    return _picture(drawing(held.plan, images, wish, desk(), speaker(), config()))


def _kept(held: Draft, key: str, data: bytes) -> ResponseReturnValue:
    there = url_for("design.template", name=held.plan.name, key=key)
    try:
        drafts().save(held.plan, revision(), {**held.images, key: data})
    except WeidError as error:
        return _list(drafts().get(held.plan.name), wrong_words(error)), 409 if isinstance(error, ConflictError) else 422
    tell("design.template-kept")
    return redirect(there)


def _looked(held: Draft, key: str, data: bytes) -> ResponseReturnValue:
    """The page with a file that is not kept; refused, it says why beside the form, and the preview is the one before."""
    try:
        images = held.images if not data else {**held.images, key: data}
        artwork(images[key], template=True)
    except SvgError as error:
        return _one(held, key, refused=wrong_words(error))
    return _one(held, key, images=images)


def _one(
    held: Draft, key: str, fault: str | None = None, images: dict[str, bytes] | None = None, refused: str | None = None
) -> str:
    shown = held.images if images is None else images
    art = artwork(shown[key], template=True)
    use = use_of(art, held.plan)
    form = key.partition(".")[0]
    return bench(
        "design/template.html", held, held.plan, fault, images=shown, key=key, form=form, use=use, art=art,
        served=languages_of(key, shown), wish=_wish(key, shown), drawn=_drawn(held, key, shown),
        refused=refused, across=form == "sheet" and art.width > art.height,
    )  # fmt: skip


def _list(held: Draft, fault: str | None = None) -> str:
    return bench(_FORM, held, held.plan, fault, **_more(held))


def _more(held: Draft) -> dict[str, Any]:
    return {"there": drawings(held.images), "forms": FORMS, "languages_": LANGUAGES, "sizes": PICTURES,
            "ready": [(name, ready.form_of(name), ready.title_of(name)) for name in ready.READY]}  # fmt: skip


def _wish(key: str, images: dict[str, bytes]) -> Wish:
    """What the viewer wants to see; a language that this template does not serve is not one of them."""
    served = languages_of(key, images) or LANGUAGES
    asked = request.values.get("paper", speaker().language)
    return Wish(key.partition(".")[0], asked if asked in served else served[0], request.values.get("values") == "longest")


def _drawn(held: Draft, key: str, images: dict[str, bytes]) -> Drawing:
    return drawing(held.plan, images, _wish(key, images), desk(), speaker(), config())


def _picture(made: Drawing) -> Response:
    if made.png is None:
        raise NotFoundError("it cannot be drawn")
    return Response(made.png, content_type="image/png")


def _known(held: Draft, key: str) -> str:
    if key not in drawings(held.images):
        raise NotFoundError("no template of that name")
    return key


def _uploaded() -> bytes:
    file = request.files.get("file")
    return b"" if file is None else file.stream.read(MAX_FILE + 1)
