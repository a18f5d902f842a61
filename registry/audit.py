"""Checking a stored registry from the first byte to the last (`fsck`): what is wrong, and where it starts.

Everything is recomputed: leaves, every tile, the root, each signature, each result, the checkpoint, the kept
state. SQLite's own integrity check finds few flipped bits; these comparisons find all that change content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from registry.authority import Authority
from registry.engines import Entry
from registry.engines.sqlite import SqliteEngine
from registry.genesis import Genesis, parse_genesis
from registry.kept import HEAD, KeptState, compared, read_head
from registry.note import parse_note
from registry.operations import read_entry
from registry.published import read_log_note, read_state_note
from registry.rejections import UNAUTHENTIC
from registry.snapshot import snapshot_digest
from registry.state import Rejected, State
from registry.tiles import HASH, WIDTH, TileTree
from registry.twin import read_twin_note
from weid import merkle
from weid.errors import WeidError

__all__ = ["Beside", "Finding", "fsck"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `index` is the first entry it concerns, None for what is not an entry."""

    index: int | None
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Where the kept state of a log is read, and the code that may have made it (`engines.shelf`)."""

    get: Callable[[str], bytes | None]
    code: bytes


def fsck(engine: SqliteEngine, *, pin: bytes, beside: Beside | None = None) -> tuple[Finding, ...]:
    """Everything found wrong, the first bad entry first; empty means clean. Takes time linear in the log.

    Nothing is taken from a kept state: the one `beside` the log is compared with what the entries give.
    """
    try:
        genesis = parse_genesis(engine.genesis)
    except WeidError as error:
        return (Finding(None, "genesis", str(error)),)
    if genesis.digest != pin:
        return (Finding(None, "genesis", "the stored genesis is not the pinned one"),)
    found: list[Finding] = [Finding(None, "file", text) for text in engine.integrity()]
    state, shelf, other, cached = State(genesis), _Shelf(), _Shelf(), _Compared(genesis, beside)
    tree = TileTree(0, shelf.read, hash=genesis.hash)
    twin = None if genesis.second is None else TileTree(0, other.read, hash=genesis.second)
    seconds: dict[int, bytes] = {}
    roots: dict[int, bytes] = {0: state.frontier.root()}
    try:
        for entry in engine.read(0, engine.head().size):
            found += _entry(engine, state, genesis, entry, cached.results)
            found += cached.at(state)
            shelf.add(tree, merkle.leaf_hash(entry.data, hash=genesis.hash))
            roots[entry.index + 1] = tree.root
            if twin is not None and genesis.second is not None:
                other.add(twin, merkle.leaf_hash(entry.data, hash=genesis.second))
                seconds[entry.index + 1] = twin.root
    except WeidError as error:
        found.append(Finding(state.size, error.code, str(error)))
        return tuple(found)
    found += _tiles(engine, shelf, other)
    found += _notes(engine, state.authority, roots)
    found += _twin(engine, state.authority, roots, seconds)
    return (*found, *cached.rest())


class _Shelf:
    """Tiles made again from the entries."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}

    def read(self, level: int, index: int) -> bytes | None:
        return self.tiles.get((level, index))

    def add(self, tree: TileTree, leaf: bytes) -> None:
        growth = tree.grow([leaf])
        self.tiles.update({(tile.level, tile.index): tile.data for tile in growth.tiles})
        tree.accept(growth)


