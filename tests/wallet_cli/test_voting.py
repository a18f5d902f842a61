"""A committee that grows from one, votes, and recovers a lost key, by command over a served node."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry.node.service import create_node
from tests.browser import serving
from tests.wallet_cli.test_committee import Place, place  # noqa: F401 (a fixture)
from wallet_cli.registry import registry as command
from wallet_cli.registry_folder import create_registry, open_registry
from weid.codec import minutes


def run(at: Place, folder: Path, name: str, *words: str, member: str = "committee") -> Result:
    shared = ["--node", at.address, "--passphrase-file", str(at.folder / "words"), "--member", member]
    return CliRunner().invoke(command, [name, str(folder), *shared, *words])


def joined(at: Place, folder: Path, name: str) -> str:
    made = run(at, folder, "join", str(at.folder / "genesis.json"), member=name)
    assert made.exit_code == 0, made.output
    return made.stdout.strip()


def test_one_member_becomes_three_and_they_decide_together(place: Place, tmp_path: Path) -> None:  # noqa: F811
    second, third = joined(place, tmp_path / "two", "two"), joined(place, tmp_path / "three", "three")
    alone = run(place, place.folder, "set-member", second, "Second", "1")
    assert alone.exit_code == 0 and "weight of 1" in alone.stderr
    refused = run(place, place.folder, "set-member", third, "Third", "1")
    assert refused.exit_code == 1 and place.made.state.tables["member"].keys() == {second, place.made.genesis.committee[0].did}

    proposed = run(place, place.folder, "set-member", "--propose", third, "Third", "1")
    proposal = proposed.stdout.strip()
    assert len(proposal) == 64 and "vote" in proposed.stderr
    listed = run(place, tmp_path / "two", "proposals", member="two")
    assert proposal in listed.stdout and "1 for, 0 against, of 2" in listed.stdout and "not enough votes yet" in listed.stdout
    early = run(place, tmp_path / "two", "execute", proposal, member="two")
    assert early.exit_code == 1
    assert run(place, tmp_path / "two", "vote", proposal, "yes", member="two").exit_code == 0
    assert "execute it now" in run(place, place.folder, "proposals").stdout
    assert run(place, tmp_path / "two", "execute", proposal, member="two").exit_code == 0

    told = run(place, place.folder, "members")
    assert told.exit_code == 0 and third in told.stdout and "membership: at least 1 in favour, 51% voting" in told.stdout
    assert "Nothing is being voted on." in run(place, place.folder, "proposals").stderr


def test_a_rule_changes_and_a_proposal_is_withdrawn(place: Place, tmp_path: Path) -> None:  # noqa: F811
    did = joined(place, tmp_path / "two", "two")
    assert run(place, place.folder, "set-rule", "role", "--delay", "60").exit_code == 0
    assert place.made.state.tables["rule"]["role"].delay == 60
    proposed = run(place, place.folder, "grant", "--propose", did, "auditor")
    proposal = proposed.stdout.strip()
    assert "may be executed from" in run(place, place.folder, "proposals").stdout
    waiting = run(place, place.folder, "execute", proposal)
    assert waiting.exit_code == 1
    assert run(place, place.folder, "vote", proposal, "no").exit_code == 0
    assert run(place, place.folder, "cancel", proposal).exit_code == 0
    assert run(place, place.folder, "cancel", proposal).exit_code == 1
    assert run(place, place.folder, "vote", "beef", "no").exit_code != 0


@pytest.mark.long
def test_a_lost_key_is_recovered(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """The DID stays; the new key signs, the lost one does not."""
    did = joined(place, tmp_path / "two", "two")
    assert run(place, place.folder, "set-member", did, "Second", "1").exit_code == 0
    request = tmp_path / "request"
    asked = run(place, tmp_path / "two", "ask-recovery", did, "-o", str(request), member="new")
    assert asked.exit_code == 0, asked.output
    proposal = run(place, place.folder, "recover", "--propose", str(request)).stdout.strip()
    assert run(place, tmp_path / "two", "vote", proposal, "yes", member="two").exit_code == 0
    assert run(place, place.folder, "execute", proposal).exit_code == 0

    again = run(place, place.folder, "grant", "--propose", did, "auditor").stdout.strip()
    lost = run(place, tmp_path / "two", "vote", again, "yes", member="two")
    assert lost.exit_code == 1
    found = run(place, tmp_path / "two", "vote", again, "yes", member="new")
    assert found.exit_code == 0, found.output
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x81\x01")
    assert run(place, place.folder, "recover", str(broken)).exit_code != 0


def test_a_chain_of_accreditation_by_command(place: Place, tmp_path: Path) -> None:  # noqa: F811
    schema = Path(__file__).resolve().parents[2] / "packs" / "certificate-authority" / "schemas"
    document = sorted(schema.glob("*.json"))[0]
    published = run(place, place.folder, "publish-schema", str(document))
    digest = published.stdout.strip()
    ministry, association = joined(place, tmp_path / "m", "m"), joined(place, tmp_path / "a", "a")
    assert run(place, place.folder, "delegate", ministry, digest, "--level", "3", "--depth", "1").exit_code == 0
    beyond = run(place, tmp_path / "m", "delegate", association, digest, "--level", "4", "--days", "10", member="m")
    assert beyond.exit_code == 1
    assert run(place, tmp_path / "m", "delegate", association, digest, "--level", "2", "--days", "10", member="m").exit_code == 0
    assert run(place, place.folder, "undelegate", ministry, digest, "dissolved").exit_code == 0
    gone = run(place, tmp_path / "m", "delegate", association, digest, "--days", "5", member="m")
    assert gone.exit_code == 1


@pytest.mark.long
def test_a_key_of_the_registry_is_changed_by_vote(tmp_path: Path) -> None:
    """Proposed with the node down, voted on with it up, taken up afterwards; the log stays sound."""
    folder = tmp_path / "ca"
    now = minutes(datetime.now(UTC))
    made = create_registry(
        folder, origin="registry.two.example/1", chain=3, profile="intl", members={"one": 1, "two": 1}, passphrase="x",
        minute=now, random=secrets.token_bytes, cost=10,
    )  # fmt: skip
    old = made.genesis.log
    made.close()
    (folder / "words").write_text("x\n", encoding="utf-8")
    words = ["--passphrase-file", str(folder / "words")]
    rotate = ["rotate-key", str(folder), "log", *words, "--by", "one"]
    assert CliRunner().invoke(command, rotate).exit_code == 1
    proposal = CliRunner().invoke(command, [*rotate, "--propose"]).stdout.strip()
    assert len(proposal) == 64
    opened = open_registry(folder, "x", random=secrets.token_bytes)
    with serving(create_node(opened)) as address:
        at = Place(folder, opened, address)
        assert run(at, folder, "vote", proposal, "yes", member="two").exit_code == 0
        executed = run(at, folder, "execute", proposal, member="one")
        assert executed.exit_code == 0, executed.output
    assert opened.state.authority.log != old
    opened.close()
    taken = CliRunner().invoke(command, [*rotate[:-2], "--by", "one"])
    assert taken.exit_code == 0 and not (folder / "keys" / "log.next.json").exists()
    assert CliRunner().invoke(command, ["tick", str(folder), *words]).exit_code == 0
    assert CliRunner().invoke(command, ["fsck", str(folder)]).exit_code == 0


def test_joining_leaves_another_registrys_folder_as_it_is(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """The genesis of a registry is never replaced by a stranger's, and no key is made before that is known."""
    other = create_registry(
        tmp_path / "other", origin="registry.other.example/1", chain=2, profile="intl", members={"committee": 1},
        passphrase="x", minute=minutes(datetime.now(UTC)), random=secrets.token_bytes, cost=10,
    )  # fmt: skip
    before = (tmp_path / "other" / "genesis.json").read_bytes()
    refused = run(place, tmp_path / "other", "join", str(place.folder / "genesis.json"), member="guest")
    assert getattr(refused.exception, "code", None) == "exists"
    assert (tmp_path / "other" / "genesis.json").read_bytes() == before
    assert not (tmp_path / "other" / "keys" / "committee-guest.json").exists()
    other.close()


