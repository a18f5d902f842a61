"""What the page of a request shows the second person: which certificates, what becomes of them, why and when."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from credentials.schema import Schema
from issuer_app.frame import config, desk, speaker
from issuer_app.lifecycle.ending import tame
from issuer_app.problems import NotFoundError
from issuer_app.proposals.acts import bound
from issuer_app.proposals.deciding import Examined
from issuer_app.two_people import Asked
from issuer_app.web_desk import line
from weid.canon import JSON
from weid.codec import unhex

__all__ = ["Shown", "as_csv", "shown_of", "title_of"]

_LINES: Final = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """`values` are (claim, value, value before or None); `lines` certificates that stand, `left` (line, state now) those that
    do not; `when` says when it happens."""

    values: list[tuple[Any, JSON, JSON]] = field(default_factory=list)
    lookup: list[tuple[str, str]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    left: list[tuple[dict[str, Any] | None, str, str]] = field(default_factory=list)
    more_lines: int = 0
    more_left: int = 0
    when: str = ""
    specimen: bool = False


def title_of(held: Asked) -> dict[str, str]:
    """The kind of certificate, in the four languages; nothing where it is not known (any more), or where it is many."""
    try:
        digest = unhex(held.target) if held.act == "issue" else desk().get(held.target).schema
        return dict(desk().schema(digest, config().now()).title)
    except NotFoundError:
        return {}


def shown_of(held: Asked, found: Examined) -> Shown:
    """Everything about an open request, and where it has changed since."""
    lines = found.standing[:_LINES] if held.act == "change" else ()
    left = [] if held.act == "import" else [_left(id_, state) for id_, state in found.left[:_LINES]]
    values, lookup = _values(held), held.body.get("lookup")
    return Shown(
        values, _lookup(lookup if isinstance(lookup, dict) else {}), [line(desk().get(id_)) for id_ in lines], left,
        len(found.standing) - len(lines) if held.act == "change" else 0, len(found.left) - len(left), _when(held),
        held.body.get("specimen") is True,
    )  # fmt: skip


def as_csv(held: Asked, found: Examined) -> str:
    """Every certificate of a request: its id, what it is now, whether it stands, and what it says first."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(["id", "state", "included", "value", "value"])
    left, was = dict(found.left), bound(held)
    for id_ in was:
        row = desk().get(id_)
        values = [str(value) for value in row.claims.values() if value is not None][:2]
        written.writerow([id_, left.get(id_, was[id_]), "no" if id_ in left else "yes", *map(tame, values)])
    return out.getvalue()


def _left(id_: str, state: str) -> tuple[dict[str, Any] | None, str, str]:
    try:
        row = desk().get(id_)
    except NotFoundError:
        return None, id_, state
    return (None if row.erased else line(row)), id_, state


def _when(held: Asked) -> str:
    """In words, for what is not simply done at once."""
    t, due, hold = speaker(), held.body.get("due"), held.body.get("hold")
    if held.act == "renew":
        row = desk().get(held.target)
        schema = desk().schema(row.schema, config().now())
        return t("two.for-period", span=t.span(min(desk().terms.valid.get(schema.name, schema.lifetime), schema.lifetime)))
    if isinstance(due, int):
        return t("two.at-time", time=t.time(due))
    if isinstance(hold, int) and hold:
        return t("two.held-back", minutes=hold)
    return t("two.at-once")


def _lookup(given: Mapping[str, JSON]) -> list[tuple[str, str]]:
    """What the holder is to find it by, as it was typed."""
    t = speaker()
    return [
        (t.known(f"lookup.input-{name}", t.known(f"document.{name}", name)), t.known(f"document.{text}", str(text)))
        for name, text in given.items()
    ]


def _values(held: Asked) -> list[tuple[Any, JSON, JSON]]:
    """What the certificate says, and beside it what it said where that is to be corrected."""
    if held.act == "issue":
        return _rows(desk().schema(unhex(held.target), config().now()), _claims(held), None)
    if held.act not in ("revoke", "erase", "replace", "renew"):
        return []
    row = desk().get(held.target)
    schema = desk().schema(row.schema, config().now())
    return _rows(schema, _claims(held), row.claims) if held.act == "replace" else _rows(schema, row.claims, None)


def _rows(schema: Schema, claims: Mapping[str, JSON], before: Mapping[str, JSON] | None) -> list[tuple[Any, JSON, JSON]]:
    made = []
    for claim in schema.claims:
        new, old = claims.get(claim.name), None if before is None else before.get(claim.name)
        if new is not None or old is not None:
            made.append((claim, new, old if before is not None and new != old else None))
    return made


def _claims(held: Asked) -> Mapping[str, JSON]:
    value = held.body.get("claims")
    return value if isinstance(value, dict) else {}
