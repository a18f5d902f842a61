"""`weid verify-report`: whether a verifier's signed report is as it was written, and who signed it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from wallet_cli.state import echo, read_input

__all__ = ["verify_report"]


@click.command("verify-report")
@click.argument("report")
@click.option("--key", "told", metavar="FINGERPRINT", help="The fingerprint of the verifier's key that you were told.")
@click.option("--file", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file that was checked: show what the report says of it; may be given again.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The whole report.")
def verify_report(report: str, told: str | None, files: tuple[Path, ...], as_json: bool) -> None:
    """Check a verifier's signed REPORT. Exits 0 if it is signed by the key you were told, 3 if nobody told you a key.

    The report says what was found when it was made; check the certificate itself for what holds now.
    """
    from credentials.check_report import read_check_report, require_key
    from weid.canon import jcs
    from weid.codec import rfc3339
    from weid.hashes import SHA256

    read = read_check_report(read_input(report))
    if told is not None:
        require_key(read, told)
    if as_json:
        echo(json.dumps(json.loads(jcs(dict(read.document))), ensure_ascii=False, indent=1))
    else:
        echo(f"{read.name}  {rfc3339(read.made)}  key {read.fingerprint}")
        echo(", ".join(f"{number} {kind}" for kind, number in sorted(read.counts().items())) or "nothing was checked")
    missing = 0
    for path in files:
        items = read.of_file(SHA256(path.read_bytes()))
        missing += not items
        said = ", ".join(str(item.get("verdict", item.get("problem"))) + _paper(item.get("paper")) for item in items)
        echo(f"{path.name}: {said or 'not in this report'}")
    if missing:
        sys.exit(1)
    if told is None:
        click.echo("The signature is right. Compare the key with the one the verifier told you (--key).", err=True)
        sys.exit(3)


def _paper(seen: object) -> str:
    return {"differs": " (the paper says another name)", "absent": " (the signed name is not on the paper)"}.get(str(seen), "")
