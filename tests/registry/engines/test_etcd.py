"""What is special about etcd: a member that dies, an answer that never came, a cluster put back to an older state."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.engines import ContradictionError, Placed
from registry.engines.calls import TRANSIENT
from registry.engines.etcd import EtcdCluster, EtcdEngine
from registry.engines.sqlite import SqliteEngine
from tests.registry.engines.script import facts_of, opened, run, world_on
from tests.registry.engines.servers import NO_ETCD, Etcd, etcd_binary, running
from tests.registry.engines.test_conformance import data, placed
from tests.seeds import chance as chance_of
from weid.canon import JSON
from weid.codec import b64
from weid.errors import RegistryError
from weid.hashes import SHA256

GENESIS = SHA256(b"a registry")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Etcd]:
    """A cluster for one test alone."""
    if etcd_binary() is None:
        pytest.skip(NO_ETCD)
    yield from running(Etcd(tmp_path / "own"))  # type: ignore[misc]


def append_until(engine: EtcdEngine, batch: list[bytes], expect: int, seconds: float = 30.0) -> None:
    """The same batch for the same place, until it is there."""
    until = time.monotonic() + seconds
    while True:
        try:
            if isinstance(engine.wait(engine.append(batch, expect=expect), 1.0), Placed):
                return
            if data(engine, expect, len(batch)) == batch:
                return
        except RegistryError as error:
            if error.code not in TRANSIENT or time.monotonic() > until:
                raise


def test_a_killed_leader_loses_nothing(own: Etcd) -> None:
    """Appends go on with the next leader; whatever was acknowledged is there once, in order."""
    engine = EtcdEngine(EtcdCluster(own.endpoints, timeout=1.0), "/weid/log", GENESIS)
    acknowledged: list[bytes] = []
    gap = 0.0
    for n in range(120):
        if n == 40:
            leader = own.leader()
            assert leader is not None
            threading.Timer(0.05, own.kill, (leader,)).start()
        batch = [f"{n}/{k}".encode() for k in range(1 + n % 4)]
        began = time.monotonic()
        append_until(engine, batch, len(acknowledged))
        gap = max(gap, time.monotonic() - began)
        acknowledged += batch
        if n < 60:
            time.sleep(0.005)
    own.restart(leader)
    assert data(EtcdEngine(EtcdCluster(list(reversed(own.endpoints))), "/weid/log", GENESIS)) == acknowledged
    assert gap < 15


@pytest.mark.long
def test_a_registry_goes_on_while_the_leader_dies(own: Etcd, tmp_path: Path) -> None:
    """The registry waits for the next leader and gives the same bytes as the embedded one."""
    embedded = world_on(tmp_path / "embedded", None)
    other = world_on(
        tmp_path / "other",
        lambda genesis, store: EtcdEngine(EtcdCluster(own.endpoints, timeout=1.0), "/weid", genesis, journal=store),
    )
    leader = own.leader()
    assert leader is not None
    killer = threading.Timer(0.3, own.kill, (leader,))
    killer.start()
    for world in (other, embedded):
        run(world, 150, block=10)
        world.registry.close()
    killer.join()
    for world in (embedded, other):
        world.registry = opened(world, None)
    assert facts_of(other) == facts_of(embedded)
    for world in (embedded, other):
        world.registry.close()


class Mute(EtcdCluster):
    """Transactions arrive, but every other answer does not: the next endpoint is asked the same."""

    lose = False

    def call(self, path: str, value: JSON) -> dict[str, JSON]:
        answer = super().call(path, value)
        self.lose = path == "txn" and not self.lose
        return super().call(path, value) if self.lose else answer


def test_a_transaction_that_arrived_twice_lands_once(etcd: Etcd, tmp_path: Path) -> None:
    """The second is refused by its own conditions, and known to be ours."""
    engine = EtcdEngine(Mute(etcd.endpoints), f"/weid/mute{tmp_path.name}", GENESIS)
    for n in range(6):
        assert placed(engine, [bytes([n + 1])] * 2, 2 * n) == Placed(2 * n, 2)
    assert data(engine) == [bytes([n + 1]) for n in range(6) for _ in range(2)]


class Talking(EtcdCluster):
    """Answers what it was told to."""

    def __init__(self, answer: JSON) -> None:
        self._answer = answer

    def call(self, path: str, value: JSON) -> dict[str, JSON]:
        return self._answer  # type: ignore[return-value]


def test_answers_of_any_shape_are_refused_by_name() -> None:
    """Whatever a gateway answers, only our own errors come out."""
    chance = chance_of(3)
    shapes: list[JSON] = [None, 1, "", "AA==", "not base64", b64(bytes(48)), b64(bytes(31)), [], {}, True, "-1", "99"]
    refused = 0
    for _ in range(3_000):
        row: dict[str, JSON] = {name: chance.choice(shapes) for name in ("key", "value", "version", "create_revision")}
        rows: JSON = [row] * chance.choice((0, 1, 2))
        answer: JSON = {"kvs": chance.choice([rows, rows, rows, None, {}, "x", [1]])}
        engine = EtcdEngine(Talking(answer), "/weid", GENESIS)
        for call in (
            engine.head,
            lambda engine=engine: list(engine.read(0, 9)),
            lambda engine=engine: engine.append([b"x"], expect=0),
        ):
            try:
                call()
            except RegistryError as error:
                refused += error.code in ("bad-answer", "gap", "engine-contradiction")
    assert refused > 5_000


def test_nobody_there_is_unreachable() -> None:
    engine = EtcdEngine(EtcdCluster(["http://127.0.0.1:9", "http://127.0.0.1:10"], timeout=0.5), "/weid", GENESIS)
    for call in (engine.head, lambda: engine.append([b"a"])):
        with pytest.raises(RegistryError) as caught:
            call()
        assert caught.value.code == "unreachable"


@pytest.mark.parametrize("change", ["cut", "other", "rewritten", "hole"])
def test_a_changed_cluster_is_known(etcd: Etcd, tmp_path: Path, change: str) -> None:
    """Put back to an older state, filled otherwise, overwritten or with a hole: an error by name, after a restart too."""
    prefix = f"/weid/{change}{tmp_path.name}"
    store = SqliteEngine.create(tmp_path / "log.db", GENESIS, hash=SHA256)
    cluster = EtcdCluster(etcd.endpoints)
    engine = EtcdEngine(cluster, prefix, GENESIS, journal=store)
    for n in range(4):
        placed(engine, [bytes([n + 1])], n)
    if change != "hole":
        assert len(data(engine)) == 4
        store.append([b"entries of the file"])  # what was shown is remembered with them
    keys: JSON = {"key": b64(prefix.encode()), "range_end": b64((prefix + "0").encode())}
    if change in ("cut", "other"):
        cluster.call("deleterange", keys)
        fresh = EtcdEngine(cluster, prefix, GENESIS)
        for n in range(3 if change == "cut" else 6):
            placed(fresh, [bytes([n + 1]) if change == "cut" else bytes([n + 9])], n)
    else:
        key = b64(f"{prefix}/batch/{2:016x}".encode())
        if change == "hole":
            cluster.call("deleterange", {"key": key})
        else:
            cluster.call("put", {"key": b64(f"{prefix}/batch/{3:016x}".encode()), "value": b64(bytes(36) + b"\0\1x")})
    again = EtcdEngine(cluster, prefix, GENESIS, journal=store)
    with pytest.raises((ContradictionError, RegistryError)) as caught:
        data(again, 4 if change == "other" else 3 if change == "rewritten" else 0)
    assert caught.value.code == ("engine-contradiction" if change in ("cut", "other") else "gap")
    store.close()
