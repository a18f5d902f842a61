"""The user's trust on disk: one file in the state folder, changed under a lock and replaced whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.bundle import bundle_genesis
from registry.delta import apply_delta, is_delta, starts_from
from registry.evidence import bundle_evidence
from registry.node.anchors import AnchorShelf
from registry.node.documents import DocumentShelf
from registry.packed import unpack
from registry.trust import TrustStore
from weid.errors import ConflictError, TrustError
from weid.facts import Facts, NoFacts
from weid.hashes import SHA256

__all__ = ["TrustFolder", "whole_bundle"]


class TrustFolder:
    """`<folder>/trust.bin`, and beside it the shelves of DID documents (`<folder>/documents`) and of other systems' anchors
    (`<folder>/anchors`).

    Every change is all or nothing; two processes cannot interleave.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "trust.bin"
        self.documents = DocumentShelf(folder / "documents")
        self.anchors = AnchorShelf(folder / "anchors")
        self._cached: tuple[tuple[int, int], TrustStore] | None = None

    def load(self) -> TrustStore | None:
        """The store, or None before a registry is pinned; read again only when the file changed."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        stamp = (status.st_mtime_ns, status.st_ino)
        if self._cached is None or self._cached[0] != stamp:
            self._cached = (stamp, TrustStore.from_bytes(self.path.read_bytes()))
        return self._cached[1]

    def facts(self, *, at: int) -> Facts:
        """What may be relied on at this minute; without a pin nothing (R21) but what was handed in."""
        store = self.load()
        known = NoFacts() if store is None else store.facts(at=at)
        return self.anchors.beside(self.documents.beside(known))

    def pin(self, genesis: bytes) -> TrustStore:
        """Pin the home registry; TrustError `already-pinned` if another one is (a change of root is a decision)."""
        fresh = TrustStore.pin(genesis)
        with self._locked():
            store = self.load()
            if store is not None:
                if store.genesis == genesis:
                    return store
                raise TrustError(f"{store.root.origin} is pinned already; remove {self.path} to change it", code="already-pinned")
            self._write(fresh)
        return fresh

    def accept(self, bundle: bytes, *, at: int) -> TrustStore:
        """Take a bundle, or an update of one that is held, or raise by name and keep what was there.

        A fork is remembered: until a person clears it every verdict is TRUST CONFLICT (R21). Where the two bundles prove
        that the registry signed both, the proof is kept as `evidence-*.evidence` for `weid registry evidence`.
        """
        with self._locked():
            store = self._pinned()
            try:
                fresh = store.accept(whole_bundle(store, bundle), at=at)
            except ConflictError as error:
                self._write(store.conflicted(error.code, str(error)))
                self._accuse(store, bundle)
                raise
            self._write(fresh)
        return fresh

    def clear_conflict(self) -> TrustStore:
        """A person has looked into the conflict."""
        return self._change(TrustStore.cleared)

    def _accuse(self, store: TrustStore, bundle: bytes) -> None:
        pin = bundle_genesis(bundle).digest
        for known in (store.home, *store.foreign):
            if known is not None and bundle_genesis(known).digest == pin:
                found = bundle_evidence(known, bundle)
                if found is not None:
                    (self.folder / f"evidence-{SHA256(found)[:8].hex()}.evidence").write_bytes(found)

    def _change(self, change: Callable[[TrustStore], TrustStore]) -> TrustStore:
        with self._locked():
            fresh = change(self._pinned())
            self._write(fresh)
        return fresh

    def _pinned(self) -> TrustStore:
        store = self.load()
        if store is None:
            raise TrustError("no registry is pinned yet: `weid trust add GENESIS`", code="no-trust-root")
        return store

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "trust.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, store: TrustStore) -> None:
        fresh = self.path.with_name("trust.bin.new")
        with fresh.open("wb") as stream:
            stream.write(store.to_bytes())
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self.path)
        self._cached = None


def whole_bundle(store: TrustStore, data: bytes) -> bytes:
    """The bundle itself, unpacked, or the one that an update makes of a bundle held; TrustError `delta-base` if none is."""
    data = unpack(data)
    if not is_delta(data):
        return data
    held = [bundle for bundle in (store.home, *store.foreign) if bundle is not None]
    base = next((bundle for bundle in held if starts_from(data, bundle)), None)
    if base is None:
        raise TrustError("this update starts from trust data you do not have: get the whole bundle", code="delta-base")
    return apply_delta(base, data)
