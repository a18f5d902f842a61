"""`weid verify` on what others make: presentations, JWTs, SD-JWTs with key binding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.credentials import test_enveloped as made
from tests.credentials.test_verify_presentation import presented
from wallet_cli.verify import verify

AT = ["--at", "2026-11-23T08:00:00Z", "--proof-only"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "home"))

    def say(data: bytes, *options: str) -> Result:
        path = tmp_path / "given"
        path.write_bytes(data)
        return CliRunner().invoke(verify, [str(path), *AT, *options])

    return say


def test_a_presentation(run) -> None:
    """The whole on the first line, each credential after it; the wrong question is a no."""
    data = json.dumps(presented()).encode()
    good = run(data, "--nonce", "n-1", "--domain", "https://v.example")
    assert (good.exit_code, good.stdout.splitlines()) == (0, ["valid", "valid-bearer"])
    bad = run(data, "--nonce", "n-2")
    assert (bad.exit_code, bad.stdout.splitlines()[0]) == (1, "not-valid")
    assert "challenge-mismatch" in bad.stderr
    whole = json.loads(run(data, "--nonce", "n-1", "--json").stdout)
    assert (whole["exitCode"], len(whole["credentials"])) == (0, 1)


def test_envelopes(run) -> None:
    """A JWT and an SD-JWT as files; COSE as bytes."""
    for form in ("vc+jwt", "vc+sd-jwt", "vc+cose"):
        answer = run(made.enveloped(form))
        assert (answer.exit_code, answer.stdout.strip()) == (0, "valid-bearer"), form


def test_key_binding(run) -> None:
    """Bound to this checker's question: valid without comparing an ID."""
    shown = made.TestKeyBinding().shown()
    assert run(shown, "--nonce", "n-1", "--domain", "https://v.example").stdout.strip() == "valid"
    assert run(shown, "--nonce", "n-2", "--domain", "https://v.example").exit_code == 1


def test_bytes_that_end_like_white_space(run) -> None:
    """A COSE message whose last byte is a line feed is not trimmed: it is still that message, or it fails as changed."""
    data = made.enveloped("vc+cose")
    changed = data[:-1] + b"\n"
    assert run(changed).stdout.strip() == "tampered"
