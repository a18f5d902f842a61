"""JSON over HTTP, as engines speak it: one request, one bounded answer, and three ways to fail.

`unreachable` may be tried again, here or elsewhere: nobody knows whether the request arrived. `bad-answer` is no
answer. `engine-refused` is the engine's own no.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from itertools import count
from urllib.parse import urlsplit

from registry.engines.straight import open_straight, web_url
from weid.canon import JSON
from weid.errors import RegistryError

__all__ = ["TRANSIENT", "JsonRpc", "bad_answer", "post_json"]

MAX_ANSWER = 64 << 20
TRANSIENT = frozenset({"unreachable", "bad-answer", "engine-behind", "gap", "pending"})
_SAID = 300  # characters of an engine's own words in an error


def post_json(url: str, value: JSON, *, timeout: float, tls: ssl.SSLContext | None = None) -> JSON:
    """The JSON answer to a JSON request."""
    message = urllib.request.Request(url, data=json.dumps(value).encode(), headers={"Content-Type": "application/json"})
    try:
        with open_straight(message, timeout=timeout, tls=tls) as answer:
            data = answer.read(MAX_ANSWER + 1)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(1 << 12).decode("utf-8", "replace")[:_SAID]
        code = "unreachable" if error.code >= 500 else "engine-refused"
        raise RegistryError(f"the engine answers {error.code}: {said}", code=code) from error
    except (OSError, HTTPException) as error:
        host = urlsplit(url).netloc.rpartition("@")[2]
        raise RegistryError(f"no answer from the engine at {host}", code="unreachable") from error
    if len(data) > MAX_ANSWER:
        raise bad_answer()
    try:
        found: JSON = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise bad_answer() from error
    return found


def bad_answer(detail: str = "the engine's answer is not understood") -> RegistryError:
    """The error for what is no answer."""
    return RegistryError(detail, code="bad-answer")


class JsonRpc:
    """JSON-RPC 2.0 over HTTP, one call a request: batches have limits of their own (FISCO BCOS: 8)."""

    def __init__(self, url: str, *, timeout: float = 10.0, tls: ssl.SSLContext | None = None) -> None:
        self._url, self._timeout, self._tls = web_url(url, who="an engine"), timeout, tls
        self._ids = count(1)

    def call(self, method: str, *params: JSON) -> JSON:
        """The result of a method; RegistryError `engine-refused` with the node's words."""
        number = next(self._ids)
        request: JSON = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
        answer = post_json(self._url, request, timeout=self._timeout, tls=self._tls)
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise bad_answer()
        if answer.get("error") is not None:
            problem = answer["error"]
            said = problem.get("message") if isinstance(problem, dict) else problem
            raise RegistryError(f"{method}: {str(said)[:_SAID]}", code="engine-refused")
        if "result" not in answer:
            raise bad_answer()
        return answer["result"]
