"""What is special about chains: silent limits, reorganisations, lying nodes, the contract and its build."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.engines import ContradictionError, Pending, Placed, Refused
from registry.engines import evm_abi as abi
from registry.engines.calls import TRANSIENT, JsonRpc
from registry.engines.evm import EvmEngine
from registry.engines.evm_account import EvmAccount
from registry.engines.evm_node import EvmNode
from registry.engines.sqlite import SqliteEngine
from tests.registry.engines.conftest import ACCOUNT, evm
from tests.registry.engines.proxy import Chaos, Proxy, fisco, plain
from tests.registry.engines.servers import CHAIN, ENGINES, NO_ANVIL, Anvil, anvil_binary, running
from tests.registry.engines.test_conformance import data, placed
from tests.registry.world import Stream
from tests.seeds import chance as chance_of
from weid.did import keccak256
from weid.errors import KeyMaterialError, MalformedError, RegistryError
from weid.hashes import SHA256, SM3

ROOT = Path(__file__).resolve().parents[3]
GENESIS = SHA256(b"a registry")


@pytest.fixture
def own() -> Iterator[Anvil]:
    """A chain for one test alone."""
    if anvil_binary() is None:
        pytest.skip(NO_ANVIL)
    server = Anvil("--no-mining")
    server.fund(EvmAccount(ACCOUNT).address)
    yield from running(server)  # type: ignore[misc]


def deployed(server: Anvil) -> str:
    """A contract on a chain that mines when told to."""
    node, account = EvmNode(server.rpc, chain=CHAIN), EvmAccount(ACCOUNT)
    sent = node.sign(account, None, abi.bytecode(GENESIS))
    node.send(sent)
    server.mine()
    receipt = node.receipt("0x" + sent.hash.hex())
    assert receipt is not None and receipt.contract is not None
    return receipt.contract


def raises(code: str, call, *arguments, **options) -> RegistryError:  # type: ignore[no-untyped-def]
    with pytest.raises(RegistryError) as caught:
        call(*arguments, **options)
    assert caught.value.code == code, caught.value
    return caught.value


# -- the silent limits ------------------------------------------------------------------------------------------------


def test_a_log_spread_over_many_blocks_is_whole(anvil: Anvil, fisco: Proxy) -> None:
    """Ten blocks of logs, unsaid, lose nothing: a plain reader of the same node misses most of it."""
    engine = evm(fisco.url, GENESIS)
    written = []
    for n in range(25):
        placed(engine, [f"{n}/{k}".encode() for k in range(3)])
        written += [f"{n}/{k}".encode() for k in range(3)]
        anvil.mine(n % 4)
    other = EvmEngine(EvmNode(JsonRpc(fisco.url), chain=CHAIN), engine._contract, GENESIS)
    assert data(other) == written

    wanted = {"address": engine._contract, "fromBlock": "0x0", "toBlock": "latest", "topics": [abi.batch_topic()]}
    naive = JsonRpc(fisco.url).call("eth_getLogs", wanted)
    assert isinstance(naive, list) and len(naive) < 25


def test_only_what_fisco_has_is_called(anvil: Anvil) -> None:
    """No method that is missing there, none that is a stub, no batch; and its answers are refused where they are stubs."""
    proxy = Proxy(anvil.url)
    engine = evm(proxy.url, GENESIS)
    placed(engine, [b"a"])
    assert data(engine) == [b"a"]
    assert set(proxy.seen) <= {
        "eth_chainId", "web3_clientVersion", "eth_getTransactionCount", "eth_gasPrice", "eth_sendRawTransaction",
        "eth_getTransactionReceipt", "eth_getCode", "eth_call", "eth_getBlockByNumber", "eth_getLogs", "eth_blockNumber",
    }  # fmt: skip
    raises("engine-refused", JsonRpc(proxy.url).call, "eth_feeHistory", "0x1", "latest", [])
    proxy.answer = lambda made, request: (
        {"jsonrpc": "2.0", "id": request["id"], "result": "0x" + "00" * 32}
        if "send" in request["method"]
        else fisco(made, request)
    )
    raises("bad-answer", engine.append, [b"b"])
    proxy.close()


def test_the_limit_of_an_input_is_the_engines(fisco: Proxy) -> None:
    """What the engine would send is under 48 KiB, and the double refuses one byte more than it may have."""
    engine = evm(fisco.url, GENESIS)
    assert len(abi.append_call(0, 1, bytes(engine.info.max_bytes))) <= 49_152
    node, account = EvmNode(JsonRpc(fisco.url), chain=CHAIN), EvmAccount(ACCOUNT)
    raises("engine-refused", node.send, node.sign(account, engine._contract, bytes(49_153)))


@pytest.mark.parametrize("said", ["VM Exception while processing transaction, reason: RevertInstruction", "AlreadyInTxPool"])
def test_a_node_that_scolds_is_asked_for_the_receipt(anvil: Anvil, said: str) -> None:
    """Some nodes run the transaction first and answer with its failure, or with having it already."""

    def scolding(made: Proxy, request: dict) -> object:  # type: ignore[type-arg]
        answer = fisco(made, request)
        if request["method"] == "eth_sendRawTransaction":
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": said}}
        return answer

    proxy = Proxy(anvil.url)
    engine = evm(proxy.url, GENESIS)
    proxy.answer = scolding
    assert placed(engine, [b"a"], 0) == Placed(0, 1)
    assert engine.wait(engine.append([b"b"], expect=0), 5.0) == Refused("stale")
    proxy.close()


def test_addresses_are_lower_case(fisco: Proxy) -> None:
    engine = evm(fisco.url, GENESIS)
    placed(engine, [b"a"])
    shouted = "0x" + engine._contract[2:].upper()
    assert data(EvmEngine(EvmNode(JsonRpc(fisco.url), chain=CHAIN), shouted, GENESIS)) == [b"a"]
    with pytest.raises(MalformedError):
        EvmEngine(EvmNode(JsonRpc(fisco.url), chain=CHAIN), "0x12", GENESIS)


def test_what_is_not_our_log_is_refused(anvil: Anvil) -> None:
    """Another chain, no contract, another contract, another registry, an old version, an account that may not write."""
    engine = evm(anvil.url, GENESIS)
    contract, rpc = engine._contract, JsonRpc(anvil.url)
    raises("wrong-chain", EvmEngine(EvmNode(rpc, chain=CHAIN + 1), contract, GENESIS).head)
    raises("no-contract", EvmEngine(EvmNode(rpc, chain=CHAIN), "0x" + "12" * 20, GENESIS).head)
    raises("wrong-registry", EvmEngine(EvmNode(rpc, chain=CHAIN), contract, bytes(32)).head)
    stranger = EvmEngine(EvmNode(rpc, chain=CHAIN), contract, GENESIS, account=EvmAccount(bytes(31) + b"\x09"))
    raises("not-writer", stranger.append, [b"x"])
    raises("no-account", EvmEngine(EvmNode(rpc, chain=CHAIN), contract, GENESIS).append, [b"x"])

    def old(made: Proxy, request: dict) -> object:  # type: ignore[type-arg]
        answer = fisco(made, request)
        said = answer.get("result")
        if request["method"] == "web3_clientVersion":
            answer["result"] = said.replace("3.16", "3.9")
        return answer

    proxy = Proxy(anvil.url, old)
    raises("wrong-chain", evm, proxy.url, GENESIS)
    proxy.close()


def test_a_chain_with_national_cryptography_is_refused(anvil: Anvil) -> None:
    """Its contracts hash with SM3, which is how it is known; such a chain takes a transaction that its peers refuse."""
    contract = evm(anvil.url, GENESIS)._contract
    asked = "0x" + abi.call_data("hashOf", tail=b"weid").hex()

    def gm(made: Proxy, request: dict) -> object:  # type: ignore[type-arg]
        answer = fisco(made, request)
        if request["method"] == "eth_call" and request["params"][0]["data"] == asked:
            assert answer["result"] == "0x" + keccak256(b"weid").hex()
            answer["result"] = "0x" + SM3(b"weid").hex()
        return answer

    proxy = Proxy(anvil.url, gm)
    raises("sm-chain", evm(proxy.url, GENESIS, contract).append, [b"x"])
    proxy.close()


# -- nodes that misbehave ---------------------------------------------------------------------------------------------


def chaotic(anvil: Anvil, folder: Path, seeds: range, appends: int, reads: int = 4) -> dict[str, int]:
    """Appends and reads through a node that misbehaves: what is read is right, or there is an error that says so."""
    done: dict[str, int] = {}
    said: set[str] = set()
    account = EvmAccount(ACCOUNT)
    for seed in seeds:
        proxy = Proxy(anvil.url)
        contract = EvmNode(JsonRpc(anvil.url), chain=CHAIN).deploy(account, GENESIS)
        store = SqliteEngine.create(folder / f"{seed}.db", GENESIS, hash=SHA256)
        engine = evm(proxy.url, GENESIS, contract, store, timeout=0.1)
        truth: list[bytes] = []
        proxy.answer = chaos = Chaos(seed, rate=0.2, pause=0.13)
        for n in range(appends):
            batch = [f"{seed}/{n}/{k}".encode() for k in range(1 + n % 3)]
            for _ in range(60):
                try:
                    found = engine.wait(engine.append(batch, expect=len(truth)), 0.4)
                    if isinstance(found, Placed):
                        assert found == Placed(len(truth), len(batch))
                        break
                    if isinstance(found, Refused) and data(evm(anvil.url, GENESIS, contract), len(truth)) == batch:
                        break  # the first try had landed
                except RegistryError as error:
                    said.add(error.code)
            truth += batch
            anvil.mine(n % 3)
            for _ in range(reads):
                try:
                    seen = data(engine)
                    assert seen == truth[: len(seen)]
                except RegistryError as error:
                    said.add(error.code)
        proxy.answer = plain
        assert data(evm(anvil.url, GENESIS, contract)) == truth
        for kind, times in chaos.done.items():
            done[kind] = done.get(kind, 0) + times
        proxy.close()
        store.close()
    assert said <= TRANSIENT | {"engine-refused"}
    return done


def test_a_node_that_misbehaves_is_never_believed_wrongly(anvil: Anvil, tmp_path: Path) -> None:
    done = chaotic(anvil, tmp_path, range(1), 8)
    assert sum(done.values()) > 10


@pytest.mark.long
def test_ten_thousand_wrong_answers(anvil: Anvil, tmp_path: Path) -> None:
    """Truncated, doubled and changed logs, stale heads, lost receipts, hangs: most of them while the log is read, time and again."""
    done = chaotic(anvil, tmp_path, range(100, 122), 20, reads=24)
    print(f"wrong answers given: {sum(done.values()):,}: {done}")
    least = {"stale": 1_000, "hang": 500, "short-logs": 150, "twice": 150, "other-log": 150, "no-receipt": 50, "other-block": 50}
    assert all(done[kind] >= count for kind, count in least.items())
    assert sum(done.values()) >= 10_000


def test_a_lagging_node_is_an_error_not_a_shorter_log(anvil: Anvil, tmp_path: Path) -> None:
    """A node behind the blocks already read says so; one that has other blocks there is a contradiction."""
    store = SqliteEngine.create(tmp_path / "log.db", GENESIS, hash=SHA256)
    engine = evm(anvil.url, GENESIS, journal=store)
    placed(engine, [b"a"])
    assert data(engine) == [b"a"]
    height = int(str(JsonRpc(anvil.url).call("eth_blockNumber")), 16)

    def behind(made: Proxy, request: dict) -> object:  # type: ignore[type-arg]
        if request["method"] == "eth_getBlockByNumber":
            return {"jsonrpc": "2.0", "id": request["id"], "result": None}
        return fisco(made, request)

    def other(made: Proxy, request: dict) -> object:  # type: ignore[type-arg]
        answer = fisco(made, request)
        if request["method"] == "eth_getBlockByNumber" and request["params"][0] == hex(height):
            answer["result"]["hash"] = "0x" + "22" * 32
        return answer

    proxy = Proxy(anvil.url, behind)
    late = evm(proxy.url, GENESIS, engine._contract, store)
    raises("engine-behind", late.head)
    proxy.answer = other
    found = raises("engine-contradiction", late.head)
    assert isinstance(found, ContradictionError)
    assert found.held["place"]["height"] == found.found["height"] == height  # type: ignore[call-overload,index]
    proxy.close()
    store.close()


# -- reorganisations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 3])
def test_a_reorganisation_above_the_final_block_changes_nothing(own: Anvil, depth: int) -> None:
    """What was not final is pending, is sent again with the same bytes, and lands once."""
    engine = evm(own.url, GENESIS, deployed(own), finality=4)
    own.mine(5)
    ticket = engine.append([b"one"], expect=0)
    own.mine(5)
    assert engine.wait(ticket, 5.0) == Placed(0, 1)

    ticket = engine.append([b"two"], expect=1)
    own.mine(depth)
    assert engine.wait(ticket, 0.1) == Pending()
    assert (engine.head().size, data(engine)) == (1, [b"one"])
    own.reorganise(depth)
    own.mine(5)
    assert engine.wait(ticket, 0.1) == Pending() or data(engine) == [b"one", b"two"]
    again = engine.append([b"two"], expect=1)
    own.mine(5)
    assert engine.wait(again, 5.0) == Placed(1, 1)
    assert data(engine) == [b"one", b"two"]


@pytest.mark.long
@pytest.mark.parametrize("depth", [2, 4, 8, 16, 32, 64])
def test_reorganisations_up_to_any_depth(own: Anvil, depth: int) -> None:
    """An engine that waits one block longer than the deepest reorganisation never sees one."""
    engine = evm(own.url, GENESIS, deployed(own), finality=depth + 1)
    own.mine(depth + 2)
    truth: list[bytes] = []
    for n in range(4):
        ticket = engine.append([bytes([n + 1])], expect=len(truth))
        own.mine(depth)
        assert engine.wait(ticket, 0.1) == Pending()
        own.reorganise(depth)
        engine.append([bytes([n + 1])], expect=len(truth))
        own.mine(depth + 2)
        truth.append(bytes([n + 1]))
        assert data(engine) == truth


def test_a_reorganisation_below_the_final_block_is_a_contradiction(own: Anvil, tmp_path: Path) -> None:
    """Both blocks are named; a restart does not forget."""
    store = SqliteEngine.create(tmp_path / "log.db", GENESIS, hash=SHA256)
    contract = deployed(own)
    engine = evm(own.url, GENESIS, contract, store)
    ticket = engine.append([b"one"], expect=0)
    own.mine(2)
    assert engine.wait(ticket, 5.0) == Placed(0, 1)
    assert data(engine) == [b"one"]
    own.reorganise(2)
    own.mine(3)
    found = raises("engine-contradiction", engine.head)
    assert isinstance(found, ContradictionError) and found.held != found.found
    store.append([b"one"])  # what was staged is written with the entries
    store.close()
    store = SqliteEngine.open(tmp_path / "log.db", hash=SHA256)
    raises("engine-contradiction", evm(own.url, GENESIS, contract, store).head)
    store.close()


@pytest.mark.parametrize("tag", ["safe", "finalized"])
def test_the_chains_own_word_for_final(own: Anvil, tag: str) -> None:
    """Before any final block has the contract the log is empty."""
    engine = evm(own.url, GENESIS, deployed(own), finality=tag)
    assert engine.head().size == 0
    ticket = engine.append([b"a"], expect=0)
    own.mine(2)
    assert (engine.wait(ticket, 0.1), engine.head().size) == (Pending(), 0)
    own.mine(70)
    assert (engine.wait(ticket, 5.0), data(engine)) == (Placed(0, 1), [b"a"])


def test_finality_is_named(anvil: Anvil) -> None:
    for wrong in ("soon", 0, -1, True, 1.5):
        with pytest.raises(MalformedError):
            EvmEngine(EvmNode(JsonRpc(anvil.url), chain=CHAIN), "0x" + "11" * 20, GENESIS, finality=wrong)  # type: ignore[arg-type]


# -- the contract and the account -------------------------------------------------------------------------------------


def test_writers_are_named_by_the_owner(anvil: Anvil) -> None:
    """Two accounts, one place: one of them is placed, the other is told; a removed one is refused."""
    engine = evm(anvil.url, GENESIS)
    node, other = EvmNode(JsonRpc(anvil.url), chain=CHAIN), EvmAccount(bytes(31) + b"\x08")
    anvil.fund(other.address)
    two = EvmEngine(node, engine._contract, GENESIS, account=other)
    raises("not-writer", two.append, [b"x"])
    node.allow(EvmAccount(ACCOUNT), engine._contract, other.address, allowed=True)
    assert placed(two, [b"theirs"], 0) == Placed(0, 1)
    assert engine.wait(engine.append([b"ours"], expect=0), 5.0) == Refused("stale")
    assert placed(engine, [b"ours"], 1) == Placed(1, 1)
    node.allow(EvmAccount(ACCOUNT), engine._contract, other.address, allowed=False)
    raises("not-writer", lambda: two.wait(two.append([b"x"], expect=2), 5.0))
    raises("engine-refused", node.allow, other, engine._contract, other.address, allowed=True)
    assert data(engine) == [b"theirs", b"ours"]


@pytest.mark.parametrize("framed", ["", "0001", "000161", "00016100", "0000", "000000", "000261", "0001610001"])
def test_the_contract_takes_whole_entries_alone(anvil: Anvil, framed: str) -> None:
    """So that no writer can make readers disagree about where an entry ends."""
    engine = evm(anvil.url, GENESIS)
    node, account = EvmNode(JsonRpc(anvil.url), chain=CHAIN), EvmAccount(ACCOUNT)
    for count in (0, 1, 2):
        sent = node.sign(account, engine._contract, abi.append_call(None, count, bytes.fromhex(framed)))
        if framed == "000161" and count == 1:
            node._done(sent, 5.0)
        else:
            raises("engine-refused", node._done, sent, 5.0)
    assert engine.head().size == (1 if framed == "000161" else 0)


def test_the_compiled_contract_is_the_source() -> None:
    """The committed ABI and bytecode are what the compiler makes of contracts/WeidLog.sol."""
    if not (ENGINES / "node_modules" / "solc").exists():
        pytest.skip("solc is not installed: npm install in benchmarks/engines")
    made = subprocess.run(
        ["node", str(ROOT / "contracts" / "build.mjs")],
        cwd=ENGINES,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert json.loads(made.stdout) == json.loads((ROOT / "registry" / "engines" / "WeidLog.json").read_text("utf-8"))


def test_the_account_is_sealed() -> None:
    account = EvmAccount(ACCOUNT)
    file = account.sealed("a passphrase", random=Stream("seal"), cost=10)
    assert EvmAccount.open(file, "a passphrase").address == account.address
    assert account.address.encode() in file and ACCOUNT.hex().encode() not in file
    with pytest.raises(KeyMaterialError):
        EvmAccount.open(file, "another")
    for wrong in (bytes(32), bytes(31), b"\xff" * 32):
        with pytest.raises(MalformedError):
            EvmAccount(wrong)


def test_answers_of_any_shape_are_refused_by_name() -> None:
    """Whatever a node answers, only our own errors come out."""
    chance = chance_of(9)
    good = {"address": "0x" + "11" * 20, "topics": [abi.batch_topic(), "0x" + "00" * 32], "data": "0x" + bytes(160).hex()}
    shapes: list[object] = [None, 1, "", "0x", "0x" + "ff" * 40, [], {}, True, "0x0", "zz", [[]], {"a": 1}]
    for _ in range(3_000):
        log: dict[str, object] = dict(good)
        for name in chance.sample(["address", "topics", "data", "blockNumber", "blockHash", "logIndex", "removed"], 3):
            log[name] = chance.choice(shapes)
        for wrong in (log, chance.choice(shapes)):
            raises("bad-answer", abi.read_log, wrong, "0x" + "11" * 20)
        blob = chance.randbytes(chance.choice((0, 31, 32, 64, 96, 128)))
        for read in (abi.read_state, abi.read_marks):
            raises("bad-answer", read, blob)
