"""A registry with something of everything, for the explorer's tests and pictures."""

from __future__ import annotations

from pathlib import Path

from registry import bodies, proposals
from registry import operations as ops
from tests.registry.world import NAMES, YEAR, World
from weid.records import RegisterLeaf, StatusEntry, status_list_id

LONG = (
    ("en", "Association of Vocational Schools of the Eastern Delta and the Islands"),
    ("pt", "Associação das Escolas Profissionais do Delta Oriental e das Ilhas"),
    ("zh-Hans", "东部三角洲与群岛职业学校联合会"),
    ("zh-Hant", "東部三角洲與群島職業學校聯合會"),
)
DOCUMENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:weid:schema:skill:1", "type": "object",
    "title": "Skill", "x-weid": {"title": dict(NAMES)}, "description": "seen \u202eas it is <script>alert(1)</script>",
}  # fmt: skip


def explored(folder: Path, *, profile: str = "intl") -> World:
    """Three members, proposals open and closed, a delegation chain, lists, overrides, a recognition, refused operations."""
    world = World(folder, profile=profile, weights=(3, 1, 1), floors={"role": 4})
    schema, other = world.schema(dict(DOCUMENT)), world.schema()
    first, second, auditor = world.issuer(schema), world.register(world.actor()), world.register(world.actor())
    grant = ops.issuer_delegate(world.author(world.admin), first.did, other, level=3, depth=1, until=world.now + YEAR)
    world.submit(grant)
    world.submit(ops.issuer_apply(world.author(second), LONG, (other, schema)))
    world.tick()
    world.submit(ops.issuer_approve(world.author(first), second.did, other, level=2, until=world.now + YEAR // 2))
    world.submit(ops.issuer_approve(world.author(first), second.did, other, level=9, until=world.now + YEAR // 2), "beyond-grant")
    _votes(world, auditor.did)
    revoked = StatusEntry(3, "revoked", "error-in-data", world.now)
    world.status(first, (schema,), changed=(revoked,), leaves=[RegisterLeaf(n, bytes([n]) * 16) for n in range(5)])
    word = ops.status_override(world.author(auditor), status_list_id(first.did, 1), 2, "suspended", "fraud", world.now)
    world.submit(word)
    world.submit(ops.issuer_suspend(world.author(world.admin), second.did, "papers missing", schema=other))
    terms = bodies.TrustRecognise("registry.far.example/1", NAMES, ("entry",), (), None, world.now + YEAR, 0, bytes(32), 2, None)
    world.submit(ops.trust_recognise(world.author(world.admin), b"\x11" * 32, terms))
    world.commit()
    return world


def _votes(world: World, auditor: str) -> None:
    one, two, three = (world.author(member) for member in world.committee)
    made = proposals.propose(one, "role.grant", f"{auditor}|auditor", bodies.RoleGrant((), None, world.now + YEAR))
    world.submit(made)
    world.submit(proposals.vote(two, made.id, True))
    world.submit(proposals.execute(two, made.id))
    taken = proposals.propose(three, "gov.rule", "issuer", bodies.GovRule(3, 75, 66, 1440, 10_080))
    world.submit(taken)
    world.submit(proposals.cancel(three, taken.id))
    opened = proposals.propose(two, "role.grant", f"{auditor}|observer", bodies.RoleGrant((), None, world.now + YEAR))
    world.submit(opened)
    world.submit(proposals.vote(three, opened.id, False))
