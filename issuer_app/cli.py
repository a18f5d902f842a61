"""`weid issuer …`: an institution's desk or an authority's office. Data on standard output, words on standard error."""

from __future__ import annotations

import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from issuer_app.access.cli import RecordedGroup, looked, made, trail
from issuer_app.cli_backup import backup, restore
from issuer_app.cli_convert import convert
from issuer_app.cli_lookup import lookup, lookup_rules, outbox, texts_in
from issuer_app.cli_papers import link, look, paper
from issuer_app.cli_status import lift, revoke, suspend
from issuer_app.depending.cli import depending
from issuer_app.importing.cli import import_
from issuer_app.lifecycle.cli import change, cosign, cosign_batch, ending, exposed, hold, renew, replace
from issuer_app.premises import KINDS, Premises
from issuer_app.proposals.cli import decide, waiting
from issuer_app.webhooks.cli import webhook
from weid.errors import MalformedError

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.ledger import Issued
    from weid.sealed import Passphrase

__all__ = ["issuer"]

FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
ROLES = click.Choice(["clerk", "reviewer", "auditor", "governor", "admin", "lookup"])


@click.group(cls=RecordedGroup)
def issuer() -> None:
    """An institution's desk: init, apply, user, apikey, serve, issue, find, suspend, lift, revoke, publish."""


