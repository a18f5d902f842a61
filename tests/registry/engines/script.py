"""One script of operations, good and bad, for a registry on any engine: the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from registry import operations as ops
from registry.engines import Journal, LogEngine
from registry.log import Registry
from tests.registry.world import World
from tests.seeds import chance as chance_of
from weid.canon import jcs
from weid.records import StatusEntry

Make = Callable[..., LogEngine]


def world_on(folder: Path, make: Make | None, *, profile: str = "intl") -> World:
    """A world whose registry takes its order from an engine; None: the embedded one."""
    folder.mkdir(exist_ok=True)
    world = World(folder, profile=profile, name="same")
    if make is not None:
        world.registry.close()
        world.registry = opened(world, lambda store: make(world.genesis.digest, store))
    return world


def opened(world: World, engine: Callable[[Journal], LogEngine] | None, *, patience: float = 20.0) -> Registry:
    """The world's registry opened with an engine."""
    registry = Registry.open(world.path, random=world.random, keys=world.keys(), engine=engine)
    if registry.order is not None:
        registry.order._patience = patience
    return registry


def run(world: World, count: int, *, block: int = 50) -> None:
    """About `count` entries: rights, anchors in blocks, status lists, refused and repeated operations, commits."""
    chance = chance_of(count)
    world.tick()
    name = f"urn:weid:schema:s{world.registry.size}:1"
    schema = world.schema({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, "type": "object"})
    issuer = world.issuer(schema)
    world.commit()
    author = world.author(issuer)
    number = 10_000 * world.registry.size
    while world.registry.size < count:
        batch = []
        for _ in range(min(block, count - world.registry.size)):
            number += 1
            batch.append(ops.evidence_anchor(author, world.genesis.hash(number.to_bytes(8, "big")), "file").data)
        if chance.random() < 0.5:
            batch.append(batch[0])  # twice in one batch: the second is a leaf of its own
            batch.append(ops.time_tick(world.author(world.operator), world.now - 5).data)  # a leaf, rejected
            batch.append(b"not an operation")  # no leaf
        world.registry.submit(batch)
        world.registry.submit([batch[0]])  # known: no leaf
        world.tick()
        if number % 3 == 0:
            world.status(issuer, [schema], changed=[StatusEntry(number % 10_000, "revoked", "fraud", world.now)])
            world.commit()
    world.tick()
    world.commit()


def facts_of(world: World) -> dict[str, object]:
    """Everything that must be the same on every engine."""
    registry = world.registry
    return {
        "size": registry.size, "root": registry.engine.tree.root, "results": registry.results,
        "statement": registry.state.statement(), "checkpoint": registry.checkpoint(), "bundle": registry.bundle(),
        "entries": [entry.data for entry in registry.engine.read(0, registry.size)],
    }  # fmt: skip


__all__ = ["facts_of", "jcs", "opened", "run", "world_on"]
