"""`weid trust …`: the one registry you pin, and the bundles you carry to this machine."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.animated import receive, show_animated
from wallet_cli.evidence import check_evidence
from wallet_cli.holder import AT
from wallet_cli.issue_proof import prove_issue
from wallet_cli.options import OUTPUT
from wallet_cli.references import bring, update
from wallet_cli.state import echo, home, now, read_input
from wallet_cli.trust_anchors import import_anchors, remove_anchors, show_anchors
from wallet_cli.trust_document import document

if TYPE_CHECKING:
    from registry.node.folder import TrustFolder
    from weid.facts import Facts


def trust_folder() -> TrustFolder:
    """The trust of the state folder."""
    from registry.node.folder import TrustFolder

    return TrustFolder(home())


def load_facts(moment: datetime) -> Facts:
    """What may be relied on at this moment."""
    from weid.codec import minutes

    return trust_folder().facts(at=minutes(moment))


@click.group()
def trust() -> None:
    """The registry you trust, its bundles, and DID documents, status lists and schemas of others."""


trust.add_command(document)
trust.add_command(import_anchors)
trust.add_command(remove_anchors)


@trust.command()
@click.argument("genesis")
@click.option("--fingerprint", "expected", help="The fingerprint you were told; refuses a genesis with another.")
def add(genesis: str, expected: str | None) -> None:
    """Pin exactly one home registry by its GENESIS file. Compare the fingerprint with one from another channel."""
    from registry.genesis import fingerprint, parse_genesis
    from weid.errors import TrustError

    data = read_input(genesis)
    shown = fingerprint(parse_genesis(data).digest)
    if expected is not None and expected.replace(" ", "").lower() != shown.replace(" ", ""):
        raise TrustError(f"the fingerprint is {shown}, not the one you were told", code="foreign-genesis")
    store = trust_folder().pin(data)
    click.echo(shown)
    echo(f"Pinned {store.root.origin}. Compare the fingerprint aloud before you rely on it.", err=True)


@trust.command("import")
@AT
@click.argument("bundle")
def import_(at: str | None, bundle: str) -> None:
    """Take a trust BUNDLE or an update of one (a file, or -). Older, forked or foreign ones are refused by name."""
    from weid.codec import minutes

    store = trust_folder().accept(read_input(bundle), at=minutes(now(at)))
    mark = max(store.marks, key=lambda item: item.log_time)
    echo(mark.origin)
    click.echo("Imported. `weid trust show` says how old the data are.", err=True)


@trust.command()
@AT
@click.option("--animated", is_flag=True, help="Show the home registry's bundle as an animated code for another's camera.")
@click.option("--frames", type=click.IntRange(1, 100_000), help="With --animated: stop after so many [until interrupted].")
@click.option("--speed", type=click.IntRange(1, 20), default=8, show_default=True, help="With --animated: frames a second.")
@click.option("--step", is_flag=True, help="With --animated: one frame at each key.")
def show(at: str | None, animated: bool, frames: int | None, speed: int, step: bool) -> None:
    """Show what is pinned and how old each registry's data are."""
    from weid.codec import minutes, rfc3339

    store = trust_folder().load()
    if store is None:
        show_anchors(minutes(now(at)))
        click.echo("Nothing is pinned. Ask your registry for its genesis file, then `weid trust add FILE`.", err=True)
        sys.exit(3)
    if animated:
        if store.home is None:
            raise click.UsageError("no bundle yet: `weid trust import BUNDLE`")
        show_animated(store.home, frames=frames, speed=speed, step=step)
        return
    echo(f"home {store.root.origin}  fingerprint {store.fingerprint}")
    moment = minutes(now(at))
    for mark in store.marks:
        age = moment - mark.log_time
        echo(f"  {mark.origin}: {mark.size} entries, as of {rfc3339(mark.log_time)} ({age} minutes ago)")
    _show_references(moment)
    show_anchors(moment)
    if store.home is None:
        click.echo("No bundle yet: `weid trust import BUNDLE`.", err=True)
    if store.conflict is not None:
        echo(f"CONFLICT [{store.conflict.code}] {store.conflict.sentence}", err=True)
        sys.exit(3)


def _show_references(moment: int) -> None:
    """What was brought beside the bundles, and how old it is."""
    from weid.codec import rfc3339

    for held in bring().load():
        age = "" if held.as_of is None else f", as of {rfc3339(held.as_of)} ({moment - held.as_of} minutes ago)"
        ended = " ENDED" if held.until is not None and moment >= held.until else ""
        echo(f"  {held.kind} {held.url}{age}{ended}")


trust.add_command(update)
trust.add_command(receive)


@trust.command("clear-conflict")
@click.confirmation_option(prompt="Have you compared the registries and decided which data are right?")
def clear_conflict() -> None:
    """Forget a trust conflict after you have looked into it."""
    trust_folder().clear_conflict()
    click.echo("Cleared.", err=True)


@trust.command()
@AT
@click.argument("scheme")
@OUTPUT
def lote(at: str | None, scheme: str, output: Path) -> None:
    """Write issuers and recognitions as a List of Trusted Entities (ETSI TS 119 602, JSON) for other software.

    SCHEME is a JSON file: {"operator": {"en": …}, "name": {"en": …}, "territory": "MO", "uri": "https://…"}.
    """
    from registry.bundle import open_bundle
    from registry.lote import list_of_trusted_entities, read_scheme
    from wallet_cli.state import write_atomic
    from weid.canon import parse_json
    from weid.codec import minutes
    from weid.errors import TrustError

    told, store = read_scheme(parse_json(read_input(scheme))), trust_folder().load()
    if store is None or store.home is None:
        raise TrustError("pin a registry and import its bundle first", code="no-home")
    facts = open_bundle(store.home, pin=store.root.digest, at=minutes(now(at)))
    made = list_of_trusted_entities(facts, told)
    write_atomic(output, json.dumps(made, ensure_ascii=False, indent=1).encode() + b"\n")
    echo(str(output))
    click.echo("It says what the bundle says; the bundle is what proves it.", err=True)


trust.add_command(check_evidence)
trust.add_command(prove_issue)
