"""`weid registry check-proof`: a registry checked without a network, and what the answer rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_cli.options import FILE
from wallet_cli.state import echo_json, now

if TYPE_CHECKING:
    from registry.authority import Authority
    from registry.genesis import Genesis
    from registry.proof_file import ProvenEntry, ProvenRecord


@click.command("check-proof")
@click.argument("file", type=FILE)
@click.option("--genesis", type=FILE, required=True, help="The genesis file you trust.")
@click.option(
    "--chain", type=FILE, help="Its key changes since: `key-chain`, or a trust bundle. Only the newest keys then count."
)
def check_proof(file: Path, genesis: Path, chain: Path | None) -> None:
    """Check a proof from the explorer, without a network: an operation is in the log, or a record in the signed state."""
    from registry.authority import Authority
    from registry.genesis import fingerprint, parse_genesis
    from registry.proof_file import ProvenEntry, check_twin_proof, is_twin_proof
    from registry.proof_file import check_proof as check
    from weid.errors import SignatureError, TrustError

    root = parse_genesis(genesis.read_bytes())
    authority = Authority.of(root) if chain is None else _authority(chain.read_bytes(), root)
    data = file.read_bytes()
    twin = is_twin_proof(data)
    try:
        found = check_twin_proof(data, root, authority) if twin else check(data, root, authority)
    except (SignatureError, TrustError):
        if chain is None:
            click.echo("If the registry has changed a key since its genesis: --chain KEY-CHAIN or a trust bundle.", err=True)
        raise
    click.echo(_said_entry(found) if isinstance(found, ProvenEntry) else _said_record(found), err=True)
    click.echo(_rests_on(found, authority, twin=twin), err=True)
    click.echo(f"By the genesis with the fingerprint {fingerprint(root.digest)}.", err=True)


def _authority(data: bytes, root: Genesis) -> Authority:
    """The keys that a key chain or a bundle leads to from the genesis; TrustError `foreign-genesis` for another registry's."""
    from registry.authority import open_chain
    from registry.bundle import open_bundle
    from registry.packed import unpack
    from weid.codec import minutes
    from weid.errors import MalformedError, TrustError

    try:
        held = open_chain(data)
    except MalformedError:
        return open_bundle(unpack(data), pin=root.digest, at=minutes(now())).authority
    if held.genesis.digest != root.digest:
        raise TrustError("these key changes are of another registry", code="foreign-genesis")
    return held


def _said_entry(found: ProvenEntry) -> str:
    shown: dict[str, Any] = {
        "index": found.index, "id": found.operation.id.hex(), "operation": found.operation.operation.view(),
    }  # fmt: skip
    echo_json(shown, indent=2)
    return f"Operation {found.index} is in the log of {found.checkpoint.size} operations that its key has signed."


def _said_record(found: ProvenRecord) -> str:
    from registry.operations import json_view
    from weid.codec import rfc3339

    record = None if found.record is None else json_view(found.record)
    echo_json({"kind": found.kind, "key": found.key, "record": record}, indent=2)
    what = "has no such record" if record is None else "says this"
    return f"The state of {found.statement.size} operations, signed at log time {rfc3339(found.statement.log_time)}, {what}."


def _rests_on(found: ProvenEntry | ProvenRecord, authority: Authority, *, twin: bool) -> str:
    """Which keys would have to lie for this to be false."""
    from registry.proof_file import ProvenRecord

    keys = f"the keys after {len(authority.links)} changes" if authority.links else "the keys of the genesis"
    if twin:
        return f"This rests on SM3 and the twin key alone (by {keys}): witnesses sign the checkpoint, not the second tree."
    if isinstance(found, ProvenRecord):
        return f"This rests on the state key alone (by {keys}): witnesses sign the log, not the state."
    if authority.policy.needed:
        return f"A quorum of the registry's witnesses has cosigned that log (by {keys})."
    return f"This rests on the log key alone (by {keys}): no witnesses are named, so others may be shown another log."


COMMANDS = (check_proof,)
