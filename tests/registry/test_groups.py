"""Groups: separate logs on one node, with members of their own; a private one is silent to strangers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from werkzeug.serving import make_server
from werkzeug.test import Client

from registry import operations as ops
from registry.node.client import RegistryClient
from registry.node.groups import Group, Readers, create_groups, guard
from registry.node.service import create_node
from tests.registry.world import Stream, World
from weid.errors import MalformedError, RegistryError


@pytest.fixture
def worlds(tmp_path: Path) -> dict[str, World]:
    made = {}
    for chain, name in enumerate(("trade", "health"), 7):
        (tmp_path / name).mkdir()
        made[name] = World(tmp_path / name, name=name, chain=chain)
    return made


@pytest.fixture
def readers(tmp_path: Path) -> Readers:
    return Readers(tmp_path / "readers")


@pytest.fixture
def address(worlds: dict[str, World], readers: Readers) -> Iterator[str]:
    groups = {}
    for name, world in worlds.items():
        app = create_node(world.registry)
        if name == "health":
            guard(app, readers)
        groups[name] = Group(world.registry, app, name == "health")
    server = make_server("127.0.0.1", 0, create_groups(groups), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_groups_share_a_port_and_nothing_else(worlds: dict[str, World], address: str, readers: Readers) -> None:
    """An operation of one group means nothing in the other; each answers as a node of its own."""
    trade, health = worlds["trade"], worlds["health"]
    key = readers.add("clinic", Stream("key"))
    one = RegistryClient.http(trade.genesis, f"{address}/groups/trade")
    two = RegistryClient.http(health.genesis, f"{address}/groups/health", key=key)
    actor = trade.actor()
    made = ops.did_create(trade.author(actor), list(actor.signers.values()))
    assert one.submit(made.data).code == "applied"
    assert two.submit(made.data).code == "wrong-registry"
    assert (one.checkpoint().size, two.checkpoint().size) == (1, 0)
    one.refresh()
    assert one.record("did", actor.did) is not None


def test_a_private_group_answers_its_readers_alone(worlds: dict[str, World], address: str, readers: Readers) -> None:
    health = worlds["health"]
    key = readers.add("clinic", Stream("one"))
    base = f"{address}/groups/health"
    assert RegistryClient.http(health.genesis, base, key=key).health()["size"] == 0
    for wrong in (None, "", "0" * 48, key.upper()):
        with pytest.raises(RegistryError) as caught:
            RegistryClient.http(health.genesis, base, key=wrong).health()
        assert caught.value.code == "no-reader"
    fresh = readers.add("clinic", Stream("two"))
    with pytest.raises(RegistryError):
        RegistryClient.http(health.genesis, base, key=key).health()
    readers.end("clinic")
    with pytest.raises(RegistryError):
        RegistryClient.http(health.genesis, base, key=fresh).health()
    assert readers.names() == ()


@pytest.mark.parametrize("path", ["v1/tile/entries/000.p/1", "v1/tile/0/000.p/1", "v1/checkpoint", "v1/health", "", "operations",
                                  "explorer-static/explorer.css", "v1/none"])  # fmt: skip
def test_no_cache_keeps_a_private_group(worlds: dict[str, World], readers: Readers, path: str) -> None:
    """What an open node lets every cache keep for a year, a private one lets none keep: not even the refusal."""
    key = readers.add("clinic", Stream("key"))
    health = worlds["health"]
    health.register(health.actor())
    app, heads = create_node(health.registry, explorer=True), {"Authorization": f"Bearer {key}"}
    opened = app.test_client().get(f"/{path}").headers.get("Cache-Control", "")
    assert ("public" in opened) == ("tile" in path)
    private = create_node(health.registry, explorer=True)
    guard(private, readers)
    mounted = Client(create_groups({"health": Group(health.registry, private, True)}))
    for head, status in ((heads, None), ({}, 401)):
        answer = mounted.get(f"/groups/health/{path}", headers=head)
        assert answer.headers["Cache-Control"] == "private, no-store" and "authorization" in str(answer.vary).lower()
        assert status in (None, answer.status_code)


def test_the_printed_commands_of_a_private_group_send_the_key(worlds: dict[str, World], readers: Readers) -> None:
    """Whoever copies the lines from a private page reads what they name; an open node's lines name no key."""
    key, health = readers.add("clinic", Stream("key")), worlds["health"]
    health.register(health.actor())
    health.commit()
    private = create_node(health.registry, explorer=True)
    guard(private, readers)
    head = {"Authorization": f"Bearer {key}"}
    for path in ("/", "/operations/0", "/governance"):
        page = unescape(private.test_client().get(path, headers=head).get_data(as_text=True))
        lines = re.findall(r"curl [^\n<]+", page)
        assert lines and all('-H "Authorization: Bearer $WEID_NODE_KEY" ' in line for line in lines) and "reader's key" in page
        assert "WEID_NODE_KEY" not in create_node(health.registry, explorer=True).test_client().get(path).get_data(as_text=True)


def test_the_list_of_groups_tells_nothing_of_a_private_one(worlds: dict[str, World], address: str) -> None:
    from urllib.request import urlopen

    with urlopen(f"{address}/groups/") as answer:
        text = answer.read().decode()
    assert worlds["trade"].origin in text and worlds["health"].origin not in text and '"health"' in text


def test_names_and_keys_are_checked(worlds: dict[str, World], readers: Readers, tmp_path: Path) -> None:
    app = create_node(worlds["trade"].registry)
    for name in ("", "Trade", "../x", "a" * 33, "a b"):
        with pytest.raises(MalformedError):
            create_groups({name: Group(worlds["trade"].registry, app, False)})
        with pytest.raises(MalformedError):
            readers.add(name, Stream("x"))
    with pytest.raises(MalformedError):
        readers.end("nobody")
    key = readers.add("a", Stream("x"))
    assert key not in (tmp_path / "readers").read_text() and (tmp_path / "readers").stat().st_mode & 0o077 == 0
    assert Client(create_groups({})).get("/groups/none/v1/health").status_code == 404
