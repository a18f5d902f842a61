"""`weid issuer revoke`, `suspend` and `lift`: the status of one certificate, by command."""

from __future__ import annotations

from pathlib import Path

import click

from issuer_app.access.cli import Recorded
from issuer_app.premises import Premises
from issuer_app.proposals import by_command
from issuer_app.proposals.by_command import Speaking

__all__ = ["lift", "revoke", "suspend"]

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
_ID = click.argument("id_", metavar="ID")
_REASON = click.option("--reason", required=True, help="Shown to those who check, e.g. error-in-data, fraud.")


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@_ID
@_REASON
@Speaking.options
def revoke(
    folder: Path, passphrase_file: str | None, id_: str, reason: str, person: str | None, password_file: str | None
) -> None:
    """Revoke for good; where two people decide it, ask for it as --person."""
    from issuer_app.cli import _now, _passphrase, _print
    from issuer_app.proposals.acts import body_of_end

    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        if by_command.needed(desk, "revoke"):
            body = body_of_end(desk, id_, reason)
            by_command.ask(place, desk, Speaking(person, password_file), "revoke", id_, body)
            return
        _print(desk.revoke(id_, reason, _now()))


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@_ID
@_REASON
def suspend(folder: Path, passphrase_file: str | None, id_: str, reason: str) -> None:
    """Suspend until lifted."""
    from issuer_app.cli import _now, _passphrase, _print

    with (place := Premises.open(folder)).opened:
        _print(place.desk(_passphrase(passphrase_file)).suspend(id_, reason, _now()))


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@_ID
def lift(folder: Path, passphrase_file: str | None, id_: str) -> None:
    """Lift a suspension."""
    from issuer_app.cli import _now, _passphrase, _print

    with (place := Premises.open(folder)).opened:
        _print(place.desk(_passphrase(passphrase_file)).lift(id_, _now()))
