"""Idempotency keys: a write that is asked for again is answered as it was the first time, and done once.

Kept for a day, sealed under the caller's own key: the file holds nothing readable, and nobody else can ask for it.
Only what was done is kept; a refusal is judged again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Response

from issuer_app.store import Store
from weid.errors import IssueError
from weid.suites import Random

__all__ = ["Answers"]

KEPT: Final = 1_440  # minutes
STUCK: Final = 2  # minutes after which a write that never ended is taken for cut short
_HEADERS: Final = ("Content-Type", "Location")


class Answers:
    """The stored answers of one app."""

    def __init__(self, folder: Path) -> None:
        self._store = Store(folder / "answers.db")
        with self._store.change() as db:
            db.execute("CREATE TABLE IF NOT EXISTS answers (mark BLOB PRIMARY KEY, asked BLOB NOT NULL, about TEXT NOT NULL, "
                       "at INTEGER NOT NULL, answer BLOB) STRICT")  # fmt: skip

    def once(
        self, secret: str, once: str, asked: bytes, about: str, do: Callable[[], Response], *, at: int, random: Random
    ) -> Response:
        """The answer of `do`, or the one it gave before to the same caller (`secret`), key and content (`asked`).

        `about` names what the answer tells of, so that erasing that erases the answer. IssueError `key-reused` for other
        content, `key-in-use` while the first is still being worked on.
        """
        mark = hashlib.sha256(f"{secret}\0{once}".encode()).digest()
        box = AESGCM(HKDF(SHA256(), 32, None, b"weid issuer answers/v1").derive(f"{secret}\0{once}".encode()))
        digest = hashlib.sha256(asked).digest()
        held = self._begin(mark, digest, about, at)
        if held is not None:
            try:
                return _response(json.loads(box.decrypt(held[:12], held[12:], mark)))
            except InvalidTag:
                raise IssueError("the stored answer was changed", code="key-reused") from None
        try:
            response = do()
            if response.status_code < 400:
                nonce, kept = random(12), json.dumps(_kept(response)).encode()
                with self._store.change() as db:
                    db.execute("UPDATE answers SET answer = ? WHERE mark = ?", (nonce + box.encrypt(nonce, kept, mark), mark))
            return response
        finally:
            self._drop(mark)  # only what was done has an answer by now

    def forget(self, about: str) -> None:
        """Destroy what was answered about one thing."""
        with self._store.change() as db:
            db.execute("DELETE FROM answers WHERE about = ?", (about,))
        self._store.checkpoint()

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def _begin(self, mark: bytes, digest: bytes, about: str, at: int) -> bytes | None:
        with self._store.change() as db:
            db.execute("DELETE FROM answers WHERE at <= ? OR (answer IS NULL AND at <= ?)", (at - KEPT, at - STUCK))
            row = self._store.row("SELECT * FROM answers WHERE mark = ?", mark)
            if row is None:
                db.table("answers").insert({"mark": mark, "asked": digest, "about": about, "at": at, "answer": None})
                return None
        if row["asked"] != digest:
            raise IssueError("this request key was used for other content", code="key-reused")
        if row["answer"] is None:
            raise IssueError("the first request of this key is still being worked on", code="key-in-use")
        return bytes(row["answer"])

    def _drop(self, mark: bytes) -> None:
        with self._store.change() as db:
            db.execute("DELETE FROM answers WHERE mark = ? AND answer IS NULL", (mark,))


def _kept(response: Response) -> dict[str, Any]:
    headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    return {"status": response.status_code, "headers": headers, "body": response.get_data(as_text=True)}


def _response(kept: dict[str, Any]) -> Response:
    response = Response(kept["body"], kept["status"], kept["headers"])
    response.headers["Idempotency-Replayed"] = "true"
    return response
