"""Assets and uses by command, over a served node: an issuer's premises, two joined institutions, an owner that sends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from issuer_app.desk import Desk
from issuer_app.premises import Premises
from registry.genesis import print_genesis
from registry.log import Registry
from registry.node.service import create_node
from tests.browser import serving
from tests.wallet_cli.test_committee import ROOT, made
from wallet_cli.committee import until_in
from wallet_cli.registry import registry as command
from weid.canon import jcs

PACK = ROOT / "packs" / "warehouse-pledge"
NAMES = dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "Harbour")
FIELDS = {"warehouse": "Store 1", "receiptNumber": "WR-17", "issued": "2026-03-01"}


class Street:
    """A registry with its committee, a warehouse with a desk, and two banks that joined."""

    def __init__(self, folder: Path, home: Registry, address: str) -> None:
        self.folder, self.home, self.address, self.dids = folder, home, address, dict[str, str]()
        (folder / "words").write_text("x\n", encoding="utf-8")

    def run(self, name: str, folder: str, *words: str, node: bool = True, secret: bool = True) -> Result:
        common = [
            *(["--node", self.address] if node else []),
            *(["--passphrase-file", str(self.folder / "words")] if secret else []),
        ]
        return CliRunner().invoke(command, [*name.split(), str(self.folder / folder), *common, *words])

    def said(self, name: str, folder: str, *words: str, secret: bool = True) -> str:
        done = self.run(name, folder, *words, secret=secret)
        assert done.exit_code == 0, done.output + str(done.exception)
        return done.stdout.strip()

    def code(self, name: str, folder: str, *words: str, secret: bool = True) -> str | None:
        return getattr(self.run(name, folder, *words, secret=secret).exception, "code", None)

    def file(self, name: str, data: bytes = b"") -> str:
        path = self.folder / name
        if data:
            path.write_bytes(data)
        return str(path)

    def join(self, name: str) -> None:
        genesis = self.file("genesis.json", print_genesis(self.home.genesis))
        self.dids[name] = self.said("join", name, genesis, "--member", "committee")

    def warehouse(self) -> None:
        place = Premises.create(self.folder / "warehouse", print_genesis(self.home.genesis), self.address)
        schema = self.said("publish-schema", "home", str(PACK / "schemas" / "warehouse-receipt.json"))
        minute = until_in(1) - 1440
        desk = Desk.create(
            self.folder / "warehouse" / "desk", client=place.client, suite="ed25519", names=NAMES, passphrase="x", at=minute,
            random=secrets.token_bytes, wants=[bytes.fromhex(schema)], cost=10,
        )  # fmt: skip
        self.dids["warehouse"] = desk.did
        desk.close()
        self.said("approve", "home", desk.did, schema)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    home = made(tmp_path / "home", "registry.home.example/1", 1)
    with serving(create_node(home)) as address:
        street = Street(tmp_path, home, address)
        for name in ("bank", "other"):
            street.join(name)
        yield street
    home.close()


def test_an_asset_by_command(street: Street) -> None:
    """Registered by the warehouse's premises, moved by its holder, shown without a key, refused by name."""
    street.warehouse()
    machine = json.loads((PACK / "assets.json").read_bytes())["machines"]["receipt"]["document"]
    digest = street.said("publish-machine", "home", street.file("machine.json", json.dumps(machine).encode()))
    assert street.code("publish-machine", "home", street.file("bad.json", b"{}")) == "bad-machine"
    kept, thing = street.file("salt.json"), street.file("receipt.json", b"a certificate")
    words = (digest, thing, "--holder", street.dids["bank"], "-o", kept)
    name = street.said("asset register", "warehouse", *words)
    assert street.code("asset register", "bank", *words) == "exists"
    other = street.file("other.json")
    assert street.code("asset register", "bank", *words[:-1], other) == "wrong-role" and not Path(other).exists()
    salt = json.loads(Path(kept).read_bytes())
    assert salt["fingerprint"] == name and len(bytes.fromhex(salt["salt"])) == 32
    assert Path(kept).stat().st_mode & 0o077 == 0
    street.said("asset move", "bank", name, "pledge", "--target", street.dids["other"])
    assert street.code("asset move", "bank", name, "pledge", "--target", street.dids["bank"]) == "not-in-state"
    assert street.code("asset move", "bank", name, "settle") == "not-your-move"
    shown = json.loads(street.said("asset show", "bank", name, secret=False))
    assert (shown["state"], shown["party"], shown["holder"]) == ("pledged", street.dids["other"], street.dids["bank"])
    assert street.code("asset show", "bank", "00" * 32, secret=False) == "not-found"


