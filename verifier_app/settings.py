"""What an operator may set, read once into a strict value."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from weid.did import DID
from weid.errors import MalformedError
from weid.pack import Pack, read_pack
from weid.sealed import Passphrase

__all__ = ["Settings", "load_pack", "read_settings"]

MAX_PACK_FILE: Final = 1 << 20
HOST: Final = "weid.app"
LONGEST_KEPT: Final = 30 * 24  # hours an undecided certificate may wait


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of one verifier.

    `folder` holds the pinned registry and its bundles; `memory` is the SQLite file of used codes. `verifier` and
    `name` are what a wallet shows before it answers; `gate` is the name gate codes must be made for. `lists` and `schemas`
    are files and folders of what W3C credentials refer to. `issuers` are DIDs that are trusted without a registry (did:web,
    whose documents stand beside the pinned registry).
    `passphrase` seals this verifier's own key and what waits for trust data; without it no report is signed and nothing waits.
    `keep_undecided` are the hours such a certificate waits (0: nothing is kept), `trust_url` is where the button on the page
    of trust data fetches a bundle (None: no button), `kiosk` serves the self-service pages alone.
    """

    folder: Path
    packs: tuple[Pack, ...]
    memory: Path | str
    host: str
    verifier: str
    name: str
    gate: str
    request: str | None
    minutes: int
    zone: tzinfo
    lists: tuple[Path, ...]
    schemas: tuple[Path, ...]
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    issuers: frozenset[str] = frozenset()
    passphrase: Passphrase | None = field(default=None, repr=False)
    keep_undecided: int = 0
    trust_url: str | None = None
    kiosk: bool = False
    seal_cost: int | None = None


def read_settings(config: Mapping[str, Any]) -> Settings:
    """The settings in a mapping; MalformedError names the key that is wrong.

    Keys: TRUST_FOLDER (required), PACKS (folders or Packs), MEMORY, HOST, VERIFIER, NAME, GATE, REQUEST,
    CHALLENGE_MINUTES, TIMEZONE, STATUS_LISTS, SCHEMAS (files or folders), TRUSTED_ISSUERS, PASSPHRASE, KEEP_UNDECIDED (hours),
    TRUST_URL, KIOSK, SEAL_COST, CLOCK, RANDOM.
    """
    if "TRUST_FOLDER" not in config:
        raise MalformedError("TRUST_FOLDER must name the folder of the pinned registry", code="bad-config")
    folder = Path(config["TRUST_FOLDER"])
    packs = tuple(item if isinstance(item, Pack) else load_pack(Path(item)) for item in config.get("PACKS", ()))
    lasts = config.get("CHALLENGE_MINUTES", 3)
    if type(lasts) is not int or not 1 <= lasts <= 60:
        raise MalformedError("CHALLENGE_MINUTES must be 1 to 60", code="bad-config")
    verifier = str(config.get("VERIFIER") or "verifier")
    given = config.get("PASSPHRASE")
    passphrase = given if isinstance(given, Passphrase) else Passphrase(str(given)) if given else None
    return Settings(
        folder=folder,
        packs=packs,
        memory=config.get("MEMORY") or folder / "verifier.db",
        host=str(config.get("HOST") or HOST),
        verifier=verifier,
        name=str(config.get("NAME") or verifier),
        gate=str(config.get("GATE") or ""),
        request=config.get("REQUEST"),
        minutes=lasts,
        zone=_zone(config.get("TIMEZONE")),
        lists=tuple(map(Path, config.get("STATUS_LISTS", ()))),
        schemas=tuple(map(Path, config.get("SCHEMAS", ()))),
        clock=config.get("CLOCK") or _now,
        random=config.get("RANDOM") or secrets.token_bytes,
        issuers=frozenset(map(DID, config.get("TRUSTED_ISSUERS", ()))),
        passphrase=passphrase,
        keep_undecided=_hours(config.get("KEEP_UNDECIDED", 0), passphrase),
        trust_url=_address(config.get("TRUST_URL")),
        kiosk=bool(config.get("KIOSK")),
        seal_cost=config.get("SEAL_COST"),
    )


def load_pack(folder: Path) -> Pack:
    """The pack in a folder; MalformedError when it is none, or holds a file that is too large."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            if path.stat().st_size > MAX_PACK_FILE:
                raise MalformedError(f"{path.name}: too large for a pack", code="too-large")
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return read_pack(found)


def _hours(value: object, passphrase: Passphrase | None) -> int:
    if type(value) is not int or not 0 <= value <= LONGEST_KEPT:
        raise MalformedError(f"KEEP_UNDECIDED must be 0 to {LONGEST_KEPT} hours", code="bad-config")
    if value and passphrase is None:
        raise MalformedError("KEEP_UNDECIDED needs a passphrase: what waits is sealed", code="bad-config")
    return value


def _address(value: object) -> str | None:
    """An address the operator chose: https, or http on this machine alone."""
    if not value:
        return None
    parts = urlsplit(str(value))
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or local) or parts.username is not None:
        raise MalformedError(f"TRUST_URL {value} is no https address", code="bad-config")
    return str(value)


def _zone(name: object) -> tzinfo:
    if name is None:
        return datetime.now().astimezone().tzinfo or UTC
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise MalformedError(f"TIMEZONE {name!r} is not known", code="bad-config") from None


def _now() -> datetime:
    return datetime.now(UTC)
