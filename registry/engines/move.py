"""Moving a log to another engine: the same entries in the same order, so the same roots, and every old proof stays.

What is there already must be the beginning of the log, so a move that broke off goes on where it stopped. At the end
all is read back and hashed: the move counts only when size and root are the log's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from registry.engines import LogEngine
from registry.engines.calls import TRANSIENT
from registry.engines.framing import batches, check_batch
from registry.engines.sqlite import SqliteEngine
from weid import merkle
from weid.errors import ConflictError, RegistryError
from weid.hashes import Hash

__all__ = ["move"]

Progress = Callable[[str, int, int], None]
_PAGE = 1_000


def move(store: SqliteEngine, target: LogEngine, *, hash: Hash, progress: Progress, patience: float = 120.0) -> None:
    """Bring every entry of a log into another engine; `progress(step, done, of)` is told as it goes.

    ConflictError `other-log` if the target holds anything but the beginning of this log, `other-writer` if somebody
    else appends to it meanwhile; RegistryError `entry-size` before anything is written if it cannot take an entry.
    """
    size = store.tree.size
    for entry in store.read(0, size):
        check_batch([entry.data], target.info)
    held = target.head().size
    if held > size:
        raise ConflictError(f"the target has {held} entries, this log {size}", code="other-log")
    _compare(store, target, held, hash, lambda done: progress("compare", done, held))
    done = held
    for page in _pages(store, held, size):
        for batch in batches(page, target.info):
            _put(target, batch, done, patience)
            done += len(batch)
            progress("write", done, size)
    if target.head().size != size:
        raise ConflictError("somebody else appends to the target", code="other-writer")
    root = _compare(store, target, size, hash, lambda done: progress("verify", done, size))
    if root != store.tree.root:
        raise ConflictError("the target gives another root", code="other-log")


def _compare(store: SqliteEngine, target: LogEngine, size: int, hash: Hash, progress: Callable[[int], None]) -> bytes:
    """The root of the target's first entries, each of which is the log's."""
    frontier = merkle.Frontier(0, [], hash=hash)
    for entry, own in zip(target.read(0, size), store.read(0, size), strict=False):
        if entry != own:
            raise ConflictError(f"entry {own.index} of the target is another one", code="other-log")
        frontier.append(merkle.leaf_hash(entry.data, hash=hash))
        if frontier.size % _PAGE == 0 or frontier.size == size:
            progress(frontier.size)
    if frontier.size != size:
        raise ConflictError(f"the target gives {frontier.size} of {size} entries", code="other-log")
    return frontier.root()


def _pages(store: SqliteEngine, start: int, end: int) -> Iterator[list[bytes]]:
    entries = (entry.data for entry in store.read(start, end - start))
    while page := list(islice(entries, _PAGE)):
        yield page


def _put(target: LogEngine, batch: Sequence[bytes], first: int, patience: float) -> None:
    """One batch at its place, once, however often it takes to hear of it."""
    until, pause = time.monotonic() + patience, 0.05
    problem: RegistryError | None = None
    while True:
        try:
            if target.head().size == first:
                target.wait(target.append(batch, expect=first), max(until - time.monotonic(), 0.1))
            found = [entry.data for entry in target.read(first, len(batch))]
        except RegistryError as error:
            if error.code not in TRANSIENT:
                raise
            problem, found = error, []
        if found == list(batch):
            return
        if found:
            raise ConflictError(f"somebody else wrote entry {first} of the target", code="other-writer")
        if time.monotonic() >= until:
            raise problem or RegistryError("the engine has not made these entries final yet: run it again", code="pending")
        time.sleep(pause)
        pause = min(2 * pause, 1.0)
