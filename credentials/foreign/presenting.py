"""What a credential of another system says, as the report shows it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from credentials.foreign import naming
from credentials.report import Presented
from weid.anchors import Anchor
from weid.pack import LANGUAGES

if TYPE_CHECKING:
    from credentials.case import Case
    from credentials.foreign.value import OtherCredential

__all__ = ["notes", "presented"]


def presented(case: Case, other: OtherCredential) -> Presented:
    """Signed values with their labels; the issuer's name is the list's, and stands with the list."""
    found, claims = case.anchor, dict(other.claims)
    anchor = None if found is None else found.record.item
    issuer = (anchor.issuer or other.issuer) if isinstance(anchor, Anchor) else other.issuer  # some lists name no country
    name = (anchor.name or issuer) if isinstance(anchor, Anchor) else ""
    start, end, issued = (
        None if moment is None else moment // 60 for moment in (other.valid_from, other.valid_until, other.issued)
    )
    return Presented(
        form=other.format, mode=None, id=other.id or None, cid=None,
        issuer=issuer,
        issuer_names=dict.fromkeys(LANGUAGES, name) if name else {}, registry="" if found is None else found.source.label,
        recognised=False, schema=None, type=other.type, title=naming.title(other.format, other.type),
        claims=MappingProxyType(claims), hidden=(), labels=naming.labels(other.format, claims),
        texts=naming.texts(other.format, claims), issued=issued, valid_from=start, valid_until=end, status=None, index=None,
        suite=other.suite, specimen=False, bind="none", host="", unsigned=other.unsigned,
    )  # fmt: skip


def notes(other: OtherCredential) -> list[str]:
    """What this format cannot show, and how many values are hidden."""
    hidden = [f"{other.hidden} values are not shown in this document."] if other.hidden else []
    return [naming.limit(other.format, "en"), *hidden]
