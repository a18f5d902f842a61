"""A fresh key, sealed into a file that only its owner reads: the one way in which commands make keys of registries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wallet_cli.state import write_atomic

if TYPE_CHECKING:
    from weid.keys import PublicKey
    from weid.sealed import Passphrase
    from weid.suites import Random

__all__ = ["make_key"]


def make_key(
    place: Path, suite: str, name: str | Callable[[PublicKey], str], role: str, passphrase: Passphrase, *, random: Random,
    cost: int | None = None,
) -> PublicKey:  # fmt: skip
    """A new key of this suite and role in the file `place`, 0600, whole or not there; its public half.

    `name` is its key id, or makes one of the public key. SM2 keys are sealed with SM4 and SM3, others with AES and scrypt.
    """
    from weid.keyfile import seal_key
    from weid.keys import PublicKey
    from weid.suites import suite as suite_named

    chosen = suite_named(suite)
    secret = chosen.generate(random)
    key = PublicKey(suite, chosen.public(secret))
    kid, profile = name if isinstance(name, str) else name(key), "gm" if suite == "sm2" else "intl"
    sealed = seal_key(secret, suite, kid, role, passphrase, random=random, profile=profile, cost=cost)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(place, sealed, private=True)
    return key
