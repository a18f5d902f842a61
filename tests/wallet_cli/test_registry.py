"""The operator's commands: a registry from nothing, its bundle taken by a verifier, damage found, history continued."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.bundle import parse_bundle
from registry.packed import unpack
from tests.wallet_cli.test_holder import Weid


@pytest.fixture
def weid(tmp_path: Path) -> Weid:
    return Weid(tmp_path / "operator")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(weid: Weid, *arguments: str, ready: str) -> Iterator[None]:
    """A process of the command, up for the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wallet_cli", *arguments], env=weid.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(400):
            try:
                with urllib.request.urlopen(ready, timeout=2):
                    break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


def make(weid: Weid, folder: Path, *, chain: str = "8601", name: str = "registry") -> str:
    done = weid("registry", "init", str(folder), "--origin", f"{name}.example.org/1", "--chain", chain)
    assert "fingerprint" in done.stderr
    return done.stdout.strip()


def test_a_registry_from_nothing(weid: Weid, tmp_path: Path) -> None:
    """init, tick, bundle, show, fsck; a verifier pins it and takes the bundle."""
    folder, file = tmp_path / "ca", tmp_path / "ca.bundle"
    pin = make(weid, folder)
    assert len(pin) == 64
    assert "already" in weid("registry", "init", str(folder), "--origin", "x", "--chain", "1", code=1).stderr
    weid("registry", "tick", str(folder))
    weid("registry", "bundle", str(folder), "-o", str(file))
    entries = [json.loads(line) for line in weid("registry", "show", str(folder)).stdout.splitlines()]
    assert entries[0]["operation"]["type"] == "time.tick"
    assert "sound" in weid("registry", "fsck", str(folder)).stderr
    shown = weid("trust", "add", str(folder / "genesis.json")).stdout.strip()
    assert shown.replace(" ", "") == pin[:32]
    weid("trust", "import", str(file))
    assert "registry.example.org/1" in weid("trust", "show").stdout


