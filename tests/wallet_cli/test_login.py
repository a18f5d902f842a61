"""`weid login`: who asks is shown, another origin is refused, the same site gets the same key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from issuer_app.access.shown import qr
from wallet_cli.__main__ import cli
from wallet_cli.wallet import load_wallet
from weid.codec import minutes, parse_rfc3339
from weid.login import LoginChallenge, check_answer, read_answer

AT = ("--at", "2026-03-01T08:01:00Z")
MINUTE = minutes(parse_rfc3339(AT[1]))


def challenge(origin: str = "https://desk.example", purpose: str = "sign-in", nonce: int = 1) -> LoginChallenge:
    return LoginChallenge(origin, "Academy", purpose, bytes([nonce]) * 16, MINUTE - 1, MINUTE + 4)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    (tmp_path / "pass").write_text("correct horse\n")
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WEID_PASSPHRASE_FILE", str(tmp_path / "pass"))
    runner = CliRunner()
    assert runner.invoke(cli, ["init"]).exit_code == 0
    return runner


def test_first_named_then_known(run: CliRunner, tmp_path: Path) -> None:
    """A new site must be named; after that its challenges are answered with the same key, others' are not."""
    asked = challenge(purpose="link")
    text = asked.to_bytes().decode()
    unnamed = run.invoke(cli, ["login", *AT, "--yes", text])
    assert unnamed.exit_code != 0 and getattr(unnamed.exception, "code", "") == "other-origin"
    first = run.invoke(cli, ["login", *AT, "--origin", "https://desk.example", text], input="y\n")
    assert first.exit_code == 0, first.output
    assert "https://desk.example asks to link a key" in first.stderr and "new key, for this site alone" in first.stderr
    did = check_answer(read_answer(first.stdout.encode()), asked)
    second = challenge(nonce=2)
    (tmp_path / "sign-in.json").write_bytes(second.to_bytes())
    again = run.invoke(cli, ["login", *AT, "--yes", "-o", str(tmp_path / "answer.json"), str(tmp_path / "sign-in.json")])
    assert again.exit_code == 0, again.output
    assert "your key for this site" in again.stderr
    assert check_answer(read_answer((tmp_path / "answer.json").read_bytes()), second) == did
    for wrong in (challenge("https://desk.example.evil"), challenge("https://desk.example:444")):
        for named in ((), ("--origin", "https://desk.example")):
            refused = run.invoke(cli, ["login", *AT, "--yes", *named, wrong.to_bytes().decode()])
            assert getattr(refused.exception, "code", "") == "other-origin"
            assert refused.stdout == ""


def test_two_sites_two_keys(run: CliRunner) -> None:
    """Sites cannot join what they know by the key."""
    dids = set()
    for origin in ("https://a.example", "https://b.example"):
        done = run.invoke(cli, ["login", *AT, "--yes", "--origin", origin, challenge(origin).to_bytes().decode()])
        dids.add(json.loads(done.stdout)["did"])
    assert len(dids) == 2


def test_no_is_no(run: CliRunner, tmp_path: Path) -> None:
    """Without a yes nothing is signed and no key is kept; a challenge of another time is refused."""
    text = challenge().to_bytes().decode()
    said = run.invoke(cli, ["login", *AT, "--origin", "https://desk.example", text], input="n\n")
    assert said.exit_code != 0 and said.stdout == ""
    late = run.invoke(cli, ["login", "--at", "2026-03-01T09:00:00Z", "--yes", "--origin", "https://desk.example", text])
    assert getattr(late.exception, "code", "") == "login-expired"
    assert load_wallet(tmp_path / "home", "correct horse").logins == ()


def test_a_picture_is_read(run: CliRunner, tmp_path: Path) -> None:
    """The code on the page, photographed or saved, carries the challenge itself."""
    import qrcode

    asked = challenge()
    assert qr(asked.to_bytes().decode()).startswith("data:image/svg+xml;base64,")
    qrcode.make(asked.to_bytes().decode()).save(tmp_path / "code.png")
    done = run.invoke(cli, ["login", *AT, "--yes", "--origin", asked.origin, str(tmp_path / "code.png")])
    assert done.exit_code == 0, done.output
    assert check_answer(read_answer(done.stdout.encode()), asked)
