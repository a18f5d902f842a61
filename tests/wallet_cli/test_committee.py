"""What the committee decides, by command, over a served node: roles, schemas, recognition and its end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from issuer_app.office import Office
from registry.genesis import print_genesis
from registry.log import Registry
from registry.node.client import RegistryClient
from registry.node.service import create_node
from tests.browser import serving
from wallet_cli.registry import registry as command
from wallet_cli.registry_folder import create_registry
from weid.codec import minutes

ROOT = Path(__file__).resolve().parents[2]
NAMES = [f"--name={language}=Registry" for language in ("en", "pt", "zh-Hans", "zh-Hant")]


class Place:
    """A registry folder, its node's address and the command."""

    def __init__(self, folder: Path, made: Registry, address: str) -> None:
        self.folder, self.made, self.address = folder, made, address

    def run(self, name: str, *words: str) -> Result:
        arguments = [name, str(self.folder), "--node", self.address, "--passphrase-file", str(self.folder / "words"), *words]
        return CliRunner().invoke(command, arguments)


def made(folder: Path, origin: str, chain: int) -> Registry:
    now = minutes(datetime.now(UTC))
    return create_registry(
        folder, origin=origin, chain=chain, profile="intl", members={"committee": 1}, passphrase="x", minute=now,
        random=secrets.token_bytes, cost=10,
    )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    home = made(tmp_path / "home", "registry.home.example/1", 1)
    (tmp_path / "home" / "words").write_text("x\n", encoding="utf-8")
    with serving(create_node(home)) as address:
        yield Place(tmp_path / "home", home, address)
    home.close()


def test_roles_and_schemas(place: Place, tmp_path: Path) -> None:
    """A registered DID becomes reviewer; an unknown one is refused by the registry; a schema is published once."""
    office = Office.create(
        tmp_path / "review", client=RegistryClient.http(place.made.genesis, place.address), suite="ed25519",
        names=dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "Office"), passphrase="x",
        at=minutes(datetime.now(UTC)), random=secrets.token_bytes, cost=10,
    )  # fmt: skip
    assert place.run("grant", office.did, "reviewer", "--days", "30").exit_code == 0
    assert place.made.record("role", f"{office.did}|reviewer") is not None
    refused = place.run("grant", f"did:weid:1:0x{'0' * 40}", "auditor")
    assert getattr(refused.exception, "code", None) == "not-registered"
    schema = str(ROOT / "packs/certificate-authority/schemas/training-certificate.json")
    digest = place.run("publish-schema", schema).stdout.strip()
    assert place.made.record("schema", digest) is not None
    assert getattr(place.run("publish-schema", schema).exception, "code", None) == "already-exists"


def test_recognition_and_its_end(place: Place, tmp_path: Path) -> None:
    """A foreign registry is pinned at the checkpoint of its bundle; the bundle of another genesis is refused."""
    other = made(tmp_path / "other", "registry.other.example/1", 2)
    other.commit().require()
    genesis, bundle = tmp_path / "other.json", tmp_path / "other.bundle"
    genesis.write_bytes(print_genesis(other.genesis))
    bundle.write_bytes(other.bundle())
    own = str(place.folder / "genesis.json")
    wrong = place.run("recognise", own, str(bundle), *NAMES, "--purpose", "entry")
    assert getattr(wrong.exception, "code", None) == "foreign-genesis"
    done = place.run("recognise", str(genesis), str(bundle), *NAMES, "--purpose", "entry")
    assert done.exit_code == 0, done.output
    record = place.made.record("recognition", other.pin.hex())
    assert record is not None
    assert (record.origin, record.purposes, record.size) == ("registry.other.example/1", ("entry",), other.size)
    assert place.run("withdraw-recognition", str(genesis), "distrust").exit_code == 0
    other.close()
