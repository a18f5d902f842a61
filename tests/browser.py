"""A real Chromium for the apps' tests: found on the system, or the test is skipped with a printed reason.

    with serving(app) as address, chromium() as browser:
        page = browser.new_page(viewport=PHONE)

In CI (`CI` set) a browser that is there but cannot be driven fails the test instead of skipping it.
"""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-quic",
)  # fmt: skip


def found() -> str | None:
    """The system's Chromium: WEID_CHROMIUM, or one on the path."""
    named = os.environ.get("WEID_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium(extra: Sequence[str] = ()) -> Iterator[Any]:
    """A browser without anybody's cookies: one process serves all tests, unless `extra` asks for one of its own."""
    browser = _launched(tuple(extra)) if extra else _shared()
    try:
        yield browser
    finally:
        for context in browser.contexts:
            context.close()
        if extra:
            browser.close()


@lru_cache(maxsize=1)
def _shared() -> Any:
    return _launched(())


@lru_cache(maxsize=1)
def _driver() -> Any:
    from playwright.sync_api import sync_playwright

    driver = sync_playwright().start()
    atexit.register(driver.stop)
    return driver


def _launched(extra: tuple[str, ...]) -> Any:
    path = found()
    if path is None:
        _skip("no chromium on this machine (set WEID_CHROMIUM)")
    try:
        from playwright.sync_api import Error
    except ImportError:
        _unusable("playwright is not installed")
    try:
        return _driver().chromium.launch(executable_path=path, args=[*ARGS, *extra])
    except Error as error:
        _unusable(f"{path} does not start: {error.message.splitlines()[0]}")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The app on a free loopback port; its address without the last slash."""
    from cheroot.wsgi import Server

    server = Server(("127.0.0.1", 0), app, numthreads=4)
    server.prepare()
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        server.stop()
        thread.join(10)


@contextmanager
def only(page: Any, address: str) -> Iterator[None]:
    """Fails if the page asked anybody but our own address for anything."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield
    others = [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:"))]
    assert others == [], others


def shot(page: Any, name: str) -> None:
    """A picture of the whole page into WEID_SHOTS, if that is set."""
    folder = os.environ.get("WEID_SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def flaws(page: Any) -> list[str]:
    """Plain accessibility faults: no language, unlabelled controls or pictures, doubled ids, sideways scrolling."""
    return list(page.evaluate(_FLAWS))


def _skip(reason: str) -> None:
    print(f"browser test skipped: {reason}")
    pytest.skip(reason)


def _unusable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"chromium is there but {reason}")
    _skip(reason)


_FLAWS = """() => {
  const found = [];
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title.trim()) found.push("no title");
  if (document.querySelectorAll("h1").length !== 1) found.push("not exactly one h1");
  if (!document.querySelector("main")) found.push("no main");
  if (document.documentElement.scrollWidth > window.innerWidth) found.push("scrolls sideways");
  for (const item of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!item.labels.length && !item.getAttribute("aria-label") && !item.getAttribute("aria-labelledby"))
      found.push("no label: " + item.outerHTML.slice(0, 80));
  for (const item of document.querySelectorAll("img")) if (!item.hasAttribute("alt")) found.push("no alt: " + item.src);
  for (const item of document.querySelectorAll("button, a[href]"))
    if (!item.textContent.trim() && !item.getAttribute("aria-label"))
      found.push("no name: " + item.outerHTML.slice(0, 80));
  const ids = [...document.querySelectorAll("[id]")].map((item) => item.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push("twice: " + id);
  const small = "input[type=hidden], input[type=radio], input[type=checkbox]";
  for (const item of document.querySelectorAll("button, .button, input, select")) {
    if (item.matches(small)) continue;
    const box = item.getBoundingClientRect();
    if (box.height && box.height < 24) found.push("too small to touch: " + item.outerHTML.slice(0, 80));
  }
  return found;
}"""
