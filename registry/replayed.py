"""A log as its file has it: every stored entry applied, compared with what was signed, and kept up beside other processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from registry.batch import Verified
from registry.checkpoint import Checkpoint
from registry.engines.follow import Follower
from registry.engines.sqlite import SqliteEngine
from registry.genesis import Genesis
from registry.kept_table import Results
from registry.note import parse_note, print_note
from registry.operations import SignedOperation, read_entry
from registry.published import read_log_note
from registry.reading import ReadableLog
from registry.receipt import Receipt
from registry.signer import OperatorKeys
from registry.state import Duplicate, Rejected, Result, State
from registry.tiles import TileTree
from registry.twin import Twin, read_twin_note
from weid.errors import ConflictError, MalformedError

__all__ = ["ReplayedLog"]

_PAGE = 1_000


class ReplayedLog(ReadableLog):
    """The state of a log file, brought up to whatever a process has appended to it, and signed again."""

    def __init__(self, engine: SqliteEngine, genesis: Genesis, keys: OperatorKeys | None, order: Follower | None) -> None:
        super().__init__(engine, genesis)
        self._keys, self.order = keys, order
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="verify")
        self._taken: dict[int, Receipt] = {}
        self._checked = True  # False while what others wrote is not known to be a continuation

    def catch_up(self) -> None:
        """Take in what another process has written to this file; cheap when there is nothing.

        ConflictError if it is not a continuation; RollbackError or KeyMaterialError `wrong-key` where nothing can be signed.
        """
        if self._is_current():
            return
        with self._lock if self._keys is None else self._exclusive():
            if self._keys is None:
                self._take_in()

    def check_keys(self) -> None:
        """KeyMaterialError `wrong-key` where the keys in force are not those held here: nothing can then be signed."""
        with self._lock:
            if self._keys is not None:
                self._keys.follow(self.state.authority)

    @contextmanager
    def _exclusive(self) -> Iterator[bool]:
        """No other thread or process writes in the block, and nothing of theirs is missing: whether something had been."""
        with self._lock, self.engine.alone() as begun:
            before = self.state.size
            if begun:
                if self._keys is not None:
                    self._keys.reload()
                if not self._is_current():
                    self._take_in()
                    self._publish()
                self.check_keys()  # before anything is appended that could not be signed
            yield self.state.size != before

    def _is_current(self) -> bool:
        """Whether the state is whole, and of the file as it is now."""
        return self._checked and not self.state.torn and not self.engine.behind()

    def _take_in(self) -> None:
        """Apply the stored entries that the state lacks, then compare with the stored tree, the checkpoint and the mark."""
        self._checked = False
        if self.state.torn:
            self.state, self.results = State(self.genesis), Results()
        if self.engine.behind():
            self.engine.reload()
        page: list[bytes] = []
        for entry in self.engine.read(self.state.size, self.size - self.state.size):
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
            self._keys.follow(self.state.authority)
            self._keys.check(tree.size, tree.root_at)
        self._checked = True

    def _replay_page(self, page: list[bytes]) -> list[Receipt]:
        read = [self._read(data) for data in page]
        known = [entry for entry in read if isinstance(entry, SignedOperation)]
        verify, first = Verified(self.state, known).work(self._threads), self.state.size
        receipts = [
            self._apply(entry, verify) if isinstance(entry, SignedOperation) else self._receipt(self.state.apply(data))
            for data, entry in zip(page, read, strict=True)
        ]
        if self.order is not None:
            self._taken.update(enumerate(receipts, first))
        return receipts

    def _check_checkpoint(self) -> None:
        checkpoint, tree = read_log_note(parse_note(self.checkpoint()), self.state.authority), self.engine.tree
        if checkpoint.size > tree.size and self.engine.behind():  # another process went on while this one was reading
            return self._take_in()
        if checkpoint.size > tree.size or tree.root_at(checkpoint.size) != checkpoint.root:
            raise ConflictError("the stored checkpoint is of another history", code="wrong-checkpoint")
        if self.engine.twin is not None:
            self._check_twin(self.engine.twin)

    def _check_twin(self, tree: TileTree) -> None:
        """The stored roots of both trees are of this log; a lost note is signed again with the next checkpoint."""
        note = self.engine.kept("note", "twin")
        if note is None:
            return
        twin = read_twin_note(parse_note(note), self.state.authority)
        beyond = twin.size > tree.size
        if beyond or (self.engine.tree.root_at(twin.size), tree.root_at(twin.size)) != (twin.root, twin.second):
            raise ConflictError("the stored roots of two trees are of another history", code="wrong-checkpoint")

    def _read(self, data: bytes) -> SignedOperation | Receipt:
        try:
            return read_entry(data, hash=self.genesis.hash)
        except MalformedError as error:
            return Receipt(None, "unknown-type" if error.code == "unknown-type" else "malformed", str(error))

    def _id_of(self, index: int) -> bytes | None:
        entry = self._read(self.entry(index))
        return entry.id if isinstance(entry, SignedOperation) else None

    def _apply(self, entry: SignedOperation, verify: Verified) -> Receipt:
        return self._receipt(self.state.apply_entry(entry, verify))

    def _receipt(self, result: Result) -> Receipt:
        """Write down what the entry just applied gave."""
        index = len(self.results)
        self.results.append(result.code)
        if isinstance(result, Duplicate):
            return self._again(result.index)
        return Receipt(index, result.code, result.detail if isinstance(result, Rejected) else "")

    def _again(self, index: int) -> Receipt:
        """The answer to an operation that is on the log already: a rejected one stays rejected."""
        first = self.results[index]
        if first == "applied":
            return Receipt(index, "duplicate")
        return Receipt(index, first, "this operation was rejected before")

    def _publish(self) -> None:
        if self._keys is not None:
            if self.order is not None:
                self.order.check()
            self._keys.follow(self.state.authority)
            tree = self.engine.tree
            checkpoint = Checkpoint(self.genesis.origin, tree.size, tree.root)
            notes = {"checkpoint": print_note(self._keys.sign_checkpoint(checkpoint, tree.root_at))}
            if self.engine.twin is not None:
                both = Twin(self.genesis.origin, tree.size, tree.root, self.engine.twin.root)
                notes["twin"] = print_note(self._keys.sign_twin(both))
            for name, note in notes.items():
                # A lost one is signed again on open.
                (self.engine.keep if tree.size == 0 else self.engine.stage)("note", name, note)
