"""Mirrors: everything is recomputed before it is kept; a lying source changes nothing (R20). Static tiles as C2SP has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from registry.bundle import open_bundle, parse_bundle, print_bundle
from registry.engines.sqlite import SqliteEngine
from registry.evidence import check_evidence
from registry.genesis import print_genesis
from registry.mirror.mirror import Mirror
from registry.mirror.paths import entry_path, pack_entries, parse_path, resources, tile_path, unpack_entries
from registry.mirror.source import FolderSource, HttpSource, open_source
from registry.mirror.static import export, resource
from registry.node.client import RegistryClient
from registry.node.service import create_node
from registry.note import NoteKey, parse_note, print_note, sign_note, verify_note
from registry.witness.client import cosign_registry
from tests.registry.test_keys_change import rotate
from tests.registry.witnesses import Witnesses, policy_of, witness_signer
from tests.registry.world import Stream, World
from weid.errors import ConflictError, MalformedError, RegistryError, RollbackError, WeidError
from weid.keys import LocalSigner


class Changed:
    """A source that changes some of what another gives."""

    def __init__(self, inner: FolderSource, change: Callable[[str, bytes], bytes | None]) -> None:
        self._inner, self._change = inner, change

    def get(self, path: str) -> bytes | None:
        data = self._inner.get(path)
        return None if data is None else self._change(path, data)


class Served:
    """A source that is a node in this process."""

    def __init__(self, world: World) -> None:
        self._client = create_node(world.registry, read_only=True).test_client()

    def get(self, path: str) -> bytes | None:
        answer = self._client.get(f"/v1/{path}")
        return bytes(answer.get_data()) if answer.status_code == 200 else None


def grow(world: World, count: int) -> None:
    for _ in range(count):
        world.tick()


def exported(world: World, target: Path) -> FolderSource:
    world.commit()
    export(world.registry, target)
    return FolderSource(target)


def mirror_of(world: World, folder: Path) -> Mirror:
    return Mirror.open(folder, print_genesis(world.genesis), random=Stream("mirror"))


@pytest.mark.parametrize("profile", ["intl", pytest.param("gm", marks=pytest.mark.long)])
def test_a_copy_carried_on_a_stick_is_the_log(tmp_path: Path, profile: str) -> None:
    """Export, mirror, grow, export again, mirror again: root, state, proofs and bundle are those of the log."""
    world = World(tmp_path, profile=profile)
    world.issuer(world.schema())
    grow(world, 300)
    source = exported(world, tmp_path / "stick")
    copy = mirror_of(world, tmp_path / "mirror")
    first = copy.sync(source)
    grow(world, 20)
    source = exported(world, tmp_path / "stick")
    second = copy.sync(source)

    assert (first.before, second.before, second.size) == (0, first.size, world.registry.size)
    assert copy.registry.engine.tree.root == world.registry.engine.tree.root
    assert copy.registry.state.map.root == world.registry.state.map.root
    assert copy.sync(source).size == copy.sync(source).before
    assert open_bundle(copy.registry.bundle(), pin=world.pin, at=world.now).snapshot.size == world.registry.size - 1
    copy.close()
    again = mirror_of(world, tmp_path / "mirror")
    assert again.registry.size == world.registry.size
    client = RegistryClient.local(again.registry)
    assert client.check_continues(client.checkpoint()).size == world.registry.size
    again.close()


def test_a_copy_over_the_node_follows_key_changes_and_witnesses(tmp_path: Path) -> None:
    """The node's own routes are a source; a changed log key is learnt from the entries; cosignatures come along."""
    signers = [witness_signer(n) for n in range(3)]
    world = World(tmp_path, witnesses=policy_of(signers, 2))
    witnesses = Witnesses.of(tmp_path, signers, print_genesis(world.genesis))
    copy = mirror_of(world, tmp_path / "mirror")
    rotate(world, "state")
    cosign_registry(world.registry, witnesses.ask)
    copy.sync(Served(world))
    rotate(world, "operator")
    cosign_registry(world.registry, witnesses.ask)
    copy.sync(Served(world))
    facts = open_bundle(copy.registry.bundle(), pin=world.pin, at=world.now)

    assert facts.witnessed is not None
    assert facts.authority.operator == world.registry.state.authority.operator
    copy.close()


