"""Engines for the conformance suite: a fresh log on each of them, or a skip that says what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from registry.engines import Journal, LogEngine
from registry.engines.calls import JsonRpc
from registry.engines.etcd import EtcdCluster, EtcdEngine
from registry.engines.evm import EvmEngine
from registry.engines.evm_account import EvmAccount
from registry.engines.evm_node import EvmNode
from registry.engines.sqlite import SqliteEngine
from tests.registry.engines.proxy import Proxy
from tests.registry.engines.servers import CHAIN, NO_ANVIL, NO_ETCD, Anvil, Etcd, anvil_binary, etcd_binary, running
from weid.hashes import SHA256

ENGINES = ("sqlite", "evm", "fisco", "etcd")
# What is above the engines runs on the stricter of the two chains; on the other one too in the long suite.
ABOVE = ("sqlite", "fisco", "etcd", pytest.param("evm", marks=pytest.mark.long))
ACCOUNT = bytes(31) + b"\x07"
Make = Callable[..., LogEngine]
_numbers = count()


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    if anvil_binary() is None:
        pytest.skip(NO_ANVIL)
    server = Anvil()
    server.fund(EvmAccount(ACCOUNT).address)
    yield from running(server)  # type: ignore[misc]


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    if etcd_binary() is None:
        pytest.skip(NO_ETCD)
    yield from running(Etcd(tmp_path_factory.mktemp("etcd")))  # type: ignore[misc]


@pytest.fixture(scope="session")
def fisco(anvil: Anvil) -> Iterator[Proxy]:
    proxy = Proxy(anvil.url)
    yield proxy
    proxy.close()


def evm(url: str, genesis: bytes, contract: str | None = None, journal: Journal | None = None, **options) -> EvmEngine:  # type: ignore[no-untyped-def]
    """An engine on a contract, a fresh one if none is named."""
    node, account = EvmNode(JsonRpc(url, timeout=options.pop("timeout", 10.0)), chain=CHAIN), EvmAccount(ACCOUNT)
    made = contract or node.deploy(account, genesis)
    return EvmEngine(node, made, genesis, account=account, journal=journal, **options)


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """`make(genesis, journal=…)`: a fresh log; `make.again()` the same log, opened by another process as it were."""
    return Maker(request.param, request, tmp_path)


class Maker:
    """Fresh logs of one kind of engine."""

    def __init__(self, kind: str, request: pytest.FixtureRequest, folder: Path) -> None:
        self.kind, self._folder = kind, folder
        if kind in ("evm", "fisco"):
            self._url = request.getfixturevalue("anvil" if kind == "evm" else "fisco").url
        elif kind == "etcd":
            self._cluster = request.getfixturevalue("etcd").endpoints
        self._place: tuple = ()  # type: ignore[type-arg]

    def __call__(self, genesis: bytes = bytes(32), journal: Journal | None = None) -> LogEngine:
        number = next(_numbers)
        if self.kind == "sqlite":
            self._place = (self._folder / f"order{number}.db", genesis)
            return SqliteEngine.create(self._place[0], genesis, hash=SHA256)
        if self.kind == "etcd":
            self._place = (f"/weid/{number}/{self._folder.name}", genesis)
        else:
            self._place = (EvmNode(JsonRpc(self._url), chain=CHAIN).deploy(EvmAccount(ACCOUNT), genesis), genesis)
        return self.again(journal)

    def again(self, journal: Journal | None = None) -> LogEngine:
        place, genesis = self._place
        if self.kind == "sqlite":
            return SqliteEngine.open(place, hash=SHA256)
        if self.kind == "etcd":
            return EtcdEngine(EtcdCluster(self._cluster), place, genesis, journal=journal)
        return evm(self._url, genesis, place, journal)


@pytest.fixture
def engine(make: Make) -> LogEngine:
    return make()
