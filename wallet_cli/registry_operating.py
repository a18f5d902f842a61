"""`weid registry serve|config|reader|backup|restore`: a registry from day to day."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_cli.options import FILE, FOLDER, OUTPUT, PASS, PORT
from wallet_cli.state import node_key, now, passphrase, write_atomic

if TYPE_CHECKING:
    from registry.log import Registry
    from registry.node.backup import Source
    from registry.node.config import Value
    from registry.node.watch import Watch

_LAST = frozenset({"engine-contradiction", "no-keys", "wrong-key"})  # after these nothing may be signed here
READS = frozenset({"show", "config", "check-proof", "members", "proposals", "asset show", "use check", "use prove", "use reveal"})


@click.command()
@FOLDER
@PASS
@click.option("--port", type=PORT, help="[8440]")
@click.option("--host", help="[127.0.0.1]")
@click.option("--every", type=click.IntRange(1, 1_440), help="Tick and commit the state every so many minutes. [1]")
@click.option("--explorer/--no-explorer", default=None, help="Show pages to people at /. [on]")
@click.option("--group", "groups", multiple=True, metavar="NAME=FOLDER", help="Another registry, below /groups/NAME; repeatable.")
def serve(folder: Path, passphrase_file: str | None, groups: tuple[str, ...], **flags: Any) -> None:
    """Serve the node and its explorer: takes signed operations, answers reads, ticks the log's clock.

    Settings come from registry.toml, WEID_REGISTRY_* and these flags, the later winning: see `weid registry config`.
    """
    import threading

    from registry.node.serving import serve as run
    from wallet_cli.registry_folder import open_registry

    held, places = _config(folder, flags), _places(folder, groups)
    words, stop = passphrase(passphrase_file), threading.Event()
    opened = {name: open_registry(place, words, random=secrets.token_bytes) for name, place in places.items()}
    apps = {}
    for name, registry in opened.items():
        watch = _watch(registry, places[name], held)
        apps[name] = _node(registry, held, watch, places[name])
        arguments = (registry, watch, stop, int(held["every"].value))
        threading.Thread(target=_tick, args=arguments, name=f"tick {name}", daemon=True).start()
    host, port = str(held["host"].value), int(held["port"].value)

    def ready(at: int) -> None:
        page = "" if held["explorer"].value else "v1/checkpoint"
        click.echo(f"Registry {opened[''].genesis.origin} at http://{host}:{at}/{page}; stop with Ctrl-C.", err=True)
        for name in sorted(set(opened) - {""}):
            click.echo(f"Group {name}: {opened[name].genesis.origin} at http://{host}:{at}/groups/{name}/{page}", err=True)

    try:
        run(_mounted(opened, apps, places), host, port, ready=ready, body=32 << 20)
    finally:
        stop.set()
        for registry in opened.values():
            registry.close()


def _places(folder: Path, groups: tuple[str, ...]) -> dict[str, Path]:
    """The folder of each name, the first under "". BadParameter for one name or one registry twice.

    Two writers of one log, in one folder or in copies of it, would sign two histories.
    """
    from registry.genesis import parse_genesis

    places = {"": folder}
    served: dict[bytes, Path] = {}
    for name, place in (_group(text) for text in groups):
        if name in places:
            raise click.BadParameter(f"two groups are called {name}: each needs a name of its own", param_hint="--group")
        places[name] = place
    for place in places.values():
        pin = parse_genesis((place / "genesis.json").read_bytes()).digest
        if pin in served:
            raise click.BadParameter(
                f"{place} is the registry of {served[pin]} again: a log has one writer", param_hint="--group"
            )
        served[pin] = place
    return places


def _group(text: str) -> tuple[str, Path]:
    from registry.node.groups import check_group
    from weid.errors import MalformedError

    name, _, place = text.partition("=")
    try:
        check_group(name)
    except MalformedError as error:
        raise click.BadParameter(str(error), param_hint="--group") from None
    if not (Path(place) / "genesis.json").is_file():
        raise click.BadParameter(f"{text}: NAME=FOLDER of a registry", param_hint="--group")
    return name, Path(place)


def _mounted(opened: dict[str, Registry], apps: dict[str, Any], places: dict[str, Path]) -> Any:
    from registry.node.groups import Group, create_groups

    if len(apps) == 1:
        return apps[""]
    groups = {name: Group(opened[name], app, _is_private(places[name])) for name, app in apps.items() if name}
    return create_groups(groups, root=apps[""])


def _is_private(folder: Path) -> bool:
    return (folder / "readers").exists()


def _watch(opened: Registry, folder: Path, held: dict[str, Value]) -> Watch:
    from registry.node.audit_log import AuditLog
    from registry.node.watch import Watch

    size, keep = int(held["audit-bytes"].value), int(held["audit-files"].value)
    audit = AuditLog(folder, size=size, keep=keep) if held["audit"].value else None
    return Watch(opened, seconds=time.perf_counter, clock=_minute, audit=audit)


def _node(opened: Registry, held: dict[str, Value], watch: Watch, folder: Path) -> Any:
    from registry.node.groups import Readers, guard
    from registry.node.service import create_node

    app = create_node(
        opened, clock=_minute, rate=f"{held['rate'].value} per minute", explorer=bool(held["explorer"].value),
        watch=watch, watched=bool(held["metrics"].value),
    )  # fmt: skip
    if _is_private(folder):
        guard(app, Readers(folder / "readers"))
    return app


def _tick(opened: Registry, watch: Watch, stop: Any, every: int) -> None:
    from registry.witness.client import cosign_registry
    from wallet_cli.witness import report
    from weid.errors import RollbackError, WeidError

    while not stop.wait(min(60 * every, 60)):
        try:
            opened.catch_up()
            opened.tick(max(_minute(), opened.state.now))  # a command may have written a later time
            opened.commit()
            if opened.state.authority.policy.needed:
                report(cosign_registry(opened))
        except WeidError as error:
            watch.acted("clock", error.code)
            if isinstance(error, RollbackError) or error.code in _LAST:
                click.echo(f"the clock stopped: {error} [{error.code}]", err=True)
                return
            click.echo(f"the clock, which goes on: {error} [{error.code}]", err=True)


def _minute() -> int:
    from weid.codec import minutes

    return minutes(now())


def _config(folder: Path, flags: dict[str, Any]) -> dict[str, Value]:
    from registry.node.config import read_config

    return read_config(folder, os.environ, flags)


@click.command()
@FOLDER
def config(folder: Path) -> None:
    """Print every setting of the node with where its value comes from."""
    from registry.node.config import SETTINGS

    held = _config(folder, {})
    for setting in SETTINGS:
        value = held[setting.name]
        shown = str(value.value).lower() if isinstance(value.value, bool) else value.value
        click.echo(f"{setting.name} = {shown}\t{value.source}\t{setting.variable}\t{setting.help}")


@click.command()
@FOLDER
@click.argument("verb", type=click.Choice(["add", "end", "list"]))
@click.argument("name", required=False)
def reader(folder: Path, verb: str, name: str | None) -> None:
    """Give a reader a key, or end it. A registry that has readers answers nobody else (from the next start of `serve` on)."""
    from registry.node.groups import Readers

    readers = Readers(folder / "readers")
    if verb == "list":
        click.echo("".join(f"{held}\n" for held in readers.names()), nl=False)
        return
    if name is None:
        raise click.UsageError("whose key?")
    if verb == "end":
        readers.end(name)
        click.echo(f"{name} reads nothing more.", err=True)
        return
    click.echo(readers.add(name, secrets.token_bytes))
    click.echo(f"Give this key to {name}; it is shown once. Commands and desks send it from WEID_NODE_KEY.", err=True)


@click.command()
@FOLDER
@OUTPUT
def backup(folder: Path, output: Path) -> None:
    """Copy a registry into one file, while it runs; says what is not in it."""
    from registry.node.backup import LEFT_OUT, write_backup
    from weid.codec import rfc3339

    made = write_backup(folder, output, made=rfc3339(_minute()))
    click.echo(f"{made.size} {made.root.hex()}")
    click.echo(f"{output}: {made.size} entries, genesis and settings, as of {made.made}.", err=True)
    click.echo(f"Not in it: {', '.join(LEFT_OUT)}. Keep the keys elsewhere, sealed as they are, and the newest", err=True)
    click.echo("high-water file on another disk: without it, nothing restored can be signed.", err=True)


@click.command()
@click.argument("file", type=FILE)
@FOLDER
@click.option("--from", "source", metavar="URL", help="A node or mirror that has what the backup lacks.")
@click.option("--new-mark", is_flag=True, help="The mark is lost: start a new one (you state that nothing beyond it was signed).")
def restore(file: Path, folder: Path, source: str | None, new_mark: bool) -> None:
    """Put a backup back. A log older than its high-water mark is not signed again: catch up first, with --from.

    FILE may be used a second time to catch up: a FOLDER that holds its database already is only caught up.
    """
    from registry.node.backup import alone, caught_up
    from weid.errors import WeidError

    if new_mark and source is None:
        raise click.UsageError("--new-mark needs --from: a lost mark is made from what others have seen")
    with alone(folder):
        _restored(file, folder, source, new_mark)
    try:
        size, mark = caught_up(folder)
    except WeidError:
        click.echo(f"Nothing is signed until it has caught up: weid registry restore {file} {folder} --from URL", err=True)
        raise
    click.echo(str(size))
    if mark is None:
        click.echo("There is no high-water file: put it back beside the database, or nothing is signed (--new-mark).", err=True)
    else:
        click.echo("The log contains everything that was signed. With the keys in place it can go on.", err=True)


def _restored(file: Path, folder: Path, source: str | None, new_mark: bool) -> None:
    from registry.node.backup import fresh_mark, pull, unpack

    held = (folder / "registry.db").exists() and source is not None
    if not held:
        size = unpack(file, folder).size
        click.echo(f"{size} entries restored, every leaf, root and signature recomputed.", err=True)
    if source is not None:
        count = pull(folder, _source(source))
        click.echo(f"{count} entries pulled; they lead to the root that the log key has signed.", err=True)
    if new_mark and not (folder / "high-water").exists():
        write_atomic(folder / "high-water", fresh_mark(folder).to_bytes())
        click.echo("A new high-water mark was written, on your word.", err=True)


def _source(url: str) -> Source:
    from registry.node.backup import Source
    from registry.node.client import HttpTransport

    transport = HttpTransport(url, key=node_key())
    return Source(transport.get("checkpoint"), _entries(transport))


def _entries(transport: Any) -> Callable[[int], bytes]:
    import json

    from weid.errors import RegistryError

    def entry(index: int) -> bytes:
        try:
            return bytes.fromhex(json.loads(transport.get(f"entries/{index}"))["entry"])
        except (ValueError, KeyError, TypeError) as error:
            raise RegistryError("the source's answer is not understood", code="bad-answer") from error

    return entry


def noted(command: click.Command, prefix: str = "") -> None:
    """Make a command, or each of a group, leave a line in the folder's audit log: what was done and how it ended."""
    if isinstance(command, click.Group):
        for inside in command.commands.values():
            noted(inside, f"{prefix}{command.name} ")
        return
    act, inner = f"{prefix}{command.name}", command.callback
    if act in READS or inner is None or all(item.name != "folder" for item in command.params):
        return

    @wraps(inner)
    def outer(*arguments: Any, **values: Any) -> Any:
        from weid.errors import WeidError

        folder = values["folder"]
        try:
            done = inner(*arguments, **values)
        except WeidError as error:
            _note(folder, act, error.code)
            raise
        except SystemExit as end:
            _note(folder, act, f"exit-{end.code}")
            raise
        _note(folder, act, "done")
        return done

    command.callback = outer


def _note(folder: Path, act: str, result: str) -> None:
    """Only where there is a registry, and never a reason for a command to fail."""
    from registry.node.audit_log import AuditLog
    from weid.codec import rfc3339
    from weid.errors import WeidError

    if not (folder / "genesis.json").exists():
        return
    try:
        held = _config(folder, {})
        if held["audit"].value:
            size, keep = int(held["audit-bytes"].value), int(held["audit-files"].value)
            AuditLog(folder, size=size, keep=keep).write(rfc3339(_minute()), f"command {act}", result, who="operator")
    except (WeidError, OSError) as error:
        click.echo(f"the audit log was not written: {error}", err=True)


COMMANDS = (serve, config, reader, backup, restore)
