"""`weid registry anchor` and `weid trust check-evidence`: many files, one operation, a proof for each."""

from __future__ import annotations

import secrets
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.committee import signs
from wallet_cli.holder import AT
from wallet_cli.options import FILE, HELD_FOLDER, OUTPUT, PLACE
from wallet_cli.state import echo, now, write_atomic

if TYPE_CHECKING:
    from issuer_app.office import Office
    from weid.hashes import Hash


@click.command()
@signs
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("-o", "--output", type=PLACE, required=True, help="Folder for the proofs.")
def anchor(office: Office, files: tuple[Path, ...], output: Path) -> None:
    """Put the fingerprint of FILES on the log with one operation; writes a proof for each, and the batch's secret."""
    from registry import operations as ops
    from registry.evidence_batch import KIND, Batch, print_proof
    from weid.errors import WeidError

    if output.exists() and any(output.iterdir()):
        raise WeidError(f"{output} is not empty: proofs of another batch are not overwritten", code="exists")
    genesis, author = office.client.genesis, office.party.author()
    digests = [digest_of(path, genesis.hash) for path in files]
    seed = secrets.token_bytes(32)
    batch = Batch(digests, origin=genesis.origin, actor=author.did, seed=seed, hash=genesis.hash)
    output.mkdir(parents=True, exist_ok=True)
    # Proofs and secret first: an operation without them would prove nothing to anybody.
    write_atomic(output / "seed", seed, private=True)
    for number, (path, proof) in enumerate(zip(files, batch.proofs(), strict=True)):
        write_atomic(output / f"{number:06d}-{path.name}.proof", print_proof(proof))
    office.party.submit(ops.evidence_anchor(author, batch.fingerprint, KIND))
    click.echo(batch.fingerprint.hex())
    click.echo(f"Anchored {len(files)} files; a proof for each in {output}. Keep `seed` secret.", err=True)


@click.command()
@HELD_FOLDER
@OUTPUT
def checkpoint(folder: Path, output: Path) -> None:
    """Write the log's signed checkpoint: anchored in another registry, it says that this log was there by then."""
    from wallet_cli.registry_folder import open_registry

    opened = open_registry(folder, None, random=secrets.token_bytes)
    try:
        write_atomic(output, opened.checkpoint())
        size = opened.size
    finally:
        opened.close()
    click.echo(str(output))
    click.echo(f"{size} entries. Anchor it: weid registry anchor OTHER-REGISTRY-FOLDER {output} -o PROOFS", err=True)


@click.command("check-evidence")
@AT
@click.argument("file", type=FILE)
@click.argument("proof", type=FILE)
def check_evidence(at: str | None, file: Path, proof: Path) -> None:
    """Say when a FILE was anchored, and by whom, from its PROOF and the trust data at hand.

    Exit 1 if its author has withdrawn it, 3 if your trust data do not know it: a newer bundle may.
    """
    from registry.evidence_batch import find_evidence, parse_proof
    from wallet_cli.trust import load_facts
    from weid.codec import rfc3339
    from weid.facts import Found
    from weid.hashes import SHA256, SM3

    moment: datetime = now(at)
    shown, facts = parse_proof(proof.read_bytes()), load_facts(moment)
    root = facts.fact("trust", "root")
    if not isinstance(root, Found):
        click.echo("Nothing is pinned: `weid trust add GENESIS` first.", err=True)
        sys.exit(3)
    known = next((item for item in facts.find("did", shown.actor) if item.source.origin == shown.origin), None)
    if known is None:
        echo(f"Your trust data do not know {shown.actor}: import the bundle of {shown.origin}.", err=True)
        sys.exit(3)
    found = next(
        (item for hash in (SHA256, SM3)
         if (item := find_evidence(facts, digest_of(file, hash), shown, hash=hash)) is not None), None,
    )  # fmt: skip
    if found is None:
        # Never a "no": what was anchored after the bundle was made looks just like what never was.
        as_of = rfc3339(known.source.log_time)
        echo(f"Not anchored as of {as_of}; a newer bundle may know it. If not, the file or the proof is another one.")
        sys.exit(3)
    names = facts.fact("issuer", shown.actor)
    named = dict(names.record.names).get("en", shown.actor) if isinstance(names, Found) else shown.actor
    echo(f"Anchored by {named} at {rfc3339(found.record.published)}, in {found.source.label}.")
    if found.record.withdrawn is not None:
        echo(f"Withdrawn by its author at {rfc3339(found.record.withdrawn)}.")
        sys.exit(1)


def digest_of(path: Path, hash: Hash) -> bytes:
    """The digest of a file by the registry's hash."""
    return hash(path.read_bytes())
