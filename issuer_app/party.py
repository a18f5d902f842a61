"""A party of the registry: its DID and encrypted key files, the one client, and what it knows from signed bundles."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from issuer_app.store import private_file
from registry import bodies
from registry import operations as ops
from registry.genesis import print_genesis
from registry.log import Receipt
from registry.node.client import RegistryClient
from registry.node.folder import TrustFolder
from registry.operations import Author, SignedOperation
from weid.canon import jcs, parse_json
from weid.did import key_id, weid_did
from weid.errors import ConflictError, KeyMaterialError, MalformedError, RejectedError, WeidError
from weid.facts import Facts, Found
from weid.keyfile import open_key, seal_key
from weid.keys import LocalSigner
from weid.records import DidRecord, Names
from weid.sealed import Passphrase, seal, unseal
from weid.suites import Random, suite
from weid.suites._suite import drawn

__all__ = ["Party"]

_HEAD = "party.json"


class Party:
    """A registered DID over a folder. Key numbers: 1 log-op, then one for each further role."""

    def __init__(
        self, folder: Path, did: str, names: Mapping[str, str], keys: Mapping[int, LocalSigner],
        *, client: RegistryClient, random: Random, profile: str, passphrase: str | Passphrase, cost: int | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.did, self.names, self.client = folder, did, dict(names), client
        self._keys, self._random, self._profile = dict(keys), random, profile
        self._passphrase = passphrase if isinstance(passphrase, Passphrase) else Passphrase(passphrase)
        self._cost = cost
        self._trust = TrustFolder(folder)
        self._trust.pin(print_genesis(client.genesis))
        self._pulled: int | None = None
        self._stale = True
        self._failed: tuple[int, WeidError] | None = None  # the minute in which asking failed, and how
        self._asking = threading.Lock()
        self._thread = threading.RLock()
        self._depth = 0

    @classmethod
    def make(
        cls, folder: Path, roles: Sequence[str], *, client: RegistryClient, suite: str, names: Mapping[str, str],
        passphrase: str | Passphrase, random: Random, cost: int | None = None,
    ) -> Party:  # fmt: skip
        """Fresh keys for these roles, sealed in the folder; nothing is registered yet. ConflictError if it exists."""
        if (folder / _HEAD).exists():
            raise ConflictError(f"{folder.name} holds a party already", code="already-exists")
        chosen, profile = _suite(suite), client.genesis.profile
        made = [chosen.generate(random) for _ in roles]
        first = LocalSigner(made[0], suite, "new", roles[0])
        did = str(weid_did(client.genesis.chain, first.public_key))
        keys = {
            number: LocalSigner(secret, suite, key_id(did, number), role)
            for number, (secret, role) in enumerate(zip(made, roles, strict=True), 1)
        }
        party = cls(folder, did, names, keys, client=client, random=random, profile=profile, passphrase=passphrase, cost=cost)
        for number, secret in enumerate(made, 1):
            party._keep_key(number, secret, keys[number])
        party._write(_HEAD, jcs({"did": did, "names": dict(names.items())}))
        return party

    @classmethod
    def adopt(
        cls, folder: Path, sealed: bytes, *, client: RegistryClient, names: Mapping[str, str], passphrase: str | Passphrase,
        random: Random = secrets.token_bytes,
    ) -> Party:  # fmt: skip
        """A party over a copy of a sealed log-op key that was made elsewhere, as a committee member's is.

        KeyMaterialError for a wrong passphrase or another role, MalformedError for a key of another registry's chain.
        """
        if (folder / _HEAD).exists():
            raise ConflictError(f"{folder.name} holds a party already", code="already-exists")
        signer = open_key(sealed, passphrase)
        did, _, number = signer.kid.partition("#key-")
        if signer.role != "log-op" or not number.isdigit():
            raise KeyMaterialError("this key signs no operations", code="wrong-role")
        if not did.startswith(f"did:weid:{client.genesis.chain}:"):
            raise MalformedError(f"{did} is of another registry", code="foreign-genesis")
        profile, keys = client.genesis.profile, {int(number): signer}
        party = cls(folder, did, names, keys, client=client, random=random, profile=profile, passphrase=passphrase)
        party._write(f"keys/{int(number):03}-{signer.role}.key", sealed)
        party._write(_HEAD, jcs({"did": did, "names": dict(names.items())}))
        return party

    @classmethod
    def load(
        cls, folder: Path, *, client: RegistryClient, passphrase: str | Passphrase, random: Random = secrets.token_bytes,
        cost: int | None = None,
    ) -> Party:  # fmt: skip
        """The party of a folder; KeyMaterialError for a wrong passphrase, MalformedError for no party."""
        if not (folder / _HEAD).exists():
            raise MalformedError(f"{folder.name} holds no party yet", code="no-party")
        head = parse_json((folder / _HEAD).read_bytes())
        did, names = (head.get("did"), head.get("names")) if isinstance(head, dict) else (None, None)
        if not isinstance(did, str) or not isinstance(names, dict):
            raise MalformedError("party.json needs did and names")
        words = passphrase if isinstance(passphrase, Passphrase) else Passphrase(passphrase)
        keys = {}
        for path in sorted((folder / "keys").glob("*.key")):
            keys[int(path.name.split("-")[0])] = open_key(path.read_bytes(), words)
        named = {language: str(text) for language, text in names.items()}
        profile = client.genesis.profile
        return cls(folder, did, named, keys, client=client, random=random, profile=profile, passphrase=words, cost=cost)

    @classmethod
    def of_signer(
        cls, folder: Path, signer: LocalSigner, *, client: RegistryClient, names: Mapping[str, str],
        random: Random = secrets.token_bytes,
    ) -> Party:  # fmt: skip
        """A party whose log-op key is held elsewhere, as a committee member's is; the folder keeps trust only."""
        did, _, number = signer.kid.partition("#key-")
        keys = {int(number): signer}
        return cls(folder, did, names, keys, client=client, random=random, profile=client.genesis.profile, passphrase="")

    def register(self, at: int) -> None:
        """Put the DID on the log unless it is there."""
        if not isinstance(self.facts(at, fresh=True).fact("did", self.did), Found):
            self.submit(ops.did_create(self.author(), [self._keys[number] for number in sorted(self._keys)]))

    def facts(self, at: int, *, fresh: bool = False) -> Facts:
        """What the newest signed bundle says; asked for again each minute, and when `fresh` and the log has grown.

        Without an answer the last bundle serves on; RegistryError `unreachable` if there never was one. A minute in which
        asking failed has had its attempt: strangers who ask for lists must not make us wait for a silent node each time.
        """
        if self._due(at) or fresh:
            with self._asking:  # whoever comes meanwhile waits for this attempt and makes none
                self._ask(at, fresh)
        return self._trust.facts(at=at)

    def _due(self, at: int) -> bool:
        return self._stale or self._pulled is None or at > self._pulled

    def _ask(self, at: int, fresh: bool) -> None:
        if not (self._due(at) or fresh):
            return
        failed = None if self._failed is None or self._failed[0] != at else self._failed[1]
        if failed is None:
            try:
                self._pull(at)
                return
            except WeidError as error:
                self._failed, failed = (at, error), error
        store = self._trust.load()
        if failed.code != "unreachable" or store is None or store.home is None:
            raise type(failed)(str(failed), code=failed.code) from failed

    def _pull(self, at: int) -> None:
        if not self._due(at) and self._newest(at):
            return
        self.client.refresh()
        held = self._trust.load()
        since = () if held is None else tuple(mark.size for mark in held.marks)  # a fork cannot hide behind growth
        self._trust.accept(self.client.bundle(since=since, have=None if held is None else held.home), at=at)
        self._pulled, self._stale = at, False

    def _newest(self, at: int) -> bool:
        """Whether the log is still as large as in the bundle we hold."""
        root = self._trust.facts(at=at).fact("trust", "root")
        return isinstance(root, Found) and self.client.checkpoint().size == root.record.size

    def submit(self, operation: SignedOperation) -> Receipt:
        """Send an operation; RejectedError with the registry's code. What we know is asked for again after it."""
        receipt = self.client.submit(operation.data)
        self.forget()
        return receipt.require()

    def forget(self) -> None:
        """The registry has answered and moved on: ask for a new bundle before the next answer."""
        self._stale, self._failed = True, None

    def author(self) -> Author:
        """Who signs our operations."""
        return Author.of(self.client.genesis, self.signer("log-op"), self._random)

    def signer(self, role: str) -> LocalSigner:
        """The newest key of a role that has not ended, as far as we know; KeyMaterialError if there is none."""
        record = self._record()
        for number in sorted(self._keys, reverse=True):
            held = record.key_number(number) if record is not None else None
            pending = record is not None and held is None and len(self._keys) > 1
            if self._keys[number].role == role and not pending and (held is None or held.end is None):
                return self._keys[number]
        raise KeyMaterialError(f"no {role} key is in force", code="key-ended")

    def rotate(self, role: str, at: int) -> int:
        """A new key of this role; the old one is retired, what it signed stays good. The new key's number."""
        with self.locked():
            record = self._did_record(at)
            old = self.signer(role)
            number = max(*self._keys, *(key.number for key in record.keys)) + 1
            secret = _suite(old.public_key.suite).generate(self._random)
            fresh = LocalSigner(secret, old.public_key.suite, key_id(self.did, number), role)
            self._keep_key(number, secret, fresh)  # on disk before the log knows it: a crash must not lose it
            ended = bodies.KeyEnd(int(old.kid.rpartition("-")[2]), "retired", None)
            self.submit(ops.did_update(self.author(), record.last_op, add=[fresh], end=[ended]))
            self._keys[number] = fresh
            self.facts(at, fresh=True)
            return number

    def compromise(self, number: int, since: int, at: int) -> None:
        """Say that a key was in other hands from the minute `since` on; rotate its role first if it is in use."""
        with self.locked():
            record = self._did_record(at)
            ended = bodies.KeyEnd(number, "compromised", since)
            self.submit(ops.did_update(self.author(), record.last_op, end=[ended]))
            self.facts(at, fresh=True)

    def names_sorted(self) -> Names:
        """The names as records hold them."""
        return tuple(sorted(self.names.items()))

    def keep(self, name: str, data: bytes) -> None:
        """Write a file of the folder: the old one or the new one stands there, whatever happens."""
        self._write(name, data)

    def secret(self, name: str) -> bytes:
        """32 random bytes kept under this name, sealed in the folder as the keys are; made when first asked for."""
        path, kind = f"{name}.secret", f"{name}-secret"
        with self.locked():
            if (self.folder / path).exists():
                return unseal((self.folder / path).read_bytes(), self._passphrase, kind=kind)
            made = drawn(self._random, 32)
            profile = self._profile if self._profile == "gm" else "intl"
            self._write(path, seal(made, self._passphrase, kind=kind, random=self._random, profile=profile, cost=self._cost))
            return made

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One change of this folder at a time, across threads and processes."""
        with self._thread:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield
                    return
                path = self.folder / "lock"
                private_file(path)
                with path.open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    yield
            finally:
                self._depth -= 1

    def _record(self) -> DidRecord | None:
        store = self._trust.load()
        if store is None or store.home is None or self._pulled is None:
            return None
        answer = self._trust.facts(at=self._pulled).fact("did", self.did)
        return answer.record if isinstance(answer, Found) else None

    def _did_record(self, at: int) -> DidRecord:
        answer = self.facts(at, fresh=True).fact("did", self.did)
        if not isinstance(answer, Found):
            raise RejectedError("this DID is not registered", code="not-registered")
        record: DidRecord = answer.record
        return record

    def _keep_key(self, number: int, secret: bytes, signer: LocalSigner) -> None:
        data = seal_key(
            secret, signer.public_key.suite, signer.kid, signer.role, self._passphrase, random=self._random,
            profile=self._profile if self._profile == "gm" else "intl", cost=self._cost,
        )  # fmt: skip
        self._write(f"keys/{number:03}-{signer.role}.key", data)

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        fresh = path.with_name(path.name + ".new")
        private_file(fresh)
        with fresh.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(fresh, path)


_suite = suite  # arguments of the same name
