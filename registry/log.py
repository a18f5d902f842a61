"""`Registry`: one log with its state, proofs, checkpoints and bundles. The only stateful class of this room.

Order of an append: verify → engine (durable) → state → checkpoint. A crash after the engine has the entries
is repaired by replay on open. Without operator keys a registry can be read, replayed and checked, not signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from registry.batch import Verified
from registry.bundle import Bundle, print_bundle
from registry.checkpoint import Checkpoint, parse_checkpoint
from registry.engines import Placed
from registry.engines.sqlite import SqliteEngine, genesis_of
from registry.genesis import Genesis, parse_genesis, print_genesis
from registry.note import NoteKey, parse_note, print_note, verify_note
from registry.operations import Author, SignedOperation, read_entry, state_commit, time_tick
from registry.registers import pack_leaves, register_root, unpack_leaves
from registry.signer import OperatorKeys
from registry.snapshot import parse_snapshot, print_snapshot
from registry.state import Duplicate, Rejected, State
from registry.state_map import KINDS_IN_MAP, record_bytes
from registry.statement import parse_statement, statement_digest
from weid.errors import ConflictError, MalformedError, RegistryError, RejectedError
from weid.facts import RecordFacts, Source
from weid.records import RegisterLeaf, RootRecord
from weid.suites import Random

__all__ = ["Receipt", "Registry"]

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one entry: its index (None: never reached the log) and `applied`, `duplicate` or a code."""

    index: int | None
    code: str
    detail: str = ""

    @property
    def applied(self) -> bool:
        """Whether it took effect now or before."""
        return self.code in ("applied", "duplicate")

    def require(self) -> Receipt:
        """This receipt, or RejectedError with its code."""
        if not self.applied:
            raise RejectedError(self.detail or self.code, code=self.code)
        return self