class _Compared:
    """The kept state, compared when the entries have come to its size."""

    def __init__(self, genesis: Genesis, beside: Beside | None) -> None:
        self.results: list[str] = []
        self._kept: KeptState | None = None
        self._found: list[Finding] = []
        data = None if beside is None else beside.get(HEAD)
        if beside is None or data is None:
            return
        try:
            head, authority = read_head(data, genesis, beside.code)
        except WeidError as error:
            if error.code != "kept-state":  # of other code: not used, and not wrong
                self._found.append(Finding(None, "kept-state", f"nobody opens the log from its kept state: {error}"))
        else:
            self._kept = KeptState(head, authority, beside.get)

    def at(self, state: State) -> list[Finding]:
        """What is wrong with the kept state, if this is its size."""
        if self._kept is None or self._kept.head.size != state.size:
            return []
        kept, self._kept = self._kept, None
        return [
            Finding(None, "kept-state", f"the kept state is to be taken away: {text}")
            for text in compared(kept, state, self.results)
        ]

    def rest(self) -> list[Finding]:
        """What was found without comparing, or could not be compared."""
        if self._kept is not None and self._kept.head.size:
            self._found.append(Finding(None, "kept-state", "the kept state is of more entries than the log has"))
        return self._found


def _entry(engine: SqliteEngine, state: State, genesis: Genesis, entry: Entry, results: list[str]) -> list[Finding]:
    index = entry.index
    stored = engine.stored_tile(0, index // WIDTH) or b""
    at = index % WIDTH * HASH
    found = []
    if stored[at : at + HASH] != merkle.leaf_hash(entry.data, hash=genesis.hash):
        found.append(Finding(index, "leaf", "the entry and its stored leaf hash differ"))
    result = state.apply(entry.data)
    results.append(result.code)
    if isinstance(result, Rejected) and result.code in UNAUTHENTIC and not _is_authentic(entry.data, state):
        # A node refuses these before its log, so one inside was changed after it was stored.
        found.append(Finding(index, result.code, result.detail))
    return found


def _is_authentic(data: bytes, state: State) -> bool:
    """Whether somebody answerable signed a rejected entry: a rule may use the same word about what they asked for."""
    try:
        state.authenticate(read_entry(data, hash=state.hash))
    except WeidError:
        return False
    return True


def _tiles(engine: SqliteEngine, shelf: _Shelf, beside: _Shelf) -> list[Finding]:
    wrong = [
        Finding(index * WIDTH ** (level + 1), "tile", f"tile {level}/{index} is not what its entries give")
        for second, tiles in ((False, shelf.tiles), (True, beside.tiles))
        for (level, index), data in sorted(tiles.items())
        if engine.stored_tile(level, index, second=second) != data
    ]
    if engine.tile_count() != len(shelf.tiles) + len(beside.tiles):
        wrong.append(Finding(None, "tile", "there are tiles that belong to no entry"))
    return wrong


def _twin(engine: SqliteEngine, authority: Authority, roots: dict[int, bytes], seconds: dict[int, bytes]) -> list[Finding]:
    if authority.twin is None:
        return []
    try:
        data = engine.kept("note", "twin")
        if data is None:
            return []
        twin = read_twin_note(parse_note(data), authority)
    except WeidError as error:
        return [Finding(None, "note", str(error))]
    if twin.size and (roots.get(twin.size), seconds.get(twin.size)) != (twin.root, twin.second):
        return [Finding(None, "checkpoint", "the roots of two trees are of another log")]
    return []


def _notes(engine: SqliteEngine, authority: Authority, roots: dict[int, bytes]) -> list[Finding]:
    found = []
    try:
        note = parse_note(engine.kept("note", "checkpoint") or b"")
        checkpoint = read_log_note(note, authority)
        if roots.get(checkpoint.size) != checkpoint.root:
            found.append(Finding(None, "checkpoint", "the checkpoint is of another log"))
        data = engine.kept("state", "statement")
        if data is not None:
            note = parse_note(data)
            statement = read_state_note(note, authority)
            snapshot = engine.kept("state", "snapshot") or b""
            same = snapshot_digest(snapshot, hash=authority.genesis.hash) == statement.snapshot
            if not same or roots.get(statement.size) != statement.root:
                found.append(Finding(None, "state", "the kept state is not the one that was signed"))
    except WeidError as error:
        found.append(Finding(None, "note", str(error)))
    return found
