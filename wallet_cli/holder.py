"""The holder's verbs: init, request, receive, list, show, backup, restore."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.options import FILE, NEW_FILE, PASS
from wallet_cli.state import echo, home, now, passphrase, read_input, write_atomic

if TYPE_CHECKING:
    from credentials.schema import Schema
    from wallet_cli.wallet import Binding, Held, Wallet
    from weid.facts import Facts

AT = click.option("--at", metavar="TIME", help="Act as if it were this time (2026-11-23T08:00:00Z).")
LANG = click.option("--lang", default="en", show_default=True, help="Language of names: zh-Hans, zh-Hant, en, pt.")


@click.command()
@PASS
@click.option("--gm", is_flag=True, help="Seal with SM4-GCM and SM3 instead of AES-256-GCM and scrypt.")
def init(passphrase_file: str | None, gm: bool) -> None:
    """Make an encrypted wallet in the state folder."""
    from wallet_cli.wallet import create_wallet

    words = passphrase(passphrase_file, confirm=True)
    create_wallet(home(), words, profile="gm" if gm else "intl", random=secrets.token_bytes)
    click.echo("The wallet is ready. Keep the passphrase: nobody can restore it for you.", err=True)


@click.command()
@PASS
@AT
@click.option("--suite", default="ed25519", type=click.Choice(["ed25519", "p256", "sm2"]), show_default=True)
@click.option("--chain", "minutes", type=click.IntRange(1, 1_440), metavar="MINUTES", help="A hash chain of one-minute slots.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the request to this file.")
def request(passphrase_file: str | None, at: str | None, suite: str, minutes: int | None, output: str | None) -> None:
    """Make a fresh key (or hash chain) and print the binding request to hand to the issuer.

    Each credential gets its own, so that issuers and verifiers cannot join what they know. For a chain,
    choose the suite the issuer signs with: it decides the hash.
    """
    from wallet_cli.wallet import load_wallet, save_wallet

    words = passphrase(passphrase_file)
    wallet = load_wallet(home(), words)
    binding, text = new_binding(suite, minutes, created=_minutes(at))
    save_wallet(home(), wallet.with_binding(binding), words, random=secrets.token_bytes)
    _emit(text + b"\n", output)
    click.echo("Hand this request to the issuer; the secret part stays in your wallet.", err=True)


def new_binding(suite_name: str, minutes: int | None, *, created: int) -> tuple[Binding, bytes]:
    """A fresh binding and the request for it."""
    from credentials.binding import Binding as Request
    from credentials.presentation import chain_tip
    from wallet_cli.wallet import Binding
    from weid.keys import PublicKey
    from weid.suites import suite

    chosen = suite(suite_name)
    name = secrets.token_hex(8)
    if minutes is None:
        secret = chosen.generate(secrets.token_bytes)
        asked = Request.to_key(PublicKey(suite_name, chosen.public(secret)))
        return Binding(name, "key", suite_name, secret, b"", 0, created), asked.to_bytes()
    seed, salt = secrets.token_bytes(16), secrets.token_bytes(8)
    tip = chain_tip(seed, salt, minutes, chosen.hash)
    return Binding(name, "chain", suite_name, seed, salt, minutes, created), Request.to_chain(
        tip, minutes, chosen.hash
    ).to_bytes()


@click.command()
@PASS
@AT
@click.option("--schema", type=FILE, help="The schema, for a file.")
@click.argument("what")
def receive(passphrase_file: str | None, at: str | None, schema: Path | None, what: str) -> None:
    """Put a credential into the wallet: its FILE, the code's text, a picture of the code, or - for standard input.

    The schema must be in your trust data (`weid trust import`), since a code alone does not name its claims;
    for a file of a registry you do not follow, hand it along with --schema.
    """
    from wallet_cli.trust import load_facts
    from wallet_cli.wallet import load_wallet, save_wallet

    words = passphrase(passphrase_file)
    wallet = load_wallet(home(), words)
    document = None if schema is None else schema.read_bytes()
    item = held_from(read_input(what), wallet, load_facts(now(at)), received=_minutes(at), document=document)
    save_wallet(home(), wallet.with_held(item), words, random=secrets.token_bytes)
    bound = "" if item.binding else " It is not bound to a key in this wallet: whoever has it can show it."
    click.echo(item.id)
    click.echo(f"Received.{bound}", err=True)


def held_from(data: bytes, wallet: Wallet, facts: Facts, *, received: int, document: bytes | None = None) -> Held:
    """The wallet's entry for a received credential; WeidError when it is not a full credential we can read."""
    from credentials.reading import read_full
    from wallet_cli.wallet import Held

    full = read_full(data, facts, document=document)
    binding = next((item.id for item in wallet.bindings if _bound(item, full.compact.bind_kind, full.compact.bind)), "")
    return Held(full.cid.hex(), full.data, full.file, full.schema.document, binding, received)


