"""Faults of disk and process, one at every file system call of append, checkpoint and high-water mark (strace injects them).

After each: nothing acknowledged is lost, fsck is clean, the operator's keys still sign, no checkpoint contradicts another.
"""

from __future__ import annotations

import collections
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from tests.seeds import chance

ROOT = Path(__file__).resolve().parents[2]
CALLS = "openat,open,read,pread64,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,fallocate,lseek,fcntl,newfstatat,fstat,stat,mmap,close"
FAULTS = {"kill": "signal=KILL", "ENOSPC": "error=ENOSPC", "EIO": "error=EIO"}
STEM = """
import os, sqlite3, sys, pathlib, time
from registry import log, operations as ops
from registry.log import Registry
from tests.registry.world import World
from weid.errors import WeidError
work = compile(sys.argv[1], "child", "exec")
for line in sys.stdin:  # a child for each line: what they import is read once
    folder, seed, given, taken = line.split("\\t")
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(given, os.O_RDONLY), 0)
        os.dup2(os.open(taken.strip(), os.O_WRONLY), 1)
        try:
            exec(work, {**globals(), "sys": sys, "folder": folder, "seed": seed})
        finally:
            os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""
CHILD = """
def say(*words):
    try:  # past every buffer: a word that a fault swallows was not acknowledged
        os.write(1, (" ".join(map(str, words)) + "\\n").encode())
    except OSError:
        pass
connect = sqlite3.connect  # an unlocking that fails is waited for: not ten seconds
sqlite3.connect = lambda *given, **more: connect(*given, **{**more, "timeout": 0.3})
log._KEEP, log._LEAST = 2, 1  # the kept state is written amid the work, and when it ends
world = World(pathlib.Path(folder))
world.registry.close()
for name in ("home.db", "home.mark"):
    pathlib.Path(folder, name).unlink()
for path in pathlib.Path(seed).iterdir():
    pathlib.Path(folder, path.name).write_bytes(path.read_bytes())
world.registry = Registry.open(world.path, random=world.random, keys=world.keys())
assert world.registry._keeper.size == world.registry.size  # its rows are read amid the work
author = world.author(world.admin)
made = [ops.evidence_anchor(author, world.genesis.hash(b"%d" % n), "f") for n in range(4)]
say("ready")
os.read(0, 3)
begun = time.monotonic()
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
        if time.monotonic() > begun + 5:
            break
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


class Stem:
    """A process that children come from, one a round, and the keys that open what they leave behind."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.keys = World(folder)
        self.keys.registry.close()
        self._pipes = folder / "given", folder / "taken"
        for pipe in self._pipes:
            os.mkfifo(pipe)
        self._process = subprocess.Popen(
            [sys.executable, "-c", STEM, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=ROOT, text=True,
        )  # fmt: skip

    def round(self, folder: Path, seed: Path, *options: str, trace: Path | None = None) -> Said:
        """One child; strace is attached when it is ready, so that only its work is hit."""
        folder.mkdir()
        to, of = self._process.stdin, self._process.stdout
        assert to is not None and of is not None
        to.write("\t".join(map(str, (folder, seed, *self._pipes))) + "\n")
        to.flush()
        pid = of.readline().strip()
        with self._pipes[0].open("wb", buffering=0) as go, self._pipes[1].open("r") as told:
            assert told.readline() == "ready\n"
            output = trace or folder / "trace"
            tracer = subprocess.Popen(["strace", "-o", str(output), "-p", pid, *options], stderr=subprocess.PIPE, text=True)
            assert tracer.stderr is not None
            assert "attached" in tracer.stderr.readline()
            go.write(b"go\n")
            said = heard(told)
        assert of.readline() == "ended\n"
        tracer.wait(30)
        tracer.stderr.close()
        return said

    def __enter__(self) -> Stem:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)


def heard(told: Iterable[str]) -> Said:
    """What a child says until it ends; a line that breaks off was not said."""
    said = Said({}, [], 0)
    for line in told:
        words = line.split()
        if not line.endswith("\n"):
            continue
        if words[0] == "entry":
            said.entries[int(words[1])] = words[2]
        elif words[0] == "note":
            said.notes.append(bytes.fromhex(words[1]))
        elif words[0] == "error":
            said.errors += 1
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


def walked(place: Path, seed: Path, cases: Sequence[tuple[str, str, int]]) -> int:
    """How many of the faults struck; each is judged."""
    seen = 0
    with Stem(place) as stem:
        for number, (fault, call, n) in enumerate(cases):
            folder = place / str(number)
            said = stem.round(folder, seed, "-e", f"trace={call}", "-e", f"inject={call}:{FAULTS[fault]}:when={n}")
            seen += "INJECTED" in (folder / "trace").read_text() or "killed" in (folder / "trace").read_text()
            judged(folder, said, stem.keys)
            shutil.rmtree(folder)
    return seen


@pytest.mark.parametrize("sample", [8, pytest.param(0, marks=pytest.mark.long)])
def test_a_fault_at_any_call_leaves_a_whole_registry(tmp_path: Path, sample: int) -> None:
    """Every call × {kill, ENOSPC, EIO} in the long run, a sample of them in the short one: 0 inconsistent."""
    reason = tracing()
    if reason:
        print(f"fault injection skipped: {reason}")
        pytest.skip(reason)
    seed, trace = prepared(tmp_path / "seed"), tmp_path / "trace"
    with Stem(tmp_path / "first") as stem:
        said = stem.round(tmp_path / "whole", seed, "-e", f"trace={CALLS}", trace=trace)
    assert (len(said.entries), said.errors) == (4, 0)
    counts = collections.Counter(
        match[1] for line in trace.read_text().splitlines() if (match := re.match(r"([a-z0-9]+)\(", line))
    )
    assert counts["pwrite64"] and counts["fdatasync"] + counts["fsync"] and counts["rename"]
    cases = [(fault, call, n) for call, count in counts.items() for n in range(1, count + 1) for fault in FAULTS]
    # An unlocking that fails makes SQLite try for ten seconds: not in the short run, and in the long one while others work.
    quick = [case for case in cases if case[:2] == ("kill", "fcntl") or case[1] != "fcntl"]
    chosen = chance(sample).sample(quick, sample) if sample else cases
    walkers, start = 1 if sample else 8, time.monotonic()
    with ThreadPoolExecutor(walkers) as threads:
        walks = [threads.submit(walked, tmp_path / f"walk{n}", seed, chosen[n::walkers]) for n in range(walkers)]
        seen = sum(walk.result() for walk in walks)
    assert seen >= 0.9 * len(chosen), "faults were not injected"
    print(f"faults: {len(chosen)} of {len(cases)} at {sum(counts.values())} calls, {seen} struck, 0 inconsistent, "
          f"{time.monotonic() - start:.0f} s")  # fmt: skip
    assert os.path.exists(seed)
