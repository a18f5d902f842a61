"""A state map kept as pages is the same map: proofs, changes and roots, and a page that was changed is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.kept_rows import DamagedError
from registry.map_nodes import Node
from registry.map_pages import Pages, Path, map_of_pages, page_names, pages_of, subtree_at
from registry.state_map import StateMap, changed
from tests.registry.test_state_map import filled, person
from tests.seeds import chance
from weid.hashes import SHA256


class Held:
    """The pages of one map after another, as a file would have them."""

    def __init__(self) -> None:
        self.pages: Pages = {}
        self.top, self.written = b"", 0

    def keep(self, tree: StateMap) -> None:
        self.top, fresh = pages_of(tree, page_names(self.top) & self.pages.keys())
        self.pages |= fresh
        self.written = len(fresh)

    def read(self, root: bytes, instead: Any = None) -> StateMap:
        top = self.top
        return map_of_pages(root, lambda: top, self.page, instead or nothing, hash=SHA256)

    def page(self, name: bytes) -> bytes:
        if name not in self.pages:
            raise DamagedError("this page is missing")
        return self.pages[name]


def nothing(path: Path) -> Node:
    raise AssertionError(f"the page at {path} is whole")


def everything(tree: StateMap) -> list[Any]:
    return [record for _, record in changed(StateMap(hash=SHA256), tree)]


@given(st.sampled_from([0, 1, 2, 64, 65, 66, 200, 700]), st.integers(0, 1 << 32), st.integers(1, 4))
@settings(max_examples=12, deadline=None)
def test_pages_are_the_map(count: int, seed: int, rounds: int) -> None:
    """After any changes, made on the map in memory and on the one that is read: one root, one set of proofs and differences."""
    numbers, held, whole = chance(seed), Held(), filled(count)
    held.keep(whole)
    for _ in range(rounds):
        read = held.read(whole.root)
        size = numbers.choice((1, 3, count + 1))
        changes: dict[tuple[str, str], Any] = {
            ("member", f"did:weid:1:{n}"): person(n, numbers.randrange(1, 5)) if numbers.random() < 0.4 else None
            for n in (numbers.randrange(count + 9) for _ in range(size))
        }
        after, later = whole.updated(changes), read.updated(changes)
        assert later.root == after.root
        assert list(changed(read, later)) == list(changed(whole, after))
        asked = [f"did:weid:1:{numbers.randrange(count + 9)}" for _ in range(5)]
        assert [later.prove("member", key) for key in asked] == [after.prove("member", key) for key in asked]
        held.keep(later)
        whole = after
        assert everything(held.read(whole.root)) == everything(whole)


def test_a_small_change_writes_few_pages() -> None:
    """Of a map of 5,000 records one change writes one page, and a map that is only asked reads one."""
    held, whole = Held(), filled(5_000)
    held.keep(whole)
    assert held.written > 50
    read = held.read(whole.root)
    later = read.updated({("member", "did:weid:1:7"): person(7, 99)})
    held.keep(later)
    assert held.written <= 2
    gone = page_names(held.top)
    held.pages = {name: data for name, data in held.pages.items() if name in gone}
    assert everything(held.read(later.root)) == everything(whole.updated({("member", "did:weid:1:7"): person(7, 99)}))


@pytest.mark.parametrize("count", [5, 300])
def test_whatever_is_changed_is_noticed(count: int) -> None:
    """Any byte of the list or of a page changed, a page lost or in the place of another: the subtree is asked for elsewhere."""
    held, whole = Held(), filled(count)
    held.keep(whole)
    numbers, asked = chance(count), 0

    def instead(path: Path) -> Node:
        nonlocal asked
        asked += 1
        return subtree_at(whole, path)

    right, top, pages = everything(whole), held.top, dict(held.pages)
    for _ in range(60):
        held.top, held.pages = top, dict(pages)
        name = numbers.choice(list(pages))
        way = numbers.choice(("top", "page", "lost", "other"))
        if way == "top":
            data = bytearray(top)
            data[numbers.randrange(len(data))] ^= 1 << numbers.randrange(8)
            held.top = bytes(data)
        elif way == "page":
            data = bytearray(pages[name])
            data[numbers.randrange(len(data))] ^= 1 << numbers.randrange(8)
            held.pages[name] = bytes(data)
        elif way == "lost":
            del held.pages[name]
        else:
            held.pages[name] = pages[numbers.choice(list(pages))]
        assert everything(held.read(whole.root, instead)) == right
    assert asked > 20
    held.top = b""
    assert everything(held.read(whole.root, instead)) == right
