"""Assets and uses from a party's side: what commands and cases share. A party signs, its client proves what it reads."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weid.errors import WeidError

if TYPE_CHECKING:
    from issuer_app.party import Party
    from registry.node.client import RegistryClient
    from registry.operations import SignedOperation
    from registry.uses import Release
    from weid.assets import AssetRecord, ClaimRecord
    from weid.business_key import BusinessKey
    from weid.nullifier import Claim


class NotThereError(WeidError):
    """The signed state has no such record: proven, not assumed."""

    default_code = "not-found"


def party_of(folder: Path, node: str, member: str, passphrase_file: str | None) -> Party:
    """The party of a folder: an institution's own (`weid issuer init`), or a member's key (`weid registry join`)."""
    from issuer_app.party import Party
    from issuer_app.premises import KINDS, Premises
    from wallet_cli.committee import office_of
    from wallet_cli.state import passphrase

    if not (folder / "node.json").exists():
        return office_of(folder, node, member, passphrase_file).party
    place = Premises.open(folder)
    kind = next((kind for kind in KINDS if place.holds(kind)), KINDS[0])
    return Party.load(folder / kind, client=place.client, passphrase=passphrase(passphrase_file))


def client_of(folder: Path, node: str) -> RegistryClient:
    """A reader of the registry whose genesis is in the folder: no key needed."""
    from issuer_app.premises import Premises
    from registry.genesis import parse_genesis
    from registry.node.client import RegistryClient
    from wallet_cli.state import node_key

    if (folder / "node.json").exists():
        return Premises.open(folder).client
    return RegistryClient.http(parse_genesis((folder / "genesis.json").read_bytes()), node, key=node_key())


def proven(client: RegistryClient, kind: str, key: str) -> Any | None:
    """A record of the state as it is now, signed and proven, or None if the signed state has none."""
    client.refresh()
    return client.record(kind, key)


def prepare_asset(
    party: Party, machine: bytes, digest: bytes, holder: str | None
) -> tuple[bytes, bytes, SignedOperation]:  # fmt: skip
    """A thing of this digest to bring in: its fingerprint, the salt that ties the two, and what is to be sent."""
    from registry import assets
    from weid.nullifier import asset_fingerprint

    genesis, salt = party.client.genesis, secrets.token_bytes(32)
    named = asset_fingerprint(genesis.hash, origin=genesis.origin, issuer=party.did, salt=salt, digest=digest)
    return named, salt, assets.asset_register(party.author(), named, machine, holder=holder)


def asset(client: RegistryClient, fingerprint: bytes) -> AssetRecord:
    """An asset as it stands, proven; NotThereError."""
    record: AssetRecord | None = proven(client, "asset", fingerprint.hex())
    if record is None:
        raise NotThereError("the registry has no such asset")
    return record


def move_asset(party: Party, fingerprint: bytes, move: str, target: str | None) -> None:
    """Make a move on the asset as it stands now; RejectedError `stale-prev` if somebody was faster."""
    from registry import assets

    prev = asset(party.client, fingerprint).last_op
    party.submit(assets.asset_move(party.author(), fingerprint, prev=prev, move=move, target=target))


def prepare_register(
    party: Party, name: str, *, purpose: str, claimers: list[str], reusable: bool
) -> tuple[str, bytes, SignedOperation]:  # fmt: skip
    """A use register to open: its key, the group key, which goes to the claimers by a safe way, and what is to be sent."""
    from registry import assets
    from weid.assets import register_key

    group = secrets.token_bytes(32)
    made = assets.use_open(party.author(), name, purpose=purpose, group=group, claimers=claimers, reusable=reusable)
    return register_key(party.did, name), group, made


def check_group(client: RegistryClient, register: str, group: bytes) -> None:
    """NotThereError without such a register, WeidError `wrong-group-key` unless this is its group key."""
    from weid.nullifier import group_check

    record = proven(client, "use-register", register)
    if record is None:
        raise NotThereError("the registry has no such use register")
    if record.check != group_check(client.genesis.hash, group):
        raise WeidError("this is not the group key of the register", code="wrong-group-key")


def find_use(
    client: RegistryClient, register: str, group: bytes, key: BusinessKey, values: dict[str, Any]
) -> ClaimRecord | None:  # fmt: skip
    """The claim of a thing in a register, or None: proven, and asked without leaving a trace on the log."""
    from weid.assets import claim_key
    from weid.nullifier import nullifier

    check_group(client, register, group)
    genesis = client.genesis
    digest = key.digest(values, hash=genesis.hash)
    named = nullifier(genesis.hash, origin=genesis.origin, register=register, group=group, key=digest)
    found: ClaimRecord | None = proven(client, "claim", claim_key(register, named))
    return found


def prepare_claim(
    party: Party, register: str, group: bytes, key: BusinessKey, values: dict[str, Any]
) -> tuple[bytes, Claim]:  # fmt: skip
    """A claim and the receipt to keep for it; nothing is sent yet."""
    from registry.uses import Receipt

    check_group(party.client, register, group)
    genesis = party.client.genesis
    receipt, made = Receipt.new(
        genesis.hash, origin=genesis.origin, register=register, group=group, key=key.digest(values, hash=genesis.hash),
        claimer=party.did, secret=secrets.token_bytes(32),
    )  # fmt: skip
    return receipt.to_bytes(), made


def send(party: Party, asked: Claim | Release) -> None:
    """Send a claim or a release, one's own or a member's; RejectedError with the registry's code."""
    from registry.uses import requested

    party.submit(requested(party.author(), asked))
