"""`weid issuer paper`, `look` and `link`: what the holder gets, from the command line."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from issuer_app.premises import Premises, read_pack_folder
from weid.pack import LANGUAGES

__all__ = ["link", "look", "paper"]

FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")


@click.command()
@FOLDER
@PASS
@click.argument("id_", metavar="ID")
@click.option("--pdf", "form", flag_value="pdf", default="pdf", help="A4, the certificate file inside [default].")
@click.option("--png", "form", flag_value="card", help="A picture for a phone, 1080 × 1350.")
@click.option("--poster", "form", flag_value="poster", help="A picture for a screen, 1080 × 1920.")
@click.option("--language", "languages", type=click.Choice(LANGUAGES), multiple=True, help="One or two [en].")
@click.option("--code-host", default="v.example", show_default=True, help="Host in the code's URL.")
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of the times, e.g. Asia/Shanghai.")
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def paper(
    folder: Path, passphrase_file: str | None, id_: str, form: str, languages: tuple[str, ...], code_host: str, timezone: str,
    out: Path,
) -> None:  # fmt: skip
    """Draw certificate ID for its holder; what would be read too rarely is not written."""
    from zoneinfo import ZoneInfo

    from issuer_app.cli import _passphrase
    from issuer_app.papers.handing import Way, hand_out

    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        way = Way(languages or ("en",), code_host, ZoneInfo(timezone))
        made = hand_out(desk, desk.get(id_), form, way, _now(), trials=3)
    out.write_bytes(made.data)
    shares = ", ".join(f"{name} {share} %" for name, share in made.score.shares)
    click.echo(f"{out}: read in {made.score.total} % of trials ({shares})", err=True)
    click.echo(f"Do not print the code smaller than {made.score.least_mm:g} mm.", err=True)


@click.command()
@FOLDER
@click.option("--pack", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def look(folder: Path, pack: Path) -> None:
    """Take over how papers look from the `render` section of a PACK: colours, order, logo, seal, templates."""
    from issuer_app.papers.look import install

    install(Premises.open(folder).folder / "desk", read_pack_folder(pack))
    click.echo("Papers are drawn this way from now on; what was handed out stays as it is.", err=True)


@click.command()
@FOLDER
@click.argument("id_", metavar="ID")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it works.")
@click.option("--withdraw", is_flag=True, help="End every link to it instead.")
def link(folder: Path, id_: str, days: int, withdraw: bool) -> None:
    """Make a link for the holder of certificate ID, below the address of `public-url`; it is printed once. It opens no key."""
    from issuer_app.papers.links import Links

    place = Premises.open(folder)
    with place.opened:
        row = place.ledger().get(id_)
        held = Links(place.folder / "desk")
        try:
            if withdraw:
                click.echo(f"{held.withdraw(row.id)} links no longer open.", err=True)
                return
            if place.public is None:
                raise click.UsageError("strangers reach this desk nowhere yet: `weid issuer public-url`")
            token = held.make(row.id, days=days, by="cli", at=_now(), random=secrets.token_bytes)
        finally:
            held.close()
    click.echo(f"{place.public}/c/{token}")


def _now() -> int:
    return int(datetime.now(UTC).timestamp() // 60)