@issuer.command()
@FOLDER
@PASS
@click.option("--genesis", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The registry's genesis file, which you have compared by its fingerprint.")  # fmt: skip
@click.option("--node", required=True, help="URL of a registry node, e.g. http://127.0.0.1:8440.")
@click.option("--as", "kind", type=click.Choice(KINDS), default="desk", show_default=True, help="What this party is.")
@click.option("--suite", help="Signature suite of its keys [ed25519, or sm2 in the gm profile].")
@click.option("--name", "names", multiple=True, help="LANGUAGE=NAME for en, pt, zh-Hans, zh-Hant; each once.")
@click.option("--pack", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Periods and typed checks.")
@click.option("--party", help="Take the names of this party of the pack.")
@click.option("--wants", multiple=True, help="A kind of certificate to apply for, by schema name; may be repeated.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="With --as governor: the sealed key of a member, instead of a new one (same passphrase).")  # fmt: skip
def init(
    folder: Path, passphrase_file: str | None, genesis: Path, node: str, kind: str, suite: str | None,
    names: tuple[str, ...], pack: Path | None, party: str | None, wants: tuple[str, ...], key: Path | None,
) -> None:  # fmt: skip
    """Make keys, register the DID, and (a desk) apply for what it wants to issue."""
    from issuer_app.desk import Desk
    from issuer_app.office import Office
    from issuer_app.papers.look import install
    from issuer_app.premises import read_pack_folder
    from issuer_app.terms import Terms

    if key is not None and kind != "governor":
        raise click.UsageError("--key goes with --as governor")
    place = Premises.create(folder, genesis.read_bytes(), node)
    chosen = None if pack is None else read_pack_folder(pack)
    words = dict(item.split("=", 1) for item in names if "=" in item)
    if chosen is not None and party is not None:
        known = chosen.section("trust").get("parties")
        entry = known.get(party) if isinstance(known, dict) else None
        found = entry.get("names") if isinstance(entry, dict) else None
        if not isinstance(found, dict):
            raise click.UsageError(f"the pack has no party {party}")
        words = {language: str(text) for language, text in found.items()} | words
    secret = _passphrase(passphrase_file, confirm=True)
    kind_of_keys = suite or ("sm2" if place.client.genesis.profile == "gm" else "ed25519")
    if kind == "desk":
        desk = Desk.create(
            folder / "desk", client=place.client, suite=kind_of_keys, names=words, passphrase=secret, at=_now(),
            random=secrets.token_bytes, terms=None if chosen is None else Terms.of_pack(chosen),
        )  # fmt: skip
        if chosen is not None:
            install(folder / "desk", chosen)
        if wants:
            _apply(desk, wants)
        desk.close()
        did = desk.did
    elif key is not None:
        did = Office.adopt(
            folder / kind, key.read_bytes(), client=place.client, names=words, passphrase=secret, at=_now(),
            random=secrets.token_bytes,
        ).did  # fmt: skip
    else:
        did = Office.create(
            folder / kind, client=place.client, suite=kind_of_keys, names=words, passphrase=secret, at=_now(),
            random=secrets.token_bytes,
        ).did  # fmt: skip
    click.echo(did)
    click.echo(f"Registered. Next: `weid issuer user add {folder} NAME --role …`, then `weid issuer serve {folder}`.", err=True)


@issuer.command()
@FOLDER
@PASS
@click.argument("wants", nargs=-1, required=True)
def apply(folder: Path, passphrase_file: str | None, wants: tuple[str, ...]) -> None:
    """Apply for the right to issue kinds of certificate, by schema name."""
    with (place := Premises.open(folder)).opened:
        _apply(place.desk(_passphrase(passphrase_file)), wants)
    click.echo("Applied. The authority's reviewer decides.", err=True)


@issuer.group()
def user() -> None:
    """People who may sign in."""


@user.command("add")
@FOLDER
@click.argument("name")
@click.option("--role", "roles", type=ROLES, multiple=True, required=True)
@click.option("--password-file", help="File with the password; without it, it is asked for.")
def add_user(folder: Path, name: str, roles: tuple[str, ...], password_file: str | None) -> None:
    """Let somebody sign in."""
    from issuer_app.users import Users

    text = _read_secret(password_file, "password") if password_file else _ask("Password", confirm=True)
    users = Users(Premises.open(folder).app)
    users.add(name, text, frozenset(roles))
    users.close()
    click.echo(f"{name} may sign in as {', '.join(roles)}.", err=True)


@issuer.command()
@FOLDER
@click.argument("label")
@click.option("--scope", "scopes", multiple=True, help="What it may do, e.g. certificates:read; may be repeated.")
@click.option("--role", "roles", type=ROLES, multiple=True, help="All scopes of a role.")
@click.option("--days", type=click.IntRange(1, 3_650), help="It ends after so many days.")
def apikey(folder: Path, label: str, scopes: tuple[str, ...], roles: tuple[str, ...], days: int | None) -> None:
    """Make a key for a program; it is printed once and kept only as a hash."""
    from issuer_app.users import Users

    users = Users(Premises.open(folder).app)
    click.echo(users.add_key(label, frozenset((*scopes, *roles)), _now(), days=days))
    users.close()


@issuer.command("vc-api")
@FOLDER
@PASS
@click.argument("name")
@click.option("--cryptosuite", default="eddsa-rdfc-2022", show_default=True, help="What its credentials are secured with.")
@click.option("--suite", help="Signature suite of its key [the first of the cryptosuite].")
def vc_api(folder: Path, passphrase_file: str | None, name: str, cryptosuite: str, suite: str | None) -> None:
    """Add an issuer for programs: a did:key of its own behind the W3C VC-API, which `serve` then offers to API keys."""
    from credentials.data_integrity import CRYPTOSUITES
    from issuer_app.enveloped import FORMS
    from weid.keys import JWS_ALGORITHMS

    suites = {row.name: tuple(row.suites) for row in CRYPTOSUITES.values() if row.suites}
    suites |= dict.fromkeys(FORMS, ("p256", *(known for known in JWS_ALGORITHMS if known != "p256")))
    usable = suites.get(cryptosuite, ())
    if not usable or (suite is not None and suite not in usable):
        raise click.UsageError(f"a cryptosuite is one of {', '.join(suites)}, with a key it can use")
    place = Premises.open(folder)
    click.echo(place.add_instance(name, cryptosuite, suite or usable[0], _passphrase(passphrase_file)))
    click.echo(f"`weid issuer serve` offers it at /vc-api/{name}/credentials/issue.", err=True)


@issuer.command("public-url")
@FOLDER
@click.argument("url", required=False)
def public_url(folder: Path, url: str | None) -> None:
    """Say under which URL strangers reach `serve`: new certificates then name their status lists there. Without one, show it."""
    place = Premises.open(folder)
    if url is None:
        looked()
    else:
        place.set_public(url)
    click.echo(place.public or "")


@issuer.command()
@FOLDER
@PASS
@click.option("--port", type=click.IntRange(0, 65_535), default=8420, show_default=True)
@click.option("--bind", help="Address to listen on [127.0.0.1; 0.0.0.0 with --tls].")
@click.option("--tls", is_flag=True, help="HTTPS with a self-signed certificate; its fingerprint is printed.")
@click.option("--name", "names", multiple=True, help="Host name or address people open; may be repeated.")
@click.option("--code-host", default="v.example", show_default=True, help="Host in the codes' URL (12 letters at most).")
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of the pages, e.g. Asia/Shanghai.")
@click.option("--request-log", type=click.Path(dir_okay=False, path_type=Path), help="A line a request goes here (- for stderr).")
@click.option("--metrics-token-file", type=click.File("r"), help="A file with the word that opens /metrics from elsewhere.")
@click.option("--resolver", is_flag=True, help="Answer DID Resolution too, below /1.0/identifiers, from the last bundle.")
def serve(
    folder: Path, passphrase_file: str | None, port: int, bind: str | None, tls: bool, names: tuple[str, ...],
    code_host: str, timezone: str, request_log: Path | None, metrics_token_file: IO[str] | None, resolver: bool,
) -> None:  # fmt: skip
    """Serve the pages and the API until interrupted."""
    from urllib.parse import urlsplit
    from zoneinfo import ZoneInfo

    from credentials.carrier import prefix
    from issuer_app.app import create_app
    from issuer_app.config import Config
    from issuer_app.importing.running import importer
    from issuer_app.lifecycle.timer import ticking
    from issuer_app.webhooks.courier import delivering
    from issuer_app.webhooks.running import courier
    from registry.node.answered import log_to
    from registry.node.serving import certificate
    from registry.node.serving import serve as run

    prefix(code_host)
    log_to(request_log)
    place, secret = Premises.open(folder), _passphrase(passphrase_file)
    public = urlsplit(place.public or "").hostname
    hosts = tuple(dict.fromkeys((*names, *((public,) if public else ()), "localhost", "127.0.0.1")))
    with place.opened:
        config = Config(
            folder=place.app, desk=place.desk(secret) if place.holds("desk") else None,
            office=place.office("reviewer", secret) if place.holds("reviewer") else None,
            audit=place.office("auditor", secret) if place.holds("auditor") else None,
            council=place.office("governor", secret) if place.holds("governor") else None,
            code_host=code_host, zone=ZoneInfo(timezone), secure=tls, hosts=hosts, vc_api=place.instances(secret),
            public=place.public, metrics_token=None if metrics_token_file is None else metrics_token_file.read().strip(),
            resolver=place.resolver() if resolver else None, webhook_nets=place.webhook_nets,
        )  # fmt: skip
        files = certificate(folder / "tls", hosts) if tls else None
        address = bind or ("0.0.0.0" if tls else "127.0.0.1")  # noqa: S104 (asked for by --tls, printed below)
        if files is not None:
            click.echo(f"Certificate fingerprint (SHA-256): {files[2]}", err=True)
        scheme, app = "https" if tls else "http", create_app(config)
        if config.desk is not None:
            with app.app_context():
                importer().resume()
            place.opened.enter_context(ticking(config.desk, _now))
            place.opened.enter_context(delivering(courier(app)))
        run(
            app, address, port, tls=None if files is None else files[:2],
            ready=lambda opened: click.echo(f"{scheme}://{hosts[0]}:{opened}/", err=True),
        )  # fmt: skip


@issuer.command()
@FOLDER
@PASS
@click.argument("schema")
@click.argument("claims", type=click.File("rb"))
@click.option("--bind", type=click.File("rb"), help="The holder's binding request.")
@click.option("--minutes", type=click.IntRange(1, 5_256_000), help="A shorter validity.")
@click.option("--specimen", is_flag=True)
@click.option("--once", help="A key under which asking again gives the same certificate.")
@click.option("--base", type=click.File("rb"), help="The certificate it depends on: file, code text or picture, or an id here.")
@click.option("--lookup", type=click.File("rb"), help="JSON file of what the holder is to find it by, e.g. numbers by kind.")
@click.option("--code-host", default="v.example", show_default=True)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write code.png, code.svg and certificate.json here."
)
def issue(
    folder: Path, passphrase_file: str | None, schema: str, claims: IO[bytes], bind: IO[bytes] | None,
    minutes: int | None, specimen: bool, once: str | None, base: IO[bytes] | None, lookup: IO[bytes] | None,
    code_host: str, out: Path | None,
) -> None:  # fmt: skip
    """Issue SCHEMA (by name) from a JSON file of CLAIMS (- for standard input); prints the code's text."""
    from credentials import picture
    from issuer_app import selfcheck
    from issuer_app.bringing import of_form
    from weid.canon import parse_json

    value = parse_json(claims.read())
    if not isinstance(value, dict):
        raise click.UsageError("the claims must be a JSON object")
    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        row = desk.issue(
            _digest(desk, schema), value, bind=None if bind is None else bind.read().decode("utf-8", "replace"),
            minutes=minutes, at=_now(), random=secrets.token_bytes, by="cli", specimen=specimen,
            request=None if once is None else f"cli:{once}", lookup=None if lookup is None else texts_in(lookup.read()),
            base=None if base is None else of_form(base.read(), ""),
        )  # fmt: skip
        made(row.id)
        drawn = selfcheck.draw(row, code_host)
        found = selfcheck.check(drawn, desk.facts(_now()), datetime.now(UTC))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "code.png").write_bytes(picture.png(drawn, scale=10))
        (out / "code.svg").write_text(picture.svg(drawn), "utf-8")
        (out / "certificate.json").write_bytes(row.file)
    click.echo(drawn.text)
    click.echo(f"{row.id}  {found.sentence('en')}", err=True)
    if row.code is not None:
        click.echo(f"Code for checks by typing, to be printed on the certificate: {row.code}", err=True)


@issuer.command()
@FOLDER
@click.argument("text", default="")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
def find(folder: Path, text: str, limit: int) -> None:
    """Find certificates by name, number or id; one JSON object a line. It opens no key."""
    with (place := Premises.open(folder)).opened:
        for row in place.ledger().find(text, limit):
            _print(row)


@issuer.command()
@FOLDER
@PASS
def publish(folder: Path, passphrase_file: str | None) -> None:
    """Send what the registry has not heard, and renew status lists that are due (run it daily)."""
    from issuer_app.lifecycle import planned

    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        planned.run_due(desk, _now())
        desk.publish(_now())
        click.echo(f"{desk.waiting()} certificates wait.", err=True)


@issuer.command()
@FOLDER
@PASS
@click.argument("role", type=click.Choice(["log-op", "assert", "status"]))
def rotate(folder: Path, passphrase_file: str | None, role: str) -> None:
    """A new key for a role; the old one is retired, what it signed stays good."""
    with (place := Premises.open(folder)).opened:
        click.echo(str(place.desk(_passphrase(passphrase_file)).rotate(role, _now())))


def _apply(desk: Desk, wants: tuple[str, ...]) -> None:
    desk.apply([_digest(desk, name) for name in wants], _now())


def _digest(desk: Desk, name: str) -> bytes:
    """The newest published schema of that name."""
    from credentials.schema import read_schema
    from weid.errors import SchemaError

    found = []
    for item in desk.facts(_now()).find("schema", ""):
        try:
            found.append(read_schema(item.record.document, item.record.digest))
        except SchemaError:
            continue
    matching = [schema for schema in found if name in (schema.name, schema.digest.hex())]
    if not matching:
        raise MalformedError(f"no schema {name!r} is published", code="unknown-schema")
    return max(matching, key=lambda schema: schema.version).digest


def _print(row: Issued) -> None:
    click.echo(json.dumps({
        "id": row.id, "state": row.state, "reason": row.reason, "issued": row.issued, "until": row.until,
        "published": row.published, "claims": dict(row.claims),
    }, ensure_ascii=False))  # fmt: skip


def _passphrase(file: str | None, *, confirm: bool = False) -> Passphrase:
    from weid.sealed import Passphrase

    name = file or os.environ.get("WEID_PASSPHRASE_FILE")
    return Passphrase(_read_secret(name, "passphrase") if name else _ask("Passphrase", confirm=confirm))


def _read_secret(name: str, what: str) -> str:
    try:
        return Path(name).read_text("utf-8").rstrip("\n")
    except UnicodeDecodeError:
        raise click.UsageError(f"the {what} file is not UTF-8 text") from None


def _ask(prompt: str, *, confirm: bool) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(f"no terminal to ask for the {prompt.lower()}: name a file")
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))


def _now() -> int:
    return int(datetime.now(UTC).timestamp() // 60)


COMMANDS = (
    backup, change, convert, cosign, cosign_batch, decide, depending, ending, exposed, hold, import_, lift, link,
    look, lookup, lookup_rules, outbox, paper, renew, replace, restore, revoke, suspend, trail, waiting, webhook,
)  # fmt: skip
for command in COMMANDS:
    issuer.add_command(command)
