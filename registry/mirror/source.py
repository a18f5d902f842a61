"""Where a mirror gets a log from: a node or static site over HTTP, or a folder that was carried here."""

from __future__ import annotations

import http.client
import urllib.error
from pathlib import Path
from typing import Protocol

from registry.engines.straight import open_straight, reader_head, web_url
from weid.errors import RegistryError

__all__ = ["FolderSource", "HttpSource", "Source", "open_source"]

MAX_RESOURCE = 80 << 20


class Source(Protocol):
    """Resources by path below the log's prefix. Nothing they say is believed."""

    def get(self, path: str) -> bytes | None:
        """The bytes, or None where there are none; RegistryError `unreachable`."""


class FolderSource:
    """A folder of static files, as `weid registry export` writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, path: str) -> bytes | None:
        """The file of that path."""
        try:
            with (self._folder / path).open("rb") as stream:
                return _capped(stream.read(MAX_RESOURCE + 1))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise RegistryError(f"{path} cannot be read", code="unreachable") from error


class HttpSource:
    """A prefix over http or https, no redirects; `timeout` in seconds, `key` where only readers are answered."""

    def __init__(self, prefix: str, *, timeout: float = 20.0, key: str | None = None) -> None:
        self._prefix, self._timeout = web_url(prefix, who="a log"), timeout
        self._head = reader_head(key)

    def get(self, path: str) -> bytes | None:
        """GET below the prefix; 404 and 410 are None."""
        try:
            with open_straight(
                urllib.request.Request(f"{self._prefix}/{path}", headers=self._head), timeout=self._timeout
            ) as answer:
                return _capped(answer.read(MAX_RESOURCE + 1))
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 410):
                    return None
                raise RegistryError(f"{path}: {error.code}", code="unreachable") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RegistryError(f"no answer from {self._prefix}", code="unreachable") from error


def open_source(where: str, *, key: str | None = None) -> Source:
    """The source of a URL prefix, asked with a reader's key if there is one, or of a folder."""
    if where.startswith(("http:", "https:")):
        return HttpSource(where, key=key)
    return FolderSource(Path(where))


def _capped(data: bytes) -> bytes:
    if len(data) > MAX_RESOURCE:
        raise RegistryError(f"a resource over {MAX_RESOURCE} bytes", code="unreachable")
    return data
