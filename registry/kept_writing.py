"""What is written when a state is kept: of every table the rows that have changed, or all of them the first time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from registry.kept import CHUNK, TABLES, Head, commit_head, encoder, python
from registry.kept_rows import Get, Parts, Row, TableHead, added_index, added_rows
from registry.kept_table import Results
from registry.map_pages import page_names, pages_of
from registry.state import State
from weid.hashes import Hash

__all__ = ["Written", "written"]


@dataclass(frozen=True, slots=True)
class Written:
    """A head and the parts that come with it; `pages` are those of its map, `left` those of the one before alone."""

    head: Head
    parts: Parts
    pages: frozenset[bytes]
    left: frozenset[bytes]


def written(
    state: State, results: Results, before: Head | None, get: Get, *, code: bytes, pages: frozenset[bytes] = frozenset()
) -> Written:
    """What to write after `before` was written, whose map has these `pages`; without it everything.

    DamagedError where an index that is to be merged is not as it was written. The state goes on to be the one that was kept
    when its `changed` is emptied; that is for the caller, who knows whether the parts were written.
    """
    hash, parts = state.hash, Parts()
    commit, marked = commit_head(state), {}
    fresh_map = commit is not None and (before is None or commit != before.commit)
    tables = {head.name: head for head in before.tables} if before else {}
    for name in (*TABLES, "seen"):
        head = tables.get(name) or TableHead(name, 0, 0)
        # A map that is new was made of what had changed when it was committed: part of these rows, or none.
        start = replace(head, fresh=head.blocks) if fresh_map else head
        made, added = _table(state, start, before is None, get, hash)
        parts |= added
        marked[name] = made
    known = pages
    if fresh_map:
        top, added_pages = pages_of(state.commits[-1].map, pages)
        known = page_names(top)
        parts |= {"top": top, **{f"page/{name.hex()}": data for name, data in added_pages.items()}}
    digests, chunks = _results(results, before, hash)
    root = state.frontier.root()
    made_head = Head(
        code, python(), state.digest, state.size, root, state.now, state.authority.links, tuple(marked.values()),
        tuple(results.names), digests, commit,
    )  # fmt: skip
    return Written(made_head, {**parts, **chunks}, known, pages - known)


def _table(state: State, head: TableHead, whole: bool, get: Get, hash: Hash) -> tuple[TableHead, Parts]:
    name = head.name
    if name == "seen":
        ids: Iterable[bytes] = state.seen if whole else _changed(state, name)
        made, parts = added_index(head, ((id[:8], state.seen[id]) for id in ids), get, hash=hash)
        return replace(made, count=len(state.seen)), parts
    tables: Mapping[str, Mapping[str, Any]] = {**state.tables, "history": state.history, "closed": state.closed}
    table, parts = tables[name], Parts()
    marks = [dict.fromkeys(table, False), _uncommitted(state, name)] if whole else [_changed(state, name)]
    for keys in marks:
        if keys is None:
            continue
        if keys is marks[-1] and whole:
            head = replace(head, fresh=head.blocks)
        held = ((key, anew, table.get(key)) for key, anew in keys.items())
        head, added = added_rows(head, _rows(name, held), get, hash=hash)
        parts |= added
    return replace(head, count=len(table)), parts


def _rows(name: str, held: Iterable[tuple[str, bool, Any]]) -> list[Row]:
    encode = encoder(name)
    return [(key, anew, None if record is None else encode(record)) for key, anew, record in held]


def _uncommitted(state: State, name: str) -> dict[str, bool] | None:
    """The keys that differ from the committed map, to stand once more behind all others; None: all of them may."""
    keys = state.uncommitted()
    return None if keys is None else {key: key not in state.tables[kind] for kind, key in keys if kind == name}


def _changed(state: State, name: str) -> Mapping[Any, bool]:
    return (state.changed or {}).get(name, {})


def _results(results: Results, before: Head | None, hash: Hash) -> tuple[tuple[bytes, ...], Parts]:
    """(digests of all chunks, those that have grown)."""
    kept = before.results if before else ()
    whole = before.size // CHUNK if before else 0
    chunks = {
        number: bytes(results.data[number * CHUNK : (number + 1) * CHUNK]) for number in range(whole, -(-len(results) // CHUNK))
    }
    digests = (*kept[:whole], *(hash(data) for data in chunks.values()))
    return digests, {f"results/{number}": data for number, data in chunks.items()}
