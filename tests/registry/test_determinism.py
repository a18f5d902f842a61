"""One log, one state: whatever the hash seed, the locale and the time zone, and wherever a replay is cut."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from registry import log
from registry import operations as ops
from registry.keeping import kept_beside
from registry.log import Registry
from registry.state import State
from tests.registry.explored import explored
from tests.registry.world import World
from tests.seeds import chance

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import hashlib, pathlib, sys
from registry.log import Registry
from registry.snapshot import print_snapshot
from registry.statement import print_statement
for place in sys.argv[1:]:
    registry = Registry.open(pathlib.Path(place), random=lambda size: bytes(size))
    state = registry.state
    print(registry.results, state.closed, print_statement(state.statement()))
    print(hashlib.sha256(print_snapshot(state.snapshot())).hexdigest(), hashlib.sha256(registry.bundle()).hexdigest())
    print("---")
    registry.close()
"""
PLACES = (
    {"LC_ALL": "C", "TZ": "UTC"},
    {"LC_ALL": "C.UTF-8", "TZ": "Asia/Shanghai"},
    {"LC_ALL": "tr_TR.UTF-8", "TZ": "America/St_Johns"},
    {"LC_ALL": "zh_CN.GB18030", "TZ": "Asia/Macau", "PYTHONUTF8": "0"},
    {"LANG": "pt_PT.ISO-8859-1", "TZ": "Pacific/Apia", "PYTHONUTF8": "0"},
)


@pytest.mark.parametrize("seeds", [3, pytest.param(20, marks=pytest.mark.long)])
def test_no_process_decides_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds: int) -> None:
    """A log replays to the same results, state and bundle for every hash seed, locale and time zone, in both profiles.

    Each log is opened twice: as its state was kept, and from the first entry.
    """
    monkeypatch.setattr(log, "_LEAST", 1)
    logs, said = [], set()
    for profile in ("intl", "gm"):
        (tmp_path / profile).mkdir()
        world = explored(tmp_path / profile, profile=profile)
        world.tick()
        world.registry.close()
        bare = world.path.with_name("bare.db")
        shutil.copy(world.path, bare)
        logs += [str(world.path), str(bare)]
    for seed in range(seeds):
        held = {name: text for name, text in os.environ.items() if not name.startswith(("LC_", "LANG"))}
        env = {**held, **PLACES[seed % len(PLACES)], "PYTHONHASHSEED": str(seed * 7 + 1), "PYTHONIOENCODING": "utf-8"}
        program = [sys.executable, "-c", PROGRAM, *logs]
        done = subprocess.run(program, cwd=ROOT, env=env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[-800:]
        said.add(done.stdout)
    assert len(said) == 1
    of_logs = said.pop().split(b"\n---\n")[:-1]
    assert len(of_logs) == 4 and all(b"weid/state/v1" in text for text in of_logs)
    assert of_logs[0::2] == of_logs[1::2] and kept_beside(world.path).exists() and not kept_beside(bare).exists()
    print(f"determinism: {seeds} processes and hash seeds, {len(PLACES)} locales and time zones: one state")


@pytest.mark.parametrize("cuts", [10, pytest.param(100, marks=pytest.mark.long)])
def test_a_replay_cut_anywhere_is_the_live_state_of_that_moment(tmp_path: Path, cuts: int) -> None:
    """Statement, results and committed map after the first n entries equal those of the registry when it had n."""
    world = explored(tmp_path)
    author = world.author(world.admin)
    for n in range(80):
        world.submit(ops.evidence_anchor(author, world.genesis.hash(b"%d" % n), "f"))
        if n % 9 == 0:
            world.tick()
            world.commit()
    entries = [world.registry.entry(n) for n in range(world.registry.size)]
    (tmp_path / "live").mkdir()
    live = World(tmp_path / "live", weights=(3, 1, 1), floors={"role": 4})
    assert live.pin == world.pin
    moments = {0: live.registry.state.statement()}
    numbers, at = chance(cuts), 0
    while at < len(entries):
        # one by one and in blocks: what stands between two appends is no state anybody could have seen
        block = entries[at : at + numbers.choice((1, 1, 1, 2, 5))]
        live.registry.submit(block)
        at += len(block)
        moments[at] = live.registry.state.statement()
    assert live.registry.results == world.registry.results
    for cut in numbers.choices(sorted(moments), k=cuts):
        state = State(world.genesis)
        results = [state.apply(data).code for data in entries[:cut]]
        assert state.statement() == moments[cut]
        assert results == live.registry.results[:cut]
    again = Registry.open(live.path, random=live.random)
    assert again.state.statement() == moments[len(entries)]
    print(f"replay: {cuts} cuts of {len(entries)} entries, {len(moments)} moments: equal")
    for registry in (again, live.registry, world.registry):
        registry.close()
