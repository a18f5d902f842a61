"""`weid trust import-anchors …`: whose keys sign the codes of other systems, and what they revoked, from their public lists."""

from __future__ import annotations

import sys
from typing import IO, Final

import click

from wallet_cli.holder import AT
from wallet_cli.state import echo, now

__all__ = ["import_anchors", "remove_anchors", "show_anchors"]

MAX_LIST: Final = 32 << 20
DAY: Final = 1440
_KINDS: Final = ("claim-169", "dcc", "dcc-revocations", "openattestation", "shc", "shc-revocations")


@click.command("import-anchors")
@AT
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("file", type=click.File("rb"))
@click.option("--name", help="What to call the list: one of the same name replaces it. Else the name of the file.")
@click.option("--issuer", default="", help="Whose keys or revocations they are, where the file does not say (an URL, a DID).")
@click.option(
    "--warn-days", type=click.IntRange(0, 3650), default=7, show_default=True, help="Checkers say that it is old after this."
)
@click.option(
    "--reject-days", type=click.IntRange(1, 3650), default=30, show_default=True, help="Checkers do not rely on it after this."
)
@click.option("--no-revocations", is_flag=True, help="You say that nothing was revoked; else nobody here knows.")
def import_anchors(
    at: str | None, kind: str, file: IO[bytes], name: str | None, issuer: str, warn_days: int, reject_days: int,
    no_revocations: bool,
) -> None:  # fmt: skip
    """Take a public list of another system's keys or revocations as trust data: FILE as taken at --at (now), or - .

    The list's own signature is not checked: get it from its publisher, and compare what it says with another channel.
    """
    from credentials.foreign.imports import import_list
    from wallet_cli.trust import trust_folder
    from weid.codec import minutes

    if warn_days > reject_days:
        raise click.UsageError("checkers warn before they refuse")
    data = file.read(MAX_LIST + 1)
    if len(data) > MAX_LIST:
        raise click.UsageError(f"a list is over {MAX_LIST} bytes")
    found = import_list(
        kind, data, name=name or str(file.name), taken=minutes(now(at)), warn=warn_days * DAY, reject=reject_days * DAY,
        issuer=issuer, no_revocations=no_revocations,
    )  # fmt: skip
    trust_folder().anchors.keep(found.list)
    revoked = found.list.revocations
    entries = 0 if revoked is None else sum(map(len, revoked.lists.values()))
    echo(f"{found.list.format} {found.list.name}: {len(found.list.anchors)} anchors, {entries} revocations")
    for reason in found.left_out:
        echo(f"left out: {reason}", err=True)
    click.echo("Kept. Nobody but you vouches for this list.", err=True)


@click.command("remove-anchors")
@click.argument("name")
def remove_anchors(name: str) -> None:
    """Forget the list of this NAME."""
    from wallet_cli.trust import trust_folder

    shelf = trust_folder().anchors
    held = [item for item in shelf.load() if item.name == name]
    for item in held:
        shelf.remove(item.format, item.name)
    if not held:
        click.echo("There is none.", err=True)
        sys.exit(1)


def show_anchors(moment: int) -> None:
    """One line a list: what it is, how much is in it, how old it is."""
    from wallet_cli.trust import trust_folder
    from weid.codec import rfc3339

    for item in trust_folder().anchors.load():
        age = moment - item.taken
        old = " TOO OLD" if age > item.reject else " old" if age > item.warn else ""
        told = "" if item.revocations is None else ", revocations"
        what = f"  {item.format} {item.name}: {len(item.anchors)} anchors{told}"
        echo(f"{what}, taken {rfc3339(item.taken)} ({age} minutes ago){old}")
