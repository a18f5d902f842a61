"""A registry of several founders: each makes its key at home and hands over a line; a pack says seats, floors and rules."""

from __future__ import annotations

import json
import secrets
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from registry.genesis import parse_genesis
from registry.node.service import create_node
from registry.pack_committee import read_founding
from tests.browser import serving
from wallet_cli.__main__ import cli
from wallet_cli.cases import read_cases, run_case
from wallet_cli.pack import load_pack
from wallet_cli.registry_folder import open_registry
from weid.did import weid_did
from weid.errors import MalformedError
from weid.keys import LocalSigner
from weid.suites import suite

PACKS = Path(__file__).parents[2] / "packs"
RULES = {"recognition": {"agree": 2, "delay": 60}, "rules": {"participates": 100}, "issuer": {"agree": 1}}


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text("of the founders\n", encoding="utf-8")
    return path


def weid(*arguments: object, words: Path) -> Result:
    return CliRunner(env={"WEID_PASSPHRASE_FILE": str(words)}).invoke(cli, [str(item) for item in arguments])


def line_of(folder: Path, name: str, words: Path, chain: int = 8601) -> str:
    made = weid("registry", "founder", folder, "--chain", chain, "--member", name, words=words)
    assert made.exit_code == 0, made.output
    return made.stdout.strip()


def a_line(name: str, chain: int = 8601) -> str:
    """What `founder` prints, of a key that is sealed nowhere."""
    key = LocalSigner(suite("ed25519").generate(secrets.token_bytes), "ed25519", "new", "log-op").public_key
    return f"{name} {weid_did(chain, key)} {key.multikey()}"


