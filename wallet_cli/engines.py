"""`weid registry move` and `weid registry writer`: an existing engine gives a registry's order."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_cli.options import FOLDER, PASS
from wallet_cli.state import passphrase, write_atomic

if TYPE_CHECKING:
    from registry.engines.config import EngineConfig, EvmConfig
    from registry.log import Registry
    from weid.sealed import Passphrase

NEXT = "registry.toml.next"
_NOWHERE = "0x" + "00" * 20  # stands for the contract that is not deployed yet


@click.command()
@FOLDER
@PASS
@click.option(
    "--to", "kind", type=click.Choice(["evm", "etcd", "sqlite"]), required=True, help="sqlite: back to the embedded one."
)
@click.option("--url", help="evm: the node's JSON-RPC.")
@click.option("--chain", type=click.IntRange(0, (1 << 63) - 1), help="evm: the chain's own id.")
@click.option("--contract", help="evm: an empty log contract of this registry; without it one is deployed.")
@click.option("--finality", default="latest", show_default=True, help="evm: latest, safe, finalized, or a number of blocks.")
@click.option("--price", type=click.IntRange(0, (1 << 63) - 1), help="evm: fixed gas price, e.g. 0.")
@click.option("--endpoint", "endpoints", multiple=True, help="etcd: a member's client URL; give each.")
@click.option("--prefix", help="etcd: where the log is kept; /weid/<origin> without it.")
@click.option("--ca", help="PEM file of the authority behind the server's certificate.")
@click.option("--cert", help="PEM file of a client certificate.")
@click.option("--cert-key", help="PEM file of its key.")
def move(folder: Path, passphrase_file: str | None, kind: str, **options: Any) -> None:
    """Move a stopped registry to another engine: roots and old proofs stay; run it again if it breaks off."""
    from wallet_cli.registry_folder import open_registry

    words = passphrase(passphrase_file)
    opened = open_registry(folder, words, random=secrets.token_bytes)
    try:
        if opened.order is not None:
            opened.order.engine.head()  # somebody is waiting: an engine that is not there is said at once, not after a minute
        with opened.alone():  # an entry written meanwhile would be in one place alone
            opened.follow()
            if kind == "sqlite":
                _embedded(folder)
            else:
                _move(folder, opened, _config(folder, opened, words, kind, options), words)
        click.echo(f"{opened.size} {opened.engine.tree.root.hex()}")
        click.echo(f"The order is {kind}'s now; size and root are what they were, and so is every proof.", err=True)
    finally:
        opened.close()


@click.command()
@FOLDER
@PASS
@click.argument("address")
@click.option("--remove", is_flag=True, help="The account may no longer append.")
def writer(folder: Path, passphrase_file: str | None, address: str, remove: bool) -> None:
    """Let another account append to this registry's contract (evm), as the contract's owner."""
    from registry.engines.config import EvmConfig, read_config

    config = read_config(folder)
    if not isinstance(config, EvmConfig):
        raise click.UsageError("this registry's engine has no accounts")
    account = config.account(folder, passphrase(passphrase_file))
    config.node(folder).allow(account, config.contract, address, allowed=not remove)
    click.echo(f"{address.lower()} {'may no longer' if remove else 'may'} append.", err=True)


def _embedded(folder: Path) -> None:
    """Take the engine's table out of the file, and the file away where nothing else stands in it."""
    from registry.engines.config import with_engine

    place = folder / "registry.toml"
    rest = with_engine(_file(folder), None)
    if rest:
        write_atomic(place, rest)
    else:
        place.unlink(missing_ok=True)
    (folder / NEXT).unlink(missing_ok=True)


def _file(folder: Path) -> bytes:
    place = folder / "registry.toml"
    return place.read_bytes() if place.exists() else b""


def _begun(folder: Path) -> EngineConfig | None:
    """The target of a move that broke off; what cannot be read is none, and is replaced."""
    from registry.engines.config import read_config
    from weid.errors import MalformedError

    try:
        return read_config(folder, NEXT)
    except MalformedError:
        return None


def _move(folder: Path, opened: Registry, config: EngineConfig, words: Passphrase) -> None:
    from registry.engines.move import move as run

    target = config.engine(folder, opened.pin, journal=opened.engine, passphrase=words)
    run(opened.engine, target, hash=opened.genesis.hash, progress=_progress())
    (folder / NEXT).replace(folder / "registry.toml")


def _config(folder: Path, opened: Registry, words: Passphrase, kind: str, options: dict[str, Any]) -> EngineConfig:
    """The target, written beside the one in force before anything is sent: a second run goes on with it."""
    from registry.engines.config import EtcdConfig, EvmConfig, check_config, with_engine

    shared = {name: options[name] for name in ("ca", "cert", "cert_key")}
    begun = _begun(folder)
    with_engine(_file(folder), None)  # a file that cannot be rewritten is known before a contract is paid for
    if kind == "etcd":
        if not options["endpoints"]:
            raise click.UsageError("--to etcd needs --endpoint")
        prefix = options["prefix"] or f"/weid/{opened.genesis.origin}"
        made: EngineConfig = EtcdConfig(tuple(options["endpoints"]), prefix, **shared)
    else:
        if not options["url"] or options["chain"] is None:
            raise click.UsageError("--to evm needs --url and --chain")
        text = options["finality"]
        finality = int(text) if text.isascii() and text.isdecimal() else text
        evm = EvmConfig(
            options["url"], options["chain"], options["contract"] or "", finality,
            price=options["price"], **shared,
        )  # fmt: skip
        check_config(evm if evm.contract else replace(evm, contract=_NOWHERE))
        earlier = begun if isinstance(begun, EvmConfig) and (begun.url, begun.chain) == (evm.url, evm.chain) else None
        made = _deployed(folder, opened, words, evm, earlier)
    check_config(made)
    write_atomic(folder / NEXT, with_engine(_file(folder), made))
    return made


def _deployed(folder: Path, opened: Registry, words: Passphrase, config: EvmConfig, earlier: EvmConfig | None) -> EvmConfig:
    """The configuration with a contract: the one named, the one of the move that broke off, or a new one."""
    from registry.engines.evm_account import EvmAccount

    path = folder / config.key
    if not path.exists():
        fresh = EvmAccount(_secret())
        write_atomic(path, fresh.sealed(words, random=secrets.token_bytes), private=True)
        click.echo(f"A new account: {fresh.address}. Where transactions cost something, fund it.", err=True)
    if config.contract or earlier is not None:
        return replace(config, contract=config.contract or (earlier.contract if earlier else ""))
    address = config.node(folder).deploy(config.account(folder, words), opened.pin)
    click.echo(f"The log's contract: {address}", err=True)
    return replace(config, contract=address)


def _secret() -> bytes:
    from weid.suites import suite

    return suite("secp256k1").generate(secrets.token_bytes)


def _progress() -> Callable[[str, int, int], None]:
    said: dict[str, int] = {}

    def show(step: str, done: int, of: int) -> None:
        part = 100 * done // max(of, 1)
        if part >= said.get(step, -10) + 10 or done == of:
            said[step] = part
            sys.stderr.write(f"{step}: {done} of {of}\n")

    return show


COMMANDS = (move, writer)
