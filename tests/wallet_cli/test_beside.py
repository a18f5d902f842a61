"""Commands and a node on one folder: a real node in its own process, and the operator's commands beside it."""

from __future__ import annotations

import json
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.node.service import create_node
from tests.browser import serving
from tests.wallet_cli.test_holder import Weid
from tests.wallet_cli.test_operating import read
from tests.wallet_cli.test_registry import free_port, served
from wallet_cli.__main__ import cli
from wallet_cli.registry_folder import create_registry, open_registry
from weid.codec import minutes, rfc3339

SCHEMAS = Path(__file__).parents[2] / "packs/certificate-authority/schemas"


class Beside(Weid):
    """The command in this process; `served` runs nodes in processes of their own."""

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """(standard output, standard error)"""
        done = CliRunner().invoke(cli, list(words), env=self.env)
        assert done.exit_code == code, (words, done.output, done.exception)
        return done.stdout, done.stderr

    def refused(self, *words: str) -> str:
        """The code of what a command was refused for."""
        done = CliRunner().invoke(cli, list(words), env=self.env)
        assert done.exit_code == 1, (words, done.output, done.exception)
        return str(getattr(done.exception, "code", done.exception))

    def make(self, folder: Path, *, chain: int = 8601, name: str = "registry") -> Path:
        """A registry with cheap keys."""
        create_registry(
            folder, origin=f"{name}.example.org/1", chain=chain, profile="intl", members={"committee": 1},
            passphrase="correct horse", minute=minutes(datetime.now(UTC)), random=secrets.token_bytes, cost=10,
        ).close()  # fmt: skip
        return folder


@pytest.fixture
def weid(tmp_path: Path) -> Beside:
    return Beside(tmp_path / "operator")


def test_commands_beside_a_running_node(weid: Beside, tmp_path: Path) -> None:
    """Ticks, bundles and a changed log key by command while the node serves: it takes them in and goes on, in one history."""
    folder, port = weid.make(tmp_path / "ca"), free_port()
    soon = [rfc3339(minutes(datetime.now(UTC)) + ahead) for ahead in (3, 4)]
    node = f"http://127.0.0.1:{port}"
    with served(weid, "registry", "serve", str(folder), "--port", str(port), ready=f"{node}/readyz"):
        publish = ("registry", "publish-schema", str(folder), "--node", node)
        weid.run(*publish, str(SCHEMAS / "skill-certificate.json"))
        weid.run("registry", "tick", str(folder), "--at", soon[0])
        assert json.loads(read(f"{node}/v1/health"))["logTime"] == soon[0]
        assert read(f"{node}/readyz") == "ready\n"
        weid.run(*publish, str(SCHEMAS / "training-certificate.json"))
        weid.run("registry", "rotate-key", str(folder), "log")
        weid.run("registry", "bundle", str(folder), "-o", str(tmp_path / "ca.bundle"))
        assert read(f"{node}/readyz") == "ready\n"
        weid.run("registry", "set-rule", str(folder), "role", "--delay", "5", "--node", node)
        size = json.loads(read(f"{node}/v1/health"))["size"]
        assert read(f"{node}/v1/checkpoint").split("\n")[1] == str(size)
        assert int(weid.run("registry", "tick", str(folder), "--at", soon[1])[0]) > size
    entries = [json.loads(line) for line in weid.run("registry", "show", str(folder))[0].splitlines()]
    assert {entry["result"] for entry in entries} == {"applied"}
    assert "sound" in weid.run("registry", "fsck", str(folder))[1]
    assert (folder / "high-water").read_text().split("\n")[3] == str(len(entries))


def test_a_mirror_is_served_while_it_is_brought_up(weid: Beside, tmp_path: Path) -> None:
    """`mirror` beside `mirror-serve`: what was copied is answered, without a restart."""
    folder, copy, stick, port = weid.make(tmp_path / "ca"), tmp_path / "copy", tmp_path / "stick", free_port()
    weid.run("registry", "tick", str(folder), "--at", "2099-01-01T00:00:00Z")
    weid.run("registry", "export", str(folder), str(stick))
    weid.run("registry", "mirror", str(copy), "--from", str(stick), "--genesis", str(folder / "genesis.json"))
    node = f"http://127.0.0.1:{port}/v1"
    with served(weid, "registry", "mirror-serve", str(copy), "--port", str(port), ready=f"{node}/health"):
        before = json.loads(read(f"{node}/health"))["size"]
        weid.run("registry", "tick", str(folder), "--at", "2099-01-02T00:00:00Z")
        weid.run("registry", "export", str(folder), str(stick))
        weid.run("registry", "mirror", str(copy), "--from", str(stick))
        after = json.loads(read(f"{node}/health"))["size"]
        assert after == before + 2 and json.loads(read(f"{node}/entries/{after - 1}"))["result"] == "applied"
        assert read(f"{node}/checkpoint").split("\n")[1] == str(after)


