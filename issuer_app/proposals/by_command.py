"""Commands where two people decide: who sits there shows it as at the sign-in, since an account of the machine is nobody."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from issuer_app.access.cli import acting, came_of_it

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.premises import Premises
    from issuer_app.proposals.acts import Room
    from issuer_app.two_people import Asked
    from weid.canon import JSON

__all__ = ["Speaking", "ask", "needed", "of", "room_of", "told"]

F = TypeVar("F", bound=Callable[..., Any])


class Speaking:
    """Who says so: `--person` and `--password-file`, as a pair of options and as what they were given."""

    def __init__(self, person: str | None, password_file: str | None) -> None:
        self.person, self.password_file = person, password_file

    @staticmethod
    def options(command: F) -> F:
        """The two options."""
        named = click.option("--person", metavar="NAME", help="Who you are at this desk; the password is asked for.")
        file = click.option("--password-file", help="File with that person's password.")
        return named(file(command))


def needed(desk: Desk, act: str) -> bool:
    """Whether the desk's terms ask for two people here."""
    from issuer_app.proposals import deciding

    return deciding.needed(desk.terms.two_people, act)


def of(place: Premises, who: Speaking, *roles: str) -> str:
    """The name of the person, who has one of these roles and has given password and second factor; the trail names them.

    RefusedError `second-person` without a name, `wrong-password`, `wrong-code`, `no-factor`, `no-role`.
    """
    from issuer_app.access.factors import Factors
    from issuer_app.cli import _ask, _read_secret
    from issuer_app.problems import RefusedError
    from issuer_app.users import Users

    if who.person is None:
        raise RefusedError("two people decide this: say who you are with --person", code="second-person")
    users = Users(place.app)
    place.opened.callback(users.close)
    file = who.password_file
    person = users.check(who.person, _read_secret(file, "password") if file else _ask("Password", confirm=False))
    if person is None:
        raise RefusedError("not the name and password of somebody here", code="wrong-password")
    profile = "gm" if place.client.genesis.profile == "gm" else "intl"
    factors = Factors(users.store, place.app, random=secrets.token_bytes, profile=profile)
    if factors.has(person.name):
        if not factors.check(person.name, _ask("Code of your second factor", confirm=False), datetime.now(UTC)):
            raise RefusedError("not the code of this device now", code="wrong-code")
    elif factors.lacks(person):
        raise RefusedError("this role needs a second factor: set it up on the pages", code="no-factor")
    if not person.roles & set(roles):
        raise RefusedError(f"this needs the role {' or '.join(roles)}", code="no-role")
    acting(person.name)
    return person.name


def room_of(place: Premises, desk: Desk) -> Room:
    """Where this command's decisions are made."""
    from issuer_app.cli import _now
    from issuer_app.importing.job import Importer
    from issuer_app.proposals.acts import Room
    from issuer_app.two_people import Waiting

    waiting = Waiting(place.app / "waiting.db")
    place.opened.callback(waiting.close)

    def imports() -> Importer:
        return Importer(desk, clock=_now, random=secrets.token_bytes, zone=UTC)

    return Room(desk, waiting, _now(), secrets.token_bytes, imports, wait=True)


def ask(
    place: Premises, desk: Desk, who: Speaking, act: str, target: str, body: dict[str, JSON], *, until: int | None = None
) -> None:
    """Let it wait for a second person; its id on standard output."""
    from issuer_app.proposals import asked_row, deciding

    held = deciding.ask(room_of(place, desk), act, target, body, by=of(place, who, "clerk"), until=until)
    came_of_it(asked_row(held))
    told(held)
    click.echo("Nothing is done yet: another person has to agree, on the pages or with `weid issuer decide`.", err=True)


def told(held: Asked, **more: JSON) -> None:
    """A request as one JSON object."""
    import json

    from weid.codec import rfc3339

    click.echo(json.dumps({
        "waiting": held.id, "act": held.act, "target": held.target, "state": held.state, "by": held.by,
        "asked": rfc3339(held.asked), "until": rfc3339(held.until), "digest": held.digest.hex(), "result": held.result, **more,
    }, ensure_ascii=False))  # fmt: skip
