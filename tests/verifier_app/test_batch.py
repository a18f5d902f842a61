"""The drop zone: every kind of file, hostile ones too, a table, a signed report, and nothing kept."""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from credentials.check_report import read_check_report
from tests.verifier_app.places import CERTIFICATE, Place, said, token
from tests.verifier_app.sheets import archive, certificate, pdf, photo
from verifier_app.batch.archive import MAX_FILES, files_in
from verifier_app.batch.judging import Result
from verifier_app.batch.sessions import IDLE, MAX_BATCHES, MAX_LINES, Batches
from weid.canon import jcs
from weid.errors import MalformedError, SignatureError

NAME = str(CERTIFICATE["holderName"])
SECRET = {"PASSPHRASE": "correct horse", "SEAL_COST": 10}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One registry for the tests that change nothing in it."""
    made = Place(tmp_path_factory.mktemp("place"), "certificate-authority", "skill-certificate")
    yield made
    made.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Place]:
    """A registry for a test that changes its trust, its clock or its folder."""
    made = Place(tmp_path, "certificate-authority", "skill-certificate")
    yield made
    made.close()


def send(client: FlaskClient, name: str, data: bytes, **headers: str) -> list[dict[str, Any]]:
    """Drop one file; the JSON lines."""
    held = {"X-CSRFToken": token(client, "/batch"), "X-File-Name": name, **headers}
    answer = client.post("/batch/add?lang=en", data=data, content_type="application/octet-stream", headers=held)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]


def verdicts(lines: list[dict[str, Any]]) -> list[str]:
    return [found for line in lines for found in re.findall(r'<tr[^>]* data-verdict="([a-z-]+)"', line["html"])]


def page(client: FlaskClient) -> str:
    return client.get("/batch?lang=en").get_data(as_text=True)


def test_every_kind_of_file_is_judged(place: Place) -> None:
    """JSON, text, PNG, a photo, a PDF, and a ZIP of them: one verdict each, with the signed name and kind."""
    made, client = place.issue(CERTIFICATE), place.client()
    files = {
        "a.json": made.file, "b.txt": place.text(made).encode(), "c.png": place.png(made),
        "d.jpg": photo(place.png(made)), "e.pdf": certificate(NAME, place.png(made)),
    }  # fmt: skip
    for name, data in files.items():
        assert verdicts(send(client, name, data)) == ["valid-bearer"], name
    lines = send(client, "all.zip", archive(files))
    assert verdicts(lines) == ["valid-bearer"] * 5
    shown = page(client)
    assert shown.count(NAME) == 10
    assert "FinTech Association" in shown
    assert "Skill certificate" in shown


def test_an_edited_paper_around_a_genuine_code_is_exposed(place: Place) -> None:
    """The code is valid; the paper says another name, or has lost it: red, and both names side by side."""
    made, client = place.issue(CERTIFICATE), place.client()
    (line,) = send(client, "x.pdf", certificate("李雷", place.png(made)))
    assert verdicts([line]) == ["paper-differs"]
    assert line["counts"] == {"good": 0, "bad": 1, "open": 0}
    assert "李雷" in line["html"]
    assert NAME in line["html"]
    assert said("en", "paper.note.differs") in line["html"]
    bare = pdf('This is to certify that Li Lei has passed.\n#image("code.png", width: 50mm)', {"code.png": place.png(made)})
    (line,) = send(client, "y.pdf", bare)
    assert verdicts([line]) == ["paper-differs"]
    assert said("en", "paper.note.absent") in line["html"]


def test_the_check_page_exposes_it_too(place: Place) -> None:
    """One file on the first page: the same verdict, the same two names."""
    made, client = place.issue(CERTIFICATE), place.client()
    for name, verdict in ((NAME, "valid-bearer"), ("李雷", "paper-differs")):
        upload = {
            "file": (io.BytesIO(certificate(name, place.png(made))), "x.pdf"),
            "csrf_token": token(client),
            "request": "none",
        }
        shown = client.post("/verify?lang=en", data=upload).get_data(as_text=True)
        assert f'data-verdict="{verdict}"' in shown


@pytest.mark.parametrize("state", ["revoked", "suspended"])
def test_a_revoked_one_is_that_and_not_green(alone: Place, state: str) -> None:
    """Recent trust data say so in the table."""
    made = alone.issue(CERTIFICATE)
    assert made.leaf is not None
    client = alone.client()
    bundle = alone.revoke(made.leaf.index, state)
    alone.clock = alone.now
    client.post("/trust/bundle", data={"file": (io.BytesIO(bundle), "b"), "csrf_token": token(client)})
    assert verdicts(send(client, "a.json", made.file)) == [state]


@pytest.mark.parametrize(
    "data, problem",
    [
        (b"", "empty"), (b"%PDF-1.4 nothing", "unreadable"), (b"\xff\xd8\xff\xe0 broken", "not-a-picture"),
        (b"PK\x03\x04 broken", "bad-archive"), (b"x" * (2 << 20), "too-large"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_say_why(place: Place, data: bytes, problem: str) -> None:
    """A row with the reason, never a broken page."""
    (line,) = send(place.client(), "x", data)
    assert said("en", f"batch.problem.{problem}") in line["html"]


def test_archives_cannot_do_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bombs, lies about sizes, too many files, locked files, paths: caps on what comes out."""
    deep = io.BytesIO()
    with zipfile.ZipFile(deep, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb", b"\0" * 30_000_000)
        made.writestr("../../etc/x.json", b"{}")
        made.writestr("__MACOSX/._x", b"x")
    assert [(name, content) for name, content in files_in(deep.getvalue())] == [("bomb", None), ("../../etc/x.json", b"{}")]
    lying = deep.getvalue().replace(struct.pack("<I", 30_000_000), struct.pack("<I", 10))
    assert next(iter(files_in(lying)))[1] is None
    many = archive({f"{number}": b"x" for number in range(MAX_FILES + 1)})
    with pytest.raises(MalformedError):
        list(files_in(many))
    monkeypatch.setattr("verifier_app.batch.archive.MAX_WHOLE", 1_000_000)
    whole = archive({f"{number}": b"\0" * 99_999 for number in range(11)})
    assert len(whole) < 4_000
    with pytest.raises(MalformedError):
        list(files_in(whole))
    locked = bytearray(archive({"a": b"secret"}))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        locked[locked.index(mark) + place] |= 1
    assert list(files_in(bytes(locked))) == [("a", None)]


def test_a_name_of_a_file_is_only_a_name(place: Place) -> None:
    """No markup, no direction characters, no path, not endless."""
    made, client = place.issue(CERTIFICATE), place.client()
    (line,) = send(client, "..%2F%3Cb%3E%E2%80%AEfdp.exe" + "x" * 400, made.file)
    assert "<b>" not in line["html"]
    assert "\u202e" not in line["html"]
    assert "&lt;b&gt;fdp.exe" in line["html"]
    assert "x" * 150 not in line["html"]


def test_the_report_is_signed_and_names_nobody_unless_asked(alone: Place) -> None:
    """By the verifier's key that outlives a restart; digests instead of names; any change is found."""
    made = alone.issue(CERTIFICATE)
    client = alone.client(**SECRET)
    send(client, "cv-zhangwei.json", made.file)
    send(client, "x.pdf", certificate("李雷", alone.png(made)))
    send(client, "empty", b"")
    data = {"csrf_token": token(client, "/batch")}
    answer = client.post("/batch/report", data=data)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    report = read_check_report(answer.data)
    assert [item.get("verdict", item.get("problem")) for item in report.items] == ["valid-bearer", "valid-bearer", "empty"]
    assert report.counts() == {"valid-bearer": 1, "paper": 1, "unread": 1}
    assert report.of_file(hashlib.sha256(made.file).digest())[0]["credential"]["type"] == "SkillCertificate"
    for word in (NAME, "zhangwei", "202600000123", "李雷"):
        assert word not in answer.get_data(as_text=True)
    full = client.post("/batch/report", data={**data, "values": "on"})
    assert NAME in full.get_data(as_text=True)
    assert read_check_report(full.data).items[0]["file"]["name"] == "cv-zhangwei.json"
    again = alone.client(**SECRET)
    send(again, "a.json", made.file)
    other = again.post("/batch/report", data={"csrf_token": token(again, "/batch")})
    assert read_check_report(other.data).fingerprint == report.fingerprint
    assert (alone.trust / "verifier.key").stat().st_mode & 0o077 == 0
    for change in (answer.data.replace(b"valid-bearer", b"valid", 1), answer.data.replace(b'"empty"', b'"locked"')):
        with pytest.raises(SignatureError):
            read_check_report(change)
    for change in (answer.data + b"\n", b" " + answer.data, jcs({"form": "weid/check-report/v1"})):
        with pytest.raises(MalformedError):
            read_check_report(change)


def test_without_a_passphrase_nothing_is_signed(alone: Place) -> None:
    """No key is made in secret; the page says what is missing."""
    client = alone.client()
    send(client, "a.json", alone.issue(CERTIFICATE).file)
    assert said("en", "batch.unsigned") in page(client)
    assert client.post("/batch/report", data={"csrf_token": token(client, "/batch")}).status_code == 409
    assert not (alone.trust / "verifier.key").exists()


def test_the_printable_page_shows_what_was_asked_for(place: Place) -> None:
    """Names only with the box ticked."""
    client = place.client(**SECRET)
    send(client, "a.json", place.issue(CERTIFICATE).file)
    data = {"csrf_token": token(client, "/batch")}
    assert NAME not in client.post("/batch/print", data=data).get_data(as_text=True)
    assert NAME in client.post("/batch/print", data={**data, "values": "on"}).get_data(as_text=True)


def test_nothing_is_left_after_the_end(alone: Place) -> None:
    """Ended by a button, by an hour, and never seen by another browser."""
    app = alone.app()
    client, other = app.test_client(), app.test_client()
    send(client, "a.json", alone.issue(CERTIFICATE).file)
    assert NAME in page(client)
    assert NAME not in page(other)
    client.post("/batch/forget", data={"csrf_token": token(client, "/batch")})
    assert NAME not in page(client)
    assert len(app.extensions["batches"]) == 0
    send(client, "a.json", alone.issue(CERTIFICATE).file)
    alone.clock += IDLE + 1
    assert NAME not in page(client)
    kept = b"".join(path.read_bytes() for path in alone.trust.rglob("*") if path.is_file() and path.name != "trust.bin")
    assert NAME.encode() not in kept


def test_a_batch_has_an_end() -> None:
    """More lines than the cap are refused whole; more batches than the cap too, until an idle one is purged."""
    now = [100]
    batches, line = Batches(lambda: now[0]), Result("x", bytes(32), problem="empty")
    assert batches.add("a", (line,) * MAX_LINES) == 1
    assert batches.add("a", (line,)) is None
    assert len(batches.lines("a")) == MAX_LINES
    for number in range(MAX_BATCHES - 1):
        assert batches.add(f"{number}", (line,)) == 1
    assert batches.add("late", (line,)) is None
    now[0] += IDLE + 1
    assert batches.add("late", (line,)) == 1
    assert len(batches) == 1


def test_two_files_at_once_are_of_one_batch(place: Place) -> None:
    """The page gave the browser its batch before the first file, so no answer can start another."""
    app = place.app()
    client = app.test_client()
    client.get("/batch")
    cookie = client.get_cookie("verifier")
    assert cookie is not None
    for name in ("a", "b"):
        twin = app.test_client()
        twin.set_cookie("verifier", cookie.value)
        send(twin, name, b"")
    assert page(client).count('<th scope="row"') == 2


def test_writes_need_the_form_token_and_our_own_origin(place: Place) -> None:
    """Every write of the new pages."""
    client = place.client(**SECRET)
    for path in ("/batch", "/batch/add", "/batch/report", "/batch/print", "/batch/forget", "/gate/scan", "/gate/text",
                 "/waiting/drop", "/transfer/frames", "/transfer/restart", "/transfer/fetch"):  # fmt: skip
        assert client.post(path).status_code == 400, path
        foreign = client.post(path, headers={"X-CSRFToken": token(client), "Origin": "https://evil.example"})
        assert foreign.status_code in (400, 403), path


def test_without_scripts_a_form_of_many_files_does(place: Place) -> None:
    """The same rows from one form."""
    made, client = place.issue(CERTIFICATE), place.client()
    files = [(io.BytesIO(made.file), "a.json"), (io.BytesIO(place.png(made)), "b.png")]
    answer = client.post("/batch?lang=en", data={"files": files, "csrf_token": token(client, "/batch")})
    assert answer.get_data(as_text=True).count('data-verdict="valid-bearer"') == 2
