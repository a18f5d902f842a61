"""Which engine gives a registry's order: `registry.toml` in its folder. Without that file it is the embedded one.

    [engine]
    name = "evm"                                    name = "etcd"
    url = "http://127.0.0.1:8545"                   endpoints = ["http://127.0.0.1:2379"]
    chain = 20200                                   prefix = "/weid/registry.example.org/1"
    contract = "0x…"
    finality = "latest"     # or "safe", "finalized", or a number of blocks
    key = "keys/engine.json"
    price = 0               # optional: the gas price; the node is asked without it

Both take `ca`, `cert` and `cert_key`, names of PEM files, for TLS. Names are relative to the folder. The node's settings
stand in the same file, in its table [node] (`registry.node.config`), and are passed over here.
"""

from __future__ import annotations

import json
import ssl
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

from registry.engines import Journal, LogEngine
from registry.engines.calls import JsonRpc
from registry.engines.etcd import EtcdCluster, EtcdEngine
from registry.engines.evm import EvmEngine, check_finality
from registry.engines.evm_account import EvmAccount
from registry.engines.evm_node import EvmNode, contract_address
from registry.engines.straight import web_url
from weid.errors import MalformedError
from weid.sealed import Passphrase

__all__ = ["FILE", "EngineConfig", "EtcdConfig", "EvmConfig", "check_config", "print_config", "read_config", "with_engine"]

FILE = "registry.toml"
_MAX_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class EvmConfig:
    """An EVM chain and the contract on it."""

    url: str
    chain: int
    contract: str
    finality: str | int = "latest"
    key: str = "keys/engine.json"
    price: int | None = None
    ca: str | None = None
    cert: str | None = None
    cert_key: str | None = None

    def node(self, folder: Path) -> EvmNode:
        """The node of this chain."""
        return EvmNode(JsonRpc(self.url, tls=_tls(self, folder)), chain=self.chain, price=self.price)

    def account(self, folder: Path, passphrase: str | Passphrase) -> EvmAccount:
        """The account that appends; errors as `weid.sealed.unseal`."""
        return EvmAccount.open((folder / self.key).read_bytes(), passphrase)

    def engine(
        self, folder: Path, genesis: bytes, *, journal: Journal | None = None, passphrase: str | Passphrase | None = None
    ) -> LogEngine:
        """The engine; without a passphrase it reads alone."""
        account = None if passphrase is None else self.account(folder, passphrase)
        contract = self.contract
        return EvmEngine(self.node(folder), contract, genesis, finality=self.finality, account=account, journal=journal)


@dataclass(frozen=True, slots=True)
class EtcdConfig:
    """An etcd cluster and the prefix in it."""

    endpoints: tuple[str, ...]
    prefix: str
    ca: str | None = None
    cert: str | None = None
    cert_key: str | None = None

    def engine(
        self, folder: Path, genesis: bytes, *, journal: Journal | None = None, passphrase: str | Passphrase | None = None
    ) -> LogEngine:
        """The engine."""
        return EtcdEngine(EtcdCluster(self.endpoints, tls=_tls(self, folder)), self.prefix, genesis, journal=journal)


EngineConfig: TypeAlias = EvmConfig | EtcdConfig
_NAMES: dict[str, type[EvmConfig] | type[EtcdConfig]] = {"evm": EvmConfig, "etcd": EtcdConfig}


def read_config(folder: Path, name: str = FILE) -> EngineConfig | None:
    """The engine of a folder, None for the embedded one; MalformedError `bad-config` for what is not understood."""
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        return None
    value = _tables(data)
    if not value or not set(value) <= {"engine", "node"}:  # an emptied file must not turn a moved log into an embedded one
        raise _wrong("the tables [engine] and [node], and no other")
    table = value.get("engine", {"name": "sqlite"})
    if not isinstance(table, dict):
        raise _wrong("engine is a table")
    table = dict(table)
    kind = table.pop("name", None)
    if kind == "sqlite" and not table:
        return None
    if kind not in _NAMES:
        raise _wrong(f"name is sqlite, {' or '.join(_NAMES)}")
    return _checked(_NAMES[kind], table)


