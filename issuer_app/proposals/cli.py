"""`weid issuer waiting` and `decide`: what two people decide, by command."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issuer_app.access.cli import Recorded, came_of_it
from issuer_app.premises import Premises
from issuer_app.proposals import by_command
from issuer_app.proposals.by_command import Speaking

if TYPE_CHECKING:
    from issuer_app.proposals.acts import Room
    from issuer_app.proposals.deciding import Examined
    from issuer_app.two_people import Asked
    from weid.canon import JSON

__all__ = ["decide", "waiting"]

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
_OPEN = ("waiting", "doing")


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--list", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write every certificate of it here (CSV).")
def waiting(folder: Path, passphrase_file: str | None, id_: str | None, file: Path | None) -> None:
    """What waits for a second person, one JSON object a line; with ID all of one request, and the mark to agree to it."""
    from issuer_app.cli import _passphrase
    from issuer_app.proposals import deciding

    with (place := Premises.open(folder)).opened:
        room = by_command.room_of(place, place.desk(_passphrase(passphrase_file)))
        deciding.settle(room)
        if id_ is None:
            for held in room.waiting.open(room.at):
                by_command.told(held)
            return
        room.waiting.forget(room.at)
        held = room.waiting.get(id_)
        if held.state not in _OPEN:
            by_command.told(held)
            return
        found = deciding.examine(room, held)
        by_command.told(held, content=_content(held), **_certificates(room, held, found), seen=found.mark)
        if file is not None:
            file.write_text(_csv(found), "utf-8")


@click.command(cls=Recorded)
@_FOLDER
@_PASS
@click.argument("id_", metavar="ID")
@click.argument("word", type=click.Choice(["agree", "decline", "withdraw"]))
@Speaking.options
@click.option("--seen", metavar="MARK", default="", help="To agree: the mark of what `weid issuer waiting FOLDER ID` showed you.")
def decide(
    folder: Path, passphrase_file: str | None, id_: str, word: str, person: str | None, password_file: str | None, seen: str
) -> None:
    """Agree to a request as the second person, which does it at once; decline it; or take back your own."""
    from issuer_app.cli import _passphrase
    from issuer_app.problems import RefusedError
    from issuer_app.proposals import agreed_row, deciding

    with (place := Premises.open(folder)).opened:
        room = by_command.room_of(place, place.desk(_passphrase(passphrase_file)))
        name = by_command.of(place, Speaking(person, password_file), "clerk", "admin")
        held = room.waiting.get(id_)
        if word == "agree":
            deciding.agree(room, id_, name, seen)
            came_of_it(agreed_row(held))
        elif (word == "withdraw") != (held.by == name):
            raise RefusedError("who asks takes back, others decline", code="own-request")
        else:
            room.waiting.decline(id_, name, room.at)
        by_command.told(room.waiting.get(id_))


def _content(held: Asked) -> JSON:
    """What was asked for, but for the certificates, which stand beside it."""
    return {name: value for name, value in held.body.items() if name != "was"}


def _certificates(room: Room, held: Asked, found: Examined) -> dict[str, JSON]:
    if held.act == "import":
        return {"changed": bool(found.left)}
    first: list[JSON] = [{"id": id_, "claims": dict(room.desk.get(id_).claims)} for id_ in found.standing[:20]]
    left: list[JSON] = [{"id": id_, "state": state} for id_, state in found.left[:1_000]]
    return {"count": len(found.standing), "first": first, "leftOut": left}


def _csv(found: Examined) -> str:
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(["id", "included"])
    written.writerows([(id_, "yes") for id_ in found.standing] + [(id_, "no") for id_, _ in found.left])
    return out.getvalue()
