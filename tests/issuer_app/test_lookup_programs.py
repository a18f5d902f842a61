"""The look-up for programs and by command: the pack's rules hold for a key, the operator at the counter sees all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from issuer_app.cli import issuer
from issuer_app.lookups.asking import ask, ways
from issuer_app.premises import Premises
from issuer_app.users import Users
from registry.genesis import print_genesis
from registry.node.service import create_node
from tests.browser import serving
from tests.issuer_app.house import PACKS
from tests.issuer_app.lookup_house import CLAIMS, CN, EXISTS, OPEN, PRIVATE, asking_house, award
from tests.registry.world import YEAR

INPUTS = {"documentKind": "cn-id", "documentNumber": CN, "name": "陈大文"}


def test_a_program_asks_as_a_stranger(tmp_path: Path) -> None:
    """By the role `lookup` alone; what is shown is what the rule shows; wrong inputs are problems, slowed down per value."""
    rules = {"document": OPEN, "private": PRIVATE, "number": EXISTS}
    house = asking_house(tmp_path, rules, value="4 per hour")
    row = award(house, cn_id=CN, birthDate="1990-03-07")
    users = Users(house.folder / "app")
    keys = {role: users.add_key(role, frozenset({role}), house.now) for role in ("lookup", "clerk")}
    users.close()
    http = house.app().test_client()

    def ask(rule: Any, inputs: Any, role: str = "lookup") -> tuple[int, Any]:
        body = {"rule": rule, "inputs": inputs}
        answer = http.post("/api/v1/lookups", json=body, headers={"Authorization": f"Bearer {keys[role]}"})
        return answer.status_code, answer.get_json()

    assert http.post("/api/v1/lookups", json={}).status_code == 401
    assert ask("document", INPUTS, "clerk")[0] == 403
    status, found = ask("document", INPUTS)
    assert (status, found["shows"], [item["id"] for item in found["items"]]) == (200, "certificate", [row.id])
    assert found["items"][0]["credential"]["credentialSubject"]["holderName"] == "陳大文"
    assert ask("document", {**INPUTS, "name": "李四"}) == (200, {"shows": "certificate", "items": []})
    assert ask("number", {"certificateId": row.id}) == (200, {"shows": "existence", "items": [{"state": "valid"}]})
    hit, miss = ({**INPUTS, "birthDate": f"1990-03-0{day}"} for day in (7, 8))
    assert ask("private", hit) == ask("private", miss) == (200, {"shows": "nothing-without-link", "items": []})
    assert ask("document", INPUTS)[0] == 429  # the fifth question about one number
    for rule, inputs, code in (("document", {"name": "x"}, "lookup-inputs"), ("number", {"certificateId": "7"}, "lookup-number"),
                               ("number", [], "malformed"), ("number", {"certificateId": 7}, "malformed")):  # fmt: skip
        status, problem = ask(rule, inputs)
        assert (status, problem["code"]) == (400, code)
        assert problem["title"]
    assert ask("nothing", {})[0] == 404 == ask(["x"], {})[0]
    issued = http.post("/api/v1/certificates", json={"schema": house.skill.hex(), "claims": CLAIMS, "lookup": {"cn-id": "1"}},
                       headers={"Authorization": f"Bearer {keys['clerk']}"})  # fmt: skip
    assert (issued.status_code, issued.get_json()["code"]) == (400, "document-length")
    house.close()


def test_a_desk_looks_up_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue with numbers, look up at the counter, take other rules from a pack, and send what was asked for."""
    house = asking_house(tmp_path / "house", {})
    monkeypatch.setattr("issuer_app.cli._now", lambda: house.now)
    folder, secret, pack = tmp_path / "own", tmp_path / "passphrase", tmp_path / "pack"
    secret.write_text("for tests only\n")
    (tmp_path / "genesis.json").write_bytes(print_genesis(house.world.genesis))
    (tmp_path / "claims.json").write_text(json.dumps(CLAIMS))
    (tmp_path / "lookup.json").write_text(json.dumps({"cn-id": CN, "contact": "ana@example.org", "birthDate": "1990-03-07"}))
    for path in filter(Path.is_file, (PACKS / "certificate-authority").rglob("*")):
        (target := pack / path.relative_to(PACKS / "certificate-authority")).parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    run = CliRunner(env={"WEID_PASSPHRASE_FILE": str(secret)})

    def say(*words: str, **more: Any) -> tuple[int, str]:
        result = run.invoke(issuer, [*words], **more)
        return result.exit_code, result.stdout.strip()

    with serving(create_node(house.world.registry)) as address:
        status, did = say(
            "init", str(folder), "--genesis", str(tmp_path / "genesis.json"), "--node", address, "--pack", str(pack),
            "--party", "association", "--wants", "skill-certificate",
        )  # fmt: skip
        assert status == 0
        house.office.approve(did, house.skill, until=house.now + YEAR)
        issue = ("issue", str(folder), "skill-certificate", str(tmp_path / "claims.json"))
        assert say(*issue)[0] == 0  # before the rules below: found by nothing
        (pack / "lookup.json").write_text(json.dumps({"rules": {"private": PRIVATE, "number": EXISTS}}))
        assert (
            json.loads(say("lookup-rules", str(folder), "--pack", str(pack))[1])["rules"]["private"]["shows"]
            == "nothing-without-link"
        )
        assert say(*issue, "--lookup", str(tmp_path / "lookup.json"))[0] == 0
        with (place := Premises.open(folder)).opened:
            new, old = place.ledger().find("", 2)
        who = ("lookup", str(folder), "--kind", "cn-id", "--number", CN, "--name", "陈大文", "--with", "birthDate=1990/3/7")
        assert json.loads(say(*who)[1])["id"] == new.id
        assert json.loads(say("lookup", str(folder), "--stdin", input=json.dumps({"certificateId": old.id}))[1])["id"] == old.id
        assert say("lookup", str(folder), "--name", "x")[0] == 1
        assert say("outbox", str(folder), "--base", "https://desk.example") == (0, "")  # the counter asks for no link
        with (place := Premises.open(folder)).opened:
            book = place.desk("for tests only").lookups
            for name in ("陈大文", "李四"):
                way = next(way for way in ways(book) if way.rule.name == "private")
                ask(book, way, {**INPUTS, "birthDate": "1990-03-07", "name": name}, at=house.now, count=lambda *_: None)
        assert say("outbox", str(folder))[0] == 2  # no address to put into a link
        letter = json.loads(say("outbox", str(folder), "--base", "https://desk.example")[1])
        assert (letter["certificate"], letter["contact"]) == (new.id, "ana@example.org")
        assert letter["link"].startswith("https://desk.example/find/link/")
        assert say("outbox", str(folder), "--base", "https://desk.example") == (0, "")
    house.close()
