"""An HTTP proxy before an EVM node: with the silent limits of FISCO BCOS, and able to misbehave.

`fisco` looks at ten blocks of logs and says nothing, refuses inputs over 48 KiB and batches over eight, knows no
`eth_feeHistory`, and answers `eth_sendTransaction` with a hash of zeros. A `Chaos` changes answers as nodes do that lag,
lie or break.
"""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from eth_utils import to_checksum_address

from tests.seeds import chance

WINDOW, INPUT, BATCH = 10, 49_152, 8
METHODS = {
    "eth_chainId", "eth_blockNumber", "eth_getBlockByNumber", "eth_getBlockByHash", "eth_getLogs", "eth_call", "eth_getCode",
    "eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_getTransactionCount", "eth_gasPrice", "eth_estimateGas",
    "eth_getBalance", "eth_sendRawTransaction", "eth_sendTransaction", "eth_sign", "eth_signTransaction",
    "eth_maxPriorityFeePerGas", "eth_newFilter", "net_version", "web3_clientVersion", "web3_sha3",
}  # fmt: skip
STUBS = {"eth_sendTransaction", "eth_sign", "eth_signTransaction"}
VERSION = "FISCO-BCOS-Web3RPC/3.16.3-Release/Linux/0000"


class Proxy:
    """Serves on a port of its own until `close`; `answer` may be replaced while it runs."""

    def __init__(self, upstream: str, answer: Callable[[Proxy, dict], Any] | None = None) -> None:  # type: ignore[type-arg]
        self.upstream, self.answer, self.seen = upstream, answer or fisco, []  # type: ignore[var-annotated]
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if isinstance(request, list):
                    made: Any = (
                        [proxy.one(item) for item in request[:BATCH]]
                        if len(request) <= BATCH
                        else problem(None, "batch too large")
                    )
                else:
                    made = proxy.one(request)
                data = json.dumps(made).encode() if not isinstance(made, bytes) else made
                with contextlib.suppress(BrokenPipeError):  # the engine no longer waits
                    self.send_response(503 if made == b"" else 200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def one(self, request: dict) -> Any:  # type: ignore[type-arg]
        self.seen.append(request["method"])
        return self.answer(self, request)

    def ask(self, request: dict) -> dict:  # type: ignore[type-arg]
        """The node's own answer."""
        message = urllib.request.Request(self.upstream, json.dumps(request).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(message, timeout=30) as answer:
            return json.load(answer)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def problem(number: Any, text: str) -> dict:  # type: ignore[type-arg]
    return {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": text}}


def plain(proxy: Proxy, request: dict) -> Any:  # type: ignore[type-arg]
    """As the node says."""
    return proxy.ask(request)


def fisco(proxy: Proxy, request: dict) -> Any:  # type: ignore[type-arg]
    """As FISCO BCOS 3.16 answers."""
    method, number = request["method"], request["id"]
    if method not in METHODS:
        return {"jsonrpc": "2.0", "id": number, "error": {"code": -32601, "message": "method not found"}}
    if method in STUBS:
        return {"jsonrpc": "2.0", "id": number, "result": "0x" + "00" * 32}
    if method == "web3_clientVersion":
        return {"jsonrpc": "2.0", "id": number, "result": VERSION}
    if method == "eth_sendRawTransaction" and _input_of(request["params"][0]) > INPUT:
        return problem(number, "TransactionPool max initcode size exceeded")
    if method == "eth_getLogs":
        wanted = dict(request["params"][0])
        if wanted["address"] != wanted["address"].lower():
            return {"jsonrpc": "2.0", "id": number, "result": []}
        newest = int(proxy.ask({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []})["result"], 16)
        start = int(wanted["fromBlock"], 16)
        end = newest if wanted["toBlock"] == "latest" else int(wanted["toBlock"], 16)
        wanted["toBlock"] = hex(min(end, start + WINDOW - 1))
        answer = proxy.ask({**request, "params": [wanted]})
        return {**answer, "result": [_mixed(log) for log in answer["result"]]}
    answer = proxy.ask(request)
    if method == "eth_getTransactionReceipt" and answer.get("result"):
        receipt = _mixed(answer["result"], "contractAddress", "from", "to")
        return {**answer, "result": {**receipt, "logs": [_mixed(log) for log in receipt["logs"]]}}
    return answer


def _mixed(value: dict, *names: str) -> dict:  # type: ignore[type-arg]
    """Addresses with the checksum of EIP-55 in their case, as FISCO BCOS writes them."""
    return {**value, **{name: to_checksum_address(value[name]) for name in names or ("address",) if value.get(name)}}


def _input_of(raw: str) -> int:
    """The size of a legacy transaction's input: the sixth item of its RLP list."""
    data = bytes.fromhex(raw[2:])
    rest = data[1 + data[0] - 0xF7 :] if data[0] > 0xF7 else data[1:]
    for _ in range(6):
        if rest[0] < 0x80:
            size, rest = 1, rest[1:]
        elif rest[0] < 0xB8:
            size = rest[0] - 0x80
            rest = rest[1 + size :]
        else:
            width = rest[0] - 0xB7
            size = int.from_bytes(rest[1 : 1 + width], "big")
            rest = rest[1 + width + size :]
    return size


class Chaos:
    """Every so many answers one is wrong, in one of the ways in which nodes are; `pause` is how long it hangs."""

    KINDS = {
        "short-logs": {"eth_getLogs"}, "twice": {"eth_getLogs"}, "other-log": {"eth_getLogs"},
        "stale": {"eth_blockNumber", "eth_call", "eth_getTransactionCount"}, "no-receipt": {"eth_getTransactionReceipt"},
        "other-block": {"eth_getTransactionReceipt"}, "busy": set(), "broken": set(), "hang": set(),
    }  # fmt: skip

    def __init__(self, seed: int, rate: float = 0.15, pause: float = 0.6) -> None:
        self._random, self.rate, self._pause = chance(seed), rate, pause
        self._old: dict[str, Any] = {}
        self.done: dict[str, int] = {}

    def __call__(self, proxy: Proxy, request: dict) -> Any:  # type: ignore[type-arg]
        method = request["method"]
        kind = self._chosen(method) if self._random.random() < self.rate else None
        if kind == "busy":
            return self._did(kind, b"")
        if kind == "broken":
            return self._did(kind, b'{"jsonrpc": "2.0", "resu')
        answer = fisco(proxy, request)
        key = json.dumps([method, request["params"]])
        old, self._old[key] = self._old.get(key, answer), answer
        result = answer.get("result")
        if kind == "hang":
            threading.Event().wait(self._pause)
            return self._did(kind, answer)
        if kind == "stale":
            return self._did(kind, {**old, "id": request["id"]})
        if kind in ("short-logs", "twice", "other-log") and result:
            return self._did(kind, {**answer, "result": self._logs(kind, result)})
        if kind == "no-receipt":
            return self._did(kind, {**answer, "result": None})
        if kind == "other-block" and result:
            return self._did(kind, {**answer, "result": {**result, "blockHash": "0x" + "11" * 32}})
        return answer

    def _chosen(self, method: str) -> str:
        """What is particular to a method oftener than what may happen to any, and hanging least: it takes its time."""
        own = [kind for kind, methods in self.KINDS.items() if method in methods]
        return self._random.choice([*(3 * own), "busy", "broken", "hang"] if own else [*(4 * ("busy", "broken")), "hang"])

    def _logs(self, kind: str, logs: list[Any]) -> list[Any]:
        if kind == "short-logs":
            return logs[:-1]
        if kind == "twice":
            return [*logs, logs[0]]
        wrong = dict(logs[-1])
        wrong["data"] = wrong["data"][:-70] + ("00" if wrong["data"][-70:-68] != "00" else "ff") + wrong["data"][-68:]
        return [*logs[:-1], wrong]

    def _did(self, kind: str, answer: Any) -> Any:
        self.done[kind] = self.done.get(kind, 0) + 1
        return answer
