"""Every page of an app, found in its URL map, under axe: WCAG 2.2 AA, light and dark, and no sideways scrolling.

    with tour(app_address, chrome, cookies) as walk: walk.look(path, …)

A page that is added later is found by itself; what cannot be filled into its address is named by the test that walks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python
from flask import Flask

from tests import browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = tuple((size, scheme) for size in (browser.PHONE, browser.DESK) for scheme in ("light", "dark"))
WIDTHS = (360, 768, 1920)
_RUN = """(tags) => axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]}).then(found =>
  found.violations.filter(item => item.tags.some(tag => tag.startsWith("wcag")) || ["serious", "critical"].includes(item.impact))
    .map(item => `${item.id} (${item.impact}): ` + item.nodes.slice(0, 3).map(node => node.html.slice(0, 160) + " " +
      (node.any[0] || node.all[0] || {message: ""}).message.slice(0, 160)).join(" | ")))"""

_WIDER = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
  done(document.documentElement.scrollWidth > window.innerWidth))))"""
# What has the focus, after Tab: where it is, and whether anybody can see that it has it.
_FOCUS = """() => { const item = document.activeElement, box = item.getBoundingClientRect(), style = getComputedStyle(item);
  const all = [...document.querySelectorAll("*")];
  return {at: all.indexOf(item), shown: box.width > 0 && box.height > 0,
          ring: style.outlineStyle !== "none" || style.boxShadow !== "none", what: item.outerHTML.slice(0, 120)}; }"""
_STOPS = """() => { const groups = new Set(); return [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")].filter(item => {
    if (item.disabled || item.tabIndex < 0 || !item.getClientRects().length) return false;
    if (item.closest("details:not([open])") && item.tagName !== "SUMMARY") return false;
    if (item.type !== "radio") return true;
    const known = groups.has(item.name); groups.add(item.name); return !known; }).length; }"""


def pages(app: Flask, fill: Callable[[str, str], Sequence[str] | None], skip: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(endpoint, path) of every page that GET opens. `fill(endpoint, name)` gives what may stand in a place of its address,
    or None where there is nothing of the kind; endpoints that begin with one of `skip` are no pages."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(tuple(skip)):
            continue
        yield from ((rule.endpoint, path) for path in _filled(rule.endpoint, rule.rule, fill))


def _filled(endpoint: str, path: str, fill: Callable[[str, str], Sequence[str] | None]) -> list[str]:
    place = re.search(r"<(?:any\(([^)]*)\):|[^:>]+:)?(\w+)>", path)
    if place is None:
        return [path]
    words = place.group(1).split(",") if place.group(1) else fill(endpoint, place.group(2)) or ()
    return [whole for word in words for whole in _filled(endpoint, path.replace(place.group(0), word.strip(), 1), fill)]


def opened(chrome: Any, address: str, cookies: Sequence[dict[str, Any]] = ()) -> Any:
    """A page of a fresh visitor in which axe is at hand; the app's policy for scripts stays as it is."""
    context = chrome.new_context(locale="en")
    context.add_cookies([{**cookie, "url": address} for cookie in cookies])
    context.add_init_script(AXE)
    return context.new_page()


def opens(page: Any, address: str) -> bool:
    """Open an address; False where a file is behind it. A page that breaks is a failure."""
    from playwright.sync_api import Error

    try:
        answer = page.goto(address)
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        return False
    assert answer.status < 500, address
    return "html" in answer.headers["content-type"]


def faults(page: Any, looks: Sequence[tuple[dict[str, int], str]] = LOOKS, widths: Sequence[int] = WIDTHS) -> list[str]:
    """What is wrong with the page that is open, in these sizes and colours."""
    found: list[str] = []
    for size, scheme in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found += [f"{size['width']} {scheme}: {fault}" for fault in page.evaluate(_RUN, TAGS)]
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate(_WIDER):
            found.append(f"scrolls sideways at {width}")
    return found


def walked(page: Any) -> list[str]:
    """What is wrong for somebody who has only a keyboard: Tab must reach everything, in order, and show where it is."""
    stops, found, seen = page.evaluate(_STOPS), [], []
    for _ in range(4 * stops + 2):
        page.keyboard.press("Tab")
        now = page.evaluate(_FOCUS)
        if seen and now["at"] == seen[-1]:
            continue  # a date has a stop for day, month and year
        if now["what"].startswith("<body") or now["at"] in seen:
            break
        seen.append(now["at"])
        if not now["shown"] or not now["ring"]:
            found.append(f"the focus cannot be seen on {now['what']}")
    if len(seen) < stops:
        found.append(f"Tab reaches {len(seen)} of {stops}")
    if seen != sorted(seen):
        found.append("Tab jumps back and forth")
    return found
