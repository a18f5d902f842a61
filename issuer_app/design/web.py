"""The editor's pages, for the administrator: start from an example, fields, look-up, page, preview, publish.

Every page works without scripts; with them the preview beside a form follows what is typed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.design import filling
from issuer_app.design.bench import bench, drafts, file_of, pages, saved, stored
from issuer_app.design.checking import PlanFault
from issuer_app.design.deskside import desk_faults, drawing_faults
from issuer_app.design.drafts import IMAGES, Draft
from issuer_app.design.examples import EXAMPLES, example
from issuer_app.design.making import pack_files
from issuer_app.design.parcel import MAX_FILE, packed, unpacked
from issuer_app.design.plan import BINDS, CLASSES, NAME, TYPES, WAYS, Plan, PlanField
from issuer_app.design.publishing import document_of, is_published, may_publish, publish
from issuer_app.design.unmaking import plan_of
from issuer_app.documents import KINDS
from issuer_app.frame import config, desk, needs, page, slow_down, speaker, tell
from issuer_app.problems import NotFoundError
from weid.errors import ConflictError, MalformedError, RegistryError, WeidError

__all__ = ["pages"]

_DOCUMENTS = ("cn-id", "hk-id", "mo-id", "cn-hk-mo-permit", "cn-passport", "passport")


@pages.get("/")
@needs("admin")
def home() -> ResponseReturnValue:
    """Drafts, what was published, and a beginning."""
    return _home()


@pages.post("/")
@needs("admin")
def begin() -> ResponseReturnValue:
    """A draft from an example, or an empty one."""
    name, like = request.form.get("name", "").strip(), request.form.get("like", "")
    if not NAME.fullmatch(name):
        return _home("design.fault-name"), 422
    plan = Plan(name) if like not in EXAMPLES else _named(example(like), name)
    try:
        drafts().begin(plan)
    except ConflictError as error:
        return _home(error.code), 409
    return redirect(url_for("design.draft", name=name))


@pages.post("/bring")
@needs("admin")
def bring() -> ResponseReturnValue:
    """A draft from a packed pack."""
    slow_down(config().limits.issue)
    file = request.files.get("pack")
    try:
        plan, images = plan_of(unpacked(b"" if file is None else file.stream.read()))
        drafts().begin(plan, images)
    except ConflictError as error:
        return _home(error.code), 409
    except WeidError as error:
        return _home(error.code, str(error)), 422
    tell("design.brought")
    return redirect(url_for("design.draft", name=plan.name))


@pages.get("/<name>/")
@needs("admin")
def draft(name: str) -> ResponseReturnValue:
    """The whole design: its fields, what is still wrong, and how it will look."""
    held = drafts().get(name)
    return bench("design/draft.html", held, held.plan)


@pages.route("/<name>/basics", methods=["GET", "POST"])
@needs("admin")
def basics(name: str) -> ResponseReturnValue:
    """Title, validity, binding."""
    held = drafts().get(name)
    if request.method == "GET":
        return bench("design/basics.html", held, held.plan, binds=BINDS)
    plan = filling.with_basics(held.plan, request.form)
    return saved("design/basics.html", held, plan, "title", url_for("design.basics", name=name), binds=BINDS)


@pages.route("/<name>/fields/", methods=["GET", "POST"], defaults={"field": ""})
@pages.route("/<name>/fields/<field>", methods=["GET", "POST"])
@needs("admin")
def field(name: str, field: str) -> ResponseReturnValue:
    """One field, or a new one."""
    held = drafts().get(name)
    if field and held.plan.field(field) is None:
        raise NotFoundError("no field of that name")
    more: dict[str, Any] = {"name": field, "types": TYPES, "classes": CLASSES}
    if request.method == "GET":
        shown_field = held.plan.field(field) or PlanField("", type="text", privacy="public", most=60)
        return bench("design/field.html", held, held.plan, field=shown_field, **more)
    plan, made = filling.with_field_form(held.plan, field, request.form)
    again = url_for("design.field", name=name, field=made)
    return saved("design/field.html", held, plan, f"field.{made}", again, field=plan.field(made), **more)


@pages.post("/<name>/fields/<field>/<any(up,down,remove):action>")
@needs("admin")
def move(name: str, field: str, action: str) -> ResponseReturnValue:
    """Move a field, or take it out."""
    held = drafts().get(name)
    plan = held.plan.without(field) if action == "remove" else held.plan.moved(field, -1 if action == "up" else 1)
    return stored(held, plan, url_for("design.draft", name=name) + "#fields")


@pages.route("/<name>/finding", methods=["GET", "POST"])
@needs("admin")
def finding(name: str) -> ResponseReturnValue:
    """How holders find their certificates."""
    held = drafts().get(name)
    more: dict[str, Any] = {"ways": WAYS, "kinds": KINDS, "usual": _DOCUMENTS}
    if request.method == "GET":
        return bench("design/finding.html", held, held.plan, **more)
    plan = filling.with_finding(held.plan, request.form, tuple(request.form.getlist("document")))
    return saved("design/finding.html", held, plan, "", url_for("design.draft", name=name), **more)


@pages.get("/<name>/page")
@needs("admin")
def page_form(name: str) -> ResponseReturnValue:
    """What stands where on the certificate, its colour and pictures."""
    held = drafts().get(name)
    return bench("design/page.html", held, held.plan)


@pages.post("/<name>/page")
@needs("admin")
def page_save(name: str) -> ResponseReturnValue:
    """The same, changed."""
    slow_down(config().limits.issue)
    held = drafts().get(name)
    plan = filling.with_page(held.plan, request.form, tuple(request.form.getlist("large")), tuple(request.form.getlist("row")))
    images = dict(held.images)
    for member in IMAGES:
        file = request.files.get(member)
        data = b"" if file is None else file.stream.read(MAX_FILE + 1)
        if request.form.get(f"drop-{member}") == "yes":
            images.pop(member, None)
        if data:
            images[member] = data
    return saved("design/page.html", held, plan, "says", url_for("design.page_form", name=name), images=images)


@pages.get("/<name>/publish")
@needs("admin")
def publishing(name: str) -> ResponseReturnValue:
    """What publishing does, and who may."""
    return _publishing(drafts().get(name))


@pages.post("/<name>/publish")
@needs("admin")
def publish_now(name: str) -> ResponseReturnValue:
    """Publish the schema and ask for the right, or say who has to publish it."""
    slow_down(config().limits.issue)
    held = drafts().get(name)
    try:
        made = publish(desk(), drafts(), name, config().now(), beyond=_beyond(held))
    except (MalformedError, RegistryError) as error:
        return _publishing(drafts().get(name), speaker().problem(error.code)), 409
    if made is None:
        return _publishing(held, speaker()("design.authority-first")), 403
    tell("design.published", title=speaker().name(held.plan.title), number=made.number)
    return redirect(url_for("design.home"))


@pages.get("/<name>/schema.json")
@needs("admin")
def schema_file(name: str) -> ResponseReturnValue:
    """The schema as a file, for whoever may publish it."""
    held = drafts().get(name)
    return file_of(document_of(held), "application/schema+json", f"{name}-{held.plan.version}.schema.json")


@pages.get("/<name>/pack.zip")
@needs("admin")
def pack_file(name: str) -> ResponseReturnValue:
    """The pack of a draft."""
    held = drafts().get(name)
    return file_of(packed(pack_files(held.plan, held.images), name), "application/zip", f"{name}-draft.zip")


@pages.post("/<name>/discard")
@needs("admin")
def discard(name: str) -> ResponseReturnValue:
    """Throw a draft away."""
    drafts().discard(name)
    tell("design.discarded")
    return redirect(url_for("design.home"))


@pages.get("/<name>/versions/<int:number>/pack.zip")
@needs("admin")
def version_file(name: str, number: int) -> ResponseReturnValue:
    """The pack of a published version, byte for byte as it was published."""
    return file_of(drafts().version(name, number).pack, "application/zip", f"{name}-{number}.zip")


@pages.post("/<name>/versions/<int:number>/again")
@needs("admin")
def again(name: str, number: int) -> ResponseReturnValue:
    """A new draft from a published version."""
    try:
        drafts().again(name, number)
    except ConflictError as error:
        return _home(error.code), 409
    return redirect(url_for("design.draft", name=name))


def _beyond(held: Draft) -> tuple[PlanFault, ...]:
    """What only the desk can see, and whether every template can be drawn: asked once more before it is for good."""
    conf = config()
    at = conf.now()
    return (*desk_faults(held.plan, desk(), at), *drawing_faults(held.plan, held.images, desk(), speaker(), conf))


def _named(plan: Plan, name: str) -> Plan:
    return replace(plan, name=name)


def _home(fault: str | None = None, detail: str = "") -> str:
    t = speaker()
    words = None if fault is None else (t(fault) if fault.startswith("design.") else t.problem(fault))
    known = {version.name for version in drafts().versions()}
    newest = [drafts().versions(name)[0] for name in sorted(known)]
    plans = {version.name: plan_of(unpacked(version.pack))[0] for version in newest}
    now = config().now()
    return page(
        "design/home.html", drafts=drafts().all(), newest=newest, plans=plans, fault=words, detail=detail,
        examples=[(name, example(name)) for name in EXAMPLES], wanted={schema.digest for schema in desk().wanted(now)},
        rights={right.digest: right for right in desk().accreditations(now)},
    )  # fmt: skip


def _publishing(held: Draft, fault: str | None = None) -> str:
    now = config().now()
    digest = desk().client.genesis.hash(document_of(held))
    return bench(
        "design/publish.html", held, held.plan, fault, digest=digest.hex(), may=may_publish(desk(), now),
        there=is_published(desk(), digest, now), beyond=_beyond(held),
    )  # fmt: skip
