"""`weid verify-report`, and trust data through a pipe of frames: what an auditor and an air-gapped officer do."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from credentials import picture
from credentials.animated import draw_frame
from credentials.check_report import read_check_report
from registry.genesis import print_genesis
from tests.verifier_app.places import CERTIFICATE, Place, token
from tests.verifier_app.test_batch import SECRET, send
from wallet_cli.trust import trust
from wallet_cli.verify_report import verify_report
from weid.errors import MalformedError, SignatureError
from weid.fountain import frame_of


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "certificate-authority", "skill-certificate")


def run(command: object, *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin)  # type: ignore[arg-type]


def test_a_report_is_checked_by_the_key_one_was_told(place: Place, tmp_path: Path) -> None:
    """0 with the right key, 3 with none, refused with another or after a change; a file is found by its bytes."""
    made, client = place.issue(CERTIFICATE), place.client(**SECRET)
    send(client, "a.json", made.file)
    data = client.post("/batch/report", data={"csrf_token": token(client, "/batch")}).data
    report, file, other = tmp_path / "r.json", tmp_path / "a.json", tmp_path / "b.json"
    report.write_bytes(data)
    file.write_bytes(made.file)
    other.write_bytes(b"{}")
    key = read_check_report(data).fingerprint
    good = run(verify_report, str(report), "--key", key, "--file", str(file))
    assert (good.exit_code, "a.json: valid-bearer" in good.output) == (0, True)
    assert run(verify_report, str(report)).exit_code == 3
    assert run(verify_report, str(report), "--key", key, "--file", str(other)).exit_code == 1
    assert isinstance(run(verify_report, str(report), "--key", "0000 " * 7 + "0000").exception, SignatureError)
    report.write_bytes(data.replace(b"valid-bearer", b"valid"))
    assert isinstance(run(verify_report, str(report), "--key", key).exception, SignatureError)
    report.write_bytes(data.replace(b"{", b"{ ", 1))
    assert isinstance(run(verify_report, str(report), "--key", key).exception, MalformedError)


def test_a_bundle_goes_through_frames(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From one state folder to another, as text or as pictures; too few frames are told and change nothing."""
    monkeypatch.setenv("WEID_HOME", str(place.trust))
    at = ("--at", place.time().strftime("%Y-%m-%dT%H:%M:%SZ"))
    texts = run(trust, "show", "--animated", "--frames", "40", *at).output.split()
    assert len(texts) == 40
    genesis = tmp_path / "genesis.json"
    genesis.write_bytes(print_genesis(place.world.genesis))
    monkeypatch.setenv("WEID_HOME", str(tmp_path / "second"))
    assert run(trust, "add", str(genesis)).exit_code == 0
    few = run(trust, "receive", "-", *at, stdin="\n".join(texts[:3]))
    assert isinstance(few.exception, MalformedError)
    assert few.exception.code == "incomplete-frames"
    some = tmp_path / "frame.png"
    some.write_bytes(picture.png(draw_frame(frame_of(texts[1])), scale=4))
    rest = tmp_path / "frames.txt"
    rest.write_text("\n".join([*texts[5:], "not a frame"]))
    done = run(trust, "receive", str(some), str(rest), *at)
    assert (done.exit_code, place.world.origin in done.output) == (0, True)
    assert place.world.origin in run(trust, "show", *at).output
