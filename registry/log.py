"""`Registry`: one log with its state, proofs, checkpoints and bundles. The only stateful class of this room.

Order of an append: verify → engine (final) → local file → state → checkpoint. A crash after the engine has the
entries is repaired by replay on open. By default the local file is the engine itself, and both are one transaction.
Without operator keys a registry can be read, replayed and checked, not signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from typing import TypeAlias

from registry.answers import bundle_of, update_or_bundle
from registry.authority import Link
from registry.batch import Verified
from registry.engines import GapError, LogEngine, Placed
from registry.engines.follow import Follower
from registry.engines.shared import Shared
from registry.engines.sqlite import SqliteEngine, genesis_of
from registry.genesis import Genesis, parse_genesis
from registry.keeping import Keeper
from registry.kept_table import Results
from registry.note import parse_note, print_note
from registry.operations import Author, SignedOperation, state_commit, time_tick
from registry.published import committed_state, handed_out, keep_cosigned
from registry.receipt import Receipt
from registry.registers import pack_leaves, register_root
from registry.replayed import ReplayedLog
from registry.signer import OperatorKeys
from registry.snapshot import print_snapshot
from registry.state import State
from registry.statement import parse_statement, statement_digest
from weid.errors import ConflictError, KeyMaterialError, RegistryError, RejectedError, SignatureError, WeidError
from weid.keys import PublicKey, Signer
from weid.records import RegisterLeaf
from weid.suites import Random

__all__ = ["Engine", "Receipt", "Registry"]

Engine: TypeAlias = Callable[[SqliteEngine], LogEngine]
_KEEP = 10_000  # entries after which the state is kept anew: so many are replayed at most after a crash
_LEAST = 100  # so many are replayed sooner than they are worth a keeping when a process ends


class Registry(ReplayedLog):
    """A registry in one SQLite file; safe to call from several threads, and beside other processes on the same file.

    Whoever writes takes in first what others wrote (`catch_up`). `engine` is that file. With `order` another engine gives
    the order, and the file follows it; appends then take as long as the engine needs to make them final, while reads go on.
    """

    def __init__(
        self, engine: SqliteEngine, genesis: Genesis, keys: OperatorKeys | None, random: Random, order: Follower | None = None
    ) -> None:
        super().__init__(engine, genesis, keys, order)
        self._random, self._writing = random, RLock()
        self._shared: Shared[Receipt] = Shared()
        self._keeper: Keeper | None = None

    @classmethod
    def create(cls, path: Path, genesis: bytes, keys: OperatorKeys, *, random: Random) -> Registry:
        """A new registry: database, high-water mark, first checkpoint. ConflictError if there is one."""
        parsed = parse_genesis(genesis)
        if path.exists():
            raise ConflictError(f"{path.name} exists already", code="already-exists")
        keys.begin()
        registry = cls(SqliteEngine.create(path, genesis, hash=parsed.hash, second=parsed.second), parsed, keys, random)
        registry._publish()
        registry._keeper = Keeper(path, write=True)
        return registry

    @classmethod
    def open(
        cls, path: Path, *, random: Random, keys: Callable[[Genesis], OperatorKeys] | OperatorKeys | None = None,
        engine: Engine | None = None, kept: bool = True,
    ) -> Registry:  # fmt: skip
        """An existing registry, replayed from where its state was kept (`registry.kept`), else from its first entry.

        `engine` makes the one that gives its order. It is asked with the first write or `follow`, not here: what the file
        holds can be read without it. `kept` False: every entry is replayed, whatever lies beside the log.
        ConflictError if the stored tree or checkpoint disagree with the entries (run `registry.audit.fsck`);
        RollbackError if the operator's keys have signed more than this file holds.
        """
        genesis = parse_genesis(genesis_of(path))
        held = keys(genesis) if callable(keys) else keys
        keeper = Keeper(path, write=held is not None) if kept else None
        store = SqliteEngine.open(path, hash=genesis.hash, second=genesis.second)
        order = None if engine is None else Follower(engine(store), store, path.with_name(path.name + ".contradiction"))
        registry = cls(store, genesis, held, random, order)
        try:
            registry._take_up(keeper)
        except WeidError:
            registry.close()
            if keeper is not None:
                keeper.close()
            raise
        registry._keeper = keeper
        registry._keep(_KEEP)
        return registry

    def close(self) -> None:
        """Keep the state if it has grown, close the files and the thread."""
        with self._lock:
            self._keep(_LEAST)
        if self._keeper is not None:
            self._keeper.close()
        self._threads.shutdown()
        self.engine.close()

    @property
    def high_water(self) -> int | None:
        """The largest log the operator's keys have signed; None without them."""
        return None if self._keys is None else self._keys.mark.size

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes to this log in the block, and what others wrote before is taken in.

        ConflictError `other-writer` where another process has it open to write, and so may go on when the block has ended.
        """
        if self._keeper is not None and not self._keeper.writes:
            raise ConflictError("another process has this registry open: stop it first", code="other-writer")
        with self._writing, self._exclusive():
            yield

    def submit(self, entries: Sequence[bytes]) -> list[Receipt]:
        """Append signed operations durably and say what each of them did.

        Entries that nobody answerable stands behind (`rejections.UNAUTHENTIC`) are refused before the log, a
        known operation is answered `duplicate`, or with the code it was rejected with. Every other entry
        becomes a leaf, applied or rejected. RegistryError `pending`: not final in time, submit the same again.
        """
        if self.order is None:
            return self._submit(entries)
        self.order.check_sizes(entries)
        return self._shared.submit(entries, self._writing, self._followed)

    def follow(self) -> int:
        """Bring in what the engine has made final since, and what another process has written: how many entries."""
        with self._writing:
            before = self.size
            self.catch_up()
            self._taken.clear()
            if self.order is not None:
                self.order.catch_up(self._pull)
            return self.size - before

    def tick(self, minute: int) -> Receipt:
        """Bring log time up to a minute; nothing happens if it is there already."""
        with self._writing, self._whole():
            self.follow()
            if minute == self.state.now and self.size:
                return Receipt(None, "applied")
            return self._submit([time_tick(self._author(), minute).data])[0]

    def commit(self) -> Receipt:
        """Sign the state statement for the log as it is, put its digest on the log, keep it for bundles."""
        with self._writing:
            while True:
                self.follow()
                # Here no stranger's operation may come in between, or a steady stream of them would leave every statement
                # stale. Another engine gives its own order: there the append is compared, and made again.
                with self._whole():
                    receipt = self._commit()
                if receipt.code != "moved":
                    return receipt

    def _commit(self) -> Receipt:
        with self._lock:
            data = print_snapshot(self.state.snapshot())
            statement = self.state.statement(data)
            note = print_note(self._held().sign_statement(statement))
        digest = statement_digest(statement, hash=self.genesis.hash)
        receipt = self._submit([state_commit(self._author(), statement.size, digest).data], exact=True)[0]
        if receipt.code == "applied":
            self.engine.keep("state", "snapshot", data)
            self.engine.keep("state", "statement", note)
        return receipt

    def commit_if_stale(self) -> Receipt | None:
        """Commit, unless the log has not grown since the last commit; None then."""
        with self._writing:
            self.follow()
            kept = self.engine.kept("state", "statement")
            if kept is not None and parse_statement(parse_note(kept).text).size + 1 == self.size:
                return None
            return self.commit()

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

    def bundle(self, *, since: Iterable[int] = (), base: bytes | None = None) -> bytes:
        """The trust bundle of the last committed state; `since` adds consistency paths from older sizes.

        With `base`, the map root of a recent state, only what changed since then (`registry.delta`), if this node still
        knows that state and the answer is smaller; else the whole bundle.
        """
        if self._keys is not None and handed_out(self.engine, self.state.authority, self.checkpoint()).stale:
            self.commit()  # a key has changed since; never under the lock, which whoever commits takes last
        with self._lock:
            shown = handed_out(self.engine, self.state.authority, self.checkpoint())
            return update_or_bundle(bundle_of(self.engine, self.genesis, shown, since), base, self.state.commits)

    def committed(self) -> tuple[bytes, bytes] | None:
        """(snapshot, statement note) as committed last, for whoever asks witnesses about a log that goes on meanwhile."""
        with self._lock:
            return committed_state(self.engine)

    def publish_cosigned(self, note: bytes, state: tuple[bytes, bytes] | None = None) -> None:
        """Hand out bundles with this checkpoint, which a quorum of witnesses cosigned (`witness.client`), from here on.

        `state` is what was committed when they were asked [what is committed now].
        """
        with self._lock:
            keep_cosigned(self.engine, self.state.authority, note, state)

    def change_key(self, what: str, fresh: Signer) -> Link:
        """The link for a `key.change`: signed by the key in force and the fresh one, which is held from here on (R21)."""
        with self._lock:
            return self._held().change(self.state.authority, what, fresh)

    def replicate(
        self, entries: Sequence[bytes], notes: Mapping[str, bytes], state: Mapping[str, bytes], check: Callable[[], None]
    ) -> None:
        """Take over entries of this log as another node has them, with its notes and state, in one transaction.

        `check` raises if what they lead to is not what was signed; this registry must then be opened again.
        """
        with self._exclusive() as moved:
            if moved:
                raise ConflictError("another process has brought this copy further: again", code="other-writer")
            before = self.size
            self._replay_page(list(entries))
            check()
            for kind, parts in (("note", notes), ("state", state)):
                for key, data in parts.items():
                    (self.engine.stage if entries else self.engine.keep)(kind, key, data)
            try:
                if entries and self.engine.append(entries, expect=before).first != before:
                    raise ConflictError("another writer appended to this log: open it again", code="other-writer")
            except RegistryError:
                self.engine.unstage()
                raise

    def _whole(self) -> AbstractContextManager[object]:
        """Around several appends that nobody comes between; another engine gives its own order."""
        return self._exclusive() if self.order is None else nullcontext()

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

    def _new_key_signed(self, entry: SignedOperation, code: str, verify: Verified) -> bool:
        """Whether a key that an earlier entry of the same batch registers has signed this one."""
        key = verify.keys.get(entry.operation.kid)
        if key is None or code not in ("not-registered", "unknown-key") or entry.operation.alg != key.suite:
            return False
        return verify(key, "weid/op/v1", entry.signed, entry.signature)

    def _followed(self, entries: Sequence[bytes]) -> list[Receipt]:
        self.follow()
        return self._submit(entries)

    def _submit(self, entries: Sequence[bytes], *, exact: bool = False) -> list[Receipt]:
        read = [self._read(data) for data in entries]
        known = [entry for entry in read if isinstance(entry, SignedOperation)]
        with self._lock:
            verify = Verified(self.state, known)
        verify.work(self._threads)  # most of the work, outside the lock: it goes on while another batch is being stored
        with self._exclusive():
            answers = [self._refusal(entry, verify) for entry in read]
            admitted = [
                entry for entry, answer in zip(read, answers, strict=True)
                if answer is None and isinstance(entry, SignedOperation)
            ]  # fmt: skip
            if self.order is None:
                placed = iter(self._append(admitted, verify))
        if self.order is not None:
            placed = iter(self._order([entry.data for entry in admitted], self.order, exact))
        return [next(placed) if answer is None else answer for answer in answers]

    def _append(self, entries: Sequence[SignedOperation], verify: Verified) -> list[Receipt]:
        if not entries:
            return []
        expect = self.state.size
        placed = self.engine.wait(self.engine.append([entry.data for entry in entries], expect=expect), 30.0)
        if not isinstance(placed, Placed) or placed.first != expect:
            raise ConflictError("another writer appended to this log: open it again", code="other-writer")
        receipts = [self._apply(entry, verify) for entry in entries]
        self._publish()
        self._keep(_KEEP)
        return receipts

    def _order(self, entries: Sequence[bytes], order: Follower, exact: bool) -> list[Receipt]:
        """Have another engine place the entries; what it made final was applied when this returns."""
        self._taken.clear()
        receipts: list[Receipt] = []
        for batch in order.split(entries):
            first = order.place(batch, self._pull, exact=exact)
            if first is None:
                return [Receipt(None, "moved")] * len(entries)
            receipts += [self._taken[index] for index in range(first, first + len(batch))]
        return receipts

    def _pull(self) -> None:
        assert self.order is not None
        self.catch_up()
        for page in self.order.pages():
            with self._exclusive() as moved:
                if moved:
                    raise GapError("another process follows into this file too: once more from where it is now")
                self._take(page)

    def _take(self, page: list[bytes]) -> None:
        """Store and apply final entries of another engine, and sign the log with them."""
        placed = self.engine.wait(self.engine.append(page, expect=self.state.size), 30.0)
        if not isinstance(placed, Placed):
            raise ConflictError("another writer appended to this log: open it again", code="other-writer")
        self._replay_page(page)
        self._publish()
        self._keep(_KEEP)

    def _take_up(self, keeper: Keeper | None) -> None:
        """Go on from the kept state, if there is one that the state key of today has signed; else from the first entry."""
        kept = None if keeper is None else keeper.take_up(self.engine, self.genesis, self._id_of, self._trusts)
        if keeper is not None and kept is not None:
            self.state, self.results = kept
            try:
                self._replay()
                if keeper.signer == self.state.authority.state:
                    return
            except (KeyMaterialError, SignatureError):  # it may be silent about changes of keys: the log is not
                pass
            keeper.forget()  # whoever stole an old state key signs no records with it
            self.state, self.results = State(self.genesis), Results()
        self._replay()

    def _trusts(self, key: PublicKey) -> bool:
        return self._keys is None or self._keys.holds("state", key)

    def _keep(self, least: int) -> None:
        """Keep the state if so many entries came since; never what the stored tree does not have."""
        keeper, tree = self._keeper, self.engine.tree
        if self._keys is None or keeper is None or not keeper.due(self.state.size, least):
            return
        if not self.state.torn and (self.state.size, self.state.frontier.root()) == (tree.size, tree.root):
            keeper.save(self.state, self.results, self._keys.sign_kept)

    def _replay(self) -> None:
        """Apply every stored entry, compare with the stored tree, the checkpoint and the mark, and sign the log again."""
        self._take_in()
        if self._keys is not None:
            with self._exclusive():
                self._publish()

    def _author(self) -> Author:
        return Author.of(self.genesis, self._held().operator, self._random)

    def _held(self) -> OperatorKeys:
        if self._keys is None:
            raise RegistryError("this registry was opened without the operator's keys", code="no-keys")
        return self._keys
