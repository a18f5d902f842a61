"""`weid registry grant …`: what the committee decides, signed by a member's key and sent to a running node.

With `--propose` the decision is put to the vote (R24); `wallet_cli.voting` has the votes themselves.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_cli.options import DAYS, FILE, HELD_FOLDER, NODE, PASS
from wallet_cli.state import node_key, now, passphrase

if TYPE_CHECKING:
    from issuer_app.office import Office

MEMBER = click.option("--member", default="committee", show_default=True, help="Which member's key signs.")
NEW_MEMBER = click.option(
    "--member",
    default="committee",
    show_default=True,
    callback=lambda context, option, name: member_name(name),
    help="What the member is to be called: letters, digits, hyphens.",
)
PROPOSE = click.option("--propose", is_flag=True, help="Put it to the vote instead of doing it.")
LANGUAGES = ("en", "pt", "zh-Hans", "zh-Hant")


def signs(command: Callable[..., None]) -> Callable[..., None]:
    """A command of a member over its key in FOLDER: it is given the member's office first."""

    @HELD_FOLDER
    @PASS
    @NODE
    @MEMBER
    @functools.wraps(command)
    def run(folder: Path, passphrase_file: str | None, node: str, member: str, propose: bool = False, **given: Any) -> None:
        command(office_of(folder, node, member, passphrase_file, propose), **given)

    return run


def decides(command: Callable[..., None]) -> Callable[..., None]:
    """A command that does what the committee decides, or with `--propose` puts it to the vote."""
    return PROPOSE(signs(command))


@click.command()
@decides
@DAYS
@click.argument("did")
@click.argument("role", type=click.Choice(["reviewer", "auditor", "observer"]))
def grant(office: Office, days: int, did: str, role: str) -> None:
    """Make a registered DID reviewer, auditor or observer."""
    office.grant_role(did, role, until=until_in(days))
    say(office, f"{did} is {role} for {days} days.")


@click.command("end-role")
@decides
@click.argument("did")
@click.argument("role", type=click.Choice(["reviewer", "auditor", "observer"]))
def end_role(office: Office, did: str, role: str) -> None:
    """End a role at once."""
    office.end_role(did, role)
    say(office, f"{did} is no longer {role}.")


@click.command()
@decides
@DAYS
@click.option("--level", type=click.IntRange(0, 255), default=1, show_default=True)
@click.argument("did")
@click.argument("digest")
def approve(office: Office, days: int, level: int, did: str, digest: str) -> None:
    """Give an institution that applied the right to the schema of this DIGEST, where no reviewer does it in the pages."""
    from weid.codec import unhex

    office.approve(did, unhex(digest), until=until_in(days), level=level)
    say(office, f"{did} may issue it for {days} days.")


@click.command()
@decides
@DAYS
@click.option("--level", type=click.IntRange(0, 255), default=1, show_default=True, help="Highest level it may give.")
@click.option("--depth", type=click.IntRange(0, 3), default=0, show_default=True, help="Further delegations below it.")
@click.argument("did")
@click.argument("digest")
def delegate(office: Office, days: int, level: int, depth: int, did: str, digest: str) -> None:
    """Let a registered DID accredit others for the schema of this DIGEST (ministry, association, certificate)."""
    from weid.codec import unhex

    office.delegate(did, unhex(digest), level=level, depth=depth, until=until_in(days))
    say(office, f"{did} may accredit others for it for {days} days, up to level {level}.")


@click.command()
@decides
@click.argument("did")
@click.argument("digest")
@click.argument("reason")
def undelegate(office: Office, did: str, digest: str, reason: str) -> None:
    """End that right, and every right that was given under it."""
    from weid.codec import unhex

    office.undelegate(did, unhex(digest), reason)
    say(office, f"{did} accredits nobody for it any more, and what it gave has ended.")


@click.command("publish-schema")
@decides
@click.argument("schema", type=FILE)
def publish_schema(office: Office, schema: Path) -> None:
    """Publish a claim SCHEMA (JSON); prints its digest. A published schema never changes."""
    digest = office.publish_schema(schema.read_bytes()).hex()
    if office.proposal is None:
        click.echo(digest)
    else:
        say(office, f"the schema {digest} is published.")


