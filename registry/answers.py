"""What a registry gives away of the state it has signed: bundles, updates of them, single records with their proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from registry.bundle import Bundle, print_bundle
from registry.checkpoint import parse_checkpoint
from registry.commit import Commit
from registry.delta import make_delta, state_of
from registry.engines.sqlite import SqliteEngine
from registry.genesis import Genesis, print_genesis
from registry.note import parse_note
from registry.published import Published
from registry.registers import newest_registers
from registry.snapshot import parse_snapshot
from registry.state_map import KINDS_IN_MAP, record_bytes
from registry.statement import parse_statement
from weid.errors import MalformedError, RegistryError

__all__ = ["bundle_of", "proven_record", "update_or_bundle"]


def bundle_of(store: SqliteEngine, genesis: Genesis, shown: Published, since: Iterable[int]) -> bytes:
    """The trust bundle of what is handed out now, with whole consistency paths from older sizes."""
    parsed, tree = parse_snapshot(shown.snapshot), store.tree
    size = parse_checkpoint(parse_note(shown.checkpoint).text).size
    (commit,) = store.read(parsed.size, 1)
    registers = tuple(newest_registers(parsed.records["register"], store.kept, hash=genesis.hash))
    histories = tuple((old, tree.history(old, size)) for old in sorted(set(since)) if 0 < old < size)
    return print_bundle(Bundle(
        print_genesis(genesis), shown.snapshot, shown.statement, shown.checkpoint, tree.consistency(parsed.size, size),
        commit.data, tree.inclusion(parsed.size, size), registers, histories, shown.links,
    ))  # fmt: skip


def update_or_bundle(whole: bytes, base: bytes | None, commits: Sequence[Commit]) -> bytes:
    """What changed since the state whose map root is `base`, if it is known here and smaller; else the whole bundle."""
    newest, known = state_of(whole).map, {commit.map.root: commit for commit in commits}
    if base is None or base not in known or newest not in known:
        return whole
    return min(make_delta(known[base].map, known[newest].map, known[base].log_time, whole), whole, key=len)


def proven_record(store: SqliteEngine, commits: Sequence[Commit], kind: str, key: str) -> tuple[bytes | None, bytes, bytes]:
    """(record or None, proof, statement note); MalformedError `unknown-kind`, RegistryError `no-state`."""
    if kind not in KINDS_IN_MAP:
        raise MalformedError(f"the state map has no {kind!r}", code="unknown-kind")
    note = store.kept("state", "statement")
    if note is None or not commits or parse_statement(parse_note(note).text).size != commits[-1].size:
        raise RegistryError("no state was committed yet", code="no-state")
    tree = commits[-1].map
    found = tree.get(kind, key)
    return None if found is None else record_bytes(found), tree.prove(kind, key), note
