"""`Mirror`: pull, recompute everything, then persist in one transaction (R20).

Own entries plus fetched ones must give the signed root: that is the consistency check, and it needs no proof from the
other side. Every entry is applied, so a state that the operator committed is right or stands rejected in the copy. Only then
is anything written. A log that does not continue the copy is refused, and where two signatures prove it, the proof is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry import bodies
from registry.bundle import MAX_BYTES, Bundle, parse_bundle
from registry.checkpoint import Checkpoint, parse_checkpoint
from registry.engines.sqlite import SqliteEngine
from registry.evidence import find_fork, state_evidence, twin_evidence
from registry.genesis import parse_genesis
from registry.log import Registry
from registry.mirror.paths import entry_path, unpack_entries
from registry.mirror.source import Source
from registry.note import Note, parse_note, print_note, sign_note
from registry.operations import read_entry
from registry.published import read_log_note, read_state_note
from registry.registers import unpack_leaves
from registry.snapshot import snapshot_digest
from registry.statement import parse_statement, statement_digest
from registry.tiles import WIDTH
from registry.twin import parse_twin, read_twin_note
from weid.errors import ConflictError, MalformedError, RegistryError, RejectedError, RollbackError, TrustError, WeidError
from weid.hashes import SHA256
from weid.keys import Signer
from weid.suites import Random

__all__ = ["Mirror", "Synced"]

MAX_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync brought: sizes before and now, and the entries in which the operator committed a false state."""

    before: int
    size: int
    lies: tuple[int, ...]