@click.command()
@decides
@DAYS
@click.argument("genesis", type=FILE)
@click.argument("bundle", type=FILE)
@click.option("--name", "names", multiple=True, required=True, help="LANGUAGE=NAME for en, pt, zh-Hans, zh-Hant; each once.")
@click.option("--purpose", "purposes", multiple=True, required=True, help="What it is recognised for; may be repeated.")
@click.option("--schema", "schemas", multiple=True, help="Digest of a schema it is recognised for [all].")
@click.option("--assurance", type=click.IntRange(0, 255), default=1, show_default=True)
def recognise(
    office: Office, days: int, genesis: Path, bundle: Path, names: tuple[str, ...], purposes: tuple[str, ...],
    schemas: tuple[str, ...], assurance: int,
) -> None:  # fmt: skip
    """Recognise a foreign registry by its GENESIS, whose fingerprint you compared, pinned at its BUNDLE's checkpoint."""
    from registry.bodies import TrustRecognise
    from registry.bundle import open_bundle
    from registry.genesis import fingerprint, parse_genesis
    from registry.packed import unpack
    from weid.codec import minutes, unhex

    foreign = parse_genesis(genesis.read_bytes())
    checkpoint = open_bundle(unpack(bundle.read_bytes()), pin=foreign.digest, at=minutes(now())).checkpoint
    named = tuple(sorted((language, text) for language, _, text in (item.partition("=") for item in names)))
    terms = TrustRecognise(
        origin=foreign.origin, names=named, purposes=purposes, schemas=tuple(unhex(digest) for digest in schemas),
        since=None, until=until_in(days), size=checkpoint.size, root=checkpoint.root, assurance=assurance, mapping=None,
    )  # fmt: skip
    office.recognise(foreign.digest, terms)
    say(office, f"{foreign.origin} ({fingerprint(foreign.digest)}) is recognised for {days} days.")


@click.command("withdraw-recognition")
@decides
@click.argument("genesis", type=FILE)
@click.argument("mode", type=click.Choice(["cease", "distrust"]))
def withdraw_recognition(office: Office, genesis: Path, mode: str) -> None:
    """End the recognition of a foreign registry. cease: earlier certificates stand if proven before; distrust: all fail."""
    from registry.genesis import parse_genesis

    foreign = parse_genesis(genesis.read_bytes())
    office.withdraw_recognition(foreign.digest, mode)
    say(office, f"{foreign.origin}: {mode}.")


def office_of(folder: Path, node: str, member: str, passphrase_file: str | None, propose: bool = False) -> Office:
    """The committee member's office over the key in the registry's folder."""
    from issuer_app.office import Office
    from registry.genesis import parse_genesis
    from registry.node.client import RegistryClient
    from wallet_cli.registry_folder import open_signer

    client = RegistryClient.http(parse_genesis((folder / "genesis.json").read_bytes()), node, key=node_key())
    signer = open_signer(folder, f"committee-{member}", passphrase(passphrase_file))
    place = folder / f"office-{member}"
    place.mkdir(mode=0o700, exist_ok=True)
    names = dict.fromkeys(LANGUAGES, member)
    return Office.of_signer(place, signer, client=client, names=names, random=secrets.token_bytes, proposing=propose)


def member_name(name: str) -> str:
    """A new member's name, which becomes a file's; BadParameter for anything but letters, digits and hyphens."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise click.BadParameter(f"{name!r}: letters, digits and hyphens only")
    return name


def say(office: Office, done: str) -> None:
    """What was done, or the proposal that now waits for votes: its id on standard output."""
    if office.proposal is None:
        click.echo(done, err=True)
        return
    click.echo(office.proposal.hex())
    click.echo(f"Proposed, with your vote for it. If it passes: {done}", err=True)
    click.echo(f"The others vote with: weid registry vote FOLDER {office.proposal.hex()} yes", err=True)


def until_in(days: int) -> int:
    """The minute so many days from now; UsageError for one that no calendar has."""
    from weid.codec import minutes

    try:
        return minutes(now() + timedelta(days=days))
    except OverflowError:
        raise click.UsageError(f"--days {days}: that is after the year 9999") from None


COMMANDS = (grant, end_role, approve, delegate, undelegate, publish_schema, recognise, withdraw_recognition)
