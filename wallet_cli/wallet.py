"""The holder's wallet: keys, hash chains and credentials as one frozen value, sealed in one file.

Every credential gets its own key (R6), so two issuers cannot join what they know by the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wallet_cli.state import write_atomic
from weid import cbor
from weid.errors import MalformedError, WeidError
from weid.records import decode_record, encode_record
from weid.sealed import Passphrase, read_header, seal, unseal

if TYPE_CHECKING:
    from weid.keys import LocalSigner
    from weid.suites import Random

KIND = "wallet"


@dataclass(frozen=True, slots=True)
class Binding:
    """What the wallet made for one credential to be bound to: a key, or the seed of a hash chain."""

    id: str
    kind: str  # key | chain
    suite: str
    secret: bytes = field(repr=False)  # the key's secret, or the seed of the chain
    salt: bytes  # the chain's salt; empty for a key
    length: int  # slots of the chain; 0 for a key
    created: int

    def signer(self) -> LocalSigner:
        """The signer of a key binding; its id is the holder's did:key."""
        from weid.did import did_key
        from weid.keys import LocalSigner, PublicKey
        from weid.suites import suite

        key = PublicKey(self.suite, suite(self.suite).public(self.secret))
        return LocalSigner(self.secret, self.suite, str(did_key(key)), "present")


@dataclass(frozen=True, slots=True)
class Held:
    """One credential: the compact full form, the file if it came as one, and the schema it is read by."""

    id: str  # hex of the credential id (cid)
    compact: bytes
    file: bytes
    schema: bytes
    binding: str
    received: int


@dataclass(frozen=True, slots=True)
class Login:
    """A key for signing in at one origin and nowhere else: two sites cannot join what they know by it."""

    origin: str
    suite: str
    secret: bytes = field(repr=False)
    created: int

    def signer(self) -> LocalSigner:
        """The signer, of role `login`; its id is the did:key the site knows."""
        from weid.did import did_key
        from weid.keys import LocalSigner, PublicKey
        from weid.suites import suite

        key = PublicKey(self.suite, suite(self.suite).public(self.secret))
        return LocalSigner(self.secret, self.suite, str(did_key(key)), "login")


@dataclass(frozen=True, slots=True)
class Wallet:
    """Everything the holder has. Changes give a new value; `save_wallet` writes it whole or not at all."""

    bindings: tuple[Binding, ...] = ()
    held: tuple[Held, ...] = ()
    logins: tuple[Login, ...] = ()

    def with_binding(self, binding: Binding) -> Wallet:
        return replace(self, bindings=(*self.bindings, binding))

    def with_held(self, item: Held) -> Wallet:
        """The wallet with a credential; receiving the same one twice changes nothing else."""
        return replace(self, held=(*(old for old in self.held if old.id != item.id), item))

    def with_login(self, login: Login) -> Wallet:
        """The wallet with a key for an origin; the one it had for it is gone."""
        return replace(self, logins=(*(old for old in self.logins if old.origin != login.origin), login))

    def login(self, origin: str) -> Login | None:
        """The key for an origin."""
        return next((item for item in self.logins if item.origin == origin), None)

    def binding(self, name: str) -> Binding | None:
        return next((item for item in self.bindings if item.id == name), None)

    def find(self, start: str) -> Held:
        """The credential whose id starts like this; WeidError when none or several do."""
        matches = [item for item in self.held if item.id.startswith(start.lower())]
        if len(matches) != 1:
            problem = "no credential" if not matches else f"{len(matches)} credentials"
            raise WeidError(f"{problem} in the wallet starts with {start!r}; `weid list` shows them", code="not-in-wallet")
        return matches[0]

    def to_bytes(self) -> bytes:
        """The wallet as closed CBOR."""
        parts = tuple(tuple(map(encode_record, part)) for part in (self.bindings, self.held, self.logins))
        return cbor.encode((2, *parts) if self.logins else (1, *parts[:2]))  # 1: a wallet that signs in nowhere

    @classmethod
    def from_bytes(cls, data: bytes) -> Wallet:
        """The wallet of these bytes; MalformedError for anything `to_bytes` would not print."""
        value = cbor.decode(data)
        if not isinstance(value, tuple) or not value or (value[0], len(value)) not in ((1, 3), (2, 4)) or value[3:] == ((),):
            raise MalformedError("not a wallet of this version")
        bindings, held, logins = (*value[1:], ())[:3]
        if not isinstance(bindings, tuple) or not isinstance(held, tuple) or not isinstance(logins, tuple):
            raise MalformedError("not a wallet of this version")
        return cls(
            tuple(decode_record(Binding, row) for row in bindings), tuple(decode_record(Held, row) for row in held),
            tuple(decode_record(Login, row) for row in logins),
        )  # fmt: skip


def wallet_path(folder: Path) -> Path:
    return folder / "wallet.json"


def create_wallet(folder: Path, passphrase: str | Passphrase, *, profile: str, random: Random) -> None:
    """An empty wallet; WeidError `exists` rather than overwriting one."""
    path = wallet_path(folder)
    if path.exists():
        raise WeidError(f"there is a wallet already: {path}", code="exists")
    write_atomic(path, seal(Wallet().to_bytes(), passphrase, kind=KIND, random=random, profile=profile), private=True)


def load_wallet(folder: Path, passphrase: str | Passphrase) -> Wallet:
    """The wallet of a state folder; WeidError `no-wallet` before `weid init`."""
    path = wallet_path(folder)
    if not path.exists():
        raise WeidError("there is no wallet yet: run `weid init` first", code="no-wallet")
    return Wallet.from_bytes(unseal(path.read_bytes(), passphrase, kind=KIND))


def save_wallet(folder: Path, wallet: Wallet, passphrase: str | Passphrase, *, random: Random) -> None:
    """Replaces the wallet file in one step, under the profile it was made with."""
    path = wallet_path(folder)
    header = read_header(path.read_bytes())
    sealed = seal(wallet.to_bytes(), passphrase, kind=KIND, random=random, profile=header.profile, cost=header.cost)
    write_atomic(path, sealed, private=True)
