"""`weid registry asset …`, `weid registry use …`: things with states, and what may be used once (R25)."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_cli.committee import MEMBER, decides, say
from wallet_cli.options import FILE, HELD, HELD_FOLDER, NEW_FILE, NODE, PASS
from wallet_cli.state import echo_json, write_atomic
from weid.errors import RejectedError, WeidError

if TYPE_CHECKING:
    from issuer_app.office import Office
    from issuer_app.party import Party
    from registry.node.client import RegistryClient
    from weid.business_key import BusinessKey


def fresh(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    """A file that is not there yet: what is kept here is a secret without which a use, a group or a thing is lost."""
    if path is not None and os.path.lexists(path):
        raise WeidError(f"{path} is there already: nothing is written over it, choose another name", code="exists")
    return path


OUT = click.option(
    "-o",
    "--output",
    type=NEW_FILE,
    required=True,
    callback=fresh,
    help="The file to keep; a new one.",
)
# Answers after which an operation is surely not on the log. Others (no answer, an engine that waits) leave that open.
_NOT_TAKEN = frozenset({
    "already-exists", "already-used", "malformed", "not-a-claimer", "not-registered", "not-yours", "unknown-machine",
    "unknown-register", "wrong-role",
})  # fmt: skip
GROUP = click.option("--group", type=FILE, required=True, help="File with the register's group key.")
PACK = click.option("--pack", type=HELD, required=True, help="The pack.")
KEY = click.option("--key", "key_name", required=True, help="Which business key of the pack.")
HAND_IN = click.option(
    "--hand-in",
    type=NEW_FILE,
    callback=fresh,
    help="Write a request for the register's owner instead of sending.",
)


def acts(command: Callable[..., None]) -> Callable[..., None]:
    """A command of a party over its key in FOLDER (`weid issuer init` or `weid registry join`): it is given the party."""

    @HELD_FOLDER
    @PASS
    @NODE
    @MEMBER
    @functools.wraps(command)
    def run(folder: Path, passphrase_file: str | None, node: str, member: str, **given: Any) -> None:
        from wallet_cli.holdings import party_of

        command(party_of(folder, node, member, passphrase_file), **given)

    return run


def reads(command: Callable[..., None]) -> Callable[..., None]:
    """A command that only asks, by the genesis in FOLDER: it is given a client, and needs no key."""

    @HELD_FOLDER
    @NODE
    @functools.wraps(command)
    def run(folder: Path, node: str, **given: Any) -> None:
        from wallet_cli.holdings import client_of

        command(client_of(folder, node), **given)

    return run


@click.command("publish-machine")
@decides
@click.argument("machine", type=FILE)
def publish_machine(office: Office, machine: Path) -> None:
    """Publish a state MACHINE (JSON); prints its digest. A published machine never changes."""
    digest = office.publish_machine(machine.read_bytes()).hex()
    if office.proposal is None:
        click.echo(digest)
    else:
        say(office, f"the machine {digest} is published.")


@click.group()
def asset() -> None:
    """Things with a state that only one operation at a time can change: register, move, show."""


@asset.command("register")
@acts
@click.argument("machine")
@click.argument("thing", type=FILE)
@click.option("--holder", help="DID of the institution that holds it at first.")
@OUT
def register_asset(party: Party, machine: str, thing: Path, holder: str | None, output: Path) -> None:
    """Bring in a THING (a file: its certificate) under the MACHINE of this digest; prints its salted fingerprint.

    The output file holds the salt: without it nobody can show that the fingerprint is of this thing.
    """
    from wallet_cli.holdings import prepare_asset
    from weid.canon import jcs
    from weid.codec import unhex

    digest = party.client.genesis.hash(thing.read_bytes())
    fingerprint, salt, made = prepare_asset(party, unhex(machine), digest, holder)
    kept = {"fingerprint": fingerprint.hex(), "issuer": party.did, "digest": digest.hex(), "salt": salt.hex()}
    with _kept(output, jcs(dict(kept))):
        party.submit(made)
    click.echo(fingerprint.hex())


@asset.command("move")
@acts
@click.argument("fingerprint")
@click.argument("move")
@click.option("--target", help="DID of the new holder or party, where the move sets one.")
def move_asset(party: Party, fingerprint: str, move: str, target: str | None) -> None:
    """Make a MOVE on an asset as it stands now. If somebody was faster it is refused, and nothing has changed."""
    from wallet_cli.holdings import move_asset as run
    from weid.codec import unhex

    run(party, unhex(fingerprint), move, target)
    click.echo(f"Done: {move}.", err=True)


@asset.command("show")
@reads
@click.argument("fingerprint")
def show_asset(client: RegistryClient, fingerprint: str) -> None:
    """Show how an asset stands, proven against the registry's signed state."""
    from wallet_cli.holdings import asset as find
    from weid.codec import rfc3339, unhex

    record = find(client, unhex(fingerprint))
    echo_json({
        "fingerprint": fingerprint, "state": record.state, "holder": record.holder, "party": record.party,
        "issuer": record.issuer, "machine": record.machine.hex(), "moved": rfc3339(record.moved),
    })  # fmt: skip


@click.group()
def use() -> None:
    """What may be used once for a purpose: open, claimers, claim, release, check, send, reveal, prove."""


