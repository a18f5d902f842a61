"""Moving a registry between engines: the same root at every step, old proofs, breaking off and going on, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from registry.engines import Ticket
from registry.engines.config import EtcdConfig, EvmConfig, print_config, read_config
from registry.engines.etcd import EtcdCluster, EtcdEngine
from registry.engines.move import move
from registry.engines.sqlite import SqliteEngine
from tests.registry.engines.conftest import ABOVE, Maker, evm
from tests.registry.engines.script import facts_of, opened, run, world_on
from tests.registry.engines.servers import Anvil, Etcd
from tests.registry.engines.test_registry import Wrapped
from tests.wallet_cli.test_holder import Weid
from weid.errors import ConflictError, MalformedError, RegistryError
from weid.hashes import SHA256


@pytest.fixture(params=ABOVE)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    return Maker(request.param, request, tmp_path)


def quiet(step: str, done: int, of: int) -> None:
    """Nobody watches."""


class Breaks(Wrapped):
    """Stops taking appends after some."""

    left = 3

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        if self.left == 0:
            raise RegistryError("no more", code="engine-refused")
        self.left -= 1
        return self.inner.append(entries, expect=expect)


def filled(folder: Path, count: int = 400) -> SqliteEngine:
    store = SqliteEngine.create(folder / "log.db", bytes(32), hash=SHA256)
    store.append([f"entry {n}".encode() * 3 for n in range(count)])
    return store


def test_a_move_breaks_off_and_goes_on(make: Maker, tmp_path: Path) -> None:
    """What is there is compared, the rest is written, all is read back."""
    store, target = filled(tmp_path), make()
    target.info = type(target.info)(**{**{n: getattr(target.info, n) for n in target.info.__slots__}, "max_batch": 50})  # type: ignore[misc]
    with pytest.raises(RegistryError, match="no more"):
        move(store, Breaks(target), hash=SHA256, progress=quiet)
    assert target.head().size == 150
    steps: list[tuple[str, int, int]] = []
    move(store, make.again(), hash=SHA256, progress=lambda *step: steps.append(step))
    assert steps[0] == ("compare", 150, 150)
    assert steps[-1] == ("verify", 400, 400)
    assert [entry.data for entry in make.again().read(0, 500)] == [entry.data for entry in store.read(0, 500)]
    move(store, make.again(), hash=SHA256, progress=quiet)  # nothing left to do
    store.close()


def test_another_log_is_refused(make: Maker, tmp_path: Path) -> None:
    """A target with other entries, with more of them, or with a writer of its own."""
    store, target = filled(tmp_path, 5), make()
    target.wait(target.append([b"something else"]), 5.0)
    with pytest.raises(ConflictError) as caught:
        move(store, target, hash=SHA256, progress=quiet)
    assert caught.value.code == "other-log"
    target = make()
    target.wait(target.append([entry.data for entry in store.read(0, 5)] + [b"more"]), 5.0)
    with pytest.raises(ConflictError) as caught:
        move(store, target, hash=SHA256, progress=quiet)
    assert caught.value.code == "other-log"
    store.close()


def test_an_entry_too_large_is_known_before_anything_is_written(make: Maker, tmp_path: Path) -> None:
    if make.kind not in ("evm", "fisco"):
        pytest.skip("this engine takes every entry")
    store, target = filled(tmp_path, 3), make()
    store.append([bytes([1]) * 60_000])
    with pytest.raises(RegistryError) as caught:
        move(store, target, hash=SHA256, progress=quiet)
    assert (caught.value.code, target.head().size) == ("entry-size", 0)
    store.close()


def test_a_registry_goes_round_all_engines(anvil: Anvil, etcd: Etcd, tmp_path: Path) -> None:
    """Embedded, chain, cluster, embedded: the twin that never moved has the same bytes at the end."""
    twin, world = world_on(tmp_path / "twin", None), world_on(tmp_path / "world", None)
    pin = world.pin
    address = evm(anvil.url, pin)._contract
    steps = [
        lambda store: evm(anvil.url, pin, address, store),
        lambda store: EtcdEngine(EtcdCluster(etcd.endpoints), f"/weid/round{tmp_path.name}", pin, journal=store),
        None,
    ]
    for n, step in enumerate(steps):
        for one in (twin, world):
            run(one, 30 * (n + 1))
        root = world.registry.engine.tree.root
        world.registry.follow()
        if step is not None:
            move(world.registry.engine, step(world.registry.engine), hash=SHA256, progress=quiet)
        world.registry.close()
        world.registry = opened(world, step)
        assert world.registry.follow() == 0
        assert world.registry.engine.tree.root == root
    for one in (twin, world):
        run(one, 110)
    assert facts_of(world) == facts_of(twin)
    for one in (twin, world):
        one.registry.close()


@pytest.fixture
def weid(tmp_path: Path) -> Weid:
    return Weid(tmp_path / "operator")


@pytest.mark.long
def test_the_command_moves_a_registry(weid: Weid, etcd: Etcd, tmp_path: Path) -> None:
    """To a cluster and back; the file says which engine it is, and the bundle of the registry there is made there."""
    folder = str(tmp_path / "ca")
    weid("registry", "init", folder, "--origin", "registry.example.org/1", "--chain", "8601")
    there = weid(
        "registry", "move", folder, "--to", "etcd", "--endpoint", etcd.endpoints[0], "--prefix", f"/weid/{tmp_path.name}"
    )
    assert "verify: 1 of 1" in there.stderr
    assert isinstance(read_config(tmp_path / "ca"), EtcdConfig)
    weid("registry", "bundle", folder, "-o", str(tmp_path / "ca.bundle"))
    home = weid("registry", "move", folder, "--to", "sqlite")
    assert (there.stdout.split()[0], home.stdout.split()[0]) == ("1", "2")
    assert read_config(tmp_path / "ca") is None


@pytest.mark.long
def test_the_command_moves_a_registry_to_a_chain(weid: Weid, anvil: Anvil, etcd: Etcd, tmp_path: Path) -> None:
    """To a chain, to a cluster and back; each time size and root are printed, and the next tick continues them."""
    folder = str(tmp_path / "ca")
    weid("registry", "init", folder, "--origin", "registry.example.org/1", "--chain", "8601")
    weid("registry", "tick", folder)
    chain = ("--to", "evm", "--url", anvil.url, "--chain", "20200", "--price", "1000000000")
    done = weid("registry", "move", folder, *chain, code=1)
    anvil.fund(done.stderr.partition("A new account: ")[2][:42])
    moved = weid("registry", "move", folder, *chain)
    size = int(moved.stdout.split()[0])
    assert f"verify: {size} of {size}" in moved.stderr
    config = read_config(tmp_path / "ca")
    assert isinstance(config, EvmConfig)
    assert config.chain == 20_200
    weid("registry", "tick", folder)
    weid("registry", "writer", folder, "0x" + "ab" * 20)
    back = weid("registry", "move", folder, "--to", "etcd", "--endpoint", etcd.endpoints[0], "--prefix", f"/weid/{tmp_path.name}")
    assert int(back.stdout.split()[0]) > size
    assert isinstance(read_config(tmp_path / "ca"), EtcdConfig)
    weid("registry", "bundle", folder, "-o", str(tmp_path / "ca.bundle"))
    home = weid("registry", "move", folder, "--to", "sqlite")
    assert int(home.stdout.split()[0]) > int(back.stdout.split()[0])
    assert read_config(tmp_path / "ca") is None
    assert "sound" in weid("registry", "fsck", folder).stderr


@pytest.mark.parametrize(
    "text",
    [
        "", "[engine]", "nonsense", '[engine]\nname = "oracle"', '[engine]\nname = "etcd"\nendpoints = []\nprefix = "/x"',
        '[engine]\nname = "etcd"\nendpoints = ["ftp://x"]\nprefix = "/x"', '[engine]\nname = "evm"\nurl = "http://x"\nchain = 1',
        '[engine]\nname = "evm"\nurl = "http://x"\nchain = "1"\ncontract = "0x1111111111111111111111111111111111111111"',
        '[engine]\nname = "evm"\nurl = "http://x"\nchain = 1\ncontract = "0x12"', '[engine]\nname = "sqlite"\nextra = 1',
        '[engine]\nname = "etcd"\nendpoints = ["http://x"]\nprefix = "/x"\nca = "missing.pem"\ncolour = 1', "[other]\na = 1",
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, text: str) -> None:
    """Never the embedded engine by mistake: that would be a second history."""
    (tmp_path / "registry.toml").write_text(text)
    with pytest.raises(MalformedError):
        read_config(tmp_path)


def test_a_file_reads_back(tmp_path: Path) -> None:
    for config in (
        EvmConfig("http://node.example:8545", 20_200, "0x" + "12" * 20, 12, price=0, ca="ca.pem"),
        EtcdConfig(("http://a.example:2379", "https://b.example:2379"), "/weid/x"),
    ):
        (tmp_path / "registry.toml").write_bytes(print_config(config))
        assert read_config(tmp_path) == config
    (tmp_path / "registry.toml").write_text('[engine]\nname = "sqlite"\n')
    assert read_config(tmp_path) is None
