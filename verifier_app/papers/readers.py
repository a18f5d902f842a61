"""Reader processes, a few at a time: each read has a time limit, and a reader that hangs or dies is replaced."""

from __future__ import annotations

import atexit
import os
import queue
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from verifier_app.papers.sheet import MAX_ANSWER, Paper
from weid.errors import MalformedError

__all__ = ["Readers"]

SECONDS: Final = 20.0
LIFE: Final = 400  # reads of one process, so that nothing a file left behind in it lasts
_KNOWN: Final = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
)  # nothing of the operator's
_COMMAND: Final = ("-P", "-m", "verifier_app.papers.worker")


class Readers:
    """At most `count` processes, started when first needed."""

    def __init__(self, count: int | None = None, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._free: queue.Queue[_Reader | None] = queue.Queue()
        for _ in range(count or max(1, min(4, os.cpu_count() or 1))):
            self._free.put(None)
        atexit.register(self.close)

    def pdf(self, data: bytes) -> Paper:
        """What a PDF holds; problem `unreadable` for one that its reader did not survive or finish in time."""
        return self._read(b"P", data)

    def picture(self, data: bytes) -> Paper:
        """What a picture file holds."""
        return self._read(b"I", data)

    def close(self) -> None:
        """End the processes that are free."""
        while True:
            try:
                reader = self._free.get_nowait()
            except queue.Empty:
                return
            if reader is not None:
                reader.end()

    def _read(self, kind: bytes, data: bytes) -> Paper:
        with self._one() as reader:
            try:
                return Paper.from_bytes(reader.ask(kind, data, self._seconds))
            except (OSError, MalformedError, TimeoutError):
                reader.end()
                return Paper(problem="unreadable")

    @contextmanager
    def _one(self) -> Iterator[_Reader]:
        reader = self._free.get() or _Reader()
        try:
            yield reader
        finally:
            if reader.asked >= LIFE:
                reader.end()
            self._free.put(reader if reader.alive else None)


class _Reader:
    def __init__(self) -> None:
        self.asked = 0
        self._process = subprocess.Popen(
            [sys.executable, *_COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            env={name: value for name, value in os.environ.items() if name in _KNOWN},
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def ask(self, kind: bytes, data: bytes, seconds: float) -> bytes:
        """The answer's bytes; TimeoutError, or OSError when the process is gone."""
        self.asked += 1
        until = time.monotonic() + seconds
        self._send(kind + len(data).to_bytes(4, "big") + data, until)
        size = int.from_bytes(self._receive(4, until), "big")
        if size > MAX_ANSWER:
            raise MalformedError("more than a reader says")
        return self._receive(size, until)

    def _send(self, data: bytes, until: float) -> None:
        assert self._process.stdin is not None
        place, rest = self._process.stdin.fileno(), memoryview(data)
        os.set_blocking(place, False)
        while rest:
            if not select.select([], [place], [], max(0.0, until - time.monotonic()))[1]:
                raise TimeoutError
            rest = rest[os.write(place, rest) :]

    def _receive(self, count: int, until: float) -> bytes:
        assert self._process.stdout is not None
        place, found = self._process.stdout.fileno(), bytearray()
        while len(found) < count:
            if not select.select([place], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError
            part = os.read(place, min(1 << 16, count - len(found)))
            if not part:
                raise BrokenPipeError
            found += part
        return bytes(found)
