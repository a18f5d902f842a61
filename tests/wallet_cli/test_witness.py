"""Witnesses, mirrors, evidence and key changes by command, all by file: a restored backup, a forged line, a stolen key."""

from __future__ import annotations

import json
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry.cosignature import CosignerKey
from registry.node.service import create_node
from registry.policy import Group, Policy, Witness, parse_policy, print_policy
from tests.browser import serving
from wallet_cli.__main__ import cli
from wallet_cli.registry_folder import create_registry, open_registry
from weid.codec import minutes
from weid.keyfile import seal_key
from weid.keys import LocalSigner
from weid.sealed import Passphrase

NAMES = ("w0", "w1")


class Shop:
    """A folder with a registry `ca` and two witnesses, both of which are asked for; `run` gives the output or fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "words").write_text("x\n", encoding="utf-8")
        listed = []
        for n, name in enumerate(NAMES):
            secret = bytes([50 + n]) * 32
            sealed = seal_key(
                secret, "ed25519", f"{name}.example", "witness", Passphrase("x"), random=secrets.token_bytes, cost=10
            )
            (folder / name).mkdir()
            (folder / name / "witness.json").write_bytes(sealed)
            key = LocalSigner(secret, "ed25519", name, "witness").public_key
            listed.append(Witness(name, CosignerKey(f"{name}.example", key)))
        policy = print_policy(Policy(witnesses=tuple(listed), groups=(Group("both", 2, NAMES),), quorum="both"))
        create_registry(
            folder / "ca", origin="registry.ca.example/1", chain=9, profile="intl", members={"committee": 1}, passphrase="x",
            minute=minutes(datetime.now(UTC)), random=secrets.token_bytes, cost=10, witnesses=policy,
        ).close()  # fmt: skip
        from registry.witness.store import WitnessStore

        for name in NAMES:
            WitnessStore(folder / name).close()
            self.run("witness", "add", name, "ca/genesis.json")

    def invoke(self, *words: str) -> tuple[int, str, str]:
        """(exit code, standard output, everything said); words that name something in the folder become its path."""
        known = [
            str(self.folder / word) if (self.folder / word.split("/")[0]).exists() or "." in word else word for word in words
        ]
        environment = {"WEID_PASSPHRASE_FILE": str(self.folder / "words"), "WEID_HOME": str(self.folder / "home")}
        done = CliRunner().invoke(cli, ["registry", *known], env=environment)
        return done.exit_code, done.stdout, f"{done.output}{done.exception} [{getattr(done.exception, 'code', '')}]"

    def run(self, *words: str) -> str:
        code, out, said = self.invoke(*words)
        assert code == 0, said
        return out

    def cosign(self, folder: str, old: int = 0) -> None:
        """Carry the request to both witnesses and the answers back."""
        self.run("cosign", folder, "--request", "a.req", "--old", str(old))
        for name in NAMES:
            self.run("witness", "sign", name, "a.req", "-o", f"{name}.ans")
        self.run("cosign", folder, "--answer", "w0.ans", "--answer", "w1.ans")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_restored_backup_is_refused_and_proved(shop: Shop) -> None:
    """The whole folder restored, mark and all, signs another history: no witness follows, and strangers see the proof."""
    shutil.copytree(shop.folder / "ca", shop.folder / "backup")
    shop.cosign("ca")
    size = int(shop.run("witness", "list", "w0").split()[1])
    shop.run("cosign", "backup", "--request", "b.req")
    code, _, said = shop.invoke("witness", "sign", "w0", "b.req", "-o", "b.ans")
    assert code == 1 and f"409 {size}" in said
    request = (shop.folder / "b.req").read_bytes().replace(b"old 0", b"old %d" % size)
    (shop.folder / "b.req").write_bytes(request)
    code, _, said = shop.invoke("witness", "sign", "w0", "b.req", "-o", "b.ans")
    assert code == 1 and "refused-422" in said
    (found,) = (shop.folder / "w0" / "evidence").iterdir()

    assert shop.run("evidence", str(found), "--genesis", "ca/genesis.json").startswith("split: registry.ca.example/1")
    found.write_bytes(found.read_bytes()[:-90])
    assert shop.invoke("evidence", str(found), "--genesis", "ca/genesis.json")[0] != 0


@pytest.mark.parametrize("name", ["two words", "a+b", "", "line\nbreak", "\u00e9/" * 90])
def test_a_witness_has_a_name_that_policies_can_hold(shop: Shop, name: str) -> None:
    """C2SP signed-note: no blanks, no plus sign; told before a key is made, for a mirror's signature too."""
    code, _, said = shop.invoke("witness", "init", str(shop.folder / "w9"), f"--name={name}")
    assert code == 2 and "no blanks, no plus sign" in said and not (shop.folder / "w9").exists()
    code, _, said = shop.invoke("mirror-sign", "ca", "--key", "m.json", f"--name={name}", "-o", "m.out")
    assert code == 2 and "no blanks, no plus sign" in said and not (shop.folder / "m.json").exists()