@pytest.mark.long
def test_uses_by_command(street: Street) -> None:
    """A bank hands its claim to the owner; the other finds it used; the receipt proves it and gives it back."""
    group, receipt, request = street.file("group.key"), street.file("use.receipt"), street.file("use.request")
    claimers = [word for name in ("bank", "other") for word in ("--claimer", street.dids[name])]
    register = street.said("use open", "home", "financing", "--purpose", "financing", "--reusable", *claimers, "-o", group)
    fields = street.file("fields.json", jcs(dict(FIELDS)))
    again = street.file("again.json", jcs({**FIELDS, "receiptNumber": "ｗｒ １７", "tonnes": 9}))
    what = ("--group", group, "--pack", str(PACK), "--key", "receipt")
    assert street.said("use check", "bank", register, fields, *what, secret=False) == "free"
    size = street.home.size
    street.said("use claim", "bank", register, fields, *what, "-o", receipt, "--hand-in", request)
    street.said("use send", "home", request)
    assert street.said("use check", "other", register, again, *what, secret=False) == "used"
    assert street.code("use claim", "other", register, again, *what, "-o", street.file("second.receipt")) == "already-used"
    proof, second = street.file("use.proof"), street.file("second.receipt")
    assert not Path(second).exists()
    street.said("use claim", "other", register, again, *what, "-o", second, "--hand-in", street.file("second.request"))
    street.said("use reveal", "bank", receipt, "-o", proof, secret=False)
    assert street.said("use prove", "other", proof, secret=False) == street.dids["bank"]
    street.said("use reveal", "other", second, "-o", street.file("second.proof"), secret=False)
    assert street.code("use prove", "home", street.file("second.proof"), secret=False) == "bad-proof"
    assert street.code("use release", "other", second) == "not-yours"
    assert street.code("use release", "bank", receipt) == "not-yours"
    sent = [street.home.view(index) for index in range(size, street.home.size)]
    claims = [view["operation"] for view in sent if view["operation"]["type"] == "use.claim"]
    assert [street.dids["bank"] in str(claim) for claim in claims] == [False, False]
    back = street.file("back.request")
    street.said("use release", "bank", receipt, "--hand-in", back)
    street.said("use send", "home", back)
    assert street.said("use check", "other", register, fields, *what, secret=False) == "free"
    assert street.code("use prove", "other", proof, secret=False) == "not-found"


def test_what_a_group_is_asked_for(street: Street) -> None:
    """Another group's key, another register, a key the pack has not: said before anything is sent."""
    group = street.file("group.key")
    register = street.said("use open", "home", "one", "--purpose", "p", "-o", group)
    fields, wrong = street.file("fields.json", jcs(dict(FIELDS))), street.file("wrong.key", bytes(32))
    tail = ("--pack", str(PACK), "--key", "receipt")
    size = street.home.size
    assert street.code("use check", "home", register, fields, "--group", wrong, *tail, secret=False) == "wrong-group-key"
    assert street.code("use check", "home", "did:x|y", fields, "--group", group, *tail, secret=False) == "not-found"
    empty = street.file("empty.json", b"{}")
    words = (register, empty, "--group", group, *tail, "-o", street.file("r"))
    assert street.code("use claim", "home", *words) == "bad-business-key"
    unknown = (register, fields, "--group", group, "--pack", str(PACK), "--key", "no-such", "-o", street.file("r"))
    assert street.run("use claim", "home", *unknown).exit_code == 2
    own = (register, fields, "--group", group, *tail, "-o", street.file("r"))
    kinds = [street.home.view(index)["operation"]["type"] for index in range(size, street.home.size)]
    assert "use.claim" not in kinds
    street.said("use claim", "home", *own)
    street.said("use claimers", "home", "one", street.dids["bank"])
    street.said("use claimers", "home", "one")


def test_no_receipt_and_no_group_key_is_written_over(street: Street) -> None:
    """What is at a name stays there; a receipt that nobody answered for is kept, and the group key is there first."""
    group, receipt, request = street.file("group.key"), street.file("use.receipt"), street.file("use.request")
    register = street.said("use open", "home", "one", "--purpose", "p", "-o", group)
    held = Path(group).read_bytes()
    assert street.code("use open", "home", "two", "--purpose", "p", "-o", group) == "exists"
    fields = street.file("fields.json", jcs(dict(FIELDS)))
    what = (register, fields, "--group", group, "--pack", str(PACK), "--key", "receipt")
    same = street.run("use claim", "home", *what, "-o", receipt, "--hand-in", receipt)
    assert same.exit_code == 2 and not Path(receipt).exists()
    street.said("use claim", "home", *what, "-o", receipt)
    kept = Path(receipt).read_bytes()
    assert street.code("use claim", "home", *what, "-o", receipt) == "exists"
    assert street.code("use claim", "home", *what, "-o", request, "--hand-in", receipt) == "exists"
    assert street.code("use release", "home", receipt, "--hand-in", receipt) == "exists"
    assert street.code("use reveal", "home", receipt, "-o", receipt, secret=False) == "exists"
    assert (Path(group).read_bytes(), Path(receipt).read_bytes()) == (held, kept)
    street.address = "http://127.0.0.1:1"
    lost = street.file("lost.key")
    assert street.code("use open", "home", "three", "--purpose", "p", "-o", lost) == "unreachable"
    assert len(Path(lost).read_bytes()) == 32
