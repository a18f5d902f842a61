"""`weid issuer …` against a registry node over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from credentials import picture
from credentials.policy import Policy
from credentials.verify import verify
from issuer_app.app import create_app
from issuer_app.cli import issuer
from issuer_app.config import Config
from issuer_app.premises import Premises
from issuer_app.users import Users
from registry.genesis import print_genesis
from registry.node.service import create_node
from registry.node.serving import certificate
from tests.browser import serving
from tests.issuer_app.house import PACKS, House
from tests.issuer_app.papers.pdf import attachments
from tests.registry.world import YEAR
from weid.codec import from_minutes
from weid.errors import ConflictError
from weid.facts import NoFacts

CLAIMS = {"holderName": "王小明", "certificateNumber": "202611230001", "skill": "区块链", "awardDate": "2026-11-20"}


def test_a_desk_by_command(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """init, issue before the right (refused), approve, issue, find, suspend, lift, revoke: ids and states on stdout."""
    monkeypatch.setattr("issuer_app.cli._now", lambda: house.now)
    folder, secret = tmp_path / "own", tmp_path / "passphrase"
    secret.write_text("for tests only\n")
    (tmp_path / "genesis.json").write_bytes(print_genesis(house.world.genesis))
    (tmp_path / "claims.json").write_text(json.dumps(CLAIMS))
    run = CliRunner(env={"WEID_PASSPHRASE_FILE": str(secret)})

    def say(*words: str) -> tuple[int, str]:
        result = run.invoke(issuer, [*words], catch_exceptions=True)
        return result.exit_code, result.stdout.strip()

    with serving(create_node(house.world.registry)) as address:
        status, did = say(
            "init", str(folder), "--genesis", str(tmp_path / "genesis.json"), "--node", address, "--pack",
            str(PACKS / "certificate-authority"), "--party", "association", "--wants", "skill-certificate",
        )  # fmt: skip
        assert status == 0 and did.startswith("did:weid:20200:0x")
        issue = ("issue", str(folder), "skill-certificate", str(tmp_path / "claims.json"), "--out", str(tmp_path / "out"))
        assert say(*issue)[0] != 0
        house.office.approve(did, house.skill, until=house.now + YEAR)
        assert say("public-url", str(folder)) == (0, "")
        for wrong in ("http://desk.example", "https://desk.example/", "https://desk.example?x", "desk.example"):
            assert say("public-url", str(folder), wrong)[0] != 0
        assert say("public-url", str(folder), "https://desk.example") == (0, "https://desk.example")
        status, code = say(*issue)
        assert status == 0
        made = json.loads((tmp_path / "out" / "certificate.json").read_bytes())
        assert made["credentialStatus"][1]["statusListCredential"] == "https://desk.example/status/1/suspension"
        assert picture.read((tmp_path / "out" / "code.png").read_bytes()) == (code,)
        assert house.verify(code.encode()).verdict == "valid-bearer"
        row = json.loads(say("find", str(folder), "王小明")[1])
        papers(folder, row["id"], tmp_path, say)
        assert json.loads(say("suspend", str(folder), row["id"], "--reason", "error-in-data")[1])["state"] == "suspended"
        assert say("paper", str(folder), row["id"], "-o", str(tmp_path / "no.pdf"))[0] != 0
        assert not (tmp_path / "no.pdf").exists()
        assert json.loads(say("lift", str(folder), row["id"])[1])["state"] == "valid"
        assert json.loads(say("revoke", str(folder), row["id"], "--reason", "fraud")[1])["state"] == "revoked"
        assert house.verify(code.encode()).verdict == "revoked"
        assert say("publish", str(folder))[0] == 0
        assert say("rotate", str(folder), "assert") == (0, "4")
        (tmp_path / "password").write_text("a long enough password\n")
        assert say("user", "add", str(folder), "wu", "--role", "clerk", "--password-file", str(tmp_path / "password"))[0] == 0
        key = say("apikey", str(folder), "import", "--role", "clerk")[1]
        status, issuer_did = say("vc-api", str(folder), "courses", "--cryptosuite", "ecdsa-rdfc-2019", "--suite", "p384")
        assert status == 0 and issuer_did.startswith("did:key:z82")
        assert say("vc-api", str(folder), "courses")[0] != 0  # the name is taken
        assert say("vc-api", str(folder), "other", "--cryptosuite", "rsa")[0] == 2
        status, sealed_did = say("vc-api", str(folder), "sealed", "--cryptosuite", "vc+jwt")
        assert status == 0 and sealed_did.startswith("did:key:zDn")
        assert say("vc-api", str(folder), "other", "--cryptosuite", "vc+jwt", "--suite", "bbs")[0] == 2
        programs(folder, key, issuer_did)
    users = Users(folder / "app")
    assert users.key(key, 0) is not None and users.check("wu", "a long enough password")
    users.close()


@pytest.mark.long
def test_what_comes_after_the_issue_by_command(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Correct, change many, renew, declare a key exposed, back up and restore."""
    monkeypatch.setattr("issuer_app.cli._now", lambda: house.now)
    folder, secret = tmp_path / "own", tmp_path / "passphrase"
    secret.write_text("for tests only\n")
    (tmp_path / "genesis.json").write_bytes(print_genesis(house.world.genesis))
    (tmp_path / "claims.json").write_text(json.dumps(CLAIMS))
    run = CliRunner(env={"WEID_PASSPHRASE_FILE": str(secret)})
    with serving(create_node(house.world.registry)) as address:
        words = ("--genesis", str(tmp_path / "genesis.json"), "--node", address, "--pack", str(PACKS / "certificate-authority"),
                 "--party", "association", "--wants", "skill-certificate")  # fmt: skip
        made = run.invoke(issuer, ["init", str(folder), *words])
        house.office.approve(made.stdout.strip(), house.skill, until=house.now + YEAR)
        afterwards(house, run, folder, tmp_path)
        back_and_forth(run, folder, tmp_path / "desk.backup", tmp_path / "again")


