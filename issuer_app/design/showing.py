"""The preview beside every page of the editor: the printed page, the clerk's form, the look-up form, the code's size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from issuer_app import forms
from issuer_app.design.making import pack_files
from issuer_app.design.plan import Plan
from issuer_app.design.preview import Specimen, code_room, drawn_png, face_shown, specimen
from issuer_app.lookups import lookup_of
from issuer_app.lookups.asking import Way as Asking
from issuer_app.lookups.fields import Asked, asked_fields
from issuer_app.papers.face import Face
from issuer_app.papers.handing import Way
from issuer_app.papers.look import artwork, digest_of
from issuer_app.papers.svg import SvgError
from weid.codec import b64
from weid.errors import WeidError
from weid.pack import read_pack

if TYPE_CHECKING:
    from issuer_app.config import Config
    from issuer_app.desk import Desk
    from issuer_app.texts import Speaker

__all__ = ["Drawing", "Shown", "Wish", "drawing", "shown"]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which drawing is wanted: the form, the language, and whether with the longest values."""

    form: str
    language: str
    full: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A form as it will be handed out, as PNG; or why there is none (`why`), in the viewer's words. `missing`: it is this
    machine that lacks the typesetter, and not the design that is wrong."""

    png: bytes | None
    why: str | None
    missing: bool = False

    @property
    def address(self) -> str | None:
        """A data: address."""
        return None if self.png is None else f"data:image/png;base64,{b64(self.png)}"


@dataclass(frozen=True, slots=True)
class Shown:
    """`made` is None while there is nothing to show; `sheet` a data: address; `why` the reason there is no sheet."""

    made: Specimen | None
    sheet: str | None
    why: str | None
    face: Face | None
    form: tuple[forms.Field, ...]
    values: tuple[tuple[Any, Any], ...]
    ways: tuple[tuple[Any, tuple[Asked, ...]], ...]


_KEPT = 24
_held: OrderedDict[tuple[object, ...], Shown | Drawing] = OrderedDict()  # samples only: no person is in them
_lock = Lock()


def shown(plan: Plan, images: Mapping[str, bytes], desk: Desk, speaker: Speaker, conf: Config) -> Shown:
    """The preview of a plan in the viewer's language; the same plan is not drawn twice on one day."""
    key = ("page", *_same(plan, images, desk, conf), speaker.language)
    held = _kept(key, lambda: _drawn(plan, images, desk, speaker, conf))
    assert isinstance(held, Shown)
    return held


def drawing(
    plan: Plan, images: Mapping[str, bytes], wish: Wish, desk: Desk, speaker: Speaker, conf: Config
) -> Drawing:  # fmt: skip
    """One form of a design drawn as its holder will get it, kept as `shown` is."""
    key = ("form", *_same(plan, images, desk, conf), speaker.language, wish)
    held = _kept(key, lambda: _form(plan, images, wish, desk, speaker, conf))
    assert isinstance(held, Drawing)
    return held


def _same(plan: Plan, images: Mapping[str, bytes], desk: Desk, conf: Config) -> tuple[object, ...]:
    pictures = tuple((name, digest_of(data)) for name, data in sorted(images.items()))
    return (desk.did, plan.to_bytes(), pictures, conf.now() // 1440)


def _kept(key: tuple[object, ...], make: Callable[[], Shown | Drawing]) -> Shown | Drawing:
    with _lock:
        if key in _held:
            _held.move_to_end(key)
            return _held[key]
    made = make()
    with _lock:
        _held[key] = made
        while len(_held) > _KEPT:
            _held.popitem(last=False)
    return made


def _form(
    plan: Plan, images: Mapping[str, bytes], wish: Wish, desk: Desk, speaker: Speaker, conf: Config
) -> Drawing:  # fmt: skip
    made = specimen(plan, desk, host=conf.code_host, at=conf.now(), random=conf.random, full=wish.full)
    if made is None:
        return Drawing(None, speaker("design.draw-no-code" if wish.full else "design.nothing-yet"))
    try:
        png = drawn_png(plan, images, made, desk, Way((wish.language,), conf.code_host, conf.zone), wish.form)
    except WeidError as error:
        return Drawing(None, _why(error, images, wish, made, speaker, conf))
    return Drawing(png, None) if png is not None else Drawing(None, speaker("design.no-typesetter"), True)


def _why(
    error: WeidError, images: Mapping[str, bytes], wish: Wish, made: Specimen, speaker: Speaker, conf: Config
) -> str:  # fmt: skip
    """Why a form cannot be drawn, with what the person who draws it can change."""
    if isinstance(error, SvgError):
        return speaker(f"svg.{error.reason}", **error.about)
    own = next((key for key in (f"{wish.form}.{wish.language}", wish.form) if key in images), None)
    if error.code == "code-too-small" and own is not None:
        has, needs = code_room(artwork(images[own], template=True), wish.form, made, conf.code_host)
        return speaker("design.draw-code-small", has=f"{has:g}", needs=f"{needs:.1f}")
    if error.code == "no-glyph":
        return speaker("design.draw-no-glyph", letter=str(error).partition(" is ")[0])
    return speaker.problem(error.code)


def _drawn(plan: Plan, images: Mapping[str, bytes], desk: Desk, speaker: Speaker, conf: Config) -> Shown:
    made = specimen(plan, desk, host=conf.code_host, at=conf.now(), random=conf.random)
    if made is None:
        return Shown(None, None, None, None, (), (), ())
    sheet = why = None
    wish = Wish("sheet", speaker.language)
    try:
        data = drawn_png(plan, images, made, desk, Way((speaker.language,), conf.code_host, conf.zone))
        sheet = None if data is None else f"data:image/png;base64,{b64(data)}"
    except WeidError as error:
        why = _why(error, images, wish, made, speaker, conf)
    claims = made.row.claims
    values = tuple((claim, claims[claim.name]) for claim in made.schema.claims if claim.name in claims)
    return Shown(made, sheet, why, face_shown(plan, images, made), forms.fields(made.schema), values, _ways(plan, made))


def _ways(plan: Plan, made: Specimen) -> tuple[tuple[Any, tuple[Asked, ...]], ...]:
    """The look-up forms there will be; none while the rule is unfinished."""
    try:
        rules = lookup_of(read_pack(pack_files(plan))).rules.values()
    except WeidError:
        return ()
    return tuple((rule, asked_fields(Asking(rule, number), (made.schema,))) for rule in rules for number in range(len(rule.by)))
