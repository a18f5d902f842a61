"""`weid issuer convert`: a local certificate from a foreign one, checked offline against the trust data of this machine."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from issuer_app.access.cli import Recorded, made
from issuer_app.premises import Premises, read_pack_folder

__all__ = ["convert"]


@click.command(cls=Recorded)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("answer", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pack", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mapping", required=True, help="A conversion of the pack's issue.json.")
@click.option("--challenge", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The question the holder answered: its picture or text.")  # fmt: skip
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Trust data [WEID_HOME or ~/.weid].")
@click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
def convert(
    folder: Path, answer: Path, pack: Path, mapping: str, challenge: Path, home: Path | None,
    passphrase_file: str | None, output: Path,
) -> None:  # fmt: skip
    """Check the holder's ANSWER offline, and issue the local certificate for the same key from FOLDER's desk."""
    from credentials.carrier import from_text
    from credentials.presentation import read_challenge
    from credentials.reading import texts_in
    from credentials.requests import policy_for, schema_digests
    from issuer_app.cli import _passphrase
    from issuer_app.convert import convert as run
    from issuer_app.convert import read_conversion
    from registry.node.folder import TrustFolder
    from weid.codec import minutes
    from weid.errors import VerificationFailed

    chosen, now = read_pack_folder(pack), datetime.now(UTC)
    terms = read_conversion(chosen, mapping)
    asked = read_challenge(from_text(texts_in(challenge.read_bytes())[0]).data)
    trust = TrustFolder(home or Path(os.environ.get("WEID_HOME") or Path.home() / ".weid"))
    data = from_text(texts_in(answer.read_bytes())[0]).data
    with (place := Premises.open(folder)).opened:
        try:
            row = run(
                place.desk(_passphrase(passphrase_file)), terms, schema_digests(chosen)[terms.target], data,
                facts=trust.facts(at=minutes(now)), policy=policy_for(chosen, terms.request, challenge=asked), at=now,
                random=secrets.token_bytes, by="cli",
            )  # fmt: skip
        except VerificationFailed as error:
            raise click.ClickException(str(error)) from error
    made(row.id)
    output.write_bytes(row.file)
    click.echo(json.dumps({"id": row.id, "state": row.state, "claims": dict(row.claims)}, ensure_ascii=False))
    click.echo(f"Issued for the same key; the file is {output}.", err=True)
