"""Keeping the state of one log in the file beside it, and going on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.audit import Beside
from registry.engines.shelf import Shelf, code_digest
from registry.engines.sqlite import SqliteEngine
from registry.genesis import Genesis
from registry.kept import HEAD, Head, KeptState, print_head, read_head
from registry.kept_rows import DamagedError
from registry.kept_table import Results
from registry.kept_writing import written
from registry.map_pages import page_names
from registry.state import State
from weid.errors import ConflictError, WeidError
from weid.keys import PublicKey

__all__ = ["Keeper", "kept_beside", "kept_file", "replayed_state"]


def kept_beside(log: Path) -> Path:
    """The file of the kept state of a log file."""
    return log.with_name(log.name + ".state")


@contextmanager
def kept_file(log: Path) -> Iterator[Beside]:
    """The kept state of a log file, to be compared with it (`audit.fsck`)."""
    shelf = Shelf(kept_beside(log), write=False)
    try:
        yield Beside(shelf.get, code_digest())
    finally:
        shelf.close()


class Keeper:
    """The kept state of one log; with `write` False, or beside another process that keeps it, it is read and never written.

    Open it before the log: what it holds is then never newer than what is read of the log.
    """

    def __init__(self, log: Path, *, write: bool) -> None:
        # Of the code as it runs: by the time when something is kept, other code may lie on the disk.
        self._code = code_digest()
        self._shelf = Shelf(kept_beside(log), write=write)
        self._written: bytes | None = None
        self._head: Head | None = None
        self._kept: KeptState | None = None
        self._pages: frozenset[bytes] = frozenset()
        self._unread: frozenset[bytes] = frozenset()
        self._left: frozenset[bytes] = frozenset()
        self._first = self._shelf.get(HEAD)
        self._tried, self._whole = 0, False

    @property
    def size(self) -> int:
        """How many entries the kept state covers; 0 if there is none."""
        return 0 if self._head is None else self._head.size

    @property
    def writes(self) -> bool:
        """Whether this process is the one that keeps: whoever opens the log later to write is told so by a lock."""
        return self._shelf.writes

    @property
    def signer(self) -> PublicKey | None:
        """Whose signature the state that was taken up rests on; None where none was."""
        return None if self._kept is None else self._kept.signer

    def take_up(
        self,
        engine: SqliteEngine,
        genesis: Genesis,
        id_of: Callable[[int], bytes | None],
        trusted: Callable[[PublicKey], bool] = lambda _: True,
    ) -> tuple[State, Results] | None:
        """(the state to go on from, the results so far), or None where nothing that fits the log is kept.

        Of what a key has signed that is not `trusted` nothing is read: it may have been replaced because it was stolen.
        """
        if self._first is None:
            return None
        try:
            head, authority = read_head(self._first, genesis, self._code)
            if not trusted(authority.state):
                return None
            kept = KeptState(head, authority, self._shelf.get, lambda size: replayed_state(engine, genesis, size), id_of)
            if not kept.fits(engine.tree):
                return None
            state, results = kept.state(engine.tree), kept.results()
        except WeidError:
            return None
        self._written, self._head, self._kept = self._first, head, kept
        self._tidy()
        return state, results

    def due(self, size: int, least: int) -> bool:
        """Whether so many entries came since the state was kept, or keeping it was tried."""
        return size - max(self.size, self._tried) >= least

    def save(self, state: State, results: Results, sign: Callable[[bytes], bytes]) -> None:
        """Keep the state as it is; nothing happens where the file cannot be written, or another process keeps it."""
        self._tried = state.size
        before = self._head
        hurt = self._kept is not None and self._kept.replayed is not None and not self._whole
        if before is None or state.changed is None or hurt:
            self._save(state, results, sign, None)
            return
        try:
            self._save(state, results, sign, before)
        except DamagedError:
            self._save(state, results, sign, None)

    def forget(self) -> None:
        """Take away what was kept: it is not to be relied on."""
        self._shelf.discard()
        self._first = self._written = self._head = self._kept = None

    def close(self) -> None:
        """Close the file."""
        self._shelf.close()

    def _save(self, state: State, results: Results, sign: Callable[[bytes], bytes], before: Head | None) -> None:
        pages = self._pages if before is not None else frozenset()
        made = written(state, results, before, self._shelf.get, code=self._code, pages=pages)
        data = print_head(made.head, sign)
        old = ((self._left if before is not None else frozenset()) | made.left) - made.pages
        # A map that was taken up may be read later; what was written since is in memory.
        left = old & self._unread
        gone = dict.fromkeys(f"page/{name.hex()}" for name in old - left)
        parts = {**gone, **made.parts, HEAD: data, "left": b"".join(sorted(left))}
        if self._shelf.put(parts, expect=None if before is None else self._written):
            self._written, self._head, self._pages, self._left = data, made.head, made.pages, left
            self._whole = self._whole or before is None
            state.changed = {}
        elif self._shelf.writes and self._shelf.get(HEAD) != self._written:  # it is lost: all of it is written the next time
            self._written = self._head = None

    def _tidy(self) -> None:
        """Pages of older maps are taken away when nobody holds such a map any more: with the next opening."""
        left = self._shelf.get("left") or b""
        self._pages = self._unread = page_names(self._shelf.get("top") or b"")
        if left and self._shelf.writes:
            self._shelf.drop([f"page/{left[at : at + 32].hex()}" for at in range(0, len(left), 32)] + ["left"])


def replayed_state(engine: SqliteEngine, genesis: Genesis, size: int) -> State:
    """The state after so many entries, from the first on; ConflictError `wrong-tree` if they are not those of the tree."""
    state = State(genesis)
    for entry in engine.read(0, size):
        state.apply(entry.data)
    if (state.size, state.frontier.root()) != (size, engine.tree.root_at(size)):
        raise ConflictError("the entries are not those of the stored tree", code="wrong-tree")
    return state