def _bound(binding: Binding, kind: int, data: bytes) -> bool:
    from credentials.compact import BIND_CHAIN, BIND_KEY
    from credentials.presentation import chain_tip
    from weid.suites import suite

    if binding.kind == "key" and kind == BIND_KEY:
        return binding.signer().public_key.thumbprint() == data
    if binding.kind == "chain" and kind == BIND_CHAIN:
        return chain_tip(binding.secret, binding.salt, binding.length, suite(binding.suite).hash) == data
    return False


@click.command("list")
@PASS
@LANG
def list_(passphrase_file: str | None, lang: str) -> None:
    """List what the wallet holds: id, kind of certificate, validity."""
    from credentials.compact import read_compact
    from wallet_cli.wallet import load_wallet
    from weid.codec import rfc3339

    wallet = load_wallet(home(), passphrase(passphrase_file))
    for item in wallet.held:
        value, schema = read_compact(item.compact), schema_of(item)
        title = schema.title.get(lang, schema.title["en"])
        echo(f"{item.id[:12]}  {title}  {rfc3339(value.valid_from)} to {rfc3339(value.valid_until)}")
    if not wallet.held:
        click.echo(
            "The wallet is empty. `weid request` makes a key to hand to an issuer; `weid receive` takes what you get.",
            err=True,
        )


@click.command()
@PASS
@LANG
@click.argument("credential")
def show(passphrase_file: str | None, lang: str, credential: str) -> None:
    """Show one credential of the wallet: every claim, and which ones are always shown (marked *)."""
    from credentials.compact import read_compact
    from wallet_cli.wallet import load_wallet
    from weid.codec import rfc3339

    item = load_wallet(home(), passphrase(passphrase_file)).find(credential)
    value, schema = read_compact(item.compact), schema_of(item)
    echo(schema.title.get(lang, schema.title["en"]))
    shown = schema.values((1 << len(schema.claims)) - 1, value.items)
    for index, claim in enumerate(schema.claims):
        mark = "*" if schema.mandatory >> index & 1 else " "
        label = claim.label.get(lang) or claim.name
        echo(f" {mark} {claim.name:<20} {label}: {shown.get(claim.name, '-')}")
    echo(f"valid {rfc3339(value.valid_from)} to {rfc3339(value.valid_until)}, id {item.id}", err=True)
    click.echo("* is shown in every code; the rest is yours to choose with `weid qr --show`.", err=True)


def schema_of(item: Held) -> Schema:
    """The schema a held credential is read by, as it was when it was received."""
    from credentials.compact import read_compact
    from credentials.schema import read_schema, schema_digest

    return read_schema(item.schema, schema_digest(item.schema, read_compact(item.compact).hash))


@click.command()
@PASS
@click.argument("output", type=NEW_FILE)
def backup(passphrase_file: str | None, output: Path) -> None:
    """Write an encrypted copy of the wallet to OUTPUT (it opens with the same passphrase)."""
    from wallet_cli.wallet import load_wallet, wallet_path

    wallet = load_wallet(home(), passphrase(passphrase_file))  # proves that the copy will open
    if output.exists():
        raise click.UsageError(f"{output} exists; choose another name")
    write_atomic(output, wallet_path(home()).read_bytes(), private=True)
    click.echo(f"{len(wallet.held)} credentials and {len(wallet.bindings)} keys copied.", err=True)


@click.command()
@PASS
@click.argument("source", type=FILE)
def restore(passphrase_file: str | None, source: Path) -> None:
    """Restore a wallet from a backup; refuses to overwrite a wallet that is there."""
    from wallet_cli.wallet import KIND, Wallet, wallet_path
    from weid.sealed import unseal

    target = wallet_path(home())
    if target.exists():
        raise click.UsageError(f"there is a wallet already: {target}")
    data = source.read_bytes()
    wallet = Wallet.from_bytes(unseal(data, passphrase(passphrase_file), kind=KIND))
    write_atomic(target, data, private=True)
    click.echo(f"Restored {len(wallet.held)} credentials.", err=True)


def _minutes(at: str | None) -> int:
    from weid.codec import minutes

    return minutes(now(at))


def _emit(data: bytes, output: str | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        write_atomic(Path(output), data)
