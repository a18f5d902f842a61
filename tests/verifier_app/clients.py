"""A browser's requests without a browser: cookie, form token, frames and files over a real connection."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any
from urllib.parse import urlsplit


class Visitor:
    """One person at the service; one connection kept open."""

    def __init__(self, address: str) -> None:
        self._line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        self._cookies: dict[str, str] = {}
        self._token = ""

    def get(self, path: str) -> str:
        """A page; its form token is kept."""
        status, body = self._ask("GET", path, None, {})
        assert status == 200, (path, status)
        found = re.search(r'name="csrf-token" content="([^"]+)"', body)
        self._token = found.group(1) if found else self._token
        return body

    def frame(self, jpeg: bytes) -> dict[str, Any]:
        """One camera frame at the gate."""
        status, body = self._ask("POST", "/gate/scan", jpeg, {"Content-Type": "image/jpeg", "X-Request": "none"})
        assert status == 200, (status, body[:200])
        held: dict[str, Any] = json.loads(body)
        return held

    def file(self, name: str, data: bytes) -> list[str]:
        """One file at the drop zone; the verdicts."""
        head = {"Content-Type": "application/octet-stream", "X-File-Name": name, "X-Request": "none"}
        status, body = self._ask("POST", "/batch/add", data, head)
        assert status == 200, (status, body[:200])
        lines = [json.loads(line) for line in body.splitlines()]
        return [found for line in lines for found in re.findall(r'<tr[^>]* data-verdict="([a-z-]+)"', line["html"])]

    def close(self) -> None:
        """End the connection."""
        self._line.close()

    def _ask(self, method: str, path: str, data: bytes | None, head: dict[str, str]) -> tuple[int, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self._line.request(method, path, data, {**head, "Cookie": cookies, "X-CSRFToken": self._token})
        answer = self._line.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
        return answer.status, answer.read().decode("utf-8")
