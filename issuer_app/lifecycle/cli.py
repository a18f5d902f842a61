"""`weid issuer replace`, `change`, `ending` and `exposed`: what comes after the issue, by command."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from issuer_app.premises import Premises
from weid.records import REASONS

__all__ = ["change", "cosign", "ending", "exposed", "replace"]

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")


@click.command()
@_FOLDER
@_PASS
@click.argument("id_", metavar="ID")
@click.argument("claims", type=click.File("rb"))
@click.option("--bind", type=click.File("rb"), help="The holder's new binding request, where the kind is bound.")
def replace(folder: Path, passphrase_file: str | None, id_: str, claims: IO[bytes], bind: IO[bytes] | None) -> None:
    """Issue a corrected certificate with CLAIMS (JSON) in place of ID, which is revoked and names the new one."""
    from issuer_app.cli import _now, _passphrase, _print
    from issuer_app.lifecycle.replacing import supersede
    from weid.canon import parse_json
    from weid.errors import MalformedError

    value = parse_json(claims.read())
    if not isinstance(value, dict):
        raise MalformedError("claims are a JSON object", code="bad-claim")
    asked = bind.read().decode("utf-8", "replace") if bind is not None else None
    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        _print(supersede(desk, id_, value, at=_now(), random=secrets.token_bytes, by="cli", bind=asked))


@click.command()
@_FOLDER
@_PASS
@click.argument("action", type=click.Choice(["revoke", "suspend", "lift"]))
@click.option("--list", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV or XLSX whose first column names certificates by id or number.")  # fmt: skip
@click.option("--kind", help="Schema name; with --from, --to and --text instead of a list.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Issued on this day (UTC) or later.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="Issued before this day (UTC).")
@click.option("--text", default="", help="Holding these words.")
@click.option("--reason", type=click.Choice(REASONS), help="Shown to those who check; needed unless lifting.")
@click.option("--at", "due", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="At this minute (UTC) instead of now.")
@click.option("--yes", is_flag=True, help="Do it; without it only the count and the first lines are shown.")
def change(
    folder: Path, passphrase_file: str | None, action: str, file: Path | None, kind: str | None, since: datetime | None,
    until: datetime | None, text: str, reason: str | None, due: datetime | None, yes: bool,
) -> None:  # fmt: skip
    """Change the status of many certificates with one publication; without --yes nothing happens."""
    from issuer_app.cli import _digest, _now, _passphrase
    from issuer_app.importing.tables import read_table
    from issuer_app.lifecycle import many, planned
    from weid.codec import minutes

    if action != "lift" and reason is None:
        raise click.UsageError("--reason is needed")
    if file is None and not (kind or since or until or text):
        raise click.UsageError("name certificates: --list, or some of --kind, --from, --to, --text")
    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        if file is not None:
            listed = many.by_table(desk, read_table(file.read_bytes()))
            ids = listed.ids
            for line in listed.missing:
                click.echo(
                    f"line {line.line}: {line.text!r} {'fits several' if line.code == 'several' else 'not found'}", err=True
                )
        else:
            begin, end = (None if day is None else minutes(day.replace(tzinfo=UTC)) for day in (since, until))
            ids = many.by_filter(desk, many.Filter(_digest(desk, kind) if kind else None, begin, end, text), action)
        if not yes:
            for id_ in ids[:20]:
                click.echo(json.dumps({"id": id_, "claims": dict(desk.get(id_).claims)}, ensure_ascii=False))
            click.echo(f"{len(ids)} certificates; nothing was changed. Add --yes.", err=True)
            return
        if due is not None:
            moment = minutes(due.replace(tzinfo=UTC))
            planned.plan(desk, ids, action, reason, due=moment, at=_now(), by="cli")
            click.echo(f"{len(ids)} changes are planned.", err=True)
            return
        done = many.change_many(desk, ids, action, reason, _now())
        click.echo(f"{done.changed} changed, {done.left} were so already or cannot be.", err=True)


@click.command()
@_FOLDER
@click.option("--days", type=click.IntRange(1, 3_650), default=30, show_default=True)
@click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
def ending(folder: Path, days: int, passphrase_file: str | None) -> None:
    """Certificates in good standing that end within so many days; one JSON object a line."""
    from issuer_app.cli import _now, _passphrase, _print
    from issuer_app.lifecycle import ending as subject

    with (place := Premises.open(folder)).opened:
        for row in subject.ending(place.desk(_passphrase(passphrase_file)), days, _now(), limit=1_000_000):
            _print(row)


@click.command()
@_FOLDER
@_PASS
@click.option("--since", type=click.DateTime(["%Y-%m-%dT%H:%M"]), required=True, help="The minute (UTC) from which on.")
@click.option("--yes", is_flag=True, help="Do it; without it only the counts are shown.")
def exposed(folder: Path, passphrase_file: str | None, since: datetime, yes: bool) -> None:
    """The key that signs certificates was in other hands: replace it, and issue anew what falls."""
    from issuer_app.cli import _now, _passphrase
    from issuer_app.lifecycle import exposure
    from weid.codec import minutes

    begin = minutes(since.replace(tzinfo=UTC))
    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        found = exposure.exposed(desk, begin)
        click.echo(f"Key {found.number}: {found.before} certificates stand, {len(found.after)} fall.", err=True)
        if not yes:
            click.echo("Nothing was changed. Add --yes.", err=True)
            return
        exposure.declare(desk, found.number, begin, _now())
        made, bound = exposure.reissue(desk, found.after, at=_now(), random=secrets.token_bytes, by="cli")
        click.echo(f"The key is replaced; {made} certificates were issued anew.", err=True)
        for id_ in bound:
            click.echo(f"{id_} needs a new request of its holder", err=True)


@click.command()
@_FOLDER
@_PASS
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Sign; without it only what they say is shown.")
@click.option("--take-back", is_flag=True, help="Take our word back instead.")
def cosign(folder: Path, passphrase_file: str | None, files: tuple[Path, ...], yes: bool, take_back: bool) -> None:
    """Sign joint certificates of another institution (FILES), or take the word back; one JSON object a file."""
    from issuer_app.cli import _passphrase
    from issuer_app.lifecycle import joint

    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        for file in files:
            asked = joint.read_asked(desk, file.read_bytes(), datetime.now(UTC))
            shown = asked.presented
            told = asked.told is not None and asked.told.withdrawn is None
            if yes and take_back:
                joint.take_back(desk, asked)
            elif yes:
                joint.cosign(desk, asked)
            click.echo(json.dumps({
                "file": file.name, "id": None if shown.cid is None else shown.cid.hex(), "issuer": shown.issuer,
                "claims": dict(shown.claims), "threshold": asked.joint.threshold,
                "others": [word.did for word in asked.others if word.withdrawn is None],
                "signed": (told or yes) and not (yes and take_back),
            }, ensure_ascii=False))  # fmt: skip
        if not yes:
            click.echo("Nothing was signed. Compare the values, then add --yes.", err=True)
