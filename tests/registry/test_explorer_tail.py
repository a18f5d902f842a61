"""The explorer of a long log: the first pages are read from its end, and say the same as the index that is being made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from registry import operations as ops
from registry.node.explorer import index as indexing
from registry.node.explorer.index import LogIndex
from registry.node.explorer.tail import Page, newest, row_at
from registry.node.service import create_node
from tests.registry.explored import explored
from tests.registry.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An explored registry and, after it, a few hundred entries with ticks between some of them."""
    made = explored(tmp_path_factory.mktemp("explored"))
    author = made.author(made.register(made.actor()))
    for n in range(6):
        marks = [ops.evidence_anchor(author, made.genesis.hash(bytes([n, m])), "f").data for m in range(9 * n)]
        made.registry.submit(marks)
        made.tick(n + 1)
    yield made
    made.registry.close()


def followed(world: World, type: str, subject: str, most: int, size: int = 7) -> Iterator[Page]:
    before = None
    while True:
        page = newest(world.registry, type=type, subject=subject, before=before, size=size, most=most)
        yield page
        if page.older is None:
            return
        before = page.older


@pytest.mark.parametrize("most", [1, 5, 40, 10_000])
@pytest.mark.parametrize("type", ["", "all", "time.tick", "evidence.anchor", "gov.vote"])
def test_pages_from_the_end_say_what_the_index_says(world: World, type: str, most: int) -> None:
    """Every row once, in order; a time that is said is right, and with enough reading none is left out."""
    whole, author = LogIndex(world.registry), world.registry.view(world.registry.size - 2)["operation"]["kid"].partition("#")[0]
    for subject in ("", author, next(iter(world.registry.state.tables["issuer"]))):
        expected = whole.page(type=type, subject=subject, before=None, size=10_000).rows
        pages = list(followed(world, type, subject, most))
        assert all(len(page.rows) <= 7 and page.total is None for page in pages)
        assert all(later.older is None or (page.older or 0) > later.older for page, later in pairwise(pages))
        rows = [row for page in pages for row in page.rows]
        assert [row.index for row in rows] == [row.index for row in expected]
        for row, right in zip(rows, expected, strict=True):
            assert row == right or (row.time is None and most < 100), (row, right)


def test_one_row_is_the_indexs(world: World) -> None:
    whole = LogIndex(world.registry)
    whole.update()
    for at in range(world.registry.size):
        assert row_at(world.registry, at, 10_000) == whole.row(at)


def test_a_request_reads_little_and_the_rest_is_read_beside_it(world: World) -> None:
    """The first answer waits for nobody; when the thread is done, the same pages come from the index, counted."""
    index, whole = LogIndex(world.registry, most=20), LogIndex(world.registry)
    first = index.page(type="", subject="", before=None, size=8)
    assert first.total is None and [row.index for row in first.rows] == sorted((row.index for row in first.rows), reverse=True)
    assert index.applied() == sum(result == "applied" for result in world.registry.results)
    index.wait()
    assert index.whole and index.done == world.registry.size
    assert index.page(type="", subject="", before=None, size=8) == whole.page(type="", subject="", before=None, size=8)
    assert index.counts() == whole.counts()


def test_a_registry_that_is_closed_ends_the_reading(tmp_path: Path) -> None:
    world = explored(tmp_path)
    index = LogIndex(world.registry, most=1)
    assert not index.update()
    world.registry.close()
    index.wait()
    assert index.done <= len(world.registry.results)


def test_pages_say_that_older_ones_are_still_being_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, with how far it is; every page answers meanwhile, and "older" leads through the whole log."""
    monkeypatch.setattr(indexing, "_PAUSE", 0.05)
    monkeypatch.setattr(indexing, "_CHUNK", 3)
    monkeypatch.setattr(indexing.LogIndex.__init__, "__kwdefaults__", {"most": 10})
    http: FlaskClient = create_node(world.registry, explorer=True).test_client()
    assert http.get("/").status_code == 200
    page = http.get("/operations?type=all").get_data(as_text=True)
    assert f"of {world.registry.size} entries are read" in unescape(page)
    did = next(iter(world.registry.state.tables["issuer"]))
    for path in (f"/dids/{did}", f"/issuers/{did}", f"/operations/{world.registry.size - 2}", f"/operations?subject={did}"):
        assert http.get(path).status_code == 200
    seen, path = [], "/operations?type=all"
    while path:
        page = http.get(path).get_data(as_text=True)
        seen += [int(text) for text in re.findall(r'class="place">(\d+)<', page)]
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = unescape(found[1]) if found else ""
    assert seen == list(reversed(range(world.registry.size)))
