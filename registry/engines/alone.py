"""One writer of a log file at a time, whichever process it is: a lock of the system on a file beside it.

SQLite keeps two appends apart, but a writer does more than append: it reads what is there, signs the log with it and moves
the high-water mark. Two processes that did this at once could move the mark back. The lock ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from weid.errors import ConflictError

__all__ = ["WriterLock"]

_PATIENCE: Final = 60.0  # seconds
_PAUSE: Final = 0.005


class WriterLock:
    """The lock of one log file; its holder may take it again. Threads of one process keep each other out themselves."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        self._file: int | None = None
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold it for the block: whether it was taken just now. ConflictError `other-writer` when another keeps it a minute."""
        if self._depth == 0:
            self._take()
        self._depth += 1
        try:
            yield self._depth == 1
        finally:
            self._depth -= 1
            if self._depth == 0 and self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; it stays, since another process may be waiting at it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take(self) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise ConflictError("another process keeps writing to this log: try again", code="other-writer") from None
            time.sleep(_PAUSE)
