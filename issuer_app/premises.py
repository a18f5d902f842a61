"""The folder of one running app: which registry node it talks to, and which parties it holds keys of.

<folder>/genesis.json  node.json  public.json  webhook-nets.json  desk/  reviewer/  auditor/  governor/  app/  vc-api/
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from issuer_app.store import private_file
from registry.engines.straight import web_url
from registry.genesis import parse_genesis
from registry.node.client import RegistryClient
from weid.canon import jcs, parse_json
from weid.errors import ConflictError, MalformedError

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.ledger import Ledger
    from issuer_app.office import Office
    from issuer_app.vc_api import Instance
    from issuer_app.webhooks.reaching import Net
    from weid.pack import Pack
    from weid.resolver import Resolver
    from weid.sealed import Passphrase

__all__ = ["KINDS", "UNFINISHED", "Premises", "read_pack_folder"]

UNFINISHED = "restored"
"""A file of this name: the folder was unpacked from a backup and does not know yet what the registry has heard since."""
KINDS = ("desk", "reviewer", "auditor", "governor")
_NETS = "webhook-nets.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Premises:
    """The folder and its registry; `desk()` and `office()` open what is there. Close the stack when done."""

    folder: Path
    client: RegistryClient
    opened: ExitStack

    @classmethod
    def create(cls, folder: Path, genesis: bytes, node: str) -> Premises:
        """Keep the pinned genesis and the node's address; the same again is no change, another one is refused."""
        held = folder / "genesis.json"
        parse_genesis(genesis)
        node = web_url(node, who="a node")
        if held.exists() and held.read_bytes() != genesis:
            raise MalformedError("this folder belongs to another registry", code="foreign-genesis")
        for name, data in (("genesis.json", genesis), ("node.json", jcs({"url": node}))):
            private_file(folder / name)
            (folder / name).write_bytes(data)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Premises:
        """The premises of a folder; MalformedError `no-party` before `init`."""
        if not (folder / "genesis.json").exists():
            raise MalformedError(f"{folder} is not set up: `weid issuer init`", code="no-party")
        node = parse_json((folder / "node.json").read_bytes())
        url = node.get("url") if isinstance(node, dict) else None
        if not isinstance(url, str):
            raise MalformedError("node.json needs the url of a registry node")
        genesis = parse_genesis((folder / "genesis.json").read_bytes())
        return cls(folder, RegistryClient.http(genesis, url, key=os.environ.get("WEID_NODE_KEY")), ExitStack())

    @property
    def app(self) -> Path:
        """Where users, sessions and the cookie key are kept."""
        return self.folder / "app"

    @property
    def public(self) -> str | None:
        """The address under which strangers reach what `serve` offers, if they do."""
        path = self.folder / "public.json"
        value = parse_json(path.read_bytes()) if path.exists() else {}
        url = value.get("url") if isinstance(value, dict) else None
        return url if isinstance(url, str) else None

    def set_public(self, url: str) -> None:
        """From now on certificates say that their status lists are below this address; MalformedError `bad-url`."""
        from credentials.vcdm import status_url

        status_url("", 0, base=url)
        private_file(self.folder / "public.json")
        (self.folder / "public.json").write_bytes(jcs({"url": url}))

    @property
    def webhook_nets(self) -> tuple[Net, ...]:
        """What webhooks may reach besides the public internet, as the operator of this machine has said."""
        from issuer_app.webhooks.reaching import nets_of

        path = self.folder / _NETS
        value = parse_json(path.read_bytes()) if path.exists() else []
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise MalformedError(f"{_NETS} is a list of networks", code="bad-net")
        return nets_of([str(text) for text in value])

    def set_webhook_nets(self, texts: Sequence[str]) -> None:
        """From now on (`serve` reads it when it starts) webhooks may reach these, and no others; MalformedError `bad-net`."""
        from issuer_app.webhooks.reaching import nets_of

        nets = nets_of(texts)
        private_file(self.folder / _NETS)
        (self.folder / _NETS).write_bytes(jcs([str(net) for net in nets]))

    def holds(self, kind: str) -> bool:
        """Whether there is a party of this kind (desk, reviewer, auditor, governor)."""
        return (self.folder / kind / "party.json").exists()

    def desk(self, passphrase: str | Passphrase, *, restoring: bool = False) -> Desk:
        """The institution's desk; KeyMaterialError for a wrong passphrase, ConflictError `restore-unfinished`."""
        from issuer_app.desk import Desk
        from weid.codec import minutes

        if (self.folder / UNFINISHED).exists() and not restoring:
            # It would give places of status lists to new certificates that others hold already.
            raise ConflictError(
                "this folder was restored from a backup: run `weid issuer restore` again until the registry has answered",
                code="restore-unfinished",
            )
        desk = Desk.open(
            self.folder / "desk", client=self.client, passphrase=passphrase, random=secrets.token_bytes, public=self.public,
            at=minutes(datetime.now(UTC)),
        )  # fmt: skip
        self.opened.callback(desk.close)
        return desk

    def ledger(self) -> Ledger:
        """What the desk has issued, without its keys; MalformedError `no-party` where there is no desk."""
        from issuer_app.ledger import Ledger

        if not self.holds("desk"):
            raise MalformedError(f"{self.folder} holds no desk", code="no-party")
        held = Ledger(self.folder / "desk" / "issued.db")
        self.opened.callback(held.close)
        return held

    def office(self, kind: str, passphrase: str | Passphrase) -> Office:
        """The reviewer's, auditor's or committee member's office."""
        from issuer_app.office import Office

        return Office.open(self.folder / kind, client=self.client, passphrase=passphrase, random=secrets.token_bytes)

    def resolver(self) -> Resolver:
        """DID Resolution from the bundle that the first party here last pulled; nothing is fetched to answer."""
        from registry.node.folder import TrustFolder
        from weid.codec import minutes
        from weid.resolver import Resolver

        kind = next((kind for kind in KINDS if self.holds(kind)), KINDS[0])
        trust = TrustFolder(self.folder / kind)
        return Resolver(lambda: trust.facts(at=minutes(datetime.now(UTC))))

    def add_instance(self, name: str, cryptosuite: str, suite: str, passphrase: str | Passphrase) -> str:
        """A new did:key issuer for programs (VC-API), its key sealed here; the DID. IssueError for a name in use."""
        from weid.did import did_key
        from weid.errors import IssueError
        from weid.keyfile import seal_key
        from weid.keys import LocalSigner
        from weid.suites import suite as suite_named

        place, known = self.folder / "vc-api", self._instances()
        if not _NAME.fullmatch(name) or name in known:
            raise IssueError(f"{name}: letters, digits and hyphens, each name once", code="bad-name")
        secret = suite_named(suite).generate(secrets.token_bytes)
        key = LocalSigner(secret, suite, "did:key:z#z", "assert").public_key
        kid = f"{did_key(key)}#{key.multikey()}"
        for path, data in (
            (place / f"{name}.key", seal_key(secret, suite, kid, "assert", passphrase, random=secrets.token_bytes)),
            (place / "instances.json", jcs({**known, name: cryptosuite})),  # last: a key without an entry signs nothing
        ):
            private_file(path)
            path.write_bytes(data)
        return kid.partition("#")[0]

    def instances(self, passphrase: str | Passphrase) -> dict[str, Instance]:
        """The issuers for programs, opened, each with its status lists."""
        from issuer_app.status_book import StatusBook
        from issuer_app.vc_api import Instance
        from weid.keyfile import open_key

        place, made = self.folder / "vc-api", {}
        for name, cryptosuite in self._instances().items():
            book = StatusBook(place / f"{name}.db")
            self.opened.callback(book.close)
            made[name] = Instance(open_key((place / f"{name}.key").read_bytes(), passphrase), cryptosuite, book)
        return made

    def _instances(self) -> dict[str, str]:
        path = self.folder / "vc-api" / "instances.json"
        value = parse_json(path.read_bytes()) if path.exists() else {}
        if not isinstance(value, dict) or not all(_NAME.fullmatch(name) for name in value):
            raise MalformedError("vc-api/instances.json names instances and their cryptosuites")
        return {name: str(cryptosuite) for name, cryptosuite in value.items()}


def read_pack_folder(folder: Path) -> Pack:
    """The pack in a folder; MalformedError names what is wrong."""
    from weid.pack import read_pack

    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return read_pack(files)