def test_joining_goes_on_where_it_broke_off(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """The node was down: the key that was made is taken up; a third time changes nothing."""
    down = Place(place.folder, place.made, "http://127.0.0.1:1")
    failed = run(down, tmp_path / "two", "join", str(place.folder / "genesis.json"), member="two")
    assert getattr(failed.exception, "code", None) == "unreachable"
    key = (tmp_path / "two" / "keys" / "committee-two.json").read_bytes()
    did = joined(place, tmp_path / "two", "two")
    assert (tmp_path / "two" / "keys" / "committee-two.json").read_bytes() == key
    assert place.made.record("did", did) is not None
    assert joined(place, tmp_path / "two", "two") == did


@pytest.mark.long
def test_asking_for_recovery_again_asks_with_the_same_key(place: Place, tmp_path: Path) -> None:  # noqa: F811
    """A lost request is written anew over the key that is there; another DID's key is not touched."""
    did = joined(place, tmp_path / "two", "two")
    first, second = (str(tmp_path / name) for name in ("first", "second"))
    assert run(place, tmp_path / "two", "ask-recovery", did, "-o", first, member="new").exit_code == 0
    key = (tmp_path / "two" / "keys" / "committee-new.json").read_bytes()
    again = run(place, tmp_path / "two", "ask-recovery", did, "-o", second, member="new")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "two" / "keys" / "committee-new.json").read_bytes() == key
    refused = run(place, tmp_path / "two", "ask-recovery", did, "-o", second, member="two")
    assert getattr(refused.exception, "code", None) == "exists"


def test_a_members_name_is_no_path(place: Place, tmp_path: Path) -> None:  # noqa: F811
    for name in ("../x", "a b", ""):
        assert run(place, tmp_path / "two", "join", str(place.folder / "genesis.json"), member=name).exit_code == 2
        words = ["init", str(tmp_path / "new"), "--origin", "o.example/1", "--chain", "5", "--member", name]
        assert CliRunner().invoke(command, words).exit_code == 2
    assert not (tmp_path / "two").exists() and not (tmp_path / "new").exists()