def test_a_second_request_that_forgets_the_old_size_is_explained(shop: Shop) -> None:
    """The witness says which size it knows, and what is said names the option that helps."""
    shop.cosign("ca")
    size = int(shop.run("witness", "list", "w0").split()[1])
    shop.run("tick", "ca", "--at", datetime.now(UTC).strftime("%Y-%m-%dT23:59:00Z"))
    shop.run("cosign", "ca", "--request", "b.req")
    code, _, said = shop.invoke("witness", "sign", "w0", "b.req", "-o", "b.ans")
    assert code == 1 and f"has cosigned {size} entries" in said and f"--old {size}." in said
    shop.run("cosign", "ca", "--request", "b.req", "--old", str(size))
    shop.run("witness", "sign", "w0", "b.req", "-o", "b.ans")
    code, _, said = shop.invoke("cosign", "ca", "--request", "c.req", "--old", "999")
    assert code == 2 and "a witness that knows more saw another" in said


def test_a_forged_or_missing_answer_makes_no_bundle(shop: Shop) -> None:
    """One witness is not two, and a line that is changed is none."""
    shop.run("cosign", "ca", "--request", "a.req")
    for name in NAMES:
        shop.run("witness", "sign", name, "a.req", "-o", f"{name}.ans")
    assert shop.invoke("cosign", "ca", "--answer", "w0.ans")[0] == 1
    text = (shop.folder / "w1.ans").read_text("utf-8")
    (shop.folder / "f.ans").write_text(text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:], "utf-8")
    assert shop.invoke("cosign", "ca", "--answer", "w0.ans", "--answer", "f.ans")[0] == 1
    assert "not-witnessed" in shop.invoke("bundle", "ca", "-o", "c.bundle")[2]
    shop.run("cosign", "ca", "--answer", "w0.ans", "--answer", "w1.ans")
    shop.run("bundle", "ca", "-o", "c.bundle")


def test_a_log_is_carried_to_a_mirror(shop: Shop) -> None:
    """Export to a stick, mirror from it, sign its state; an older stick is refused."""
    shop.cosign("ca")
    (shop.folder / "stick").mkdir()
    shop.run("export", "ca", "stick")
    shutil.copytree(shop.folder / "stick", shop.folder / "old")
    size = int(shop.run("witness", "list", "w0").split()[1])
    (shop.folder / "copy").mkdir()
    assert shop.run("mirror", "copy", "--from", "stick", "--genesis", "ca/genesis.json") == f"{size}\n"
    shop.run("tick", "ca", "--at", datetime.now(UTC).strftime("%Y-%m-%dT23:59:00Z"))
    shop.cosign("ca", size)
    shop.run("export", "ca", "stick")
    assert int(shop.run("mirror", "copy", "--from", "stick")) > size
    assert "older-log" in shop.invoke("mirror", "copy", "--from", "old")[2]


