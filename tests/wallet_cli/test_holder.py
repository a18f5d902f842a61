"""The holder's whole day through the command itself: make a key, receive, look, show, answer, back up, be checked."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest

from benchmarks.bench_integrity import claims
from benchmarks.stage import NOW, Stage, stage
from credentials.binding import read_binding
from credentials.carrier import to_text
from credentials.presentation import Challenge
from tests.stem import run
from weid import codec

AT = ("--at", "2026-03-01T08:01:00Z")
MINUTE = codec.minutes(NOW)


class Weid:
    """The command, run as a process in its own state folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        (folder / "pass").write_text("correct horse\n")
        self.env = {**os.environ, "WEID_HOME": str(folder / "home"), "WEID_PASSPHRASE_FILE": str(folder / "pass")}

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        done = run(arguments, self.env, stdin)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture(scope="module", params=["intl", pytest.param("gm", marks=pytest.mark.long)])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    built = stage(folder, request.param, bind="key")
    (folder / "home.bundle").write_bytes(built.registry.bundle())
    return built, folder


@pytest.fixture
def weid(made: tuple[Stage, Path], tmp_path: Path) -> Weid:
    _, folder = made
    command = Weid(tmp_path / "holder")
    command("trust", "add", str(folder / "genesis.json"))
    command("trust", "import", str(folder / "home.bundle"), *AT)
    return command


def test_a_holders_day(made: tuple[Stage, Path], weid: Weid, tmp_path: Path) -> None:
    """Issue to the wallet's own key, show a part, answer a challenge, and have the answer checked."""
    built, _ = made
    weid("init")
    request = weid("request", "--suite", built.signer.public_key.suite).stdout
    issued = built.issue(read_binding(request.encode(), "key"))
    file = tmp_path / "certificate.json"
    file.write_bytes(issued.file)
    assert weid("receive", str(file), *AT).stdout.strip() == issued.cid.hex()
    assert issued.cid.hex()[:12] in weid("list").stdout
    start = issued.cid.hex()[:8]
    assert claims()["degree"] in weid("show", start).stdout

    code = weid("qr", start, "--show", "name,degree")
    assert "QR version" in code.stderr
    shown = json.loads(weid("verify", "-", "--json", *AT, stdin=code.stdout, code=1).stdout)
    assert shown["verdict"] == "not-bound"
    assert shown["credential"]["claims"] == {"name": claims()["name"], "degree": claims()["degree"]}
    assert "grade" in shown["credential"]["hidden"]

    mask = built.schema.mask(frozenset({"name", "grade"}))
    asked = Challenge("gate-1", "Gate one", "entry", built.schema.digest, mask, secrets.token_bytes(16), MINUTE + 5)
    challenge = to_text(asked.to_bytes(), "weid.app")
    answer = weid("present", start, "--challenge", challenge, "--yes", *AT)
    assert "Gate one" in answer.stderr
    assert "purpose: entry" in answer.stderr
    checked = weid("verify", answer.stdout.strip(), "--challenge", challenge, *AT)
    assert checked.stdout.strip() == "valid"
    assert claims()["grade"] in checked.stderr
    unasked = weid("verify", answer.stdout.strip(), *AT, code=1)
    assert unasked.stdout.strip() == "not-bound"

    late = weid("present", start, "--challenge", challenge, "--yes", "--at", "2026-03-01T09:00:00Z", code=1)
    assert "expired" in late.stderr
    copy = tmp_path / "copy.json"
    weid("backup", str(copy))
    other = Weid(tmp_path / "other")
    other("restore", str(copy))
    assert other("list").stdout == weid("list").stdout


@pytest.mark.long
def test_a_picture_is_read_and_checked(made: tuple[Stage, Path], weid: Weid, tmp_path: Path) -> None:
    """A PNG drawn by the wallet is verified by the command."""
    built, _ = made
    weid("init")
    request = weid("request").stdout
    issued = built.issue(read_binding(request.encode(), "key"))
    file = tmp_path / "code.txt"
    file.write_text(to_text(issued.compact, "weid.app"))
    weid("receive", str(file), *AT)
    picture = tmp_path / "code.png"
    weid("qr", issued.cid.hex()[:8], "-o", str(picture), "--show", "name")
    assert weid("verify", str(picture), *AT, code=1).stdout.strip() == "not-bound"


@pytest.mark.long
def test_secrets_and_mistakes(weid: Weid, tmp_path: Path) -> None:
    """Clear errors, no traceback, nothing overwritten, nothing secret in the open."""
    assert "weid init" in weid("list", code=1).stderr
    weid("init")
    assert "already" in weid("init", code=1).stderr
    assert "correct horse" not in (weid.folder / "home" / "wallet.json").read_text()
    assert (weid.folder / "home" / "wallet.json").stat().st_mode & 0o077 == 0
    assert "no credential" in weid("show", "abcd", code=1).stderr
    (weid.folder / "pass").write_text("wrong\n")
    assert "passphrase" in weid("list", code=1).stderr
    assert weid("verify", "gibberish", code=1).stdout.strip() == "not-a-credential"
    weid("verify", code=2)
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert "picture" in weid("verify", str(empty), code=2).stderr


def test_without_a_root_nothing_is_said(tmp_path: Path, made: tuple[Stage, Path]) -> None:
    """R21: no pin, UNKNOWN no-trust-root, exit 3."""
    built, _ = made
    command = Weid(tmp_path / "nobody")
    text = to_text(built.issue(read_binding(_request(), "key")).compact, "weid.app")
    answer = json.loads(command("verify", text, "--json", *AT, code=3).stdout)
    assert "no-trust-root" in {check["code"] for check in answer["checks"]}


def _request() -> bytes:
    from wallet_cli.holder import new_binding

    return new_binding("ed25519", None, created=MINUTE)[1]
