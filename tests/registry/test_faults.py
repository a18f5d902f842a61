"""Faults of disk and process, one at every file system call of append, checkpoint and high-water mark (strace injects them).

After each: nothing acknowledged is lost, fsck is clean, the operator's keys still sign, no checkpoint contradicts another.
"""

from __future__ import annotations

import collections
import os
import random
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from registry.audit import fsck
from registry.checkpoint import parse_checkpoint
from registry.keeping import kept_beside, kept_file, replayed_state
from registry.log import Registry
from registry.note import parse_note
from registry.snapshot import print_snapshot
from tests.registry.world import World

ROOT = Path(__file__).resolve().parents[2]
CALLS = "openat,open,read,pread64,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,fallocate,lseek,fcntl,newfstatat,fstat,stat,mmap,close"
FAULTS = {"kill": "signal=KILL", "ENOSPC": "error=ENOSPC", "EIO": "error=EIO"}
CHILD = """
import os, pathlib, sqlite3, sys
from registry import log, operations as ops
from registry.log import Registry
from tests.registry.world import World
from weid.errors import WeidError
def say(*words):
    try:  # past every buffer: a word that a fault swallows was not acknowledged
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())
    except OSError:
        pass
connect = sqlite3.connect  # an unlocking that fails is waited for: not ten seconds
sqlite3.connect = lambda *given, **more: connect(*given, **{**more, "timeout": 0.3})
log._KEEP, log._LEAST = 2, 1  # the kept state is written amid the work, and when it ends
world = World(pathlib.Path(sys.argv[1]))
world.registry.close()
for name in ("home.db", "home.mark"):
    pathlib.Path(sys.argv[1], name).unlink()
for path in pathlib.Path(sys.argv[2]).iterdir():
    pathlib.Path(sys.argv[1], path.name).write_bytes(path.read_bytes())
world.registry = Registry.open(world.path, random=world.random, keys=world.keys())
assert world.registry._keeper.size == world.registry.size  # its rows are read amid the work
author = world.author(world.admin)
made = [ops.evidence_anchor(author, world.genesis.hash(b"%d" % n), "f") for n in range(4)]
say("ready")
sys.stdin.readline()
for n, operation in enumerate(made):
    try:
        receipt = world.registry.submit([operation.data])[0]
        say("entry", receipt.index, operation.data.hex())
        say("note", world.registry.checkpoint().hex())
        if n == 1:
            world.registry.tick(world.now + 1)
            world.registry.commit()
            say("note", world.registry.checkpoint().hex())
    except (WeidError, OSError, sqlite3.Error) as error:
        say("error", type(error).__name__)
world.registry.close()
say("closed")
"""


@dataclass
class Said:
    """What a child acknowledged before its end."""

    entries: dict[int, str]
    notes: list[bytes]
    errors: int


@lru_cache(maxsize=1)
def tracing() -> str | None:
    """Why faults cannot be injected here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "-e", "trace=close", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.splitlines()[-1:]}"


def prepared(folder: Path) -> Path:
    """A registry with a few entries, a signed state and a kept one, to be copied for each round."""
    folder.mkdir()
    world = World(folder)
    world.issuer(world.schema())
    world.commit()
    world.registry._keep(1)
    world.registry.close()
    assert kept_beside(world.path).exists()
    return folder


def rounds(folder: Path, seed: Path, *options: str, trace: Path | None = None) -> Said:
    """One child; strace is attached when it is ready, so that only its work is hit."""
    folder.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=ROOT, text=True,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    output = trace or folder / "trace"
    tracer = subprocess.Popen(["strace", "-o", str(output), "-p", str(child.pid), *options], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    assert "attached" in tracer.stderr.readline()
    child.stdin.write("go\n")
    child.stdin.flush()
    said = Said({}, [], 0)
    for line in child.stdout:
        words = line.split()
        if not line.endswith("\n"):
            continue
        if words[0] == "entry":
            said.entries[int(words[1])] = words[2]
        elif words[0] == "note":
            said.notes.append(bytes.fromhex(words[1]))
        elif words[0] == "error":
            said.errors += 1
    child.wait(30)
    tracer.wait(30)
    for stream in (child.stdin, child.stdout, tracer.stderr):
        stream.close()
    return said


def judged(folder: Path, said: Said, keys: World) -> None:
    """Raises if the registry that was left behind is not whole."""
    keys.mark = folder / "home.mark"
    registry = Registry.open(folder / "home.db", random=keys.random, keys=keys.keys())
    try:
        for index, data in said.entries.items():
            assert registry.entry(index).hex() == data, index
        for note in said.notes:
            checkpoint = parse_checkpoint(parse_note(note).text)
            assert registry.engine.tree.root_at(checkpoint.size) == checkpoint.root
        assert registry.tick(keys.now + 2).code == "applied"
        assert registry.commit().code == "applied"
        assert print_snapshot(registry.state.snapshot()) == print_snapshot(
            replayed_state(registry.engine, registry.genesis, registry.size).snapshot()
        )
        with kept_file(folder / "home.db") as beside:
            assert fsck(registry.engine, pin=registry.pin, beside=beside) == ()
    finally:
        registry.close()


@pytest.mark.parametrize("sample", [8, pytest.param(0, marks=pytest.mark.long)])
def test_a_fault_at_any_call_leaves_a_whole_registry(tmp_path: Path, sample: int) -> None:
    """Every call × {kill, ENOSPC, EIO} in the long run, a sample of them in the short one: 0 inconsistent."""
    reason = tracing()
    if reason:
        print(f"fault injection skipped: {reason}")
        pytest.skip(reason)
    seed = prepared(tmp_path / "seed")
    (tmp_path / "keys").mkdir()
    keys = World(tmp_path / "keys")
    keys.registry.close()
    trace = tmp_path / "trace"
    said = rounds(tmp_path / "whole", seed, "-e", f"trace={CALLS}", trace=trace)
    assert (len(said.entries), said.errors) == (4, 0)
    counts = collections.Counter(
        match[1] for line in trace.read_text().splitlines() if (match := re.match(r"([a-z0-9]+)\(", line))
    )
    assert counts["pwrite64"] and counts["fdatasync"] + counts["fsync"] and counts["rename"]
    cases = [(fault, call, n) for call, count in counts.items() for n in range(1, count + 1) for fault in FAULTS]
    chosen = random.Random(sample).sample(cases, sample) if sample else cases
    seen, start = 0, time.monotonic()
    for number, (fault, call, n) in enumerate(chosen):
        folder = tmp_path / str(number)
        said = rounds(folder, seed, "-e", f"trace={call}", "-e", f"inject={call}:{FAULTS[fault]}:when={n}")
        seen += "INJECTED" in (folder / "trace").read_text() or "killed" in (folder / "trace").read_text()
        judged(folder, said, keys)
        shutil.rmtree(folder)
    assert seen >= 0.9 * len(chosen), "faults were not injected"
    print(f"faults: {len(chosen)} of {len(cases)} at {sum(counts.values())} calls, {seen} struck, 0 inconsistent, "
          f"{time.monotonic() - start:.0f} s")  # fmt: skip
    assert os.path.exists(seed)
