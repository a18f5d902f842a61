"""Several logs on one node, each a group of its own: own genesis, members, keys and state; nothing is shared but the port.

A group below `/groups/<name>` answers exactly like a node of its own. A private one answers only who holds a reader's key:
operations authenticate themselves, but even reading tells who deals with whom.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from registry.genesis import fingerprint
from weid.errors import MalformedError
from weid.hashes import SHA256
from weid.suites import Random

if TYPE_CHECKING:
    from registry.log import Registry

__all__ = ["Group", "Readers", "check_group", "create_groups", "guard"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\Z")
_OPEN = ("/healthz", "/readyz")
_BYTES = 24


@dataclass(frozen=True, slots=True)
class Group:
    """One log of a node: the app that serves it, and whether strangers may read."""

    registry: Registry
    app: Flask
    private: bool


class Readers:
    """`<folder>/readers`: one line a reader, name and digest of the key. The key itself is shown once and kept nowhere."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, name: str, random: Random) -> str:
        """A fresh key for a reader; an older one of the same name ends. MalformedError `bad-name`."""
        check_group(name)
        key = random(_BYTES).hex()
        kept = {**self._held(), name: SHA256(key.encode()).hex()}
        self._write(kept)
        return key

    def end(self, name: str) -> None:
        """End a reader's key; MalformedError `bad-name` if there is none."""
        held = self._held()
        if held.pop(name, None) is None:
            raise MalformedError(f"there is no reader {name}", code="bad-name")
        self._write(held)

    def names(self) -> tuple[str, ...]:
        """Who may read."""
        return tuple(self._held())

    def knows(self, key: str) -> bool:
        """Whether a key is one of these; every line is compared, in constant time."""
        digest = SHA256(key.encode()).hex()
        return sum(hmac.compare_digest(digest, held) for held in self._held().values()) > 0

    def _held(self) -> dict[str, str]:
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return {}
        return dict(line.split(" ", 1) for line in lines if " " in line)

    def _write(self, held: Mapping[str, str]) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.writelines(f"{name} {digest}\n" for name, digest in sorted(held.items()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def check_group(name: str) -> None:
    """MalformedError `bad-name` unless it can stand in a path: small letters, digits, hyphens."""
    if not _NAME.match(name):
        raise MalformedError(f"{name!r} is not a name: small letters, digits and hyphens, at most 32", code="bad-name")


def guard(app: Flask, readers: Readers) -> None:
    """Answer only requests that carry a reader's key, but for health checks; no cache keeps what it says for anybody else."""
    app.config["PRIVATE"] = True  # the pages then say where the key goes in the commands that they print

    @app.before_request
    def check() -> Response | None:
        if request.path in _OPEN or readers.knows(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return None
        answer = jsonify({
            "type": "urn:weid:problem:no-reader", "title": "no-reader", "status": 401,
            "detail": "this log is read by its members: Authorization: Bearer KEY",
        })  # fmt: skip
        answer.status_code, answer.mimetype = 401, "application/problem+json"
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.after_request
    def keep_from_caches(answer: Response) -> Response:
        # tiles say `public, immutable`: a shared cache would hand them to strangers for a year
        answer.headers["Cache-Control"] = "private, no-store"
        answer.vary.add("Authorization")
        return answer


def create_groups(groups: Mapping[str, Group], *, root: Any = None) -> Callable[..., Iterable[bytes]]:
    """A WSGI app: each group below `/groups/<name>`, a list of them at `/groups`, and at `/` the app `root` if there is one.

    What is private shows its name alone.
    """
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    for name in groups:
        check_group(name)
    listing = Flask(__name__)

    @listing.get("/")
    def listed() -> Response:
        return jsonify({"groups": [_shown(name, group) for name, group in sorted(groups.items())]})

    @listing.errorhandler(404)
    def missing(error: Exception) -> tuple[Response, int]:
        body = {"type": "urn:weid:problem:no-group", "title": "no-group", "status": 404, "detail": "there is no such group"}
        return jsonify(body), 404

    mounts: dict[str, Any] = {"/groups": listing, **{f"/groups/{name}": group.app for name, group in groups.items()}}
    return DispatcherMiddleware(listing if root is None else root, mounts)


def _shown(name: str, group: Group) -> dict[str, Any]:
    if group.private:
        return {"name": name, "private": True}
    registry = group.registry
    return {
        "name": name, "private": False, "origin": registry.genesis.origin, "fingerprint": fingerprint(registry.pin),
        "size": registry.size,
    }  # fmt: skip