def test_keys_are_sealed(weid: Weid, tmp_path: Path) -> None:
    """Private keys are encrypted at rest, in files only their owner reads."""
    make(weid, tmp_path / "ca")
    for path in (tmp_path / "ca" / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert json.loads(path.read_text())["form"] == "weid/sealed/v1"


def test_a_new_bundle_proves_that_it_continues_the_last(weid: Weid, tmp_path: Path) -> None:
    """R21: a fork cannot hide behind a larger size from whoever holds an earlier bundle file."""
    folder, first, second = tmp_path / "ca", tmp_path / "1.bundle", tmp_path / "2.bundle"
    make(weid, folder)
    weid("registry", "bundle", str(folder), "-o", str(first))
    weid("registry", "tick", str(folder), "--at", "2099-01-01T00:00:00Z")
    weid("registry", "bundle", str(folder), "-o", str(second))
    sizes = [size for size, _ in parse_bundle(unpack(second.read_bytes())).histories]
    assert sizes == [int((folder / "handed-out").read_text().split()[0])]


def test_the_wrong_registry_is_refused_by_name(weid: Weid, tmp_path: Path) -> None:
    """One home root; another registry's bundle is not trusted by itself."""
    make(weid, tmp_path / "one")
    make(weid, tmp_path / "two", chain="8602")
    weid("registry", "bundle", str(tmp_path / "two"), "-o", str(tmp_path / "two.bundle"))
    weid("trust", "add", str(tmp_path / "one" / "genesis.json"))
    assert "already-pinned" in weid("trust", "add", str(tmp_path / "two" / "genesis.json"), code=1).stderr
    assert "[no-home]" in weid("trust", "import", str(tmp_path / "two.bundle"), code=1).stderr
    weid("registry", "bundle", str(tmp_path / "one"), "-o", str(tmp_path / "one.bundle"))
    weid("trust", "import", str(tmp_path / "one.bundle"))
    assert "[not-recognised]" in weid("trust", "import", str(tmp_path / "two.bundle"), code=1).stderr


def test_fsck_finds_a_changed_entry(weid: Weid, tmp_path: Path) -> None:
    """A flipped bit in the database is named, with the entry, and exit code 1."""
    folder = tmp_path / "ca"
    make(weid, folder)
    weid("registry", "tick", str(folder))
    database = sqlite3.connect(folder / "registry.db")
    for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {trigger}")
    data = bytearray(database.execute("SELECT data FROM entry WHERE idx = 1").fetchone()[0])
    data[10] ^= 1
    database.execute("UPDATE entry SET data = ? WHERE idx = 1", (bytes(data),))
    database.commit()
    database.close()
    done = weid("registry", "fsck", str(folder), code=1)
    assert "entry 1" in done.stdout


@pytest.mark.long
def test_an_authority_by_commands_alone(weid: Weid, tmp_path: Path) -> None:
    """From nothing to an accredited desk that issues, and a certificate a verifier accepts: no code, only commands."""
    folder, pack = tmp_path / "ca", Path(__file__).parents[2] / "packs" / "certificate-authority"
    make(weid, folder)
    port = free_port()
    node = f"http://127.0.0.1:{port}"
    schema = pack / "schemas" / "skill-certificate.json"
    with served(weid, "registry", "serve", str(folder), "--port", str(port), ready=f"{node}/v1/health"):
        digest = weid("registry", "publish-schema", str(folder), str(schema), "--node", node).stdout.strip()
        assert len(digest) == 64
        desk = ("issuer", "init", str(tmp_path / "desk"), "--genesis", str(folder / "genesis.json"), "--node", node)
        did = weid(*desk, "--pack", str(pack), "--party", "association", "--wants", "skill-certificate").stdout.strip()
        office = ("issuer", "init", str(tmp_path / "office"), "--genesis", str(folder / "genesis.json"), "--node", node)
        reviewer = weid(*office, "--as", "reviewer", "--pack", str(pack), "--party", "reviewer").stdout.strip()
        weid("registry", "grant", str(folder), reviewer, "reviewer", "--node", node)
        claims = tmp_path / "claims.json"
        claims.write_text(json.dumps({
            "holderName": "Ana", "certificateNumber": "202600000001", "skill": "Carpentry", "awardDate": "2026-01-01",
        }))  # fmt: skip
        issue = ("issuer", "issue", str(tmp_path / "desk"), "skill-certificate", str(claims))
        assert "[not-accredited]" in weid(*issue, code=1).stderr
        weid("registry", "approve", str(folder), did, digest, "--node", node)
        code = weid(*issue).stdout.strip()
    weid("registry", "bundle", str(folder), "-o", str(tmp_path / "ca.bundle"))
    weid("trust", "add", str(folder / "genesis.json"))
    weid("trust", "import", str(tmp_path / "ca.bundle"))
    assert weid("verify", code).stdout.strip() == "valid-bearer"


@pytest.mark.long
def test_recognition_by_commands(weid: Weid, tmp_path: Path) -> None:
    """A home committee recognises a foreign registry; its bundle is then trusted, and no longer after withdrawal."""
    home, far, port = tmp_path / "home", tmp_path / "far", free_port()
    node = f"http://127.0.0.1:{port}"
    make(weid, home)
    make(weid, far, chain="8602", name="far")
    weid("registry", "bundle", str(far), "-o", str(tmp_path / "far.bundle"))
    named = [item for language in ("en", "pt", "zh-Hans", "zh-Hant") for item in ("--name", f"{language}=Far")]
    decide = ("registry", "recognise", str(home), str(far / "genesis.json"), str(tmp_path / "far.bundle"))
    end = ("registry", "withdraw-recognition", str(home), str(far / "genesis.json"), "distrust")
    with served(weid, "registry", "serve", str(home), "--port", str(port), ready=f"{node}/v1/health"):
        weid(*decide, "--purpose", "entry", *named, "--node", node)
    weid("registry", "bundle", str(home), "-o", str(tmp_path / "home.bundle"))
    weid("trust", "add", str(home / "genesis.json"))
    weid("trust", "import", str(tmp_path / "home.bundle"))
    weid("trust", "import", str(tmp_path / "far.bundle"))
    with served(weid, "registry", "serve", str(home), "--port", str(port), ready=f"{node}/v1/health"):
        weid(*end, "--node", node)
    weid("registry", "bundle", str(home), "-o", str(tmp_path / "home2.bundle"))
    weid("trust", "import", str(tmp_path / "home2.bundle"))
    assert "[not-recognised]" in weid("trust", "import", str(tmp_path / "far.bundle"), code=1).stderr