def print_config(config: EngineConfig) -> bytes:
    """The file of a configuration."""
    name = "evm" if isinstance(config, EvmConfig) else "etcd"
    held = {field.name: getattr(config, field.name) for field in fields(config)}
    lines = ["[engine]", f'name = "{name}"']
    # JSON texts, numbers and lists of texts are TOML too.
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in held.items() if value is not None]
    return ("\n".join(lines) + "\n").encode()


def check_config(config: EngineConfig) -> None:
    """MalformedError `bad-config` or `bad-url` unless `read_config` and the engine take what `print_config` writes."""
    table = _tables(print_config(config))["engine"]
    _checked(_NAMES[table.pop("name")], table)
    if isinstance(config, EvmConfig):
        check_finality(config.finality)


def with_engine(data: bytes, config: EngineConfig | None) -> bytes:
    """A registry's file with this engine for the one it names, all else letter by letter; None: the embedded one.

    MalformedError `bad-config` where its engine is not a plain table of lines, which could not be told from the rest.
    """
    rest, inside = [], False
    for line in data.decode("utf-8").splitlines(keepends=True):
        if line.startswith("["):
            inside = line.partition("#")[0].strip() == "[engine]"
        if not inside:
            rest.append(line)
    kept = "".join(rest).strip("\n")
    made = (b"" if config is None else print_config(config)) + (f"\n{kept}\n".encode() if kept.strip() else b"")
    found = {"engine": _tables(print_config(config))["engine"]} if config is not None else {}
    if _tables(made) != {**{name: held for name, held in _tables(data).items() if name != "engine"}, **found}:
        raise _wrong("write [engine] and [node] as tables of lines")
    return made.lstrip(b"\n")


def _tables(data: bytes) -> dict[str, Any]:
    if len(data) > _MAX_FILE:
        raise _wrong(f"over {_MAX_FILE} bytes")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except ValueError as error:
        raise _wrong(f"not TOML: {error}") from error


def _checked(kind: type[EvmConfig] | type[EtcdConfig], table: dict[str, Any]) -> EngineConfig:
    known = {field.name for field in fields(kind)}
    for key in set(table) - known:
        raise _wrong(f"{key} is not known")
    for key in {"url", "contract", "key", "prefix", "ca", "cert", "cert_key"} & set(table):
        if not isinstance(table[key], str) or not table[key]:
            raise _wrong(f"{key} is a text")
    for key in {"chain", "price"} & set(table):
        if type(table[key]) is not int or not 0 <= table[key] < 1 << 63:
            raise _wrong(f"{key} is a number")
    if type(table.get("finality", "")) not in (str, int):
        raise _wrong("finality is latest, safe, finalized or a number of blocks")
    endpoints = table.get("endpoints")
    if endpoints is not None:
        if not isinstance(endpoints, list) or not endpoints or not all(isinstance(text, str) for text in endpoints):
            raise _wrong("endpoints is a list of URLs")
        table["endpoints"] = tuple(web_url(text, who="an engine") for text in endpoints)
    try:
        made = kind(**table)
    except TypeError as error:
        raise _wrong(f"something is missing: {', '.join(sorted(known - set(table)))}") from error
    if isinstance(made, EvmConfig):
        web_url(made.url, who="an engine")
        contract_address(made.contract)
    return made


def _tls(config: EngineConfig, folder: Path) -> ssl.SSLContext | None:
    if config.ca is None and config.cert is None:
        return None
    try:
        context = ssl.create_default_context(cafile=None if config.ca is None else str(folder / config.ca))
        if config.cert is not None:
            key = None if config.cert_key is None else str(folder / config.cert_key)
            context.load_cert_chain(str(folder / config.cert), key)
    except (ssl.SSLError, OSError) as error:
        raise _wrong(f"the certificates cannot be used: {error}") from error
    return context


def _wrong(detail: str) -> MalformedError:
    return MalformedError(f"{FILE}: {detail}", code="bad-config")
