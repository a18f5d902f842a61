"""From a finished design to a kind of certificate the desk can issue: schema to the registry, terms and look to the desk.

Every step may be taken again, so that a crash in between is mended by pressing the button once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from issuer_app.design.checking import PlanFault, faults
from issuer_app.design.drafts import Draft, Drafts, Version
from issuer_app.design.making import pack_files, schema_of
from issuer_app.lookups.rules import Lookup
from issuer_app.papers.look import files_of, install
from issuer_app.terms import Terms
from registry import operations as ops
from weid.canon import jcs, parse_json
from weid.errors import MalformedError, RejectedError
from weid.facts import Found
from weid.pack import Pack, read_pack

if TYPE_CHECKING:
    from issuer_app.desk import Desk

__all__ = ["document_of", "is_published", "may_publish", "publish"]

_NOT_OURS: Final = ("wrong-role", "not-committee")


def document_of(draft: Draft) -> bytes:
    """The canonical bytes of the schema, as the registry takes them."""
    return jcs(schema_of(draft.plan))


def may_publish(desk: Desk, at: int) -> bool:
    """Whether the registry takes schemas from this institution: once it is approved for anything."""
    standing = desk.standing(at)
    return standing is not None and standing.state == "approved"


def is_published(desk: Desk, digest: bytes, at: int) -> bool:
    """Whether the registry has this schema, whoever published it."""
    return isinstance(desk.party.facts(at, fresh=True).fact("schema", digest.hex()), Found)


def publish(desk: Desk, drafts: Drafts, name: str, at: int, *, beyond: Sequence[PlanFault] = ()) -> Version | None:
    """Publish a draft and ask for the right to issue it; None where the authority has to publish the schema first.

    `beyond` is what the desk found wrong itself. MalformedError `design-unfinished`; RejectedError says what else the registry
    has against it.
    """
    draft = drafts.get(name)
    if beyond or faults(draft.plan, draft.images):
        raise MalformedError("the design is not finished", code="design-unfinished")
    document = document_of(draft)
    digest = desk.client.genesis.hash(document)
    drafts.freeze(name, True)
    try:
        if not is_published(desk, digest, at):
            with desk.party.locked():
                desk.party.submit(ops.schema_publish(desk.party.author(), document))
    except RejectedError as error:
        drafts.freeze(name, False)
        if error.code in _NOT_OURS:
            return None
        raise
    desk.apply([digest], at)
    pack = read_pack(pack_files(draft.plan, draft.images))
    desk.change_terms(_joined(desk.terms, Terms.of_pack(pack), name))
    install(desk.party.folder, _beside(desk, pack, name))
    return drafts.publish(name, digest, at)


def _joined(old: Terms, new: Terms, name: str) -> Terms:
    """The desk's terms with those of one kind put in; a rule of another kind stays."""
    own = {key: rule for key, rule in old.lookup.rules.items() if rule.schemas != (name,)}
    lookup = Lookup(MappingProxyType(own | dict(new.lookup.rules)), old.lookup.pace)
    typed = {key: fields for key, fields in old.typed.items() if key != name} | dict(new.typed)
    valid = MappingProxyType(dict(old.valid) | dict(new.valid))
    return replace(  # every other rule of the desk stays; a design may ask for a second person, never take one away
        old, valid=valid, typed=MappingProxyType(typed), lookup=lookup, two_people=old.two_people | new.two_people,
        depends=MappingProxyType(dict(old.depends) | dict(new.depends)),
    )  # fmt: skip


def _beside(desk: Desk, pack: Pack, name: str) -> Pack:
    """The pack with the looks that the desk has for its other kinds."""
    place = desk.party.folder / "papers"
    path = place / "render.json"
    held: Any = parse_json(path.read_bytes()) if path.exists() else {}
    section: Any = pack.section("render")
    kinds = {key: page for key, page in held.get("kinds", {}).items() if key != name} | section["kinds"]
    kept = {**held, "kinds": kinds}
    files = {path: (place / path).read_bytes() for page in (held.get("page", {}), *kinds.values())
             for path in files_of(page) if path not in pack.files}  # fmt: skip
    return Pack(pack.id, pack.version, pack.title, MappingProxyType({**pack.files, **files, "render.json": jcs(kept)}))
