"""A kept state: what a node wrote down of its state, so that opening a log does not replay it from the first entry.

It is a cache and never the authority: made by replay, it may be taken away at any time. The operator's state key signs its head,
which names the code that made it, the size and root of the log it belongs to, and the digest of everything else. So nobody who
can write to the disk, but has not that key, can give a node records that the log does not give; what else is damaged is noticed
when it is read, and then the log is replayed up to there and asked instead (`instead`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from registry.authority import Authority, Link
from registry.commit import Commit, Kept
from registry.genesis import Genesis
from registry.kept_rows import DamagedError, Get, KeptRows, TableHead
from registry.kept_table import KeptSeen, KeptTable, Results, replayed
from registry.map_nodes import EMPTY, Node
from registry.map_pages import Path, map_of_pages, subtree_at
from registry.state import State
from registry.state_map import StateMap, changed
from registry.tiles import TileTree
from registry.view import Published
from weid import cbor, signing
from weid.errors import MalformedError, RegistryError, WeidError
from weid.governance import ProposalRecord
from weid.keys import PublicKey
from weid.record_bytes import decode_record, encode_record, record_encoder
from weid.records import KINDS, record_key

__all__ = [
    "CHUNK", "CONTEXT", "HEAD", "TABLES", "CommitHead", "Head", "KeptState", "commit_head", "compared", "encoder", "print_head",
    "python", "read_head",
]  # fmt: skip

CONTEXT = "weid/kept-state/v1"
HEAD = "head"
CHUNK = 1 << 16  # results a part
TABLES = (*(kind for kind in KINDS if kind != "register"), "closed", "history")
"""The tables with rows; `seen` has an index alone."""
NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class CommitHead:
    """The newest state of the log whose map is kept."""

    size: int
    log_time: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What a kept state is of, and the digests of its parts. `code` and `python` are those that made it."""

    code: bytes
    python: str
    genesis: bytes
    size: int
    root: bytes
    now: int
    links: tuple[Link, ...]
    tables: tuple[TableHead, ...]
    codes: tuple[str, ...]
    results: tuple[bytes, ...]
    commit: CommitHead | None


def print_head(head: Head, sign: Callable[[bytes], bytes]) -> bytes:
    """The part called `head`, signed."""
    payload = cbor.encode([CONTEXT, encode_record(head)])
    return cbor.encode([payload, sign(payload)])


def read_head(data: bytes, genesis: Genesis, code: bytes) -> tuple[Head, Authority]:
    """The head of exactly these bytes, and whose signatures counted then; WeidError for one that is not to be used.

    That is one of another genesis, made by other code or another Python, or not signed with the state key of its own links,
    which are checked from the genesis on.
    """
    match cbor.decode(data):
        case (bytes(payload), bytes(signature)):
            pass
        case _:
            raise MalformedError("not the head of a kept state")
    match cbor.decode(payload):
        case (str(context), fields) if context == CONTEXT:
            head = decode_record(Head, fields)
        case _:
            raise MalformedError("not the head of a kept state of this version")
    if (head.genesis, head.code, head.python) != (genesis.digest, code, python()):
        raise RegistryError("the kept state is of another registry or was made by other code", code="kept-state")
    authority = Authority.of(genesis, head.links)
    signing.verify(authority.state, "state", CONTEXT, payload, signature)
    return head, authority


def commit_head(state: State) -> CommitHead | None:
    """The newest committed state, as a head names it."""
    last = state.commits[-1] if state.commits else None
    return None if last is None else CommitHead(last.size, last.log_time, last.map.root)


def python() -> str:
    """Whose marshal wrote the blocks."""
    return f"{sys.implementation.cache_tag} {sys.byteorder}"


def encoder(table: str) -> Callable[[Any], Any]:
    """How a record of a table is written."""
    if table == "history":
        return lambda value: tuple([encode_record(entry) for entry in value])
    if table == "closed":
        return lambda value: (encode_record(value[0]), value[1], value[2])
    kind: Any = KINDS[table]
    return record_encoder(kind)


def _decoder(table: str) -> Callable[[Any], Any]:
    if table == "history":
        return lambda value: tuple(decode_record(Published, entry) for entry in value)
    if table == "closed":
        return lambda value: (decode_record(ProposalRecord, value[0]), value[1], value[2])
    kind = KINDS[table]
    return lambda value: decode_record(kind, value)


