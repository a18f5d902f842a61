"""What an app keeps about people and rights, opened once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from issuer_app.access.factors import Factors
from issuer_app.access.invitations import Invitations
from issuer_app.access.trail import Trail
from issuer_app.access.wallet_keys import WalletKeys
from issuer_app.two_people import Waiting
from issuer_app.users import Users
from weid.hashes import SHA256, Hash
from weid.suites import Random

__all__ = ["Access"]


@dataclass(frozen=True, slots=True)
class Access:
    """Invitations, second factors, wallet keys, requests that wait for a second person, and the trail."""

    invitations: Invitations
    factors: Factors
    wallet_keys: WalletKeys
    waiting: Waiting
    trail: Trail
    hash: Hash = SHA256
    _minute: list[int] = field(default_factory=lambda: [-1])

    @classmethod
    def open(cls, folder: Path, users: Users, *, random: Random, hash: Hash = SHA256) -> Access:
        """Everything in the folder of an app; `hash` is the registry's."""
        profile = "gm" if hash.name == "sm3" else "intl"
        return cls(
            Invitations(users), Factors(users.store, folder, random=random, profile=profile), WalletKeys(users.store),
            Waiting(folder / "waiting.db"), Trail(folder / "trail.db", hash), hash,
        )  # fmt: skip

    def first_of_minute(self, minute: int) -> bool:
        """Whether this was not asked before in this minute."""
        before, self._minute[0] = self._minute[0], minute
        return before != minute
