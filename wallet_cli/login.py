"""`weid login`: signing in at a site with a key of the wallet, one key for each origin."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.holder import AT
from wallet_cli.options import PASS
from wallet_cli.state import echo, home, now, passphrase, read_input, write_atomic

if TYPE_CHECKING:
    from wallet_cli.wallet import Login, Wallet
    from weid.login import LoginChallenge


@click.command()
@PASS
@AT
@click.option("--origin", help="The site you mean, as the browser's address bar shows it: https://desk.example.")
@click.option("--suite", default="ed25519", type=click.Choice(["ed25519", "p256", "sm2"]), show_default=True,
              help="What kind of key to make for an origin that is new.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Answer without asking back (you have seen who asks).")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the answer to this file.")
@click.argument("challenge")
def login(
    passphrase_file: str | None, at: str | None, origin: str | None, suite: str, yes: bool, output: str | None, challenge: str
) -> None:
    """Answer CHALLENGE (a file, a picture, the text, or - for standard input) and print what to paste into the page.

    Each origin has a key of its own. For a site you are new to, name it with --origin: the key is made then. A challenge
    of any other origin is refused, whatever page showed it to you.
    """
    from wallet_cli.wallet import load_wallet, save_wallet
    from weid.codec import minutes
    from weid.login import answer

    asked, moment = challenge_from(read_input(challenge)), minutes(now(at))
    words = passphrase(passphrase_file)
    wallet = load_wallet(home(), words)
    meant = origin_meant(wallet, asked, origin)
    known = wallet.login(meant)
    held = known or _new(meant, suite, moment)
    signer = held.signer()
    ask_back(asked, signer.kid, new=known is None, yes=yes)
    done = answer(asked, signer, signer.kid, origin=meant, at=moment)
    if known is None:  # kept before it is shown: a site must not know a key that the wallet has lost
        save_wallet(home(), wallet.with_login(held), words, random=secrets.token_bytes)
    if output is None:
        click.echo(done.to_bytes().decode())
    else:
        write_atomic(Path(output), done.to_bytes() + b"\n")
        click.echo(f"Open {output} on the page, or paste its text there.", err=True)


def challenge_from(data: bytes) -> LoginChallenge:
    """The challenge in a picture, a file or a text; MalformedError `not-a-login`, `not-a-picture`."""
    from weid.login import read_challenge

    if data.lstrip()[:1] == b"{":
        return read_challenge(data)
    from credentials import picture
    from weid.errors import MalformedError

    texts = picture.read(data)
    if len(texts) != 1:
        raise MalformedError(f"{len(texts)} codes where one challenge was expected", code="not-a-login")
    return read_challenge(texts[0].encode("utf-8", "surrogateescape"))


def origin_meant(wallet: Wallet, asked: LoginChallenge, named: str | None) -> str:
    """The origin that is meant: the one named, or one that the wallet has a key for; WeidError `other-origin`."""
    from weid.errors import WeidError
    from weid.login import read_origin

    meant = asked.origin if named is None else read_origin(named.rstrip("/"))
    if meant != asked.origin:
        raise WeidError(f"{asked.origin} asks, not {meant}: do not answer it", code="other-origin")
    if named is None and wallet.login(meant) is None:
        raise WeidError(
            f"{meant} asks, and the wallet has no key for it: if you mean this site, name it with --origin", code="other-origin"
        )
    return meant


def ask_back(asked: LoginChallenge, did: str, *, new: bool, yes: bool) -> None:
    """Who asks, for what, with which key; Abort when the person does not want that."""
    what = "to link a key to your account there" if asked.purpose == "link" else "to sign you in"
    echo(f"{asked.origin} asks {what}. It calls itself: {asked.name}", err=True)
    echo(f"{'a new key, for this site alone' if new else 'your key for this site'}: {did}", err=True)
    click.echo("Only go on if the browser's address bar shows exactly that address.", err=True)
    if not yes and not click.confirm("Answer?", err=True):
        raise click.Abort


def _new(origin: str, name: str, created: int) -> Login:
    from wallet_cli.wallet import Login
    from weid.suites import suite

    return Login(origin, name, suite(name).generate(secrets.token_bytes), created)
