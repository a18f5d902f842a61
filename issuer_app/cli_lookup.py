"""`weid issuer lookup`, `lookup-rules` and `outbox`: finding by document number, and what is to be sent to holders."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from issuer_app.access.cli import Recorded, looked
from issuer_app.premises import Premises

if TYPE_CHECKING:
    from issuer_app.desk import Desk

__all__ = ["lookup", "lookup_rules", "outbox", "texts_in"]

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")


@click.command()
@_FOLDER
@_PASS
@click.option("--rule", help="The rule of the pack to look up by [the first that asks for what is given].")
@click.option("--kind", default="", help="Kind of document, e.g. cn-id, hk-id, mo-id, passport.")
@click.option("--number", default="", help="Document number.")
@click.option("--name", default="", help="The holder's name.")
@click.option(
    "--with", "more", multiple=True, metavar="INPUT=TEXT", help="Another input: birthDate, phoneTail, email, claimCode …"
)
@click.option(
    "--stdin", is_flag=True, help="Read the inputs as one JSON object from standard input: nothing stays in the shell's history."
)
def lookup(
    folder: Path,
    passphrase_file: str | None,
    rule: str | None,
    kind: str,
    number: str,
    name: str,
    more: tuple[str, ...],
    stdin: bool,
) -> None:
    """Look up at the counter, by a rule of the pack: one JSON object a line, whatever the rule shows to strangers."""
    from issuer_app.lookups.asking import forms_of, ways
    from weid.errors import MalformedError

    given = {"documentKind": kind, "documentNumber": number, "name": name}
    given |= dict(item.split("=", 1) for item in more if "=" in item)
    if stdin:
        given |= texts_in(sys.stdin.buffer.read(65_536))
    given = {key: text for key, text in given.items() if text}
    with (place := Premises.open(folder)).opened:
        desk = _desk(place, passphrase_file)
        asked = set(given) - {"documentKind"}
        fitting = [way for way in ways(desk.lookups) if set(way.by) == asked and rule in (None, way.rule.name)]
        if not fitting:
            raise MalformedError("no rule of the pack asks for exactly these inputs", code="lookup-inputs")
        way = fitting[0]
        for row in (desk.get(id_) for id_ in desk.lookups.find(way.rule, way.by, forms_of(way, given))):
            click.echo(json.dumps({"id": row.id, "state": row.state, "issued": row.issued, "until": row.until,
                                   "claims": dict(row.claims)}, ensure_ascii=False))  # fmt: skip


@click.command("lookup-rules", cls=Recorded)
@_FOLDER
@_PASS
@click.option(
    "--pack", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Go by this pack's rules from now on."
)
def lookup_rules(folder: Path, passphrase_file: str | None, pack: Path | None) -> None:
    """Show by what rules holders look up, or take them from a pack; numbers and codes of what was issued join the index."""
    from dataclasses import replace

    from issuer_app.lookups import index_printed, lookup_of
    from issuer_app.premises import read_pack_folder

    if pack is None:
        looked()
    with (place := Premises.open(folder)).opened:
        desk = _desk(place, passphrase_file)
        if pack is not None:
            known = lookup_of(read_pack_folder(pack))
            desk.change_terms(replace(desk.terms, lookup=known))
            count = index_printed(desk, at=_now(), random=secrets.token_bytes)
            click.echo(f"{count} certificates can be found that could not.", err=True)
        click.echo(json.dumps(desk.terms.lookup.to_json(), ensure_ascii=False))


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.option("--base", help="Address in the links [the public URL].")
def outbox(folder: Path, passphrase_file: str | None, base: str | None) -> None:
    """One-time links that holders asked for, one JSON object a line, each printed once: send them on at once."""
    from issuer_app.lookups.links import outbox as letters

    with (place := Premises.open(folder)).opened:
        url = base or place.public
        if not url:
            raise click.UsageError("links need an address: `weid issuer public-url`, or --base")
        desk = _desk(place, passphrase_file)
        for letter in letters(desk.lookups, _now(), secrets.token_bytes):
            click.echo(json.dumps({"certificate": letter.id, "contact": letter.contact, "until": letter.until,
                                   "link": f"{url.rstrip('/')}/find/link/{letter.token}"}, ensure_ascii=False))  # fmt: skip


def texts_in(data: bytes) -> dict[str, str]:
    """A JSON object of texts."""
    from weid.canon import parse_json

    value: Any = parse_json(data)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise click.UsageError("the inputs must be one JSON object of texts")
    return value


def _desk(place: Premises, passphrase_file: str | None) -> Desk:
    from issuer_app import cli

    return place.desk(cli._passphrase(passphrase_file))


def _now() -> int:
    from issuer_app import cli

    return cli._now()
