"""`weid trust document` and `weid verify` with a did:web issuer: the front doors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.credentials import test_did_web as made
from wallet_cli.trust import trust
from wallet_cli.verify import verify

AT = "2026-11-23T08:00:00Z"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "home"))
    (tmp_path / "did.json").write_text(json.dumps(made.did_document()))
    (tmp_path / "credential.json").write_text(json.dumps(made.credential()))
    return tmp_path


def shelf(*words: str) -> Result:
    return CliRunner().invoke(trust, ["document", *words])


def check(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(verify, [str(folder / "credential.json"), "--at", AT, *words])


def test_brought_shown_relied_on_and_forgotten(folder: Path) -> None:
    """Without the document nothing is known; with it and the issuer named, valid, and the age is said."""
    trusted = ("--trust-issuer", made.DID)
    before = check(folder, *trusted)
    assert (before.exit_code, before.stdout.split()) == (3, ["issuer-unknown"])
    assert "document-missing" in before.stderr and "weid trust document" in before.stderr
    assert shelf("add", made.DID, str(folder / "did.json"), "--at", "2026-11-23T07:00:00Z").exit_code == 0
    shown = shelf("show", "--at", AT).stdout
    assert made.DID in shown and "60 minutes" in shown
    good = check(folder, *trusted)
    assert (good.exit_code, good.stdout.split()) == (0, ["valid-bearer"])
    assert "document as of 60 minutes ago: school.example" in good.stderr
    assert check(folder).exit_code == 3
    assert check(folder, "--proof-only").exit_code == 0
    assert shelf("remove", made.DID).exit_code == 0
    assert shelf("remove", made.DID).exit_code == 1
    assert check(folder, *trusted).exit_code == 3


def test_what_is_no_document_is_not_kept(folder: Path) -> None:
    """A document about another DID, or of a method that has its keys elsewhere."""
    for did in ("did:web:other.example", "did:weid:1:0x" + "00" * 20):
        assert shelf("add", did, str(folder / "did.json")).exit_code != 0
    assert shelf("show").stdout == ""


def test_fetching_asks_only_the_open_internet(folder: Path) -> None:
    """A DID that names this machine is refused without the flag."""
    result = shelf("fetch", "did:web:localhost")
    assert result.exit_code != 0
    assert getattr(result.exception, "code", "") == "fetch-refused"