def test_a_mirror_takes_no_operations(world: World) -> None:
    world.commit()
    client = create_node(world.registry, read_only=True).test_client()

    assert client.post("/v1/operations", data=b"x").status_code in (404, 405)
    assert client.get("/v1/checkpoint").status_code == 200


def test_what_a_source_changes_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    """A changed entry, a missing one, a foreign checkpoint, another state: the copy stays as it was and can go on."""
    world = World(tmp_path)
    grow(world, 10)
    source = exported(world, tmp_path / "stick")
    copy = mirror_of(world, tmp_path / "mirror")
    copy.sync(source)
    size = copy.registry.size
    older = source.get("bundle") or b""
    grow(world, 5)
    world.register(world.actor())
    source = exported(world, tmp_path / "stick")

    def flipped(path: str, data: bytes) -> bytes:
        return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:] if "entries" in path else data

    def stranger(path: str, data: bytes) -> bytes:
        other = LocalSigner(b"\7" * 32, "ed25519", "x", "log")
        return print_note(sign_note(parse_note(data).text, world.origin, other)) if path == "checkpoint" else data

    def mixed(path: str, data: bytes) -> bytes:
        if path != "bundle":
            return data
        return print_bundle(replace(parse_bundle(data), snapshot=parse_bundle(older).snapshot))

    for change in (flipped, stranger, mixed, lambda path, data: None if "entries" in path else data,
                   lambda path, data: data[:-1] if "entries" in path else data,
                   lambda path, data: None if path == "checkpoint" else data):  # fmt: skip
        with pytest.raises(WeidError):
            copy.sync(Changed(source, change))
        assert copy.registry.size == size
    copy.sync(source)
    assert copy.registry.size == world.registry.size
    copy.close()


def test_rollback_and_fork_are_told_apart_and_a_fork_is_proved(tmp_path: Path) -> None:
    """An old export is `older-log`; another history, shorter, equal or longer, is `forked`, with proof where there is one."""
    world = World(tmp_path)
    grow(world, 6)
    old = exported(world, tmp_path / "old")
    grow(world, 6)
    copy = mirror_of(world, tmp_path / "mirror")
    copy.sync(exported(world, tmp_path / "stick"))
    with pytest.raises(RollbackError) as caught:
        copy.sync(old)
    assert caught.value.code == "older-log"
    (tmp_path / "twin").mkdir()
    twin = World(tmp_path / "twin")
    for count, proved in ((3, True), (20, False)):
        for _ in range(count):
            twin.tick(2)
        with pytest.raises(ConflictError) as conflict:
            copy.sync(exported(twin, tmp_path / f"fork-{count}"))
        assert conflict.value.code == "forked"
        found = list((tmp_path / "mirror").glob("evidence-*.evidence"))
        assert len(found) == 1 if proved else found
        assert check_evidence(found[0].read_bytes(), pin=world.pin) == "fork"
    twin.registry.close()
    copy.close()


def test_a_false_state_is_found(tmp_path: Path) -> None:
    """The operator signs a state that its entries do not add up to: the mirror refuses it (R20)."""
    world = World(tmp_path)
    grow(world, 3)
    honest = exported(world, tmp_path / "stick")
    bundle = parse_bundle(honest.get("bundle") or b"")
    lie = parse_note(bundle.statement).text.splitlines()
    lie[6] = "00" * 32
    signed = print_note(sign_note("\n".join(lie) + "\n", world.origin, world.state_key))
    copy = mirror_of(world, tmp_path / "mirror")
    false = print_bundle(replace(bundle, statement=signed))
    with pytest.raises(ConflictError) as caught:
        copy.sync(Changed(honest, lambda path, data: false if path == "bundle" else data))

    assert caught.value.code == "wrong-state"
    assert copy.registry.size == 0
    copy.close()


def test_a_mirror_signs_the_state_it_recomputed(tmp_path: Path) -> None:
    """Its own line under the operator's statement, by its own key, under its own name."""
    world = World(tmp_path)
    copy = mirror_of(world, tmp_path / "mirror")
    signer = LocalSigner(b"\5" * 32, "ed25519", "mirror.example/1", "mirror")
    with pytest.raises(RegistryError):
        copy.cosign_state(signer.kid, signer)
    copy.sync(exported(world, tmp_path / "stick"))
    note = parse_note(copy.cosign_state(signer.kid, signer))

    verify_note(note, NoteKey(signer.kid, signer.public_key), "mirror")
    verify_note(note, NoteKey(world.origin, world.genesis.state), "state")
    copy.close()


