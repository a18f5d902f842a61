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
from registry.operations import SignedOperation, read_entry
from registry.published import handed_out, read_log_note, with_cosignatures
from registry.receipt import Receipt
from registry.state import State, state_facts
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

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The inclusion path of an entry, in the log as it is or at a smaller size."""
        return self.engine.tree.inclusion(index, self.size if size is None else size)

    def consistency(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """The consistency path between two sizes."""
        return self.engine.tree.consistency(old, self.size if size is None else size)

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

    def _read(self, data: bytes) -> SignedOperation | Receipt:
        try:
            return read_entry(data, hash=self.genesis.hash)
        except MalformedError as error:
            return Receipt(None, "unknown-type" if error.code == "unknown-type" else "malformed", str(error))

    def _again(self, index: int) -> Receipt:
        """The answer to an operation that is on the log already: a rejected one stays rejected."""
        first = self.results[index]
        if first == "applied":
            return Receipt(index, "duplicate")
        return Receipt(index, first, "this operation was rejected before")

    def _check_checkpoint(self) -> None:
        checkpoint, tree = read_log_note(parse_note(self.checkpoint()), self.state.authority), self.engine.tree
        if checkpoint.size > tree.size or tree.root_at(checkpoint.size) != checkpoint.root:
            raise ConflictError("the stored checkpoint is of another history", code="wrong-checkpoint")

    def _id_of(self, index: int) -> bytes | None:
        entry = self._read(self.entry(index))
        return entry.id if isinstance(entry, SignedOperation) else None