def joint(tmp_path: Path, decisions: dict[str, Any] | None = None, seats: Sequence[str] = ("north", "south")) -> Path:
    """The pack of certificates with two seats in its registry instead of one."""
    folder = tmp_path / "pack"
    shutil.copytree(PACKS / "certificate-authority", folder)
    trust = json.loads((folder / "trust.json").read_bytes())
    names = trust["parties"].pop("platform")["names"]
    own = {seat: {"registry": "ca", "committee": 1, "names": names | {"en": seat.title()}} for seat in seats}
    trust["parties"] = own | trust["parties"]
    trust["registries"]["ca"]["decisions"] = RULES if decisions is None else decisions
    (folder / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
    return folder


@pytest.mark.long
def test_founders_make_their_keys_at_home_and_vote(tmp_path: Path, words: Path) -> None:
    """Lines in a file make the genesis; no key is with the operator; both take their seats and pass a decision."""
    lines = [line_of(tmp_path / name, name, words) for name in ("north", "south")]
    assert lines[0] == line_of(tmp_path / "north", "north", words)  # the same again
    (tmp_path / "founders").write_text(f"# the founders\n{lines[0]} 2\n\n{lines[1]}\n", encoding="utf-8")
    made = weid("registry", "init", tmp_path / "ca", "--origin", "registry.joint.example/1", "--chain", 8601,
                "--founders", tmp_path / "founders", words=words)  # fmt: skip
    assert made.exit_code == 0, made.output
    genesis = parse_genesis((tmp_path / "ca" / "genesis.json").read_bytes())
    assert [(member.name, member.weight) for member in genesis.committee] == [("north", 2), ("south", 1)]
    assert genesis.floors["recognition"] == 2 and made.stdout.strip() == genesis.digest.hex()
    assert not list((tmp_path / "ca" / "keys").glob("committee-*"))
    registry = open_registry(tmp_path / "ca", "of the founders", random=secrets.token_bytes)
    with serving(create_node(registry)) as address:
        for name in ("north", "south"):
            joined = weid("registry", "join", tmp_path / name, tmp_path / "ca" / "genesis.json", "--member", name,
                          "--node", address, words=words)  # fmt: skip
            assert joined.exit_code == 0, joined.output
        south = ["--member", "south", "--node", address]
        proposed = weid("registry", "set-rule", tmp_path / "south", "--propose", "role", "--delay", 5, *south, words=words)
        proposal = proposed.stdout.strip()
        north = ["--member", "north", "--node", address]
        assert weid("registry", "vote", tmp_path / "north", proposal, "yes", *north, words=words).exit_code == 0
        assert weid("registry", "execute", tmp_path / "south", proposal, *south, words=words).exit_code == 0
        office = weid("issuer", "init", tmp_path / "office", "--as", "governor", "--genesis", tmp_path / "ca" / "genesis.json",
                      "--node", address, "--key", tmp_path / "north" / "keys" / "committee-north.json", words=words)  # fmt: skip
        assert office.exit_code == 0 and office.stdout.strip() == genesis.committee[0].did
    assert registry.state.tables["rule"]["role"].delay == 5
    registry.close()


@pytest.mark.parametrize("change", ["key", "chain", "words", "twice", "weight"])
def test_a_line_that_was_changed_founds_nothing(tmp_path: Path, words: Path, change: str) -> None:
    """The DID in the line is of its key and chain: a slip or another's key is found before anything is made."""
    line, other = a_line("north"), a_line("south")
    parts, chain = line.split(), 8602 if change == "chain" else 8601
    changed = {
        "key": " ".join([*parts[:2], other.split()[2]]), "chain": line, "words": " ".join(parts[:2]),
        "twice": f"{line}\n{line}", "weight": f"{line} -1",
    }[change]  # fmt: skip
    (tmp_path / "founders").write_text(changed, encoding="utf-8")
    made = weid("registry", "init", tmp_path / "ca", "--origin", "r.example/1", "--chain", chain, "--founders",
                tmp_path / "founders", words=words)  # fmt: skip
    assert made.exit_code == 2 and not (tmp_path / "ca").exists(), made.output


def test_a_pack_says_seats_floors_and_rules(tmp_path: Path, words: Path) -> None:
    """Missing members are named with the command that they run; with their lines the genesis is the pack's."""
    pack = joint(tmp_path)
    line = a_line("north")
    (tmp_path / "founders").write_text(line + "\n", encoding="utf-8")
    init = ["registry", "init", tmp_path / "ca", "--pack", pack, "--founders", tmp_path / "founders"]
    early = weid(*init, words=words)
    assert early.exit_code == 2 and not (tmp_path / "ca").exists()
    assert "weid registry founder FOLDER --member south --chain 8601" in early.stderr and "--member north" not in early.stderr
    (tmp_path / "founders").write_text(f"{line}\n{a_line('south')}\n", encoding="utf-8")
    made = weid(*init, words=words)
    assert made.exit_code == 0, made.output
    genesis = parse_genesis((tmp_path / "ca" / "genesis.json").read_bytes())
    assert genesis.origin == "registry.certs.example/certificates/1"
    assert [member.name for member in genesis.committee] == ["North", "South"]
    assert genesis.floors["recognition"] == 2 and genesis.floors["issuer"] == 1
    told = [shlex.split(line) for line in made.stderr.splitlines() if line.startswith("weid registry set-rule")]
    assert [command[-3:] for command in told] == [["recognition", "--delay", "60"], ["rules", "--participates", "100"]]
    assert all("--propose" in command for command in told)


def test_a_pack_with_one_seat_begins_in_one_step(tmp_path: Path, words: Path) -> None:
    made = weid("registry", "init", tmp_path / "ca", "--pack", PACKS / "certificate-authority", words=words)
    assert made.exit_code == 0, made.output
    assert (tmp_path / "ca" / "keys" / "committee-platform.json").exists()


def test_the_cases_of_a_pack_run_with_a_committee_of_two(tmp_path: Path) -> None:
    """Before a case begins both vote for what trust.json says; the pack's waiting times hold in the case."""
    pack = load_pack(joint(tmp_path))
    assert run_case(pack, read_cases(pack)["golden"]) == []


@pytest.mark.parametrize(
    "decisions",
    [{"x": {"agree": 1}}, {"issuer": {}}, {"issuer": {"agree": 0}}, {"issuer": {"agree": 3}}, {"issuer": {"agree": "2"}},
     {"issuer": {"win": 101}}, {"issuer": {"period": 0}}, {"issuer": {"quorum": 1}}, {"issuer": {"delay": True}}],
)  # fmt: skip
def test_a_wrong_decision_is_named(tmp_path: Path, decisions: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="decisions"):
        read_founding(load_pack(joint(tmp_path, decisions)), "ca")


def test_every_pack_of_the_repository_can_be_founded() -> None:
    for folder in PACKS.iterdir():
        pack = load_pack(folder)
        for name in pack.section("trust")["registries"]:  # type: ignore[union-attr]
            assert read_founding(pack, name).seats