@use.command("open")
@acts
@click.argument("name")
@click.option("--purpose", required=True, help="What things are used for, e.g. financing.")
@click.option("--claimer", "claimers", multiple=True, help="DID of an institution that claims; may be repeated.")
@click.option("--reusable", is_flag=True, help="A use can be given back.")
@OUT
def open_register(
    party: Party, name: str, purpose: str, claimers: tuple[str, ...], reusable: bool, output: Path
) -> None:  # fmt: skip
    """Open a register under your DID; prints its name on the log. The output is the group key: for the claimers alone."""
    from wallet_cli.holdings import prepare_register

    key, group, made = prepare_register(party, name, purpose=purpose, claimers=list(claimers), reusable=reusable)
    with _kept(output, group):
        party.submit(made)
    click.echo(key)


@use.command("claimers")
@acts
@click.argument("name")
@click.argument("dids", nargs=-1)
def set_claimers(party: Party, name: str, dids: tuple[str, ...]) -> None:
    """Say anew who claims in your register NAME."""
    from registry import assets

    party.submit(assets.use_claimers(party.author(), name, dids))
    click.echo(f"{len(dids)} institutions claim there.", err=True)


@use.command("claim")
@acts
@click.argument("register")
@click.argument("fields", type=FILE)
@GROUP
@PACK
@KEY
@OUT
@HAND_IN
def claim(
    party: Party, register: str, fields: Path, group: Path, pack: Path, key_name: str, output: Path, hand_in: Path | None
) -> None:  # fmt: skip
    """Mark what the FIELDS (JSON) identify as used in a REGISTER. The output is your receipt: a secret, kept with your keys."""
    from wallet_cli.holdings import prepare_claim

    if hand_in is not None and hand_in.resolve() == output.resolve():
        raise click.UsageError("the receipt and the request are two files: the request is handed on, the receipt never")
    receipt, made = prepare_claim(party, register, group.read_bytes(), _business_key(pack, key_name), _fields(fields))
    with _kept(output, receipt):
        _send_or_hand_in(party, made, hand_in, "Marked as used.")


@use.command("release")
@acts
@click.argument("receipt", type=FILE)
@HAND_IN
def release(party: Party, receipt: Path, hand_in: Path | None) -> None:
    """Give back the use that a RECEIPT is of."""
    from registry.uses import Receipt

    asked = Receipt.from_bytes(receipt.read_bytes()).release(party.client.genesis.hash)
    _send_or_hand_in(party, asked, hand_in, "Given back.")


@contextmanager
def _kept(path: Path, secret: bytes) -> Iterator[None]:
    """The secret is on disk before what needs it is sent, and taken away again only where a rule refused that."""
    write_atomic(path, secret, private=True)
    try:
        yield
    except RejectedError as error:
        if error.code in _NOT_TAKEN:
            path.unlink()
        raise


def _send_or_hand_in(party: Party, asked: Any, hand_in: Path | None, done: str) -> None:
    """Send it in one's own name, or write it for the register's owner, who sends it in theirs."""
    from registry.uses import request_bytes
    from wallet_cli.holdings import send

    if hand_in is None:
        send(party, asked)
        click.echo(done, err=True)
        return
    write_atomic(hand_in, request_bytes(asked), private=True)
    click.echo(f"Hand {hand_in} to the register's owner, who sends it.", err=True)


@use.command("send")
@acts
@click.argument("request", type=FILE)
def send_request(party: Party, request: Path) -> None:
    """Send a member's REQUEST as the register's owner: the log then names you and not the member."""
    from registry.uses import read_request
    from wallet_cli.holdings import send

    send(party, read_request(request.read_bytes()))
    click.echo("Sent and taken.", err=True)


@use.command("check")
@reads
@click.argument("register")
@click.argument("fields", type=FILE)
@GROUP
@PACK
@KEY
def check(client: RegistryClient, register: str, fields: Path, group: Path, pack: Path, key_name: str) -> None:
    """Ask whether what the FIELDS identify was used: prints `used` or `free`, proven. Nothing of it goes on the log."""
    from wallet_cli.holdings import find_use

    found = find_use(client, register, group.read_bytes(), _business_key(pack, key_name), _fields(fields))
    click.echo("free" if found is None else "used")


@use.command("reveal")
@reads
@click.argument("receipt", type=FILE)
@OUT
def reveal(client: RegistryClient, receipt: Path, output: Path) -> None:
    """Write the proof, from your RECEIPT, that a claim is yours: for an auditor, who cannot give the use back with it."""
    from registry.uses import Receipt

    proof = Receipt.from_bytes(receipt.read_bytes()).proof(client.genesis.hash)
    write_atomic(output, proof.to_bytes(), private=True)
    click.echo(f"Whoever sees {output} knows who claimed.", err=True)


@use.command("prove")
@reads
@click.argument("proof", type=FILE)
def prove(client: RegistryClient, proof: Path) -> None:
    """Check a claimer's PROOF against the log: prints the claimer's DID if the claim is that claimer's."""
    from registry.uses import Proof
    from wallet_cli.holdings import NotThereError, proven

    held = Proof.from_bytes(proof.read_bytes())
    record = proven(client, "claim", held.record_key)
    if record is None:
        raise NotThereError("there is no such claim in force")
    held.check(record, hash=client.genesis.hash)
    click.echo(held.claimer)


def _business_key(folder: Path, name: str) -> BusinessKey:
    from registry.pack import read_assets
    from wallet_cli.pack import load_pack

    keys = read_assets(load_pack(folder)).keys
    if name not in keys:
        raise click.UsageError(f"the pack has no business key {name}; it has {', '.join(keys) or 'none'}")
    return keys[name]


def _fields(path: Path) -> dict[str, Any]:
    from weid.canon import parse_json

    value = parse_json(path.read_bytes())
    if not isinstance(value, dict):
        raise click.UsageError(f"{path.name} holds no JSON object")
    return value


COMMANDS = (publish_machine, asset, use)
