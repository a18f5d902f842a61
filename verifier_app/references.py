"""The files of status lists and schemas that a verifier has: those named by its operator, and those kept by an update.

Read before anybody checks, and again when a file changes; never fetched here. A file that turns bad while a verifier runs, as
one does that is being copied, is told and stops nobody: what was read of it last counts on.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from credentials.checks_bitstring import CLOCK_SLACK
from credentials.policy import Policy
from credentials.references import SCHEMA, STATUS_LIST, Reference, read_reference, with_references
from weid.errors import MalformedError
from weid.facts import Facts

__all__ = ["AtHand", "ReferenceFolder", "files_of"]

MAX_FILE: Final = 1 << 20
MAX_FILES: Final = 1024
MAX_KEPT: Final = 500  # anybody who reaches the page may add one
_ENDING: Final = ".reference"


@dataclass(frozen=True, slots=True)
class AtHand:
    """What can be used, merged once for all checks, and each file that cannot, with the reason."""

    found: tuple[Reference, ...]
    faults: tuple[tuple[Path, str], ...]
    merged: Policy

    def applied(self, policy: Policy) -> Policy:
        """The policy with these lists and schemas at hand."""
        return replace(policy, lists_held=self.merged.lists_held, schemas_held=self.merged.schemas_held)


class ReferenceFolder:
    """`<folder>/*.reference`, kept by `keep`, and the files and folders in `lists` and `schemas`."""

    def __init__(self, folder: Path, lists: Sequence[Path] = (), schemas: Sequence[Path] = ()) -> None:
        self.folder = folder
        self._given = ((STATUS_LIST, tuple(lists)), (SCHEMA, tuple(schemas)))
        self._listed: dict[Path, tuple[Path, ...]] = {}
        self._last: dict[tuple[str, Path], Reference] = {}
        self._cached: tuple[object, AtHand] | None = None

    def load(self) -> tuple[Reference, ...]:
        """Everything at hand; MalformedError `bad-reference` names the first file that cannot be used and why."""
        held = self.at_hand()
        if held.faults:
            raise MalformedError(held.faults[0][1], code="bad-reference")
        return held.found

    def at_hand(self) -> AtHand:
        """Everything that can be used, those given first; of a file that turned bad or is gone, what was read of it last."""
        faults: list[tuple[Path, str]] = []
        asked = [(kind, path) for kind, paths in self._given for given in paths for path in self._files(given, faults)]
        asked += [("", path) for path in sorted(self.folder.glob(f"*{_ENDING}"))]
        stamps = (tuple((kind, path, _stamp(path)) for kind, path in asked), tuple(faults))
        if self._cached is None or self._cached[0] != stamps:
            last = {key: item for key in asked if (item := self._reread(key, faults)) is not None}
            found = tuple(last.values())
            self._last = last
            self._cached = (stamps, AtHand(found, tuple(faults), with_references(Policy(), found)))
        return self._cached[1]

    def _files(self, given: Path, faults: list[tuple[Path, str]]) -> tuple[Path, ...]:
        try:
            self._listed[given] = files_of(given)
        except MalformedError as error:
            faults.append((given, str(error)))
        return self._listed.get(given, ())

    def _reread(self, key: tuple[str, Path], faults: list[tuple[Path, str]]) -> Reference | None:
        kind, path = key
        try:
            return _read(path, kind)
        except MalformedError as error:
            faults.append((path, str(error)))
            return self._last.get(key)

    def keep(self, data: bytes, *, name: str, facts: Facts, at: int) -> Reference:
        """Keep a list or schema in place of its signer's under its URL; MalformedError `bad-reference`, with nothing changed.

        Refused are one that its issuer's key does not prove, one from the future, one older than its signer's that is here
        (it could hide a revocation), and another schema without a signer than what is here (nothing says which is right).
        What somebody else signed under the same URL is kept beside, since anybody may bring it, and displaces nothing.
        """
        fresh = read_reference(data, name=name)
        reason = fresh.unproven(facts)
        if reason is None and fresh.as_of is not None and fresh.as_of > at + CLOCK_SLACK:
            reason = "it is ahead of this machine's clock"
        name_of = hashlib.sha256(f"{fresh.issuer} {fresh.url}".encode()).hexdigest()[:32]
        path = self.folder / f"{name_of}{_ENDING}"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            reason = reason or next(filter(None, (_worse(fresh, held) for held in self.at_hand().found)), None)
            if path.exists():
                _read(path, "")  # one that turned bad could be newer than this one: a person looks first
            elif reason is None and len(list(self.folder.glob(f"*{_ENDING}"))) >= MAX_KEPT:
                reason = f"{MAX_KEPT} are kept here already; remove what is not needed from the folder"
            if reason is not None:
                raise MalformedError(f"{name}: {reason}", code="bad-reference")
            _write(path, data)
        return fresh


def _worse(fresh: Reference, held: Reference) -> str | None:
    if (fresh.kind, fresh.url, fresh.issuer) != (held.kind, held.url, held.issuer):
        return None
    if not fresh.issuer:
        return None if fresh.data == held.data else "another one is here, and nobody signed this one; remove that one first"
    return "it is older than the one that is here" if (held.as_of or 0) > (fresh.as_of or 0) else None


def files_of(path: Path) -> tuple[Path, ...]:
    """The file itself, or every file directly in a folder; MalformedError `bad-reference`."""
    try:
        if not path.is_dir():
            path.stat()
            return (path,)
        found = tuple(sorted(item for item in path.iterdir() if item.is_file() and not item.name.startswith(".")))
    except OSError as error:
        raise MalformedError(f"{path}: {error.strerror}", code="bad-reference") from None
    if len(found) > MAX_FILES:
        raise MalformedError(f"{path}: more than {MAX_FILES} files", code="bad-reference")
    return found


def _read(path: Path, kind: str) -> Reference:
    status = _stat(path)
    if status is None or status.st_size > MAX_FILE:
        raise MalformedError(f"{path}: no file, or one of more than {MAX_FILE} bytes", code="bad-reference")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MalformedError(f"{path}: {error.strerror}", code="bad-reference") from None
    found = read_reference(data, name=str(path))
    if kind not in ("", found.kind):
        raise MalformedError(f"{path}: a {found.kind}, not a {kind}", code="bad-reference")
    return found


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    status = _stat(path)
    return None if status is None else (status.st_ino, status.st_mtime_ns, status.st_size)


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
