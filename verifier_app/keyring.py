"""This verifier's own key: made at the first start, sealed under the operator's passphrase, and used for its reports alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from verifier_app.settings import Settings
from weid.keyfile import open_key, seal_key
from weid.keys import LocalSigner, Signer
from weid.suites import suite

__all__ = ["FILE", "own_signer"]

FILE: Final = "verifier.key"
ROLE: Final = "verifier"
_SUITES: Final = {"gm": "sm2"}  # of a registry's profile; every other has ed25519


def own_signer(settings: Settings, profile: str) -> Signer | None:
    """The signer of this verifier's reports; None without a passphrase.

    KeyMaterialError `wrong-passphrase` for another than the key was sealed with: a new key would make every earlier
    report look like somebody else's.
    """
    if settings.passphrase is None:
        return None
    path = settings.folder / FILE
    if path.exists():
        return open_key(path.read_bytes(), settings.passphrase)
    name = _SUITES.get(profile, "ed25519")
    secret = suite(name).generate(settings.random)
    sealed = seal_key(
        secret, name, FILE, ROLE, settings.passphrase, random=settings.random, cost=settings.seal_cost,
        profile="gm" if profile == "gm" else "intl",
    )  # fmt: skip
    _write_once(path, sealed)
    return LocalSigner(secret, name, FILE, ROLE)


def _write_once(path: Path, data: bytes) -> None:
    """On disk before it is used, readable by its owner alone, and never over another."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.link(fresh, path)
    fresh.unlink()
