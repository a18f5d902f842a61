"""`weid registry grant …`: what the committee decides, signed by a member's key and sent to a running node."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.state import now, passphrase

if TYPE_CHECKING:
    from issuer_app.office import Office

FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
NODE = click.option("--node", default="http://127.0.0.1:8440", show_default=True, help="URL of the registry's node.")
MEMBER = click.option("--member", default="committee", show_default=True, help="Which member's key signs.")
DAYS = click.option("--days", type=click.IntRange(min=1), default=365, show_default=True, help="For how long.")
LANGUAGES = ("en", "pt", "zh-Hans", "zh-Hant")


@click.command()
@FOLDER
@PASS
@NODE
@MEMBER
@DAYS
@click.argument("did")
@click.argument("role", type=click.Choice(["reviewer", "auditor"]))
def grant(folder: Path, passphrase_file: str | None, node: str, member: str, days: int, did: str, role: str) -> None:
    """Make a registered DID reviewer or auditor."""
    _office(folder, node, member, passphrase_file).grant_role(did, role, until=_until(days))
    click.echo(f"{did} is {role} for {days} days.", err=True)


@click.command()
@FOLDER
@PASS
@NODE
@MEMBER
@DAYS
@click.option("--level", type=click.IntRange(0, 255), default=1, show_default=True)
@click.argument("did")
@click.argument("digest")
def approve(
    folder: Path, passphrase_file: str | None, node: str, member: str, days: int, level: int, did: str, digest: str
) -> None:
    """Give an institution that applied the right to the schema of this DIGEST, where no reviewer does it in the pages."""
    from weid.codec import unhex

    _office(folder, node, member, passphrase_file).approve(did, unhex(digest), until=_until(days), level=level)
    click.echo(f"{did} may issue it for {days} days.", err=True)


@click.command("publish-schema")
@FOLDER
@PASS
@NODE
@MEMBER
@click.argument("schema", type=FILE)
def publish_schema(folder: Path, passphrase_file: str | None, node: str, member: str, schema: Path) -> None:
    """Publish a claim SCHEMA (JSON); prints its digest. A published schema never changes."""
    click.echo(_office(folder, node, member, passphrase_file).publish_schema(schema.read_bytes()).hex())


@click.command()
@FOLDER
@PASS
@NODE
@MEMBER
@DAYS
@click.argument("genesis", type=FILE)
@click.argument("bundle", type=FILE)
@click.option("--name", "names", multiple=True, required=True, help="LANGUAGE=NAME for en, pt, zh-Hans, zh-Hant; each once.")
@click.option("--purpose", "purposes", multiple=True, required=True, help="What it is recognised for; may be repeated.")
@click.option("--schema", "schemas", multiple=True, help="Digest of a schema it is recognised for [all].")
@click.option("--assurance", type=click.IntRange(0, 255), default=1, show_default=True)
def recognise(
    folder: Path, passphrase_file: str | None, node: str, member: str, days: int, genesis: Path, bundle: Path,
    names: tuple[str, ...], purposes: tuple[str, ...], schemas: tuple[str, ...], assurance: int,
) -> None:  # fmt: skip
    """Recognise a foreign registry by its GENESIS, whose fingerprint you compared, pinned at its BUNDLE's checkpoint."""
    from registry.bodies import TrustRecognise
    from registry.bundle import open_bundle
    from registry.genesis import fingerprint, parse_genesis
    from weid.codec import minutes, unhex

    foreign = parse_genesis(genesis.read_bytes())
    checkpoint = open_bundle(bundle.read_bytes(), pin=foreign.digest, at=minutes(now())).checkpoint
    named = tuple(sorted((language, text) for language, _, text in (item.partition("=") for item in names)))
    terms = TrustRecognise(
        origin=foreign.origin, names=named, purposes=purposes, schemas=tuple(unhex(digest) for digest in schemas),
        since=None, until=_until(days), size=checkpoint.size, root=checkpoint.root, assurance=assurance, mapping=None,
    )  # fmt: skip
    _office(folder, node, member, passphrase_file).recognise(foreign.digest, terms)
    click.echo(f"{foreign.origin} ({fingerprint(foreign.digest)}) is recognised for {days} days.", err=True)


@click.command("withdraw-recognition")
@FOLDER
@PASS
@NODE
@MEMBER
@click.argument("genesis", type=FILE)
@click.argument("mode", type=click.Choice(["cease", "distrust"]))
def withdraw_recognition(folder: Path, passphrase_file: str | None, node: str, member: str, genesis: Path, mode: str) -> None:
    """End the recognition of a foreign registry. cease: earlier certificates stand if proven before; distrust: all fail."""
    from registry.genesis import parse_genesis

    foreign = parse_genesis(genesis.read_bytes())
    _office(folder, node, member, passphrase_file).withdraw_recognition(foreign.digest, mode)
    click.echo(f"{foreign.origin}: {mode}.", err=True)


def _office(folder: Path, node: str, member: str, passphrase_file: str | None) -> Office:
    """The committee member's office over the key in the registry's folder."""
    from issuer_app.office import Office
    from registry.genesis import parse_genesis
    from registry.node.client import RegistryClient
    from wallet_cli.registry_folder import open_signer

    client = RegistryClient.http(parse_genesis((folder / "genesis.json").read_bytes()), node)
    signer = open_signer(folder, f"committee-{member}", passphrase(passphrase_file))
    place = folder / f"office-{member}"
    place.mkdir(mode=0o700, exist_ok=True)
    return Office.of_signer(place, signer, client=client, names=dict.fromkeys(LANGUAGES, member), random=secrets.token_bytes)


def _until(days: int) -> int:
    from weid.codec import minutes

    return minutes(now() + timedelta(days=days))


COMMANDS = (grant, approve, publish_schema, recognise, withdraw_recognition)
