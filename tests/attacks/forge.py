"""What a dishonest issuer can do: sign anything at all with its own registered key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from credentials import compact
from tests.credentials.world import World
from weid.keys import LocalSigner
from weid.records import status_list_id


def forged(world: World, data: bytes, *, signer: LocalSigner | None = None, mandatory: int | None = None, **change: Any) -> bytes:
    """A full compact credential with these fields changed, and a signature that fits them again."""
    value = replace(compact.read_compact(data), **change)
    chosen = world.issuer.signer if signer is None else signer
    did, _, _ = chosen.kid.partition("#")
    signed = compact.preimage(
        value, compact.tree_root(value), origin=world.origin, genesis=world.genesis, issuer=did,
        key_hash=chosen.public_key.hash32(), schema=world.schema.digest,
        mandatory=world.schema.mandatory if mandatory is None else mandatory,
        status_list=None if value.list_number is None else status_list_id(did, value.list_number),
    )  # fmt: skip
    return compact.encode_compact(replace(value, signature=chosen.sign(compact.CONTEXT, signed)))
