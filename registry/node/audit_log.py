"""The audit log: one line of JSON for every write and every act of the operator, rotated by size.

    {"at": "2026-11-24T19:00:00Z", "act": "operation", "who": "did:weid:…#key-1", "type": "issuer.approve", …}

It says who, what, when and with what result; no address, no user of the machine, no content. Whoever signed nothing that
verifies is nobody: what a stranger wrote into an operation that was refused before the log is not repeated here. The log
of operations itself is the evidence; this file is for the operator's own inspection.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Final

__all__ = ["FILE", "AuditLog"]

FILE: Final = "audit.jsonl"


class AuditLog:
    """`<folder>/audit.jsonl`; several processes may write. `audit.jsonl.1` is the newest rotated one."""

    def __init__(self, folder: Path, *, size: int = 16 << 20, keep: int = 8) -> None:
        self.path, self._size, self._keep = folder / FILE, size, keep

    def write(self, at: str, act: str, result: str, **more: Any) -> None:
        """One line; what is None is left out."""
        values = {name: value for name, value in more.items() if value is not None}
        line = json.dumps({"at": at, "act": act, "result": result, **values}, ensure_ascii=True).encode() + b"\n"
        with open(os.open(self.path.with_name("audit.lock"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.path.exists() and self.path.stat().st_size + len(line) > self._size:
                self._rotate()
            # one write of a whole line: a crash leaves it or not
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)

    def _rotate(self) -> None:
        self._old(self._keep).unlink(missing_ok=True)
        for number in range(self._keep - 1, 0, -1):
            if self._old(number).exists():
                self._old(number).replace(self._old(number + 1))
        self.path.replace(self._old(1))

    def _old(self, number: int) -> Path:
        return self.path.with_name(f"{FILE}.{number}")
