"""Another engine gives the order, the local log file follows: only what is final, contiguous, and never changed.

Nothing that an engine has not made final reaches the local file, so nothing pending is ever in a checkpoint. When the
engine takes back what it called final, both sides are written to a file beside the log, and nothing is appended or
signed until a person has looked and taken that file away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from registry.engines import MAX_ENTRY, ContradictionError, EngineInfo, GapError, LogEngine, Placed
from registry.engines.calls import TRANSIENT
from registry.engines.framing import batches, check_batch
from registry.engines.sqlite import SqliteEngine
from weid.canon import JSON, jcs
from weid.errors import ConflictError, RegistryError

__all__ = ["Follower"]

_PAGE = 1_000
_PAUSE = (0.05, 1.0)  # seconds between two tries: first, longest


class Follower:
    """Puts entries into an engine's order and brings its final entries into the local file.

    `patience` is how many seconds an append may take until RegistryError `pending`; the same entries may then be
    submitted again, as a second occurrence is a no-op.
    """

    def __init__(self, engine: LogEngine, store: SqliteEngine, evidence: Path, *, patience: float = 60.0) -> None:
        self.engine, self._store, self.evidence, self._patience = engine, store, evidence, patience
        self._compared = False

    @property
    def info(self) -> EngineInfo:
        """What the engine promises."""
        return self.engine.info

    def check(self) -> None:
        """ConflictError if a contradiction was found before, by this process or another."""
        if self.evidence.exists():
            raise ConflictError(
                f"the engine contradicted itself: see {self.evidence.name}, nothing is signed", code="engine-contradiction"
            )

    def pages(self) -> Iterator[list[bytes]]:
        """Final entries that the local file does not have yet, in order; the caller stores each page before the next.

        GapError rather than a hole; ContradictionError when the engine has changed what the local file holds.
        """
        self.check()
        try:
            yield from self._pages()
        except ContradictionError as error:
            self._stop(error)
            raise

    def catch_up(self, pull: Callable[[], None]) -> None:
        """Pull what is final, again while the engine is only gone, behind or incomplete, as long as patience lasts."""
        until, pause = time.monotonic() + self._patience, _PAUSE[0]
        while True:
            try:
                return pull()
            except RegistryError as error:
                if error.code not in TRANSIENT or time.monotonic() + pause >= until:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, _PAUSE[1])

    def check_sizes(self, entries: Sequence[bytes]) -> None:
        """RegistryError `entry-size` if the engine never takes one of these."""
        for entry in entries:
            if entry:
                check_batch([entry], self.info)

    def split(self, entries: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
        """The entries in batches that the engine takes."""
        return batches(entries, self.info)

    def place(self, batch: Sequence[bytes], pull: Callable[[], None], *, exact: bool = False) -> int | None:
        """Have a batch placed, and pull until it is in the local file: the index of its first entry.

        Whatever is not known is looked up before it is tried again, always with the size it was first sent for: so a
        batch lands once. With `exact` None as soon as another writer's entries came first.
        """
        until, pause = time.monotonic() + self._patience, _PAUSE[0]
        expect = self._store.tree.size
        while True:
            problem = self._try(batch, expect, pull, max(until - time.monotonic(), 0.1))
            taken = [entry.data for entry in self._store.read(expect, len(batch))]
            if taken == list(batch):
                return expect
            if taken != list(batch[: len(taken)]):  # another writer came first
                if exact:
                    return None
                expect = self._store.tree.size
            elif time.monotonic() >= until:
                raise problem or RegistryError("the engine has not made these entries final yet: try again", code="pending")
            elif problem is not None or not taken:
                time.sleep(min(pause, max(until - time.monotonic(), 0)))
                pause = min(pause * 2, _PAUSE[1])

    def _try(self, batch: Sequence[bytes], expect: int, pull: Callable[[], None], timeout: float) -> RegistryError | None:
        """One attempt; what went wrong if that may pass."""
        try:
            if self._store.tree.size == expect:
                ticket = self.engine.append(batch, expect=expect)
                placed = self.engine.wait(ticket, timeout)
                if isinstance(placed, Placed) and placed.first != expect:
                    raise GapError(f"the engine placed at {placed.first} what was for {expect}")
            pull()
        except ContradictionError as error:
            self._stop(error)
            raise
        except RegistryError as error:
            if error.code not in TRANSIENT:
                raise
            return error
        return None

    def _pages(self) -> Iterator[list[bytes]]:
        head, start = self.engine.head(), self._store.tree.size
        if head.size < start:
            raise ContradictionError(
                "the engine has fewer entries than it called final", held=start, found={"size": head.size, "block": head.block}
            )
        self._compare(start)
        page: list[bytes] = []
        expected = start
        for entry in self.engine.read(start, head.size - start):
            if entry.index != expected or not 0 < len(entry.data) <= MAX_ENTRY:
                raise GapError(f"entry {expected} is missing")
            page.append(entry.data)
            expected += 1
            if len(page) == _PAGE:
                yield page
                page = []
        if page:
            yield page
        if expected != head.size:
            raise GapError(f"entry {expected} is missing")

    def _compare(self, size: int) -> None:
        """Once a run: the engine's entry before the new ones is the local file's last."""
        if self._compared or not size:
            return
        found = [entry.data for entry in self.engine.read(size - 1, 1)]
        held = [entry.data for entry in self._store.read(size - 1, 1)]
        if not found:
            raise GapError(f"entry {size - 1} is missing")
        if found != held:
            both: list[JSON] = [held[0].hex(), found[0].hex()]
            raise ContradictionError(f"the engine has another entry {size - 1}", held=both[0], found=both[1])
        self._compared = True

    def _stop(self, error: ContradictionError) -> None:
        record: dict[str, JSON] = {
            "engine": self.info.name, "says": str(error), "size": self._store.tree.size,
            "root": self._store.tree.root.hex(), "held": error.held, "found": error.found,
        }  # fmt: skip
        if not self.evidence.exists():
            self.evidence.write_bytes(jcs(record) + b"\n")
