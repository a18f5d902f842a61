"""The preview beside every page of the editor: the printed page, the clerk's form, the look-up form, the code's size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from issuer_app import forms
from issuer_app.design.making import pack_files
from issuer_app.design.plan import Plan
from issuer_app.design.preview import Specimen, sheet_png, specimen
from issuer_app.lookups import lookup_of
from issuer_app.lookups.asking import Way as Asking
from issuer_app.lookups.fields import Asked, asked_fields
from issuer_app.papers.handing import Way
from issuer_app.papers.look import digest_of
from weid.codec import b64
from weid.errors import WeidError
from weid.pack import read_pack

if TYPE_CHECKING:
    from issuer_app.config import Config
    from issuer_app.desk import Desk
    from issuer_app.texts import Speaker

__all__ = ["Shown", "shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """`made` is None while there is nothing to show; `sheet` a data: address; `why` the reason there is no sheet."""

    made: Specimen | None
    sheet: str | None
    why: str | None
    form: tuple[forms.Field, ...]
    values: tuple[tuple[Any, Any], ...]
    ways: tuple[tuple[Any, tuple[Asked, ...]], ...]


_KEPT = 24
_held: OrderedDict[tuple[object, ...], Shown] = OrderedDict()  # samples only: no person is in them
_lock = Lock()


def shown(plan: Plan, images: Mapping[str, bytes], desk: Desk, speaker: Speaker, conf: Config) -> Shown:
    """The preview of a plan in the viewer's language; the same plan is not drawn twice on one day."""
    pictures = tuple(digest_of(data) for _, data in sorted(images.items()))
    key = (desk.did, plan.to_bytes(), pictures, speaker.language, conf.now() // 1440)
    with _lock:
        if key in _held:
            _held.move_to_end(key)
            return _held[key]
    made = _drawn(plan, images, desk, speaker, conf)
    with _lock:
        _held[key] = made
        while len(_held) > _KEPT:
            _held.popitem(last=False)
    return made


def _drawn(plan: Plan, images: Mapping[str, bytes], desk: Desk, speaker: Speaker, conf: Config) -> Shown:
    made = specimen(plan, desk, host=conf.code_host, at=conf.now(), random=conf.random)
    if made is None:
        return Shown(None, None, None, (), (), ())
    sheet = why = None
    try:
        data = sheet_png(plan, images, made, desk, Way((speaker.language,), conf.code_host, conf.zone))
        sheet = None if data is None else f"data:image/png;base64,{b64(data)}"
    except WeidError as error:
        why = speaker.problem(error.code)
    claims = made.row.claims
    values = tuple((claim, claims[claim.name]) for claim in made.schema.claims if claim.name in claims)
    return Shown(made, sheet, why, forms.fields(made.schema), values, _ways(plan, made))


def _ways(plan: Plan, made: Specimen) -> tuple[tuple[Any, tuple[Asked, ...]], ...]:
    """The look-up forms there will be; none while the rule is unfinished."""
    try:
        rules = lookup_of(read_pack(pack_files(plan))).rules.values()
    except WeidError:
        return ()
    return tuple((rule, asked_fields(Asking(rule, number), (made.schema,))) for rule in rules for number in range(len(rule.by)))