def afterwards(house: House, run: CliRunner, folder: Path, place: Path) -> None:
    """Correct, change many, list what ends, and declare a key exposed: without --yes nothing happens."""

    def say(*words: str) -> list[str]:
        result = run.invoke(issuer, [words[0], str(folder), *words[1:]])
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    say("issue", "skill-certificate", str(place / "claims.json"), "--minutes", "1440")
    first = json.loads(say("find", CLAIMS["certificateNumber"])[0])
    (place / "corrected.json").write_text(json.dumps({**CLAIMS, "holderName": "王晓明"}))
    second = json.loads(say("replace", first["id"], str(place / "corrected.json"))[0])
    assert second["claims"]["holderName"] == "王晓明" and json.loads(say("find", first["id"])[0])["reason"] == "superseded"
    (place / "gone.csv").write_text(f"id\n{second['id']}\nnobody\n")
    change = ("change", "suspend", "--list", str(place / "gone.csv"), "--reason", "fraud")
    before = say("trail", "--limit", "1")
    assert len(say(*change)) == 1 and json.loads(say("find", second["id"])[0])["state"] == "valid"
    say("exposed", "--since", "2020-01-01T00:00")
    say("lookup-rules")
    assert run.invoke(issuer, ["cosign", str(folder), str(place / "gone.csv")]).exit_code != 0
    assert say("trail", "--limit", "1") == before  # looking leaves no row
    say(*change, "--yes")
    assert json.loads(say("find", second["id"])[0])["state"] == "suspended"
    say("change", "lift", "--kind", "skill-certificate", "--yes")
    say("change", "revoke", "--text", second["id"], "--reason", "fraud", "--at", "2999-01-01T00:00", "--yes")
    assert json.loads(say("find", second["id"])[0])["state"] == "valid"
    assert run.invoke(issuer, ["change", str(folder), "revoke", "--reason", "fraud"]).exit_code == 2
    assert run.invoke(issuer, ["change", str(folder), "revoke", "--text", "x"]).exit_code == 2
    assert [json.loads(line)["id"] for line in say("ending", "--days", "3650")] == [second["id"]]
    since = from_minutes(house.now - 1).strftime("%Y-%m-%dT%H:%M")
    say("exposed", "--since", since)
    assert json.loads(say("find", second["id"])[0])["state"] == "valid"
    say("exposed", "--since", since, "--yes")
    assert json.loads(say("find", second["id"])[0])["reason"] == "superseded"


