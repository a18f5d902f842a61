"""How the demo knocks at the front doors: a program with an API key, and a person's browser with cookies and forms.

A program follows no redirects, or its key would go wherever an answer points; a browser follows those of its own site.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from html import unescape
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urlsplit

from registry.engines.straight import open_straight
from weid.errors import WeidError

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class AnswerError(WeidError):
    """A door that said no; `code` is the problem's code."""

    default_code = "http"


class Api:
    """A program that holds an API key."""

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base.rstrip("/"), key

    def get(self, path: str) -> bytes:
        """The bytes of a GET."""
        return _send(urllib.request.Request(self._base + path, headers=self._headers()))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON answer to a JSON POST; AnswerError with the problem's code."""
        headers = {**self._headers(), "Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        request = urllib.request.Request(self._base + path, json.dumps(body).encode(), headers)
        return json.loads(_send(request) or b"null")

    def send(self, path: str, data: bytes, kind: str) -> Any:
        """The JSON answer to a POST of bytes of a content type."""
        request = urllib.request.Request(self._base + path, data, {**self._headers(), "Content-Type": kind})
        return json.loads(_send(request) or b"null")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}


class Browser:
    """A person at a page: keeps cookies, fills forms with the page's own token."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), _OwnSite)
        self.at = ""

    def get(self, path: str) -> str:
        """The text of a page."""
        return self._read(urllib.request.Request(self._base + path))

    def submit(self, path: str, fields: Mapping[str, str], *, page: str) -> str:
        """Open `page`, fill its form and send it to `path`; the page that follows."""
        data = urlencode({"csrf_token": self._token(page), **fields}).encode()
        return self._read(urllib.request.Request(self._base + path, data, {"Origin": self._base}))

    def upload(self, path: str, name: str, data: bytes, *, page: str) -> str:
        """The same with one file."""
        line = uuid.uuid4().hex
        head = f'--{line}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{self._token(page)}\r\n'
        head += f'--{line}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.bin"\r\n\r\n'
        body = head.encode() + data + f"\r\n--{line}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={line}", "Origin": self._base}
        return self._read(urllib.request.Request(self._base + path, body, headers))

    def _token(self, page: str) -> str:
        found = _TOKEN.search(self.get(page))
        if found is None:
            raise AnswerError(f"no form on {page}")
        return unescape(found[1])

    def _read(self, request: urllib.request.Request) -> str:
        try:
            with self._open.open(request, timeout=30) as answer:
                self.at = answer.url
                return str(answer.read().decode("utf-8"))
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            raise AnswerError(_sentence(text), code=_code(text) or f"http-{error.code}") from error


class _OwnSite(urllib.request.HTTPRedirectHandler):
    """Redirects within the site, as after a form; others stay an answer (HTTPError with its status)."""

    def redirect_request(self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _send(request: urllib.request.Request) -> bytes:
    try:
        with open_straight(request, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            data = error.read()
        try:
            problem = json.loads(data)
        except ValueError:
            problem = None
        problem = problem if isinstance(problem, dict) else {}
        code = str(problem.get("code") or f"http-{error.code}")
        raise AnswerError(str(problem.get("title") or error.reason), code=code) from error


def _code(page: str) -> str:
    found = re.search(r'role="alert".*?<code>([^<]+)</code>', page, re.S)
    return found[1] if found else ""


def _sentence(page: str) -> str:
    found = re.search(r'role="alert".*?<p>(.*?)</p>', page, re.S)
    return unescape(re.sub(r"<[^>]+>", "", found[1])) if found else "the page said no"
