"""How fast the registry is on this machine: durable, verified, one process. Run: python -m benchmarks.bench_registry

Every figure includes reading, signature checks, the state machine, SQLite with synchronous=FULL, the Merkle
tiles and one signed checkpoint with its high-water mark per block.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from registry import operations as ops
from registry.bundle import open_bundle
from registry.keeping import kept_beside
from registry.log import Registry
from tests.registry.world import World
from weid import merkle


def main() -> None:
    """Print one line a figure."""
    count = next((int(text) for text in sys.argv[1:] if text.isdigit()), 20_000)
    for profile in ("intl", "gm"):
        amount = count if profile == "intl" else count // 4
        for block in (1, 10, 100, 1_000):
            appends(profile, amount if block > 1 else amount // 10, block)
    proofs_and_bundle(count)


def appends(profile: str, count: int, block: int) -> None:
    """Operations a second at one block size, 50 authors anchoring evidence."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), profile=profile)
        authors = [world.author(world.register(world.actor())) for _ in range(50)]
        made = [ops.evidence_anchor(authors[n % 50], world.genesis.hash(n.to_bytes(8, "big")), "file").data for n in range(count)]
        times = []
        start = time.perf_counter()
        for at in range(0, count, block):
            begun = time.perf_counter()
            assert all(receipt.code == "applied" for receipt in world.registry.submit(made[at : at + block]))
            times.append(time.perf_counter() - begun)
        taken = time.perf_counter() - start
        times.sort()
        middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
        size = world.registry.size
        if block == 1_000:
            world.registry.close()
            kept_beside(world.path).unlink()
            begun = time.perf_counter()
            world.registry = Registry.open(world.path, random=world.random, keys=world.keys())
            print(f"open   {profile:4} replay: {size / (time.perf_counter() - begun):9,.0f} ops/s", flush=True)
        world.registry.close()
        print(
            f"append {profile:4} {block:5} a block: {count / taken:9,.0f} ops/s   "
            f"p50 {middle * 1e3:7.2f} ms   p99 {late * 1e3:7.2f} ms   {world.path.stat().st_size / size:5.0f} B/op",
            flush=True,
        )


def proofs_and_bundle(count: int) -> None:
    """Proofs from tiles, and a bundle of 1,000 accredited issuers."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        schema = world.schema()
        issuers = [world.actor() for _ in range(1_000)]
        for at in range(0, 1_000, 100):
            batch = issuers[at : at + 100]
            world.registry.submit([ops.did_create(world.author(i), list(i.signers.values())).data for i in batch])
            names = (("en", "A"), ("pt", "B"), ("zh-Hans", "丙"), ("zh-Hant", "丁"))
            world.registry.submit([ops.issuer_apply(world.author(i), names, [schema]).data for i in batch])
            admin, until = world.author(world.admin), world.now + 525_600
            world.registry.submit([ops.issuer_approve(admin, i.did, schema, level=1, until=until).data for i in batch])
        begun = time.perf_counter()
        world.commit()
        print(f"commit of {len(issuers):,} issuers: {(time.perf_counter() - begun) * 1e3:.1f} ms")
        data = world.registry.bundle()
        begun = time.perf_counter()
        open_bundle(data, pin=world.pin, at=world.now)
        print(f"bundle of {len(issuers):,} issuers: {len(data):,} B, open {(time.perf_counter() - begun) * 1e3:.1f} ms")
        size, tree = world.registry.size, world.registry.engine.tree
        begun = time.perf_counter()
        for index in range(size):
            tree.inclusion(index, size)
        print(f"inclusion proof at {size:,} entries: {(time.perf_counter() - begun) / size * 1e6:.0f} us")
        path, leaf = tree.inclusion(7, size), tree.leaf(7)
        begun = time.perf_counter()
        for _ in range(10_000):
            merkle.verify_inclusion(leaf, 7, size, path, tree.root, hash=world.genesis.hash)
        print(f"inclusion check: {(time.perf_counter() - begun) / 10_000 * 1e6:.1f} us")
        world.registry.close()


if __name__ == "__main__":
    main()
