"""Commands in the trail, and `weid issuer trail`, which reads and checks it."""

from __future__ import annotations

import getpass
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from weid.errors import WeidError

if TYPE_CHECKING:
    from issuer_app.premises import Premises

__all__ = ["Recorded", "RecordedGroup", "acting", "came_of_it", "looked", "made", "trail"]

_READS: Final = ("find", "serve", "trail", "waiting")
_MADE: Final = "issuer_app.access.cli.made"
_WHO: Final = "issuer_app.access.cli.acting"
_OUTCOME: Final = "issuer_app.access.cli.came_of_it"
_LOOKED: Final = "issuer_app.access.cli.looked"
_ABOUT: Final = ("id_", "name", "label", "role", "schema", "wants")


def made(id_: str) -> None:
    """Name in the row of this command the certificate that it made."""
    click.get_current_context().meta[_MADE] = id_


def acting(name: str) -> None:
    """Name in the row of this command the person who has shown to be one, instead of the account that runs it."""
    click.get_current_context().meta[_WHO] = name


def came_of_it(outcome: str) -> None:
    """Say in the row of this command what came of it, where it was done but is not all."""
    click.get_current_context().meta[_OUTCOME] = outcome


def looked() -> None:
    """This run of the command only looks: it changes nothing, so it leaves no row."""
    click.get_current_context().meta[_LOOKED] = True


class Recorded(click.Command):
    """A command that leaves a row in the trail of its FOLDER, whether it was done or refused."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; the row says what came of it, and nothing that was typed but the name of what it was about."""
        result = "failed"
        try:
            done = super().invoke(ctx)
            result = "ok"
            return done
        except click.exceptions.Exit as stop:
            result = "ok" if stop.exit_code == 0 else f"exit-{stop.exit_code}"
            raise
        except WeidError as error:
            result = error.code
            raise
        finally:
            if ctx.info_name not in _READS and _LOOKED not in ctx.meta:
                _record(ctx, result)


class RecordedGroup(click.Group):
    """A group all of whose commands are recorded."""

    command_class = Recorded
    group_class = type


def _record(ctx: click.Context, result: str) -> None:
    from issuer_app.access.trail import COMMAND, Trail
    from issuer_app.premises import Premises
    from weid.codec import minutes

    folder = ctx.params.get("folder")
    if not isinstance(folder, Path) or not (folder / "genesis.json").exists():
        return  # nothing was set up, so there is nothing it could have changed
    place = Premises.open(folder)
    held = Trail(place.app / "trail.db", place.client.genesis.hash)
    about = next((ctx.params[name] for name in _ABOUT if ctx.params.get(name)), "")
    target = str(ctx.meta.get(_MADE) or (" ".join(about) if isinstance(about, tuple) else about))
    names = ctx.command_path.split()
    act = "-".join(names[names.index("issuer") + 1 :]) if "issuer" in names else names[-1]
    held.add(minute=minutes(datetime.now(UTC)), kind=COMMAND, who=str(ctx.meta.get(_WHO) or _user()), act=act, target=target,
             result=str(ctx.meta.get(_OUTCOME, result)) if result == "ok" else result, request=secrets.token_hex(8))  # fmt: skip
    held.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Compute the whole chain anew; the head is printed, to be written down elsewhere.")
@click.option("--head", metavar="DIGEST", help="A head written down earlier: the chain must still lead through it.")
@click.option("--file", "exported", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Check a file that somebody exported, by the keys on the registry.")  # fmt: skip
@click.option("--who", help="Only what this user, program or command did.")
@click.option("--target", help="Only what was done to this id or name.")
@click.option("--kind", type=click.Choice(["person", "key", "command", "nobody"]), help="Only what one of these did.")
@click.option("--act", default="", help="Only acts whose name begins so, e.g. people.")
@click.option("--before", type=click.IntRange(1, 1 << 53), metavar="SEQ", help="Only rows before this number: the next page.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True)
def trail(
    folder: Path, check: bool, head: str | None, exported: Path | None, who: str | None, target: str | None, kind: str | None,
    act: str, before: int | None, limit: int,
) -> None:  # fmt: skip
    """Show who did what in FOLDER, newest first, one JSON object a line; or check that nothing of it was changed."""
    from issuer_app.access.trail import Trail
    from issuer_app.premises import Premises
    from weid.codec import unhex

    place = Premises.open(folder)
    with place.opened:
        if exported is not None:
            _check_file(place, exported.read_bytes())
            return
        held = Trail(place.app / "trail.db", place.client.genesis.hash)
        place.opened.callback(held.close)
        if check or head is not None:
            count = held.check(head=None if head is None else unhex(head))
            click.echo(held.head()[1].hex())
            click.echo(f"{count} rows, each where it belongs.", err=True)
            return
        for row in held.rows(who=who, target=target, kind=kind, act=act, before=before, limit=limit):
            click.echo(json.dumps(row.to_json(), ensure_ascii=False))


def _check_file(place: Premises, data: bytes) -> None:
    from issuer_app.access.trail import check_export
    from issuer_app.premises import KINDS
    from registry.node.folder import TrustFolder
    from weid.codec import minutes

    kind = next((kind for kind in KINDS if place.holds(kind)), KINDS[0])
    facts = TrustFolder(place.folder / kind).facts(at=minutes(datetime.now(UTC)))
    found = check_export(data, facts, place.client.genesis.hash)
    click.echo(f"{len(found['rows'])} rows about {found['about']}, signed by {found['key']}", err=True)
