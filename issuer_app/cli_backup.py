"""`weid issuer backup` and `restore`: one sealed file, and the way back that gives no place twice."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issuer_app.access.cli import Recorded
from issuer_app.premises import UNFINISHED, Premises

if TYPE_CHECKING:
    from issuer_app.catch_up import CaughtUp

__all__ = ["backup", "restore"]

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")


@click.command()
@_FOLDER
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@_PASS
def backup(folder: Path, output: Path, passphrase_file: str | None) -> None:
    """Seal the whole FOLDER into OUTPUT under its passphrase: books, keys, users. The desk may be at work meanwhile."""
    from issuer_app.backup import write_backup
    from issuer_app.cli import _passphrase

    words = _passphrase(passphrase_file)
    with (place := Premises.open(folder)).opened:
        if place.holds("desk"):
            place.desk(words)  # the passphrase that opens the keys is the one that opens the backup
        profile = "gm" if place.client.genesis.profile == "gm" else "intl"
    count = write_backup(folder, output, words, profile=profile, random=secrets.token_bytes)
    click.echo(f"{count} files in {output}, {os.path.getsize(output):,} bytes, sealed under this passphrase.", err=True)
    click.echo("Keep it away from this machine. Whoever has it and the passphrase has the institution's keys.", err=True)


@click.command(cls=Recorded)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_FOLDER
@_PASS
def restore(file: Path, folder: Path, passphrase_file: str | None) -> None:
    """Unpack a backup FILE into a new FOLDER, and bring it up to what the registry has heard since.

    If the registry does not answer, run it again when it does; until then the desk issues nothing.
    """
    from datetime import UTC, datetime

    from issuer_app.backup import restore_folder
    from issuer_app.catch_up import catch_up
    from issuer_app.cli import _passphrase
    from weid.codec import minutes

    words = _passphrase(passphrase_file)
    if not (folder / UNFINISHED).exists():
        click.echo(f"{restore_folder(file, folder, words)} files restored into {folder}.", err=True)
    with (place := Premises.open(folder)).opened:
        if place.holds("desk"):
            desk = place.desk(words, restoring=True)
            _say(folder, catch_up(desk, minutes(datetime.now(UTC))), desk.waiting())
    (folder / UNFINISHED).unlink()


def _say(folder: Path, found: CaughtUp, waiting: int) -> None:
    click.echo(f"{found.changed} states taken over from the registry.", err=True)
    if found.lost:
        click.echo(f"{found.lost} certificates were issued after the backup; their content is not in it.", err=True)
        click.echo("Their places stay taken, and they can be revoked by id.", err=True)
    if waiting:
        click.echo(f"{waiting} wait to be sent: run `weid issuer publish {folder}`.", err=True)
