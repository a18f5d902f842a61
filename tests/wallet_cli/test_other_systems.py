"""`weid trust import-anchors` and `weid verify` for codes of other systems: one command to bring a list, none to use it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.credentials.others.makers import ISSUER, CardIssuer, chunks, dcc, shc, signer
from wallet_cli.__main__ import cli

AT = ["--at", "2026-03-01T08:00:00Z"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "home"))
    return tmp_path


def weid(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words])


def test_a_list_is_brought_shown_used_and_removed(home: Path) -> None:
    made = signer()
    code, lists = home / "code.txt", home / "lists.json"
    code.write_text(dcc(made) + "\n")
    lists.write_text(json.dumps({base64.b64encode(made.kid).decode(): base64.b64encode(made.der).decode()}))
    before = weid("verify", str(code), *AT)
    assert weid("verify", dcc(made), *AT).stdout == before.stdout  # "/" is a letter of base45
    assert weid("verify", "HC1/code.txt", *AT).exit_code == 2
    assert (before.exit_code, before.stdout) == (3, "issuer-unknown\n")
    assert "import-anchors" in before.stderr
    brought = weid("trust", "import-anchors", "dcc", str(lists), "--name", "signers", "--no-revocations", *AT)
    assert (brought.exit_code, brought.stdout) == (0, "eu-dcc signers: 1 anchors, 0 revocations\n")
    after = weid("verify", str(code), "--lang", "pt", *AT)
    assert (after.exit_code, after.stdout) == (0, "valid-bearer\n")
    assert "Apelido: Silva" in after.stderr and "Este formato não mostra" in after.stderr
    assert "signers: 1 anchors, revocations" in weid("trust", "show", *AT).stdout
    assert weid("trust", "import-anchors", "dcc", str(lists), "--name", "signers", "--at", "2026-02-01T00:00:00Z").exit_code != 0
    assert weid("trust", "remove-anchors", "signers").exit_code == 0
    assert weid("verify", str(code), *AT).exit_code == 3
    assert weid("trust", "remove-anchors", "signers").exit_code == 1


def test_a_card_in_several_codes_and_a_file_of_several_cards(home: Path) -> None:
    issuer = CardIssuer()
    (home / "jwks.json").write_text(json.dumps({"keys": [issuer.jwk()]}))
    assert weid("trust", "import-anchors", "shc", str(home / "jwks.json"), "--issuer", ISSUER, *AT).exit_code == 0
    (home / "codes.txt").write_text("\n".join(chunks(issuer.card(), 2)))
    assert weid("verify", str(home / "codes.txt"), *AT).stdout == "valid-bearer\n"
    (home / "cards.smart-health-card").write_text(json.dumps({"verifiableCredential": [issuer.card(), issuer.card()]}))
    assert weid("verify", str(home / "cards.smart-health-card"), *AT).stdout == "valid-bearer\nvalid-bearer\n"
    assert weid("verify", shc(issuer.card()), *AT).exit_code == 0


def test_a_list_that_is_none_is_refused_and_nothing_is_kept(home: Path) -> None:
    (home / "x.json").write_text("{}")
    refused = weid("trust", "import-anchors", "dcc", str(home / "x.json"), *AT)
    assert refused.exit_code != 0
    assert not (home / "home" / "anchors").exists()
