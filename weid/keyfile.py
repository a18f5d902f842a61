"""Key files: one secret with its suite, id and role, sealed under a passphrase."""

from __future__ import annotations

from weid.errors import MalformedError
from weid.keys import LocalSigner
from weid.sealed import Header, Passphrase, read_header, seal, unseal
from weid.suites import Random

KIND = "key"
_NOTES = {"kid", "public", "role", "suite"}


def seal_key(
    secret: bytes,
    suite: str,
    kid: str,
    role: str,
    passphrase: str | Passphrase,
    *,
    random: Random,
    profile: str = "intl",
    cost: int | None = None,
) -> bytes:
    """The key file of a secret; KeyMaterialError or UnknownSuiteError for a key that could not sign.

    The public key, suite, id and role stay readable, so that a wallet can list its keys locked.
    """
    signer = LocalSigner(secret, suite, kid, role)
    meta = {"kid": kid, "public": signer.public_key.multikey(), "role": role, "suite": suite}
    return seal(secret, passphrase, kind=KIND, random=random, meta=meta, profile=profile, cost=cost)


def open_key(data: bytes, passphrase: str | Passphrase) -> LocalSigner:
    """The signer of a key file; KeyMaterialError `wrong-passphrase`, or MalformedError."""
    notes = key_notes(data)
    secret = unseal(data, passphrase, kind=KIND)
    signer = LocalSigner(secret, notes["suite"], notes["kid"], notes["role"])
    if signer.public_key.multikey() != notes["public"]:
        raise MalformedError("the key file names another public key", code="key-file")
    return signer


def key_notes(data: bytes) -> dict[str, str]:
    """`kid`, `public` (multikey), `role` and `suite` of a locked key file, unproven until it is opened."""
    header = read_header(data)
    if header.kind != KIND or set(header.meta) != _NOTES:
        raise MalformedError("not a key file", code="key-file")
    return dict(header.meta)


__all__ = ["KIND", "Header", "key_notes", "open_key", "read_header", "seal", "seal_key", "unseal"]
