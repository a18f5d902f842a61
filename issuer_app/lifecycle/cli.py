"""`weid issuer replace`, `change`, `renew`, `hold`, `ending` and `exposed`: what comes after the issue, by command."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from issuer_app.access.cli import Recorded, looked
from issuer_app.premises import Premises
from issuer_app.proposals import by_command
from issuer_app.proposals.by_command import Speaking
from weid.records import REASONS

__all__ = ["change", "cosign", "cosign_batch", "ending", "exposed", "hold", "renew", "replace"]

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.argument("id_", metavar="ID")
@click.argument("claims", type=click.File("rb"))
@click.option("--bind", type=click.File("rb"), help="The holder's new binding request, where the kind is bound.")
@click.option("--base", type=click.File("rb"), help="Another certificate that it is to depend on, where the kind depends on one.")
@Speaking.options
def replace(
    folder: Path, passphrase_file: str | None, id_: str, claims: IO[bytes], bind: IO[bytes] | None, base: IO[bytes] | None,
    person: str | None, password_file: str | None,
) -> None:  # fmt: skip
    """Issue a corrected certificate with CLAIMS (JSON) in place of ID, which is revoked and names the new one."""
    from issuer_app.bringing import of_form
    from issuer_app.cli import _now, _passphrase, _print
    from issuer_app.lifecycle.replacing import supersede
    from issuer_app.proposals.acts import body_of_replacement
    from weid.canon import parse_json
    from weid.errors import MalformedError

    value = parse_json(claims.read())
    if not isinstance(value, dict):
        raise MalformedError("claims are a JSON object", code="bad-claim")
    asked = bind.read().decode("utf-8", "replace") if bind is not None else None
    under = None if base is None else of_form(base.read(), "")
    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        if by_command.needed(desk, "replace"):
            desk.schema(desk.get(id_).schema, _now()).items(value)  # what could never be issued waits for nobody
            body = body_of_replacement(desk, id_, value, bind=asked, base=under)
            by_command.ask(place, desk, Speaking(person, password_file), "replace", id_, body)
            return
        _print(supersede(desk, id_, value, at=_now(), random=secrets.token_bytes, by="cli", bind=asked, base=under))


@click.command(cls=Recorded)
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
@Speaking.options
def change(
    folder: Path, passphrase_file: str | None, action: str, file: Path | None, kind: str | None, since: datetime | None,
    until: datetime | None, text: str, reason: str | None, due: datetime | None, yes: bool, person: str | None,
    password_file: str | None,
) -> None:  # fmt: skip
    """Change the status of many certificates with one publication; without --yes nothing happens."""
    from issuer_app.cli import _digest, _now, _passphrase
    from issuer_app.importing.tables import read_table
    from issuer_app.lifecycle import many, planned
    from issuer_app.proposals.acts import body_of_change
    from weid.codec import minutes
    from weid.errors import IssueError

    if not yes:
        looked()
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
        moment = None if due is None else minutes(due.replace(tzinfo=UTC))
        if action == "revoke" and by_command.needed(desk, "change"):
            if moment is not None and moment <= _now():
                raise IssueError("the minute is past", code="bad-time")
            body = body_of_change(desk, ids, action, reason, due=moment)
            by_command.ask(place, desk, Speaking(person, password_file), "change", "", body, until=moment)
            return
        if moment is not None:
            planned.plan(desk, ids, action, reason, due=moment, at=_now(), by="cli")
            click.echo(f"{len(ids)} changes are planned.", err=True)
            return
        done = many.change_many(desk, ids, action, reason, _now())
        click.echo(f"{done.changed} changed, {done.left} were so already or cannot be.", err=True)


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.argument("id_", metavar="ID")
@click.option("--bind", type=click.File("rb"), help="The holder's new binding request, where the kind is bound.")
@Speaking.options
def renew(
    folder: Path, passphrase_file: str | None, id_: str, bind: IO[bytes] | None, person: str | None, password_file: str | None
) -> None:
    """Issue the certificate ID again for a new period, with the same values; the old one stands until it ends."""
    from issuer_app.cli import _now, _passphrase, _print
    from issuer_app.lifecycle import renewing
    from issuer_app.proposals.acts import body_of_renewal

    asked = bind.read().decode("utf-8", "replace") if bind is not None else None
    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        if by_command.needed(desk, "renew"):
            renewing.may_renew(desk, id_, _now())
            body = body_of_renewal(desk, id_, bind=asked)
            by_command.ask(place, desk, Speaking(person, password_file), "renew", id_, body)
            return
        _print(renewing.renew(desk, id_, at=_now(), random=secrets.token_bytes, by="cli", bind=asked))


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.option("--minutes", type=click.IntRange(0, 10_080), help="Hold revocations back for so many minutes from now on.")
@Speaking.options
def hold(folder: Path, passphrase_file: str | None, minutes: int | None, person: str | None, password_file: str | None) -> None:
    """How many minutes revocations are held back before the registry is told; an administrator (--person) may change it."""
    from issuer_app.cli import _passphrase
    from issuer_app.lifecycle import planned

    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        if minutes is not None:
            by_command.of(place, Speaking(person, password_file), "admin")
            planned.hold(desk, minutes)
        click.echo(str(planned.held_minutes(desk)))


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


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.option("--since", type=click.DateTime(["%Y-%m-%dT%H:%M"]), required=True, help="The minute (UTC) from which on.")
@click.option("--yes", is_flag=True, help="Do it; without it only the counts are shown.")
def exposed(folder: Path, passphrase_file: str | None, since: datetime, yes: bool) -> None:
    """The key that signs certificates was in other hands: replace it, and issue anew what falls."""
    from issuer_app.cli import _now, _passphrase
    from issuer_app.lifecycle import exposure
    from weid.codec import minutes

    if not yes:
        looked()
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
            click.echo(f"{id_} is to be issued by itself: it needs its holder's request or a second person", err=True)


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Sign; without it only what they say is shown.")
@click.option("--take-back", is_flag=True, help="Take our word back instead.")
def cosign(folder: Path, passphrase_file: str | None, files: tuple[Path, ...], yes: bool, take_back: bool) -> None:
    """Sign joint certificates of another institution (FILES), or take the word back; one JSON object a file."""
    from issuer_app.cli import _passphrase
    from issuer_app.lifecycle import joint

    if not yes:
        looked()
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


@click.command("cosign-batch", cls=Recorded)
@_FOLDER
@_PASS
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--words", type=click.Path(dir_okay=False, path_type=Path), help="Write here what was signed and what was not.")
@click.option("--yes", is_flag=True, help="Sign; without it only what they say is shown.")
def cosign_batch(folder: Path, passphrase_file: str | None, archive: Path, words: Path | None, yes: bool) -> None:
    """Sign every joint certificate in the ARCHIVE of another institution's import; those that cannot be are named."""
    from issuer_app.cli import _passphrase
    from issuer_app.lifecycle import joint_many

    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        found = joint_many.certificates_in(archive.read_bytes())
        read = joint_many.read_all(desk, found, datetime.now(UTC))
        read = joint_many.cosign_all(desk, read) if yes else read
        for name, asked in read.asked:
            click.echo(json.dumps({"file": name, "claims": dict(asked.presented.claims), "signed": yes}, ensure_ascii=False))
        for name, code in read.refused:
            click.echo(f"{name}: not signed [{code}]", err=True)
        if words is not None and yes:
            words.write_bytes(joint_many.words_file(desk, read))
        tail = "were signed" if yes else "may be signed; nothing was. Compare the values, then add --yes"
        click.echo(f"{len(read.asked)} {tail}; {len(read.refused)} cannot be.", err=True)
