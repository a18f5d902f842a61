"""Real servers for the tests of engines, started and stopped here; None where the binary is not installed.

anvil: WEID_ANVIL, or `npm install` in benchmarks/engines. etcd: WEID_ETCD, on the path, or Debian's package unpacked in
benchmarks/engines/debian.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from registry.engines.calls import JsonRpc
from weid.canon import JSON
from weid.errors import RegistryError

ENGINES = Path(__file__).resolve().parents[3] / "benchmarks" / "engines"
NO_ANVIL = "anvil is not installed: npm install in benchmarks/engines, or WEID_ANVIL"
NO_ETCD = "etcd is not installed: apt-get install etcd-server, or WEID_ETCD"
CHAIN = 20_200


def anvil_binary() -> str | None:
    """Where anvil is."""
    return _binary("WEID_ANVIL", ENGINES / "node_modules" / ".bin" / "anvil", "anvil")


def etcd_binary() -> str | None:
    """Where etcd is."""
    return _binary("WEID_ETCD", ENGINES / "debian" / "usr" / "bin" / "etcd", "etcd")


def _binary(variable: str, here: Path, name: str) -> str | None:
    named = os.environ.get(variable)
    if named:
        return named
    return str(here) if here.exists() else shutil.which(name)


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for made in sockets:
            made.bind(("127.0.0.1", 0))
        return [made.getsockname()[1] for made in sockets]


class Anvil:
    """A development chain; blocks come with transactions, or when `mine` says so."""

    def __init__(self, *arguments: str) -> None:
        binary = anvil_binary()
        assert binary is not None, NO_ANVIL
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        port = self.url.rpartition(":")[2]
        command = [
            binary, "--silent", "--port", port, "--chain-id", str(CHAIN), "--gas-price", "0",
            "--block-base-fee-per-gas", "0", "--accounts", "1", "--order", "fifo", *arguments,
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.rpc = JsonRpc(self.url)
        try:
            wait_for(lambda: self.rpc.call("eth_chainId") == hex(CHAIN))
        except TimeoutError:
            self.stop()
            raise

    def fund(self, address: str) -> None:
        """Give an account what transactions cost here."""
        self.rpc.call("anvil_setBalance", address, hex(10**24))

    def mine(self, count: int = 1) -> None:
        """Make blocks."""
        self.rpc.call("anvil_mine", hex(count))

    def reorganise(self, depth: int) -> None:
        """Replace the last blocks by empty ones."""
        self.rpc.call("anvil_reorg", depth, [])

    def stop(self) -> None:
        """End the process group."""
        end(self._process)


class Etcd:
    """A cluster of three members on this machine."""

    def __init__(self, folder: Path, members: int = 3) -> None:
        binary = etcd_binary()
        assert binary is not None, NO_ETCD
        folder.mkdir(exist_ok=True)
        ports = free_ports(2 * members)
        self.endpoints = [f"http://127.0.0.1:{port}" for port in ports[:members]]
        peers = [f"http://127.0.0.1:{port}" for port in ports[members:]]
        cluster = ",".join(f"m{n}={peer}" for n, peer in enumerate(peers))
        self._commands = [
            [
                binary, "--name", f"m{n}", "--data-dir", str(folder / f"m{n}"), "--listen-client-urls", client,
                "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", cluster, "--logger", "zap", "--log-outputs", str(folder / f"m{n}.log"),
            ]
            for n, (client, peer) in enumerate(zip(self.endpoints, peers, strict=True))
        ]  # fmt: skip
        self._processes = [self._start(n) for n in range(members)]
        try:
            wait_for(lambda: self.leader() is not None, 20.0)
        except TimeoutError:
            self.stop()
            raise

    def leader(self) -> int | None:
        """The number of the leading member, as the members that run agree."""
        for n, endpoint in enumerate(self.endpoints):
            with contextlib.suppress(OSError, KeyError):
                status = self._ask(endpoint, "maintenance/status")
                if status.get("leader", "0") != "0" and status["leader"] == status["header"]["member_id"]:
                    return n
        return None

    def kill(self, member: int) -> None:
        """SIGKILL one member."""
        os.kill(self._processes[member].pid, signal.SIGKILL)
        self._processes[member].wait(10)

    def restart(self, member: int) -> None:
        """Start a killed member again, with its data."""
        self._processes[member] = self._start(member)

    def stop(self) -> None:
        """End all members."""
        for process in self._processes:
            end(process)

    def _start(self, member: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._commands[member], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "ETCD_UNSUPPORTED_ARCH": ""},
        )  # fmt: skip

    def _ask(self, endpoint: str, path: str) -> dict:  # type: ignore[type-arg]
        message = urllib.request.Request(f"{endpoint}/v3/{path}", data=b"{}")
        with urllib.request.urlopen(message, timeout=1) as answer:
            return json.load(answer)


def wait_for(ready, seconds: float = 15.0) -> None:  # type: ignore[no-untyped-def]
    """Until something is so; TimeoutError."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(RegistryError, OSError):
            if ready():
                return
        time.sleep(0.05)
    raise TimeoutError("a server did not start")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here, with what it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def running(server: Anvil | Etcd) -> Iterator[Anvil | Etcd]:
    """For fixtures: a server, stopped afterwards."""
    try:
        yield server
    finally:
        server.stop()


__all__ = ["CHAIN", "JSON", "NO_ANVIL", "NO_ETCD", "Anvil", "Etcd", "anvil_binary", "etcd_binary", "running"]
