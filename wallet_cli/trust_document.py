"""`weid trust document …`: the DID documents of did:web issuers, brought by hand or fetched on request, never while checking."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wallet_cli.holder import AT
from wallet_cli.options import CERTIFICATE
from wallet_cli.state import echo, now, read_input

__all__ = ["document"]


@click.group()
def document() -> None:
    """DID documents of did:web issuers: fetch, add, show, remove."""


@document.command()
@click.argument("did")
@click.option("--loopback", is_flag=True, help="The host is this machine (for trying things out); no other is then asked.")
@CERTIFICATE
def fetch(did: str, loopback: bool, ca: Path | None) -> None:
    """Fetch the document of a DID over HTTPS and keep it. No redirects, no addresses of your own network."""
    import ssl

    from registry.node.documents import fetch_document
    from wallet_cli.trust import trust_folder
    from weid.codec import minutes

    trusted = None if ca is None else ssl.create_default_context(cafile=str(ca))
    item = fetch_document(did, fetched=minutes(now()), loopback=loopback, trusted=trusted)
    trust_folder().documents.keep(item)
    echo(item.did)
    click.echo("Kept. Its owner's host vouches for it, and nobody else.", err=True)


@document.command()
@AT
@click.argument("did")
@click.argument("file")
def add(at: str | None, did: str, file: str) -> None:
    """Keep the document of a DID from a FILE that you fetched at --at (now)."""
    from wallet_cli.trust import trust_folder
    from weid.codec import minutes
    from weid.handed_in import hand_in

    trust_folder().documents.keep(hand_in(did, read_input(file), fetched=minutes(now(at))))
    echo(did)


@document.command()
@AT
def show(at: str | None) -> None:
    """Show which documents are kept and how old they are."""
    from wallet_cli.trust import trust_folder
    from weid.codec import minutes, rfc3339

    moment = minutes(now(at))
    for item in trust_folder().documents.load():
        echo(f"{item.did}  fetched {rfc3339(item.fetched)} ({moment - item.fetched} minutes ago)")


@document.command()
@click.argument("did")
def remove(did: str) -> None:
    """Forget the document of a DID."""
    from wallet_cli.trust import trust_folder

    if not trust_folder().documents.remove(did):
        click.echo("There is none.", err=True)
        sys.exit(1)
