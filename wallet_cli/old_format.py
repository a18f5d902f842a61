"""`weid import`: an old credential becomes a request to issue it again, with its own bytes inside (R30)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.holder import AT, LANG
from wallet_cli.options import FILE, NEW_FILE
from wallet_cli.state import echo, now, read_input, write_atomic
from weid.errors import WeidError

if TYPE_CHECKING:
    from credentials.cpt import Legacy
    from credentials.report import Report
    from credentials.weidentity import WeIdentityCredential
    from weid.canon import JSON

_DECISIVE = ("format", "facts.conflict", "proof.signature", "disclosure.digests", "schema")


@click.command("import")
@click.argument("what", metavar="FILE")
@AT
@LANG
@click.option("--cpt", type=FILE, help="The CPT (JSON Schema) of its number: settles which type each value has.")
@click.option("--did-document", "document", type=FILE, help="The issuer's DID document, when its key is not its first one.")
@click.option("--salt-length", type=click.IntRange(1, 64), help="`salt.length` of the issuer's system (usually 5).")
@click.option("-o", "--output", type=NEW_FILE, help="Write the request to this file.")
def import_(
    what: str, at: str | None, lang: str, cpt: Path | None, document: Path | None, salt_length: int | None, output: Path | None
) -> None:
    """Turn a WeIdentity credential (2019 to 2023) into a request to issue it again.

    FILE is the JSON, or - for standard input. The request keeps its bytes and lists every value for the issuer to
    confirm. Exit code: 0 request made, 1 not authentic, 2 usage or another format, 3 cannot be decided.
    """
    from credentials.policy import Policy
    from credentials.reissue import reissue_request
    from credentials.verify import verify
    from wallet_cli.trust import load_facts

    moment, data = now(at), read_input(what).strip()
    credential = _read(data)
    policy = Policy(legacy=_held(credential, cpt, document, salt_length))
    try:
        facts = load_facts(moment)
    except WeidError as error:
        echo(f"Nothing can be decided: {error} [{error.code}]", err=True)
        sys.exit(3)
    report = verify(data, facts=facts, policy=policy, at=moment)
    _tell(report, lang)
    refused = any(report.check(name).outcome == "FAILED" for name in _DECISIVE)
    if report.authentic is None or refused:
        sys.exit(1 if refused else 3)
    text = json.dumps(reissue_request(data, report), ensure_ascii=True, indent=1).encode() + b"\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomic(output, text)
    echo("Hand the request to the issuer. It must look every value up in its own books before it issues anything.", err=True)


def _read(data: bytes) -> WeIdentityCredential:
    from credentials.weidentity import looks_like, read_weidentity

    try:
        credential = read_weidentity(data) if looks_like(data) else None
    except WeidError as error:
        raise click.UsageError(f"the credential cannot be read: {error}") from error
    if credential is None:
        raise click.UsageError("not a WeIdentity credential; today's own formats need no import")
    return credential


def _held(credential: WeIdentityCredential, cpt: Path | None, document: Path | None, salt_length: int | None) -> Legacy:
    from credentials.cpt import Legacy, keys_in_document, read_cpt

    try:
        cpts = {} if cpt is None else {credential.cpt: read_cpt(_json(cpt))}
        keys = {} if document is None else {credential.issuer: keys_in_document(_json(document), credential.issuer)}
    except WeidError as error:
        raise click.UsageError(str(error)) from error
    return Legacy(keys=keys, cpts=cpts, salt_length=salt_length)


def _json(path: Path) -> JSON:
    from weid.canon import parse_json

    return parse_json(path.read_bytes())


def _tell(report: Report, lang: str) -> None:
    from credentials.wording import verdict

    words = verdict(report.verdict, lang)
    echo(f"{report.verdict}: {words.word}. {words.sentence} {words.do}", err=True)
    for check in report:
        if check.outcome in ("FAILED", "UNKNOWN"):
            echo(f"  {check.id}: {check.sentence(lang)}", err=True)
    if report.authentic is None or report.presented is None:
        return
    for name in report.presented.unsigned:
        echo(f"  not signed: {name}", err=True)
    for name in report.presented.hidden:
        echo(f"  hidden, but not secret: {name}", err=True)
    ambiguous = report.check("disclosure.digests").evidence.get("ambiguous", [])
    for path in ambiguous if isinstance(ambiguous, list) else []:
        echo(f"  could be another value: {path}", err=True)