def back_and_forth(run: CliRunner, folder: Path, file: Path, again: Path) -> None:
    """A backup of the desk, restored beside it; while the registry does not answer, the copy opens for nothing."""
    assert run.invoke(issuer, ["backup", str(folder), str(file)]).exit_code == 0
    assert run.invoke(issuer, ["backup", str(folder), str(file)]).exit_code != 0
    node = (folder / "node.json").read_bytes()
    (folder / "node.json").write_bytes(b'{"url":"http://127.0.0.1:1"}')
    assert run.invoke(issuer, ["backup", str(folder), f"{file}.unreachable"]).exit_code == 0
    (folder / "node.json").write_bytes(node)
    lonely = again.with_name("lonely")
    assert run.invoke(issuer, ["restore", f"{file}.unreachable", str(lonely)]).exit_code != 0
    with (place := Premises.open(lonely)).opened, pytest.raises(ConflictError) as caught:
        place.desk("for tests only")
    assert caught.value.code == "restore-unfinished"
    (lonely / "node.json").write_bytes(node)
    assert run.invoke(issuer, ["restore", str(file), str(lonely)]).exit_code == 0  # goes on where it stopped
    result = run.invoke(issuer, ["restore", str(file), str(again)])
    assert result.exit_code == 0 and "0 states" in result.stderr
    assert run.invoke(issuer, ["find", str(again), "王小明"]).stdout == run.invoke(issuer, ["find", str(folder), "王小明"]).stdout


def papers(folder: Path, id_: str, out: Path, say: Callable[..., tuple[int, str]]) -> None:
    """The pack's look was taken over by init; PDF and picture are written, and a link is printed once."""
    assert (folder / "desk" / "papers" / "images" / "seal.svg").exists()
    assert say("look", str(folder), "--pack", str(PACKS / "certificate-authority"))[0] == 0
    assert say("look", str(folder), "--pack", str(PACKS))[0] != 0
    paper = ("paper", str(folder), id_, "--language", "zh-Hans", "--language", "en", "-o")
    assert say(*paper, str(out / "c.pdf"))[0] == 0
    assert attachments((out / "c.pdf").read_bytes()) == {"certificate.json": (out / "out" / "certificate.json").read_bytes()}
    assert say(*paper, str(out / "c.png"), "--png")[0] == 0
    assert len(picture.read((out / "c.png").read_bytes())) == 1
    status, url = say("link", str(folder), id_, "--days", "7")
    assert status == 0
    assert re.fullmatch(r"https://desk\.example/c/[A-Za-z0-9_-]{22}", url)
    assert say("link", str(folder), id_, "--days", "0")[0] != 0
    assert say("link", str(folder), id_, "--withdraw") == (0, "")


def programs(folder: Path, key: str, did: str) -> None:
    """The VC-API of the app: a clerk's key signs, nobody else does, and what comes out verifies."""
    with (place := Premises.open(folder)).opened:
        config = Config(folder=place.app, vc_api=place.instances("for tests only"))
        client = create_app(config).test_client()
        body = {"credential": {
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
            "type": ["VerifiableCredential"], "credentialSubject": {"name": "Ana"},
        }}  # fmt: skip
        path = "/vc-api/courses/credentials/issue"
        assert client.post(path, json=body).status_code == 401
        answer = client.post(path, json=body, headers={"Authorization": f"Bearer {key}"})
        made = answer.json["verifiableCredential"]
        assert (answer.status_code, made["issuer"]) == (201, did)
        sealed = client.post("/vc-api/sealed/credentials/issue", json=body, headers={"Authorization": f"Bearer {key}"}).json
        policy = Policy(require_accreditation=False)
        assert sealed["verifiableCredential"]["type"] == "EnvelopedVerifiableCredential"
        enclosed = json.dumps(sealed["verifiableCredential"]).encode()
        assert verify(enclosed, facts=NoFacts(), policy=policy, at=datetime.now(UTC)).exit_code == 0
        assert verify(json.dumps(made).encode(), facts=NoFacts(), policy=policy, at=datetime.now(UTC)).exit_code == 0


def test_the_tls_certificate_is_kept(tmp_path: Path) -> None:
    """The same fingerprint after a restart; another set of names makes another certificate; the key is private."""
    first = certificate(tmp_path / "tls", ["localhost", "127.0.0.1"])
    assert certificate(tmp_path / "tls", ["localhost", "127.0.0.1"]) == first
    assert first[1].stat().st_mode & 0o777 == 0o600
    assert certificate(tmp_path / "tls", ["desk.example"])[2] != first[2]
