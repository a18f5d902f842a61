"""Showing a credential: a code with chosen claims, or the answer to a verifier's challenge."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.holder import AT, LANG, schema_of
from wallet_cli.options import PASS
from wallet_cli.state import echo, home, now, passphrase, read_input, write_atomic

if TYPE_CHECKING:
    from credentials.picture import Picture
    from credentials.presentation import Challenge
    from credentials.schema import Schema
    from wallet_cli.wallet import Binding, Held

HOST = click.option("--host", default="weid.app", show_default=True, help="Host in the link; verifiers ignore it.")
SHOW = click.option("--show", metavar="CLAIM,CLAIM", help="Claims to show beside the mandatory ones, or `all`.")
OUT = click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write .png, .svg or .txt.")


@click.command()
@PASS
@AT
@HOST
@SHOW
@OUT
@click.argument("credential")
def qr(passphrase_file: str | None, at: str | None, host: str, show: str | None, output: str | None, credential: str) -> None:
    """Draw a code with the claims you choose, and say its size and what it reveals.

    A credential bound to a hash chain gives the code of this minute; one bound to a key gives a static code that
    a border will not accept: use `weid present` with its challenge.
    """
    from wallet_cli.wallet import load_wallet

    wallet = load_wallet(home(), passphrase(passphrase_file))
    item = wallet.find(credential)
    binding = wallet.binding(item.binding)
    schema = schema_of(item)
    names = chosen_names(schema, show)
    data = cut(item, schema, names)
    if binding is not None and binding.kind == "chain":
        from credentials.presentation import slot_code
        from weid.codec import minutes

        data = slot_code(data, binding.secret, at=minutes(now(at)))
    _say_what_is_shown(schema, names)
    _draw(data, host, output)


@click.command()
@PASS
@AT
@HOST
@SHOW
@OUT
@LANG
@click.option("--challenge", "asked", required=True, help="The verifier's challenge: picture, file, code text, or -.")
@click.option("--yes", is_flag=True, help="Answer without asking back (you have seen who asks for what).")
@click.argument("credential")
def present(
    passphrase_file: str | None, at: str | None, host: str, show: str | None, output: str | None, lang: str,
    asked: str, yes: bool, credential: str,
) -> None:  # fmt: skip
    """Answer a verifier's challenge with a fresh code, after seeing who asks for what."""
    from credentials.presentation import answer
    from wallet_cli.wallet import load_wallet
    from weid.codec import minutes

    wallet = load_wallet(home(), passphrase(passphrase_file))
    item = wallet.find(credential)
    schema, moment = schema_of(item), minutes(now(at))
    challenge = challenge_from(read_input(asked), moment)
    names = chosen_names(schema, show) | asked_names(schema, challenge, show)
    _ask_back(schema, challenge, names, lang, yes)
    data = answer(cut(item, schema, names), challenge.to_bytes(), _signer(wallet.binding(item.binding)), time=moment)
    _draw(data, host, output)


def chosen_names(schema: Schema, show: str | None) -> frozenset[str]:
    """The mandatory claims and those named in `--show`; SchemaError for a name the schema lacks."""
    always = {claim.name for index, claim in enumerate(schema.claims) if schema.mandatory >> index & 1}
    extra = set(schema.names) if show == "all" else {name.strip() for name in (show or "").split(",") if name.strip()}
    names = frozenset(always | extra)
    schema.mask(names)
    return names or frozenset(schema.names[:1])


def asked_names(schema: Schema, challenge: Challenge, show: str | None) -> frozenset[str]:
    """What the challenge asks for, unless the holder chose by hand."""
    if show is not None:
        return frozenset()
    return frozenset(name for index, name in enumerate(schema.names) if challenge.mask >> index & 1)


def cut(item: Held, schema: Schema, names: frozenset[str]) -> bytes:
    """The credential re-cut to these claims; the full form when every claim is shown."""
    from credentials.compact import disclose

    if names == frozenset(schema.names):
        return item.compact
    return disclose(item.compact, schema.mask(names), mandatory=schema.mandatory)


def challenge_from(data: bytes, moment: int) -> Challenge:
    """The challenge in a picture, a code's text or a file; WeidError `challenge-expired` when it is too old."""
    from credentials.carrier import from_text
    from credentials.presentation import read_challenge
    from credentials.reading import texts_in
    from weid.codec import rfc3339
    from weid.errors import MalformedError, WeidError

    texts = texts_in(data)
    if len(texts) != 1:
        raise MalformedError(f"{len(texts)} codes where one challenge was expected", code="not-a-challenge")
    challenge = read_challenge(from_text(texts[0]).data)
    if challenge.expires <= moment:
        raise WeidError(f"the challenge expired at {rfc3339(challenge.expires)}; ask for another", code="challenge-expired")
    return challenge


def _ask_back(schema: Schema, challenge: Challenge, names: frozenset[str], lang: str, yes: bool) -> None:
    from weid.errors import WeidError

    if challenge.schema != schema.digest:
        raise WeidError("the challenge asks for another kind of certificate", code="challenge-schema")
    title = schema.title.get(lang, schema.title["en"])
    echo(f"{challenge.name} ({challenge.verifier}) asks for {title}", err=True)
    echo(f"purpose: {challenge.purpose}", err=True)
    for claim in schema.claims:
        label = claim.label.get(lang) or claim.name
        echo(f"  {'shown ' if claim.name in names else 'hidden'}  {label}", err=True)
    if not yes and not click.confirm("Show this to them?", err=True):
        raise click.Abort


def _signer(binding: Binding | None):  # type: ignore[no-untyped-def]
    from weid.errors import WeidError

    if binding is None or binding.kind != "key":
        raise WeidError("this credential is not bound to a key in the wallet, so it cannot answer", code="not-bound")
    return binding.signer()


def _say_what_is_shown(schema: Schema, names: frozenset[str]) -> None:
    click.echo(f"shows: {', '.join(name for name in schema.names if name in names)}", err=True)
    if names == frozenset(schema.names):
        click.echo("This is the full form: whoever reads it can show any part of it later.", err=True)


def _draw(data: bytes, host: str, output: str | None) -> None:
    from credentials.picture import draw, png, svg

    picture = draw(data, host=host, level="L" if output is None else "M")
    click.echo(
        f"QR version {picture.version}-{picture.level}, {picture.modules} modules, {len(data)} bytes, "
        f"{picture.printed_mm:.0f} mm printed",
        err=True,
    )
    if output is None:
        _terminal(picture)
    elif output.endswith(".png"):
        write_atomic(Path(output), png(picture))
    elif output.endswith(".svg"):
        write_atomic(Path(output), svg(picture).encode())
    else:
        write_atomic(Path(output), picture.text.encode() + b"\n")


def _terminal(picture: Picture) -> None:
    """Half blocks on a terminal; the bare text into a pipe, so that `weid qr … | weid verify -` works."""
    if not sys.stdout.isatty():
        click.echo(picture.text)
        return
    for line in half_blocks(picture):
        click.echo(line)


def half_blocks(picture: Picture) -> Iterator[str]:
    """The lines of a code with its white border, two rows of modules a line, light on a dark terminal."""
    edge = (False,) * (picture.modules + 8)
    rows = [edge] * 4 + [(False,) * 4 + row + (False,) * 4 for row in picture.rows] + [edge] * 4
    if len(rows) % 2:
        rows.append(edge)
    for top, bottom in zip(rows[::2], rows[1::2], strict=True):
        yield "".join(" ▄▀█"[(not upper) * 2 + (not lower)] for upper, lower in zip(top, bottom, strict=True))
