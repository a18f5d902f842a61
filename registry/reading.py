"""What can be asked of a log without its operator's keys: entries, proofs, records, the state as it is."""

from __future__ import annotations

from threading import RLock
from typing import Any

from registry.answers import proven_record
from registry.checkpoint import parse_checkpoint
from registry.engines.sqlite import SqliteEngine
from registry.genesis import Genesis
from registry.kept_table import Results
from registry.note import parse_note
from registry.operations import read_entry
from registry.published import handed_out, with_cosignatures
from registry.state import State, state_facts
from registry.tiles import TileTree
from weid import merkle
from weid.errors import ConflictError, MalformedError, RegistryError
from weid.facts import RecordFacts

__all__ = ["ReadableLog"]


class ReadableLog:
    """The reading half of a registry; `results` has the code of each entry."""

    def __init__(self, engine: SqliteEngine, genesis: Genesis) -> None:
        self.engine, self.genesis, self.pin = engine, genesis, genesis.digest
        self.state = State(genesis)
        self.results = Results()
        self._lock = RLock()
        self._facts: tuple[int, RecordFacts] | None = None

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.engine.tree.size

    def checkpoint(self) -> bytes:
        """The signed checkpoint note of the log as it is, with the cosignatures of exactly this one."""
        note = self.engine.kept("note", "checkpoint")
        if note is None:
            raise RegistryError("this log was never signed", code="no-checkpoint")
        return with_cosignatures(self.engine, self.state.authority, note)

    def twin(self) -> bytes:
        """Both roots of the log as it is, signed by the twin key (`registry.twin`); RegistryError `no-twin` for one tree."""
        note = self.engine.kept("note", "twin")
        if note is None:
            raise RegistryError("this log has one tree", code="no-twin")
        return note

    def entry(self, index: int) -> bytes:
        """The bytes of one entry; RegistryError `no-entry`, ConflictError `wrong-tree` for one that is not what was appended."""
        found = list(self.engine.read(index, 1)) if index >= 0 else []
        if not found or index >= self.size:
            raise RegistryError(f"the log has no entry {index}", code="no-entry")
        if merkle.leaf_hash(found[0].data, hash=self.genesis.hash) != self.engine.tree.leaf(index):
            # Opening does not read entries before the kept state: what changed there is noticed here, or by `audit.fsck`.
            raise ConflictError(f"entry {index} is not that of the stored tree", code="wrong-tree")
        return found[0].data

    def view(self, index: int) -> dict[str, Any]:
        """One entry as JSON, with its result."""
        data = self.entry(index)
        try:
            operation: dict[str, Any] | None = read_entry(data, hash=self.genesis.hash).operation.view()
        except MalformedError:
            operation = None
        leaf, result = self.engine.tree.leaf(index).hex(), self.results[index]
        return {"index": index, "leaf": leaf, "result": result, "operation": operation, "entry": data.hex()}

    def inclusion(self, index: int, size: int | None = None, *, twin: bool = False) -> tuple[bytes, ...]:
        """The inclusion path of an entry, in the log as it is or at a smaller size; in the second tree if asked."""
        return self._tree(twin).inclusion(index, self.size if size is None else size)

    def leaf(self, index: int, *, twin: bool = False) -> bytes:
        """The leaf hash of an entry."""
        return self._tree(twin).leaf(index)

    def consistency(self, old: int, size: int | None = None, *, twin: bool = False) -> tuple[bytes, ...]:
        """The consistency path between two sizes."""
        return self._tree(twin).consistency(old, self.size if size is None else size)

    def _tree(self, twin: bool) -> TileTree:
        found = self.engine.twin if twin else self.engine.tree
        if found is None:
            raise RegistryError("this log has one tree", code="no-twin")
        return found

    def proof_note(self, index: int) -> bytes:
        """The checkpoint that a proof of this entry leads to: where witnesses are asked for, one that they have cosigned.

        RegistryError `not-witnessed` if no quorum has cosigned a log with this entry yet.
        """
        if not self.state.authority.policy.needed:
            return self.checkpoint()
        note = handed_out(self.engine, self.state.authority, self.checkpoint()).checkpoint
        if parse_checkpoint(parse_note(note).text).size <= index:
            raise RegistryError(f"no quorum of witnesses has cosigned entry {index} yet", code="not-witnessed")
        return note

    def facts(self) -> RecordFacts:
        """The state as it is now, as Facts, for this node's own questions: nothing is signed about it."""
        with self._lock:
            if self._facts is not None and self._facts[0] == self.state.size:
                return self._facts[1]
            facts = state_facts(self.state, self.engine.tree.root)
            self._facts = (self.state.size, facts)
            return facts

    def proven(self, kind: str, key: str) -> tuple[bytes | None, bytes, bytes]:
        """(record or None, proof, statement note): what the newest signed state says of a key.

        MalformedError `unknown-kind`; RegistryError `no-state` before the first commit.
        """
        with self._lock:
            return proven_record(self.engine, self.state.commits, kind, key)

    def record(self, kind: str, key: str) -> Any | None:
        """One record of the state as it is now, or None."""
        return self.state.tables.get(kind, {}).get(key)

    def register(self, list_id: str) -> tuple[bytes, int, bytes | None]:
        """(operation, size, packed leaves or None where none were handed in) of a list's newest publication.

        RegistryError `no-entry` for a list that was never published.
        """
        with self._lock:
            history = self.state.history.get(list_id)
            if not history:
                raise RegistryError(f"no status list {list_id[:120]}", code="no-entry")
            newest = history[-1]
            return newest.op, newest.size, self.engine.kept("register", f"{list_id}|{newest.size}") if newest.size else b""
