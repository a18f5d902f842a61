"""What one running app serves: a folder, a desk and/or offices, and the clock it goes by."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from issuer_app.store import private_file
from weid.codec import minutes
from weid.hashes import SHA256, Hash
from weid.suites import Random

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.office import Office
    from issuer_app.vc_api import Instance
    from issuer_app.webhooks.reaching import Net
    from weid.resolver import Resolver

__all__ = ["Config", "Limits", "secret_key"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Rates in the notation of flask-limiter, sizes in bytes."""

    sign_in: str = "10 per minute"
    issue: str = "120 per minute"
    form: str = "300 per minute"
    api: str = "600 per minute"
    form_bytes: int = 64 * 1024
    upload_bytes: int = 4 * 1024 * 1024
    import_bytes: int = (20 << 20) + (64 << 10)  # a spreadsheet and the form around it


@dataclass(frozen=True, slots=True)
class Config:
    """One institution's app. `office` acts as reviewer, `audit` as auditor, `council` as a member of the registry's
    committee; each is there only if its key is."""

    folder: Path
    desk: Desk | None = None
    office: Office | None = None
    audit: Office | None = None
    council: Office | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Random = secrets.token_bytes
    code_host: str = "v.example"
    zone: tzinfo = UTC
    secure: bool = False  # served over TLS: cookies are sent over TLS only
    hosts: tuple[str, ...] = ()  # Host headers that are answered; none named: all
    limits: Limits = field(default_factory=Limits)
    vc_api: Mapping[str, Instance] = field(default_factory=dict)  # issuers for programs
    public: str | None = None  # the address strangers reach this app at; none: no status lists in what programs issue
    metrics_token: str | None = None  # opens /metrics from other machines; none: this machine and keys with the scope alone
    webhook_nets: tuple[Net, ...] = ()  # networks that webhooks may reach besides the public internet
    resolver: Resolver | None = None  # answers DID Resolution below /1.0/identifiers; none: it does not

    @property
    def hash(self) -> Hash:
        """The registry's hash."""
        party = self.party
        return SHA256 if party is None else party.client.genesis.hash

    @property
    def party(self) -> Desk | Office | None:
        """Whose app this is first of all."""
        return self.desk or self.office or self.audit

    def now(self) -> int:
        """The minute of the clock."""
        return minutes(self.clock())


def secret_key(folder: Path) -> bytes:
    """The key that signs session cookies: made once, readable by its owner only."""
    path = folder / "session.key"
    private_file(path)
    held = path.read_bytes()
    if len(held) != 32:
        held = secrets.token_bytes(32)
        fresh = path.with_suffix(".new")
        private_file(fresh)
        fresh.write_bytes(held)
        os.replace(fresh, path)
    return held