class Mirror:
    """A copy of one log in a folder; `registry` serves its reads."""

    def __init__(self, folder: Path, registry: Registry, random: Random) -> None:
        self.folder, self.registry, self._random = folder, registry, random

    @classmethod
    def open(cls, folder: Path, genesis: bytes, *, random: Random) -> Mirror:
        """The mirror of a folder, made if there is none; ConflictError `forked` if it is of another registry."""
        folder.mkdir(parents=True, exist_ok=True)
        path, parsed = folder / "registry.db", parse_genesis(genesis)
        if not path.exists():
            SqliteEngine.create(path, genesis, hash=parsed.hash, second=parsed.second).close()
        registry = _opened(path, random)
        if registry.engine.genesis != genesis:
            registry.close()
            raise ConflictError(f"{folder} mirrors another registry", code="forked")
        return cls(folder, registry, random)

    def sync(self, source: Source) -> Synced:
        """Bring the copy up to the source's checkpoint; nothing is kept of one that fails.

        RollbackError `older-log`; ConflictError `forked`, `wrong-state`; SignatureError or TrustError for a checkpoint that
        the log has not signed; RegistryError `unreachable`.
        """
        try:
            return self._sync(source)
        except WeidError:
            # What was applied in memory alone is forgotten; the file has not changed.
            self.registry.close()
            self.registry = _opened(self.folder / "registry.db", self._random)
            raise

    def cosign_state(self, name: str, signer: Signer) -> bytes:
        """The operator's statement with this mirror's own line: it was recomputed here, entry by entry (R20)."""
        kept = self.registry.engine.kept("state", "statement")
        if kept is None:
            raise RegistryError("no state was committed yet", code="no-state")
        note = parse_note(kept)
        return print_note(Note(note.text, (*note.signatures, *sign_note(note.text, name, signer).signatures)))

    def close(self) -> None:
        """Close the copy."""
        self.registry.close()

    def _sync(self, source: Source) -> Synced:
        registry = self.registry
        data = source.get("bundle")
        bundle = None if data is None or len(data) > MAX_BYTES else parse_bundle(data)
        if bundle is not None and self._is_behind(bundle):
            bundle = None  # an older state than ours: the source may be slow, and ours stays
        note = source.get("checkpoint")
        if note is None:
            raise RegistryError("the source has no checkpoint", code="unreachable")
        before, claimed = registry.size, parse_checkpoint(parse_note(note).text)
        self._check_not_behind(claimed, note)
        if claimed.size - before > MAX_AT_ONCE:
            raise RegistryError(f"more than {MAX_AT_ONCE} new entries at once", code="too-large")
        entries = list(_fetch(source, before, claimed.size))
        twin = source.get("twin") if registry.genesis.second is not None else None
        if twin is not None and parse_twin(parse_note(twin).text).size != claimed.size:
            twin = None  # the source went on meanwhile: the next sync brings it

        def check() -> None:
            checkpoint = read_log_note(parse_note(note), registry.state.authority)
            if checkpoint.root != registry.state.frontier.root():
                self._accuse(find_fork(registry.state.authority, self._last(), note))
                raise ConflictError("the log does not continue this copy", code="forked")
            if twin is not None:
                self._check_twin(twin, checkpoint, note, entries)
            if bundle is not None:
                self._check_state(bundle)

        notes = {"checkpoint": note, **({} if twin is None else {"twin": twin})}
        registry.replicate(entries, notes, {} if bundle is None else _kept(bundle), check)
        if bundle is not None:
            self._take_rest(bundle)
        lies = (index for index in range(before, registry.size) if registry.results[index] == "wrong-state")
        return Synced(before, registry.size, tuple(lies))

    def _is_behind(self, bundle: Bundle) -> bool:
        held = self.registry.engine.kept("state", "statement")
        return held is not None and statement_size(bundle.statement) < statement_size(held)

    def _check_not_behind(self, claimed: Checkpoint, note: bytes) -> None:
        """A smaller log is refused: as an old copy where it is our beginning, else as another history, which we can prove."""
        registry, size = self.registry, self.registry.size
        if claimed.size > size or size == 0:
            return
        checkpoint = read_log_note(parse_note(note), registry.state.authority)
        if registry.engine.tree.root_at(checkpoint.size) != checkpoint.root:
            path = registry.engine.tree.history(checkpoint.size, size) if 0 < checkpoint.size < size else ()
            self._accuse(find_fork(registry.state.authority, self._last(), note, [path]))
            raise ConflictError("the log has another history than this copy", code="forked")
        if checkpoint.size < size:
            raise RollbackError(f"the source has {checkpoint.size} entries, this copy {size}", code="older-log")

    def _check_twin(self, data: bytes, checkpoint: Checkpoint, note: bytes, entries: Sequence[bytes]) -> None:
        """Both trees are made of the entries that came: the root under SM3 is recomputed, as the other one is."""
        authority, engine = self.registry.state.authority, self.registry.engine
        twin = read_twin_note(parse_note(data), authority)
        if (twin.root, twin.second) != (checkpoint.root, engine.twin_root(entries)):
            self._accuse(twin_evidence(authority, note, data) or twin_evidence(authority, self._last_twin(), data))
            raise ConflictError("the second tree is not of the entries that the log has", code="forked")

    def _check_state(self, bundle: Bundle) -> None:
        """The operator's signed state is what our own state machine agreed to when it applied the commit."""
        registry, hash = self.registry, self.registry.genesis.hash
        statement = read_state_note(parse_note(bundle.statement), registry.state.authority)
        size = statement.size
        if snapshot_digest(bundle.snapshot, hash=hash) != statement.snapshot:
            raise TrustError("the records are not those of the statement", code="wrong-snapshot")
        entry = read_entry(bundle.commit, hash=hash)
        body, place = entry.operation.body, registry.state.seen.get(entry.id)
        same = isinstance(body, bodies.StateCommit) and body.digest == statement_digest(statement, hash=hash)
        if not same or place != size or registry.results[size] != "applied":
            before = registry.engine.kept("state", "statement")
            self._accuse(None if before is None else state_evidence(registry.state.authority, before, bundle.statement))
            raise ConflictError("the signed state is not what the entries add up to", code="wrong-state")

    def _take_rest(self, bundle: Bundle) -> None:
        """Registers and cosignatures: each proves itself, and what does not is left out."""
        for list_id, leaves in bundle.registers:
            try:
                self.registry.put_register(list_id, unpack_leaves(leaves))
            except (RejectedError, MalformedError):
                continue
        checkpoint = read_log_note(parse_note(bundle.checkpoint), self.registry.state.authority)
        ours = checkpoint.size <= self.registry.size and self.registry.engine.tree.root_at(checkpoint.size) == checkpoint.root
        if ours and self.registry.state.authority.policy.needed:
            self.registry.publish_cosigned(bundle.checkpoint)

    def _last(self) -> bytes:
        return self.registry.engine.kept("note", "checkpoint") or b""

    def _last_twin(self) -> bytes:
        return self.registry.engine.kept("note", "twin") or b""

    def _accuse(self, evidence: bytes | None) -> None:
        if evidence is not None:
            (self.folder / f"evidence-{SHA256(evidence)[:8].hex()}.evidence").write_bytes(evidence)


def _opened(path: Path, random: Random) -> Registry:
    from registry.engines.sqlite import genesis_of

    genesis = parse_genesis(genesis_of(path))
    engine = SqliteEngine.open(path, hash=genesis.hash, second=genesis.second)
    if engine.kept("note", "checkpoint") is None:
        return Registry(engine, genesis, None, random)
    engine.close()
    # A mirror recomputes what the operator says: a state that the operator's own key has signed spares it nothing.
    return Registry.open(path, random=random, kept=False)


def statement_size(note: bytes) -> int:
    """The size a state statement speaks of."""
    return parse_statement(parse_note(note).text).size


def _kept(bundle: Bundle) -> dict[str, bytes]:
    return {"snapshot": bundle.snapshot, "statement": bundle.statement}


def _fetch(source: Source, start: int, size: int) -> Iterator[bytes]:
    """Entries `start` to `size` - 1, bundle by bundle; a partial one may have become full."""
    for index in range(start // WIDTH, -(-size // WIDTH)):
        width = min(WIDTH, size - index * WIDTH)
        data, count = source.get(entry_path(index, width)), width
        if data is None and width < WIDTH:
            data, count = source.get(entry_path(index)), WIDTH
        if data is None:
            raise RegistryError(f"the source lacks {entry_path(index, width)}", code="unreachable")
        yield from unpack_entries(data, count)[max(0, start - index * WIDTH) : width]
