"""`weid issuer depending`: certificates in force whose base has ended, by command."""

from __future__ import annotations

import json
from pathlib import Path

import click

from issuer_app.premises import Premises

__all__ = ["depending"]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
def depending(folder: Path, passphrase_file: str | None) -> None:
    """Certificates in force that stand on another one that was revoked, is suspended or has expired; one JSON object a line."""
    from issuer_app.cli import _now, _passphrase
    from issuer_app.depending import kept

    with (place := Premises.open(folder)).opened:
        for _, base, state in kept.ended(place.desk(_passphrase(passphrase_file)), _now()):
            click.echo(json.dumps({
                "id": base.own, "base": base.id, "issuer": base.issuer, "state": state, "until": base.until,
            }))  # fmt: skip