def test_a_full_disk_leaves_the_copy_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries, tiles, checkpoint and state are one transaction: it fails whole."""
    world = World(tmp_path)
    grow(world, 4)
    copy = mirror_of(world, tmp_path / "mirror")
    source = exported(world, tmp_path / "stick")

    def full(*_: object, **__: object) -> None:
        raise RegistryError("disk full", code="engine")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteEngine, "append", full)
        with pytest.raises(RegistryError):
            copy.sync(source)
    assert copy.registry.size == 0
    assert copy.sync(source).size == world.registry.size
    copy.close()


# --- tiles -----------------------------------------------------------------------------------------------------


def test_paths_are_those_of_the_specification() -> None:
    """The example of tlog-tiles, 1234067, and its 70,000 entries: 273 full and one partial tile, 1 and 17, and 1."""
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path(63, 5, 255) == "tile/63/005.p/255"
    assert entry_path(1_000) == "tile/entries/x001/000"
    rows = [item for item in resources(70_000) if item[0] >= 0]
    assert [sum(level == row and width == 256 for level, _, width in rows) for row in (0, 1, 2)] == [273, 1, 0]
    assert [item for item in rows if item[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert [item for item in resources(256) if item[0] >= 0] == [(0, 0, 256), (1, 0, 1)]
    assert list(resources(0)) == []
    for item in resources(70_000):
        assert parse_path(tile_path(*item)) == item


@pytest.mark.parametrize(
    "path",
    ["tile/0/5", "tile/00/005", "tile/64/005", "tile/0/x000/005", "tile/0/005.p/0", "tile/0/005.p/256", "tile/0/005.p/01",
     "tile/0/001/005", "tile/0/x001/x005", "tile/x/005", "/tile/0/005", "tile/0/005/", "tile/0/005\n", "tile/0/٠٠٥", "",
     "tile/0/../../005", "tile/0/" + "x001/" * 30 + "001"],
)  # fmt: skip
def test_other_spellings_of_a_path_are_refused(path: str) -> None:
    with pytest.raises(MalformedError):
        parse_path(path)


def test_entry_bundles_round_trip() -> None:
    entries = (b"a", b"bc" * 1000, b"d")
    data = pack_entries(entries)
    assert unpack_entries(data, 3) == entries
    for bad, count in ((data, 2), (data, 4), (data[:-1], 3), (data + b"\0", 3), (data + b"\0\0", 4), (b"", 1)):
        with pytest.raises(MalformedError):
            unpack_entries(bad, count)


def test_tiles_are_served_for_ever_and_the_checkpoint_is_not(world: World) -> None:
    """Immutable cache headers, exact bytes, and 404 for what the log does not have."""
    grow(world, 300)
    world.commit()
    client = create_node(world.registry).test_client()
    size = world.registry.size
    full, part = client.get("/v1/tile/0/000"), client.get(f"/v1/tile/0/001.p/{size - 256}")

    assert (full.status_code, len(full.get_data()), full.content_type) == (200, 8192, "application/octet-stream")
    assert "immutable" in full.headers["Cache-Control"]
    assert len(part.get_data()) == 32 * (size - 256)
    assert resource(world.registry, "tile/1/000.p/1") == world.registry.engine.tree.complete(8, 0)
    assert client.get("/v1/checkpoint").headers["Cache-Control"] == "no-cache"
    for path in (f"tile/0/001.p/{size - 255}", "tile/0/001", "tile/2/000.p/1", "tile/entries/002.p/1"):
        assert client.get(f"/v1/{path}").status_code == 404
    assert client.get("/v1/tile/0/1").status_code == 404


def test_sources_are_chosen_by_what_they_are(tmp_path: Path) -> None:
    assert isinstance(open_source("https://log.example/v1"), HttpSource)
    assert isinstance(open_source(str(tmp_path)), FolderSource)
    assert open_source(str(tmp_path)).get("checkpoint") is None
    with pytest.raises(RegistryError) as caught:
        HttpSource("http://127.0.0.1:9", timeout=0.5).get("checkpoint")
    assert caught.value.code == "unreachable"
