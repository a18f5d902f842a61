"""How long a registry of many entries takes to open again. Run: python -m benchmarks.bench_reopen [ENTRIES | --million]

Evidence anchored in blocks of 1,000 by 50 authors, the state committed after every ten blocks, or every hundred from 500,000
entries on; then 9,000 entries more. Opening
includes the check of the kept signature, the stored tree, the checkpoint, the high-water mark, and a fresh signed checkpoint.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from registry import operations as ops
from registry.keeping import kept_beside
from registry.log import Registry
from tests.registry.world import Stream, World

_BLOCK = 1_000


def main() -> None:
    """Print one line a figure."""
    count = 1_000_000 if "--million" in sys.argv else next((int(text) for text in sys.argv[1:] if text.isdigit()), 50_000)
    reopening(count)


def reopening(count: int) -> None:
    """Opening from the kept state, after a clean end and after a kill, and inclusion proofs at that size."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        _fill(world, count)
        _, taken = _timed(world.registry.commit)
        print(f"commit at {world.registry.size:,} entries: {taken:.1f} s", flush=True)
        _anchor(world, count, 9 * _BLOCK)
        killed = _as_killed(world)
        _, taken = _timed(world.registry.close)
        size = world.path.stat().st_size / world.registry.size
        beside = kept_beside(world.path).stat().st_size / world.registry.size
        print(f"close: {taken * 1e3:.0f} ms; the log has {size:.0f} B/op, its kept state {beside:.0f}", flush=True)
        _opening(world)
        begun = time.process_time()
        registry, taken = _timed(lambda: Registry.open(killed, random=Stream("killed")))
        worked = time.process_time() - begun
        tail = registry.size - (registry._keeper.size if registry._keeper else 0)
        print(f"open   after a kill, {tail:,} entries replayed: {taken * 1e3:.0f} ms, {worked * 1e3:.0f} of the CPU", flush=True)
        registry.close()
        _replaying(world)
        _proofs(world)


def _opening(world: World) -> None:
    times, works = [], []
    for _ in range(9):
        begun = time.process_time()
        world.registry, taken = _timed(lambda: Registry.open(world.path, random=world.random, keys=world.keys()))
        works.append(time.process_time() - begun)
        times.append(taken)
        if len(times) < 9:
            world.registry.close()
    middle, worked = statistics.median(times), statistics.median(works)
    print(
        f"open   kept state at {world.registry.size:,} entries: {middle * 1e3:.1f} ms, {worked * 1e3:.1f} of the CPU "
        f"(of 9; longest {max(times) * 1e3:.1f})"
    )
    did = next(iter(world.registry.state.tables["member"]))
    for name, ask in (
        ("first proof of a record", lambda: world.registry.proven("member", did)),
        ("first look for a record", lambda: world.registry.record("evidence", "00" * 32)),
        ("first append", lambda: _anchor(world, 0, 1, b"first")),
        ("second append", lambda: _anchor(world, 0, 1, b"second")),
    ):  # fmt: skip
        print(f"{name}: {_timed(ask)[1] * 1e3:.1f} ms", flush=True)
    made = world.registry.size
    _, taken = _timed(lambda: _anchor(world, made, 20 * _BLOCK, b"warm"))
    print(f"append after opening, 1000 a block: {20 * _BLOCK / taken:,.0f} ops/s", flush=True)


def _replaying(world: World) -> None:
    """The same log with nothing kept."""
    bare = world.path.with_name("bare.db")
    shutil.copy(world.path, bare)
    begun = time.process_time()
    registry, taken = _timed(lambda: Registry.open(bare, random=Stream("bare")))
    worked = time.process_time() - begun
    print(f"open   replaying {registry.size:,} entries: {taken:.1f} s, {worked:.1f} of the CPU", flush=True)
    registry.close()


def _proofs(world: World) -> None:
    """Ten thousand proofs all over the log, from a tree that was opened just now."""
    world.reopen()
    tree, size = world.registry.engine.tree, world.registry.size
    places = [at * 7_919 % size for at in range(10_000)]
    for round in ("first", "again"):
        _, taken = _timed(lambda: [tree.inclusion(at, size) for at in places])
        print(f"inclusion proof at {size:,} entries ({round}): {taken / len(places) * 1e6:.0f} us", flush=True)
    world.registry.close()


def _fill(world: World, count: int) -> None:
    for at in range(0, count, 10 * _BLOCK):
        _, taken = _timed(lambda at=at: _anchor(world, at, min(10 * _BLOCK, count - at)))  # type: ignore[misc]
        # The log's commit alone: beyond 600,000 evidence records a bundle is larger than readers take.
        if count < 50 * 10 * _BLOCK or at % (10 * 10 * _BLOCK) == 0:
            world.registry.commit()
        if count >= 50 * 10 * _BLOCK and at % (10 * 10 * _BLOCK) == 0:
            print(f"filled {world.registry.size:,} ({taken:.0f} s)", flush=True)


def _anchor(world: World, start: int, count: int, salt: bytes = b"") -> None:
    authors = world.__dict__.setdefault("authors", None) or [world.author(world.register(world.actor())) for _ in range(50)]
    world.__dict__["authors"] = authors
    for at in range(start, start + count, _BLOCK):
        block = range(at, min(at + _BLOCK, start + count))
        made = [ops.evidence_anchor(authors[n % 50], world.genesis.hash(salt + n.to_bytes(8, "big")), "file").data for n in block]
        assert all(receipt.code == "applied" for receipt in world.registry.submit(made))


def _as_killed(world: World) -> Path:
    """The files as the disk has them now, as if the process had ended here."""
    place = world.path.with_name("killed.db")
    for end in ("", "-wal"):
        shutil.copy(str(world.path) + end, str(place) + end)
        shutil.copy(str(kept_beside(world.path)) + end, str(kept_beside(place)) + end)
    return place


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    begun = time.perf_counter()
    made = work()
    return made, time.perf_counter() - begun


if __name__ == "__main__":
    main()