def test_a_private_registry_is_read_with_the_key(weid: Beside, tmp_path: Path) -> None:
    """WEID_NODE_KEY goes with a mirror's questions, a restore's and those about assets; without it the node answers nobody."""
    folder, port, backup = weid.make(tmp_path / "ca"), free_port(), tmp_path / "ca.backup"
    key = weid.run("registry", "reader", str(folder), "add", "clinic")[0].strip()
    weid.run("registry", "tick", str(folder))
    weid.run("registry", "backup", str(folder), "-o", str(backup))
    node = f"http://127.0.0.1:{port}"
    mirror = ("registry", "mirror", str(tmp_path / "copy"), "--from", f"{node}/v1", "--genesis", str(folder / "genesis.json"))
    restore = ("registry", "restore", str(backup), str(tmp_path / "again"), "--from", node)
    asset = ("registry", "asset", "show", str(folder), "00" * 32, "--node", node)
    with served(weid, "registry", "serve", str(folder), "--port", str(port), ready=f"{node}/readyz"):
        for command, code in ((mirror, "unreachable"), (restore, "no-reader"), (asset, "no-reader")):
            assert weid.refused(*command) == code
        weid.env["WEID_NODE_KEY"] = key
        assert int(weid.run(*mirror)[0]) > 1
        weid.run(*restore)
        assert weid.refused(*asset) == "not-found"


@pytest.mark.long
def test_proofs_and_restores_after_a_key_change(weid: Beside, tmp_path: Path) -> None:
    """By the genesis and the chain of changes, from a file or a bundle; the old key counts no more, and one genesis is one."""
    folder, file, again = weid.make(tmp_path / "ca"), tmp_path / "ca.backup", tmp_path / "again"
    genesis, chain, bundle = str(folder / "genesis.json"), folder / "key-chain", tmp_path / "ca.bundle"
    did = json.loads((folder / "genesis.json").read_text())["committee"][0]["did"]
    proof, record, old = tmp_path / "1.tlog-proof", tmp_path / "record.json", tmp_path / "old.tlog-proof"
    weid.run("registry", "tick", str(folder))
    weid.run("registry", "backup", str(folder), "-o", str(file))
    with serving(create_node(open_registry(folder, "correct horse", random=secrets.token_bytes))) as node:
        old.write_text(read(f"{node}/v1/entries/0/proof"))
        for what in ("log", "state"):
            weid.run("registry", "rotate-key", str(folder), what)
        weid.run("registry", "bundle", str(folder), "-o", str(bundle))
        proof.write_text(read(f"{node}/v1/entries/0/proof"))
        record.write_text(read(f"{node}/v1/records/member/{did}"))
        weid.run("registry", "restore", str(file), str(again), "--from", node)
    for shown in (proof, record):
        assert weid.refused("registry", "check-proof", str(shown), "--genesis", genesis) == "no-signature"
        for keys in (chain, bundle):
            said = weid.run("registry", "check-proof", str(shown), "--genesis", genesis, "--chain", str(keys))[1]
            assert "by the keys after 2 changes" in said and ("log key alone" in said or "state key alone" in said)
    assert "by the keys of the genesis" in weid.run("registry", "check-proof", str(old), "--genesis", genesis)[1]
    assert weid.refused("registry", "check-proof", str(old), "--genesis", genesis, "--chain", str(chain)) == "no-signature"
    other = str(weid.make(tmp_path / "other", chain=8602, name="other") / "genesis.json")
    for keys in (chain, bundle):
        assert weid.refused("registry", "check-proof", str(proof), "--genesis", other, "--chain", str(keys)) == "foreign-genesis"


def test_commands_in_groups_are_noted_too(weid: Beside, tmp_path: Path) -> None:
    """What is done with assets and uses stands in the audit log under its whole name; what only reads does not."""
    folder = weid.make(tmp_path / "ca")
    nowhere = ("--node", "http://127.0.0.1:9")
    weid.refused("registry", "use", "claimers", str(folder), "deposits", "did:weid:8601:0x" + "0" * 40, *nowhere)
    weid.refused("registry", "asset", "show", str(folder), "00" * 32, *nowhere)
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    assert [(line["act"], line["result"]) for line in lines] == [("command use claimers", "unreachable")]


def test_groups_that_cannot_be_served_together(weid: Beside, tmp_path: Path) -> None:
    """One name twice, one folder twice, a copy of a registry, the served folder itself: refused in words, nothing opened."""
    weid.make(tmp_path / "open")
    weid.make(tmp_path / "other", chain=8602, name="other")
    shutil.copytree(tmp_path / "other", tmp_path / "copy")
    other, copy = tmp_path / "other", tmp_path / "copy"
    for groups, reason in (
        ((f"a={other}", f"a={copy}"), "two groups are called a"),
        ((f"a={other}", f"b={other}"), "a log has one writer"),
        ((f"a={other}", f"b={other}/../other"), "a log has one writer"),
        ((f"a={other}", f"b={copy}"), "a log has one writer"),
        ((f"a={tmp_path / 'open'}",), "a log has one writer"),
        (("no folder",), "small letters"),
        (("a=",), "NAME=FOLDER of a registry"),
    ):
        words = [word for group in groups for word in ("--group", group)]
        assert reason in weid.run("registry", "serve", str(tmp_path / "open"), *words, code=2)[1]
