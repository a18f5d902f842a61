"""The folder of one running app: which registry node it talks to, and which parties it holds keys of.

<folder>/genesis.json  node.json  desk/  reviewer/  auditor/  app/
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from issuer_app.store import private_file
from registry.genesis import parse_genesis
from registry.node.client import RegistryClient
from weid.canon import jcs, parse_json
from weid.errors import MalformedError

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.ledger import Ledger
    from issuer_app.office import Office
    from weid.pack import Pack
    from weid.sealed import Passphrase

__all__ = ["KINDS", "Premises", "read_pack_folder"]

KINDS = ("desk", "reviewer", "auditor")


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
        return cls(folder, RegistryClient.http(genesis, url), ExitStack())

    @property
    def app(self) -> Path:
        """Where users, sessions and the cookie key are kept."""
        return self.folder / "app"

    def holds(self, kind: str) -> bool:
        """Whether there is a party of this kind (desk, reviewer, auditor)."""
        return (self.folder / kind / "party.json").exists()

    def desk(self, passphrase: str | Passphrase) -> Desk:
        """The institution's desk; KeyMaterialError for a wrong passphrase."""
        from issuer_app.desk import Desk

        desk = Desk.open(self.folder / "desk", client=self.client, passphrase=passphrase, random=secrets.token_bytes)
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
        """The reviewer's or auditor's office."""
        from issuer_app.office import Office

        return Office.open(self.folder / kind, client=self.client, passphrase=passphrase, random=secrets.token_bytes)


def read_pack_folder(folder: Path) -> Pack:
    """The pack in a folder; MalformedError names what is wrong."""
    from weid.pack import read_pack

    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return read_pack(files)