class KeptState:
    """A kept state that was found to belong to a log; its parts are read when they are asked for.

    `replay(size)` gives the state after so many entries, from the first entry on; it is asked where a part is damaged. `id_of`
    gives the id of the operation that an entry is.
    """

    def __init__(
        self, head: Head, authority: Authority, get: Get, replay: Callable[[int], State] | None = None,
        id_of: Callable[[int], bytes | None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.head, self._authority, self._get, self._replay, self._id_of = head, authority, get, replay, id_of
        self._hash = authority.genesis.hash
        self.rows = {table.name: KeptRows(table, get, hash=self._hash) for table in head.tables}
        self.replayed: State | None = None

    @property
    def signer(self) -> PublicKey:
        """The state key that signed it."""
        return self._authority.state

    def fits(self, tree: TileTree) -> bool:
        """Whether this is a state of the log with this tree."""
        return self.head.size <= tree.size and tree.root_at(self.head.size) == self.head.root

    def state(self, tree: TileTree) -> State:
        """The state to go on from."""
        frontier = tree.frontier_at(self.head.size)
        tables: dict[str, MutableMapping[str, Any]] = {
            name: KeptTable(self.rows[name], _decoder(name), partial(self._table, name)) for name in TABLES
        }
        history, closed = tables.pop("history"), tables.pop("closed")
        seen = KeptSeen(self.rows["seen"], self._id_of, lambda: self.instead().seen)
        kept = Kept(
            self._authority, self.head.now, frontier, tables, history, seen, closed, self.commit(self._subtree), self._pending
        )
        return State(self._authority.genesis, kept)

    def results(self) -> Results:
        """The code of each entry; DamagedError."""
        chunks = []
        for number, digest in enumerate(self.head.results):
            data = self._get(f"results/{number}") or b""
            if self._hash(data) != digest:
                raise DamagedError("the results that were kept are damaged")
            chunks.append(data)
        return Results(self.head.codes, b"".join(chunks))

    def instead(self) -> State:
        """The same state, replayed: what is kept is damaged."""
        if self.replayed is None:
            if self._replay is None:
                raise DamagedError("the kept state is damaged")
            self.replayed = self._replay(self.head.size)
        return self.replayed

    def _table(self, name: str) -> MutableMapping[str, Any]:
        state = self.instead()
        others: Mapping[str, MutableMapping[str, Any]] = {"history": state.history, "closed": state.closed}
        return others[name] if name in others else state.tables[name]

    def commit(self, instead: Callable[[Path], Node]) -> Commit | None:
        """The newest committed state; `instead` gives a subtree of its map that is damaged."""
        held = self.head.commit
        if held is None:
            return None
        tree = map_of_pages(held.root, self._top, self._page, instead, hash=self._hash)
        return Commit(held.size, held.log_time, tree)

    def _top(self) -> bytes:
        return self._part("top")

    def _page(self, name: bytes) -> bytes:
        return self._part(f"page/{name.hex()}")

    def _part(self, name: str) -> bytes:
        data = self._get(name)
        if data is None:
            raise DamagedError(f"{name} of the kept state is missing")
        return data

    def _subtree(self, path: Path) -> Node:
        return subtree_at(self.instead().commits[-1].map, path)

    def _pending(self) -> Iterable[tuple[str, str]]:
        """What may have changed since the map that is kept: a key too many does no harm."""
        try:
            return [(name, row[0]) for name, rows in self.rows.items() if name in KINDS for row in rows.rows(rows.head.fresh)]
        except DamagedError:
            state = self.instead()
            before = state.commits[-1].map if state.commits else StateMap(hash=self._hash)
            dropped = (record for _, record in changed(StateMap(hash=self._hash), before) if record is not None)
            now = [(name, key) for name, table in state.tables.items() for key in table]
            return [*now, *((NAMES[type(record)], record_key(record)) for record in dropped)]


def compared(kept: KeptState, state: State, results: Sequence[str]) -> tuple[str, ...]:
    """In what a kept state differs from the state that replaying the log to the same size gives, in words."""
    head, wrong = kept.head, []
    last = state.commits[-1] if state.commits else None
    mine = (
        state.size,
        state.frontier.root(),
        state.now,
        state.authority.links,
        last and (last.size, last.log_time, last.map.root),
    )
    held = head.commit and (head.commit.size, head.commit.log_time, head.commit.root)
    if (head.size, head.root, head.now, head.links, held) != mine:
        wrong.append("it names another size, root, time, key change or committed state than the log gives")
    for name, differs in _COMPARED.items():
        try:
            if differs(kept, state, results):
                wrong.append(f"its {name} are not what the log gives")
        except WeidError as error:
            wrong.append(str(error))
    return tuple(wrong)


def _other_records(kept: KeptState, state: State, _: Sequence[str]) -> bool:
    tables = {**state.tables, "history": state.history, "closed": state.closed}
    for name in TABLES:
        decode, rows = _decoder(name), kept.rows[name]
        found = {key: decode(value) for key, value in replayed(rows.rows()).items()}
        one_by_one = all(KeptTable(rows, decode, dict).get(key) == record for key, record in tables[name].items())
        if list(found.items()) != list(tables[name].items()) or not one_by_one or rows.head.count != len(found):
            return True
    return False


def _other_seen(kept: KeptState, state: State, _results: Sequence[str]) -> bool:
    known = sorted((int.from_bytes(id[:8], "big"), place) for id, place in state.seen.items())
    return kept.rows["seen"].entries() != known


def _other_map(kept: KeptState, state: State, _: Sequence[str]) -> bool:
    held = kept.commit(_refuse)
    nothing = StateMap(hash=state.hash)
    # every page is read: one that is another raises
    return held is not None and (sum(1 for _ in changed(nothing, held.map)) == 0) is not (held.map.root == EMPTY)


def _refuse(_: Path) -> Node:
    raise DamagedError("the state map that was kept is damaged")


_COMPARED: Mapping[str, Callable[[KeptState, State, Sequence[str]], bool]] = {
    "records": _other_records, "operations": _other_seen, "map": _other_map,
    "results": lambda kept, _, results: kept.results() != list(results),
}  # fmt: skip
