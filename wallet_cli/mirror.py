"""`weid registry mirror`, `export`, `serve-mirror`, `rotate-key`: copies of a log, and changes of its keys (R20, R21)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.keys import make_key
from wallet_cli.options import FOLDER, NEW_FILE, OUTPUT, PASS, PLACE, PORT, SIGNING_NAME
from wallet_cli.state import echo, node_key, passphrase, read_input, write_atomic
from weid.errors import WeidError

if TYPE_CHECKING:
    from registry.mirror.mirror import Mirror


@click.command()
@FOLDER
@click.option("--from", "source", required=True, help="The log's prefix (…/v1, or a static site), or a folder of exported files.")
@click.option("--genesis", help="Genesis file of the log: needed the first time.")
def mirror(folder: Path, source: str, genesis: str | None) -> None:
    """Bring the copy in FOLDER up to the source: verify every entry, root and state, then keep them. Exit 1 on a fork."""
    from registry.mirror.source import open_source

    given = open_source(source, key=node_key())
    copy = _open(folder, genesis)
    try:
        done = copy.sync(given)
    finally:
        copy.close()
    click.echo(f"{done.size}")
    click.echo(f"{done.size - done.before} new entries; every leaf, signature, root and state was recomputed.", err=True)
    for index in done.lies:
        echo(f"entry {index}: the operator committed a state that the log does not add up to", err=True)


@click.command("mirror-sign")
@FOLDER
@PASS
@click.option("--key", "key_file", type=NEW_FILE, required=True, help="The mirror's key; made if new.")
@SIGNING_NAME
@OUTPUT
def mirror_sign(folder: Path, passphrase_file: str | None, key_file: Path, name: str, output: Path) -> None:
    """Sign the operator's state statement under the mirror's own key: it was recomputed here (R20)."""
    from registry.note import NoteKey
    from wallet_cli.registry_folder import SUITE
    from weid.keyfile import open_key

    copy, words = _open(folder, None), passphrase(passphrase_file)
    try:
        if not key_file.exists():
            chosen = SUITE[copy.registry.genesis.profile]
            make_key(key_file, chosen, name, "mirror", words, random=secrets.token_bytes)
        signer = open_key(key_file.read_bytes(), words)
        write_atomic(output, copy.cosign_state(name, signer))
    finally:
        copy.close()
    click.echo(NoteKey(name, signer.public_key).text())


@click.command("mirror-serve")
@FOLDER
@click.option("--port", type=PORT, default=8460, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def mirror_serve(folder: Path, port: int, host: str) -> None:
    """Serve the reads, proofs, tiles and bundles of a copy; it takes no operations."""
    from registry.node.service import create_node
    from registry.node.serving import serve as run

    copy = _open(folder, None)

    def ready(at: int) -> None:
        click.echo(f"Mirror of {copy.registry.genesis.origin} at http://{host}:{at}/v1/checkpoint; stop with Ctrl-C.", err=True)

    try:
        run(create_node(copy.registry, read_only=True), host, port, ready=ready)
    finally:
        copy.close()


@click.command()
@FOLDER
@click.argument("target", type=PLACE)
def export(folder: Path, target: Path) -> None:
    """Write the log of FOLDER as static files (C2SP tlog-tiles) to TARGET: a web root, or a stick to carry to a mirror."""
    from registry.mirror.static import export as write
    from wallet_cli.registry_folder import open_registry

    opened = open_registry(folder, None, random=secrets.token_bytes)
    try:
        click.echo(f"{write(opened, target)}")
    finally:
        opened.close()


@click.command("rotate-key")
@FOLDER
@click.argument("what", type=click.Choice(["log", "state", "operator", "twin"]))
@PASS
@click.option("--by", default="committee", show_default=True, help="The committee member who decides.")
@click.option("--propose", is_flag=True, help="Put it to the vote instead of doing it.")
def rotate_key(folder: Path, what: str, passphrase_file: str | None, by: str, propose: bool) -> None:
    """Change the log, state, operator or twin key: a fresh key, signed by the old and itself, on the log (R21).

    Where one member alone may not decide that: --propose, and the same command again once the proposal is executed.
    """
    from wallet_cli.registry_folder import rotate

    words = passphrase(passphrase_file)
    key, proposal = rotate(folder, what, by, words, random=secrets.token_bytes, propose=propose)
    if proposal is not None:
        click.echo(proposal.hex())
        click.echo("Proposed, with your vote for it. When it is executed, run rotate-key again to take the key up.", err=True)
        return
    click.echo(key.multikey())
    click.echo("Make a bundle now: readers who pinned the genesis follow it.", err=True)
    click.echo(f"Give {folder / 'key-chain'} to the witnesses (`weid registry witness follow`).", err=True)


def _open(folder: Path, genesis: str | None) -> Mirror:
    from registry.engines.sqlite import genesis_of
    from registry.mirror.mirror import Mirror

    held = folder / "registry.db"
    if genesis is None and not held.exists():
        raise WeidError(f"{folder} holds no copy yet: give --genesis", code="no-mirror")
    data = genesis_of(held) if genesis is None else read_input(genesis)
    return Mirror.open(folder, data, random=secrets.token_bytes)


COMMANDS = (mirror, mirror_sign, mirror_serve, export, rotate_key)
