"""`weid registry …`: run a registry. Data on standard output, words on standard error."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import click

from wallet_cli import assets, committee, engines, founding, mirror, proofs, registry_operating, voting, witness
from wallet_cli.evidence import anchor, checkpoint
from wallet_cli.options import FILE, FOLDER, OUTPUT, PASS
from wallet_cli.state import echo_json, now, passphrase, write_atomic


@click.group()
def registry() -> None:
    """Run a registry: init, serve, tick, bundle, show, fsck, backup, restore, move; check a proof of it; decide for it:
    grant, approve, vote, and --propose with what needs votes; hold things in it: asset, use."""


@registry.command()
@FOLDER
@PASS
@click.option("--at", metavar="TIME", help="Log time to write instead of the clock's.")
def tick(folder: Path, passphrase_file: str | None, at: str | None) -> None:
    """Bring the log's time up to now and commit the state."""
    from wallet_cli.registry_folder import open_registry
    from weid.codec import minutes, rfc3339

    opened = open_registry(folder, passphrase(passphrase_file), random=secrets.token_bytes)
    minute = minutes(now(at))
    opened.tick(minute).require()
    opened.commit().require()
    click.echo(f"{opened.size}")
    click.echo(f"Log time is {rfc3339(minute)}; {opened.size} entries.", err=True)
    opened.close()


@registry.command()
@FOLDER
@PASS
@OUTPUT
@click.option("--update-of", type=FILE, help="Only what changed since this bundle.")
def bundle(folder: Path, passphrase_file: str | None, output: Path, update_of: Path | None) -> None:
    """Write the trust bundle: all an offline verifier needs, in one file."""
    from registry.delta import state_of
    from registry.packed import pack, unpack
    from wallet_cli.registry_folder import open_registry

    opened = open_registry(folder, passphrase(passphrase_file), random=secrets.token_bytes)
    if opened.state.authority.policy.needed:
        from registry.witness.client import cosign_registry

        witness.report(cosign_registry(opened))
    else:
        opened.commit().require()
    earlier = handed_out(folder)
    base = None if update_of is None else state_of(unpack(update_of.read_bytes())).map
    data = pack(opened.bundle(since=earlier, base=base))
    write_atomic(output, data)
    remember(folder, (*earlier, opened.size))
    click.echo(str(output))
    click.echo(f"{len(data)} bytes; carry it by any means: it proves itself.", err=True)
    opened.close()


@registry.command()
@FOLDER
def show(folder: Path) -> None:
    """Show the log, entry by entry, as JSON lines."""
    from wallet_cli.registry_folder import open_registry

    opened = open_registry(folder, None, random=secrets.token_bytes)
    for index in range(opened.size):
        echo_json(opened.view(index))
    opened.close()


@registry.command()
@FOLDER
def fsck(folder: Path) -> None:
    """Recompute everything: leaves, roots, signatures, state. Names the first bad entry; exit 1 if there is one."""
    from registry.audit import fsck as check
    from registry.engines.sqlite import SqliteEngine
    from registry.genesis import parse_genesis
    from registry.keeping import kept_file

    genesis = parse_genesis((folder / "genesis.json").read_bytes())
    with kept_file(folder / "registry.db") as beside:
        engine = SqliteEngine.open(folder / "registry.db", hash=genesis.hash, second=genesis.second)
        try:
            findings = check(engine, pin=genesis.digest, beside=beside)
        finally:
            engine.close()
    for finding in findings:
        where = "the file" if finding.index is None else f"entry {finding.index}"
        click.echo(f"{where}: {finding.code}: {finding.detail}")
    if findings and all(finding.code == "kept-state" for finding in findings):
        click.echo("The log is sound, its kept state is not: delete registry.db.state, it is made again from the log.", err=True)
        sys.exit(1)
    if findings:
        click.echo("The database is damaged or was changed. Keep it, and restore from a backup or mirror.", err=True)
        sys.exit(1)
    click.echo("Every leaf, root and signature was recomputed: sound.", err=True)


HISTORIES = 16


def handed_out(folder: Path) -> tuple[int, ...]:
    """Log sizes of the last bundle files made here: each new one proves that it continues them (R21)."""
    path = folder / "handed-out"
    return tuple(int(text) for text in path.read_text("utf-8").split()) if path.exists() else ()


def remember(folder: Path, sizes: tuple[int, ...]) -> None:
    """Keep the newest sizes."""
    kept = sorted(set(sizes))[-HISTORIES:]
    write_atomic(folder / "handed-out", "".join(f"{size}\n" for size in kept).encode())


GROUPS = (
    founding.COMMANDS, registry_operating.COMMANDS, committee.COMMANDS, voting.COMMANDS, engines.COMMANDS, witness.COMMANDS,
    mirror.COMMANDS, assets.COMMANDS, proofs.COMMANDS, (anchor, checkpoint),
)  # fmt: skip
for command in (item for group in GROUPS for item in group):
    registry.add_command(command)
for command in registry.commands.values():
    registry_operating.noted(command)
