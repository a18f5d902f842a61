"""The files of status lists and schemas that a verifier has: those named by its operator, and those kept by an update.

Read before anybody checks, and again when a file changes; never fetched here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from credentials.checks_bitstring import CLOCK_SLACK
from credentials.references import SCHEMA, STATUS_LIST, Reference, read_reference
from weid.errors import MalformedError
from weid.facts import Facts

__all__ = ["ReferenceFolder", "files_of"]

MAX_FILE: Final = 1 << 20
MAX_FILES: Final = 1024
_ENDING: Final = ".reference"


class ReferenceFolder:
    """`<folder>/*.reference`, kept by `keep`, and the files and folders in `lists` and `schemas`."""

    def __init__(self, folder: Path, lists: Sequence[Path] = (), schemas: Sequence[Path] = ()) -> None:
        self.folder = folder
        self._given = ((STATUS_LIST, tuple(lists)), (SCHEMA, tuple(schemas)))
        self._cached: tuple[tuple[tuple[str, int, int], ...], tuple[Reference, ...]] | None = None

    def load(self) -> tuple[Reference, ...]:
        """Everything at hand; MalformedError `bad-reference` names the first file that cannot be used and why."""
        asked = [(kind, path) for kind, paths in self._given for given in paths for path in files_of(given)]
        asked += [("", path) for path in sorted(self.folder.glob(f"*{_ENDING}"))]
        stamps = tuple((str(path), status.st_mtime_ns, status.st_size) for _, path in asked if (status := _stat(path)))
        if self._cached is None or self._cached[0] != stamps:
            self._cached = (stamps, tuple(_read(path, kind) for kind, path in asked))
        return self._cached[1]

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
            reason = reason or next(filter(None, (_worse(fresh, held) for held in self.load())), None)
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
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(item for item in path.iterdir() if item.is_file() and not item.name.startswith(".")))
    if len(found) > MAX_FILES:
        raise MalformedError(f"{path}: more than {MAX_FILES} files", code="bad-reference")
    return found


def _read(path: Path, kind: str) -> Reference:
    status = _stat(path)
    if status is None or status.st_size > MAX_FILE:
        raise MalformedError(f"{path}: no file, or one of more than {MAX_FILE} bytes", code="bad-reference")
    found = read_reference(path.read_bytes(), name=str(path))
    if kind not in ("", found.kind):
        raise MalformedError(f"{path}: a {found.kind}, not a {kind}", code="bad-reference")
    return found


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