class Registry:
    """A registry in one SQLite file; safe to call from several threads of one process."""

    def __init__(self, engine: SqliteEngine, genesis: Genesis, keys: OperatorKeys | None, random: Random) -> None:
        self.engine, self.genesis, self.pin = engine, genesis, genesis.digest
        self._keys, self._random, self._lock = keys, random, RLock()
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="verify")
        self.state = State(genesis)
        self.results: list[str] = []
        self._facts: tuple[int, RecordFacts] | None = None

    @classmethod
    def create(cls, path: Path, genesis: bytes, keys: OperatorKeys, *, random: Random) -> Registry:
        """A new registry: database, high-water mark, first checkpoint. ConflictError if there is one."""
        parsed = parse_genesis(genesis)
        if path.exists():
            raise ConflictError(f"{path.name} exists already", code="already-exists")
        keys.begin()
        registry = cls(SqliteEngine.create(path, genesis, hash=parsed.hash), parsed, keys, random)
        registry._publish()
        return registry

    @classmethod
    def open(
        cls, path: Path, *, random: Random, keys: Callable[[Genesis], OperatorKeys] | OperatorKeys | None = None
    ) -> Registry:
        """An existing registry, replayed from its first entry.

        ConflictError if the stored tree or checkpoint disagree with the entries (run `registry.audit.fsck`);
        RollbackError if the operator's keys have signed more than this file holds.
        """
        genesis = parse_genesis(genesis_of(path))
        held = keys(genesis) if callable(keys) else keys
        registry = cls(SqliteEngine.open(path, hash=genesis.hash), genesis, held, random)
        try:
            registry._replay()
        except RegistryError:
            registry.close()
            raise
        return registry

    def close(self) -> None:
        """Close the file and the thread."""
        self._threads.shutdown()
        self.engine.close()

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.engine.tree.size

    @property
    def high_water(self) -> int | None:
        """The largest log the operator's keys have signed; None without them."""
        return None if self._keys is None else self._keys.mark.size

    def submit(self, entries: Sequence[bytes]) -> list[Receipt]:
        """Append signed operations durably and say what each of them did.

        Entries that nobody answerable stands behind (`rejections.UNAUTHENTIC`) are refused before the log, a
        known operation is answered `duplicate`, or with the code it was rejected with. Every other entry
        becomes a leaf, applied or rejected.
        """
        with self._lock:
            read = [self._read(data) for data in entries]
            known = [entry for entry in read if isinstance(entry, SignedOperation)]
            verify = Verified(self.state, known, self._threads)
            answers = [self._refusal(entry, verify) for entry in read]
            admitted = [
                entry for entry, answer in zip(read, answers, strict=True)
                if answer is None and isinstance(entry, SignedOperation)
            ]  # fmt: skip
            placed = iter(self._append(admitted, verify))
            return [next(placed) if answer is None else answer for answer in answers]

    def tick(self, minute: int) -> Receipt:
        """Bring log time up to a minute; nothing happens if it is there already."""
        with self._lock:
            if minute == self.state.now and self.size:
                return Receipt(None, "applied")
            return self.submit([time_tick(self._author(), minute).data])[0]

    def commit(self) -> Receipt:
        """Sign the state statement for the log as it is, put its digest on the log, keep it for bundles."""
        with self._lock:
            keys = self._held()
            data = print_snapshot(self.state.snapshot())
            statement = self.state.statement(data)
            note = print_note(keys.sign_statement(statement))
            digest = statement_digest(statement, hash=self.genesis.hash)
            receipt = self.submit([state_commit(self._author(), statement.size, digest).data])[0]
            if receipt.code == "applied":
                self.engine.keep("state", "snapshot", data)
                self.engine.keep("state", "statement", note)
            return receipt

    def commit_if_stale(self) -> Receipt | None:
        """Commit, unless the log has not grown since the last commit; None then."""
        with self._lock:
            kept = self.engine.kept("state", "statement")
            if kept is not None and parse_statement(parse_note(kept).text).size + 1 == self.size:
                return None
            return self.commit()

    def checkpoint(self) -> bytes:
        """The signed checkpoint note of the log as it is."""
        note = self.engine.kept("note", "checkpoint")
        if note is None:
            raise RegistryError("this log was never signed", code="no-checkpoint")
        return note

    def entry(self, index: int) -> bytes:
        """The bytes of one entry; RegistryError `no-entry`."""
        found = list(self.engine.read(index, 1)) if index >= 0 else []
        if not found:
            raise RegistryError(f"the log has no entry {index}", code="no-entry")
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

    def put_register(self, list_id: str, leaves: Sequence[RegisterLeaf]) -> None:
        """Keep the leaves of an issuance register; RejectedError unless they are one that was published (R8)."""
        sizes = {entry.size for entry in self.state.history.get(list_id, ())}
        # Anybody may post: a million leaves are hashed only if that many were published, and never under the lock.
        root = register_root(list_id, leaves, hash=self.genesis.hash) if len(leaves) in sizes else None
        with self._lock:
            history = self.state.history.get(list_id, ())
            if not any((entry.size, entry.root) == (len(leaves), root) for entry in history):
                raise RejectedError(f"no register of {list_id} with this root was published", code="wrong-digest")
            self.engine.keep("register", f"{list_id}|{len(leaves)}", pack_leaves(leaves))

    def bundle(self, *, since: Iterable[int] = ()) -> bytes:
        """The trust bundle of the last committed state; `since` adds consistency paths from older sizes."""
        with self._lock:
            snapshot, statement = self.engine.kept("state", "snapshot"), self.engine.kept("state", "statement")
            if snapshot is None or statement is None:
                raise RegistryError("no state was committed yet", code="no-state")
            parsed, tree = parse_snapshot(snapshot), self.engine.tree
            checkpoint = self.checkpoint()
            size = parse_checkpoint(parse_note(checkpoint).text).size
            registers = tuple(self._registers(parsed.records["register"]))
            histories = tuple((old, self._history(old, size)) for old in sorted(set(since)) if 0 < old < size)
            return print_bundle(Bundle(
                print_genesis(self.genesis), snapshot, statement, checkpoint, tree.consistency(parsed.size, size),
                self.entry(parsed.size), tree.inclusion(parsed.size, size), registers, histories,
            ))  # fmt: skip

    def _history(self, old: int, size: int) -> tuple[bytes, ...]:
        """The whole path between two sizes (`merkle.older_root`)."""
        tree = self.engine.tree
        path = tree.consistency(old, size)
        return path if old & (old - 1) else (tree.root_at(old), *path)

    def facts(self) -> RecordFacts:
        """The state as it is now, as Facts, for this node's own questions: nothing is signed about it."""
        with self._lock:
            if self._facts is not None and self._facts[0] == self.state.size:
                return self._facts[1]
            snapshot = self.state.snapshot()
            origin, size, now = self.genesis.origin, self.size, self.state.now
            root = RootRecord(origin, self.pin, self.genesis.chain, self.genesis.profile, size, self.engine.tree.root, now)
            records = [record for kind in snapshot.records.values() for record in kind]
            source = Source(origin, self.pin, origin, size, now)
            complete = {**snapshot.complete, "address": True, "register": False}
            facts = RecordFacts(records, source=source, complete=complete, root=root)
            self._facts = (self.state.size, facts)
            return facts

    def proven(self, kind: str, key: str) -> tuple[bytes | None, bytes, bytes]:
        """(record or None, proof, statement note): what the newest signed state says of a key.

        MalformedError `unknown-kind`; RegistryError `no-state` before the first commit.
        """
        if kind not in KINDS_IN_MAP:
            raise MalformedError(f"the state map has no {kind!r}", code="unknown-kind")
        with self._lock:
            note, committed = self.engine.kept("state", "statement"), self.state.committed
            if note is None or committed is None or parse_statement(parse_note(note).text).size != committed[0]:
                raise RegistryError("no state was committed yet", code="no-state")
        found = committed[1].get(kind, key)
        return None if found is None else record_bytes(found), committed[1].prove(kind, key), note

    def record(self, kind: str, key: str) -> Any | None:
        """One record of the state as it is now, or None."""
        return self.state.tables.get(kind, {}).get(key)

    def _read(self, data: bytes) -> SignedOperation | Receipt:
        try:
            return read_entry(data, hash=self.genesis.hash)
        except MalformedError as error:
            return Receipt(None, "unknown-type" if error.code == "unknown-type" else "malformed", str(error))

    def _refusal(self, entry: SignedOperation | Receipt, verify: Verified) -> Receipt | None:
        """Why an entry does not reach the log, or None if it does."""
        if isinstance(entry, Receipt):
            return entry
        try:
            self.state.authenticate(entry, verify)
        except RejectedError as error:
            if not self._new_key_signed(entry, error.code, verify):
                return Receipt(None, error.code, str(error))
        first = self.state.seen.get(entry.id)
        return None if first is None else self._again(first)

    def _again(self, index: int) -> Receipt:
        """The answer to an operation that is on the log already: a rejected one stays rejected."""
        first = self.results[index]
        if first == "applied":
            return Receipt(index, "duplicate")
        return Receipt(index, first, "this operation was rejected before")

    def _new_key_signed(self, entry: SignedOperation, code: str, verify: Verified) -> bool:
        """Whether a key that an earlier entry of the same batch registers has signed this one."""
        key = verify.keys.get(entry.operation.kid)
        if key is None or code not in ("not-registered", "unknown-key") or entry.operation.alg != key.suite:
            return False
        return verify(key, "weid/op/v1", entry.signed, entry.signature)

    def _append(self, entries: Sequence[SignedOperation], verify: Verified) -> list[Receipt]:
        if not entries:
            return []
        expect = self.state.size
        placed = self.engine.wait(self.engine.append([entry.data for entry in entries], expect=expect), 30.0)
        if not isinstance(placed, Placed) or placed.first != expect:
            raise ConflictError("another writer appended to this log: open it again", code="other-writer")
        receipts = [self._apply(entry, verify) for entry in entries]
        self._publish()
        return receipts

    def _apply(self, entry: SignedOperation, verify: Verified) -> Receipt:
        index = self.state.size
        result = self.state.apply_entry(entry, verify)
        self.results.append(result.code)
        if isinstance(result, Duplicate):
            return self._again(result.index)
        return Receipt(index, result.code, result.detail if isinstance(result, Rejected) else "")

    def _publish(self) -> None:
        if self._keys is not None:
            tree = self.engine.tree
            checkpoint = Checkpoint(self.genesis.origin, tree.size, tree.root)
            note = print_note(self._keys.sign_checkpoint(checkpoint, tree.root_at))
            if tree.size == 0:
                self.engine.keep("note", "checkpoint", note)
            else:
                self.engine.stage("note", "checkpoint", note)  # a lost one is signed again on open

    def _registers(self, records: Iterable[Any]) -> Iterable[tuple[str, bytes]]:
        for record in records:
            for mark in reversed(record.marks):
                data = self.engine.kept("register", f"{record.list_id}|{mark.size}") if mark.size else None
                if data is not None and register_root(record.list_id, unpack_leaves(data), hash=self.genesis.hash) == mark.root:
                    yield record.list_id, data
                    break

    def _replay(self) -> None:
        """Apply every stored entry, then compare with the stored tree, the checkpoint and the mark."""
        page: list[bytes] = []
        for entry in self.engine.read(0, self.size):
            page.append(entry.data)
            if len(page) == _PAGE:
                self._replay_page(page)
                page = []
        self._replay_page(page)
        tree = self.engine.tree
        if (self.state.size, self.state.frontier.root()) != (tree.size, tree.root):
            raise ConflictError("the entries are not those of the stored tree", code="wrong-tree")
        self._check_checkpoint()
        if self._keys is not None:
            self._keys.check(tree.size, tree.root_at)
            self._publish()

    def _replay_page(self, page: list[bytes]) -> None:
        read = [self._read(data) for data in page]
        known = [entry for entry in read if isinstance(entry, SignedOperation)]
        verify = Verified(self.state, known, self._threads)
        for data, entry in zip(page, read, strict=True):
            if isinstance(entry, SignedOperation):
                result = self.state.apply_entry(entry, verify)
            else:
                result = self.state.apply(data)
            self.results.append(result.code)

    def _check_checkpoint(self) -> None:
        note = parse_note(self.checkpoint())
        verify_note(note, NoteKey(self.genesis.origin, self.genesis.log), "log")
        checkpoint, tree = parse_checkpoint(note.text), self.engine.tree
        if checkpoint.size > tree.size or tree.root_at(checkpoint.size) != checkpoint.root:
            raise ConflictError("the stored checkpoint is of another history", code="wrong-checkpoint")

    def _author(self) -> Author:
        return Author.of(self.genesis, self._held().operator, self._random)

    def _held(self) -> OperatorKeys:
        if self._keys is None:
            raise RegistryError("this registry was opened without the operator's keys", code="no-keys")
        return self._keys