def test_a_stolen_log_key_is_replaced_and_the_thief_gets_no_cosignature(shop: Shop) -> None:
    """The thief has the old folder, keys and all: after the change no witness cosigns what they sign."""
    shop.cosign("ca")
    shutil.copytree(shop.folder / "ca", shop.folder / "thief")
    shop.run("rotate-key", "ca", "log")
    for name in NAMES:
        shop.run("witness", "follow", name, "ca/key-chain")
    size = int(shop.run("witness", "list", "w0").split()[1])
    shop.cosign("ca", size)
    shop.run("bundle", "ca", "-o", "c.bundle")
    shop.run("cosign", "thief", "--request", "t.req")

    assert "refused-403" in shop.invoke("witness", "sign", "w0", "t.req", "-o", "t.ans")[2]
    assert shop.run("fsck", "ca") == ""


def test_the_witnesses_change_by_command(shop: Shop) -> None:
    """The old ones and the new one approve a policy; one approval too few, or of another policy, changes nothing."""
    shop.cosign("ca")
    (shop.folder / "w2").mkdir()
    line = shop.run("witness", "init", "w2", "--name", "third").strip()
    shop.run("witness", "add", "w2", "ca/genesis.json")
    old = parse_policy(json.loads((shop.folder / "ca" / "genesis.json").read_text())["witnesses"])
    text = f"witness w2 {line}\n" + print_policy(old).replace("group both all w0 w1", "group both 2 w0 w1 w2")
    (shop.folder / "new.policy").write_text(print_policy(parse_policy(text)), encoding="utf-8")
    (shop.folder / "other.policy").write_text("quorum none\n", encoding="utf-8")
    for name in ("w0", "w1", "w2"):
        shop.run("witness", "approve", name, "ca/genesis.json", "new.policy", "-o", f"{name}.yes")
    shop.run("witness", "approve", "w1", "ca/genesis.json", "other.policy", "-o", "w1.other")
    assert "no-quorum" in shop.invoke("change-witnesses", "ca", "new.policy", "w0.yes")[2]
    assert "wrong-change" in shop.invoke("change-witnesses", "ca", "new.policy", "w0.yes", "w1.other")[2]
    shop.run("change-witnesses", "ca", "new.policy", "w0.yes", "w1.yes", "w2.yes")
    for name in ("w0", "w1", "w2"):
        shop.run("witness", "follow", name, "ca/key-chain")
    size = int(shop.run("witness", "list", "w0").split()[1])
    shop.run("cosign", "ca", "--request", "b.req", "--old", str(size))
    shop.run("witness", "sign", "w0", "b.req", "-o", "w0.ans")
    shop.run("cosign", "ca", "--request", "c.req", "--old", "0")
    shop.run("witness", "sign", "w2", "c.req", "-o", "w2.ans")
    shop.run("cosign", "ca", "--answer", "w0.ans", "--answer", "w2.ans")
    shop.run("bundle", "ca", "-o", "d.bundle")


def test_a_policy_that_a_vote_put_in_force_is_taken_up(shop: Shop) -> None:
    """Proposed with the node down, executed with it up; the same command again writes the chain that witnesses follow."""
    ca = shop.folder / "ca"
    shop.cosign("ca")
    old = parse_policy(json.loads((ca / "genesis.json").read_text())["witnesses"])
    (shop.folder / "new.policy").write_text(print_policy(old).replace("both all", "both any"), encoding="utf-8")
    for name in NAMES:
        shop.run("witness", "approve", name, "ca/genesis.json", "new.policy", "-o", f"{name}.yes")
    change = ("change-witnesses", "ca", "new.policy", "w0.yes", "w1.yes")
    code, proposal, said = shop.invoke(*change, "--propose")
    assert code == 0 and "run change-witnesses again" in said and not (ca / "key-chain").exists()
    opened = open_registry(ca, "x", random=secrets.token_bytes)
    with serving(create_node(opened)) as address:
        words = ["registry", "execute", str(ca), proposal.strip(), "--node", address]
        done = CliRunner().invoke(cli, [*words, "--passphrase-file", str(shop.folder / "words")])
        assert done.exit_code == 0, done.output + str(done.exception)
    opened.close()
    assert "In force" in shop.invoke(*change)[2] and (ca / "key-chain").exists()
    for name in NAMES:
        assert "1 changes" in shop.run("witness", "follow", name, "ca/key-chain")
