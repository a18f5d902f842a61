"""What keeps the verifier safe: limits, form tokens, headers, hostile pictures, and no network at all."""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.verifier_app.places import CERTIFICATE, Place, judge, said, token, verdict
from verifier_app.security import CSP, HEADERS


class Reached(AssertionError):
    """Something tried to leave the machine."""


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every connection and every name look-up that is not loopback fails the test."""
    tried: list[Any] = []

    def guard(address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else address
        if host not in ("127.0.0.1", "::1", "localhost"):
            tried.append(address)
            raise Reached(str(address))

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, lambda self, *args: guard(args[-1]))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr", "create_connection"):
        monkeypatch.setattr(socket, name, lambda host, *args, **more: guard((host,)))
    yield tried
    assert tried == []


def test_nothing_leaves_the_machine_while_checking(place: Place, no_network: list[Any]) -> None:
    """Every way in, driven under a guard on sockets and look-ups: text, URL, file, picture, frame, typed, bundle."""
    made = place.issue(CERTIFICATE)
    client = place.client()
    headers = {"X-CSRFToken": token(client)}
    judge(client, place.text(made))
    judge(client, place.text(made).replace("weid.app", "evil.example"))
    judge(client, made.file.decode())
    client.post("/opened", json={"digits": place.text(made).split("#")[1]}, headers=headers)
    client.post("/scan", data=_jpeg(place.png(made)), content_type="image/jpeg", headers=headers)
    client.post("/api/v1/verify", json={"data": place.text(made)})
    client.post("/trust/bundle", data={"file": (BytesIO(place.bundle()), "b"), "csrf_token": token(client)})
    client.post("/gate/scan", data=_jpeg(place.png(made)), content_type="image/jpeg", headers=headers)
    dropped = client.post("/batch/add", data=place.png(made), content_type="application/octet-stream", headers=headers)
    assert b"valid-bearer" in dropped.data
    client.get("/transfer/frame/3.svg")
    with pytest.raises(Reached):
        socket.create_connection(("example.org", 443))
    no_network.clear()


def test_a_page_names_no_other_origin(place: Place) -> None:
    """The policy allows nothing but ourselves, and no page has an address of somebody else or inline code."""
    client = place.client()
    for path in (
        "/",
        "/typed",
        "/trust",
        "/nowhere",
        "/gate",
        "/batch",
        "/waiting",
        "/transfer",
        "/transfer/receive",
        "/kiosk",
        "/kiosk/scan",
    ):
        answer = client.get(path)
        page = answer.get_data(as_text=True)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "http://" not in page
        assert "https://" not in page
        assert "<script>" not in page
        assert " style=" not in page
        assert " onclick=" not in page
    assert "default-src 'none'" in CSP
    assert "unsafe" not in CSP
    assert client.get("/").headers["Cache-Control"] == "no-store"


def test_what_was_scanned_stands_in_no_request_line(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Codes travel in bodies only (R16), and nothing of them is logged or kept."""
    client = place.client(MEMORY=place.folder / "memory.db")
    with caplog.at_level(0):
        judge(client, place.text(place.issue(CERTIFICATE)))
        judge(client, "1" * 300)
    assert "张伟" not in caplog.text
    assert "11111" not in caplog.text
    kept = b"".join(path.read_bytes() for path in place.folder.glob("memory.db*"))
    assert "张伟".encode() not in kept


def test_writes_need_the_form_token_and_our_own_origin(place: Place) -> None:
    """Without the token, from another origin, or under another host name: refused in words."""
    client = place.client()
    held = token(client)
    for path in ("/verify", "/challenge", "/typed", "/trust/bundle"):
        answer = client.post(path, data={"text": "1"})
        assert answer.status_code == 400
        assert said("en", "problem.csrf") in answer.get_data(as_text=True)
    assert client.post("/scan", data=b"x", content_type="image/jpeg").status_code == 400
    good = {"text": "1", "csrf_token": held}
    assert client.post("/verify", data=good, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/verify", data=good, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert client.post("/verify", data=good, headers={"Origin": "http://localhost"}).status_code == 200


def test_an_unknown_request_or_question_is_never_taken_for_none(place: Place) -> None:
    """Else a mistyped link, or a restart that forgot its questions, would check without the demand and show green."""
    client, code = place.client(), place.text(place.issue(CERTIFICATE))
    form = {"text": code, "csrf_token": token(client), "request": "none"}
    assert verdict(client.post("/verify", data=form).text) == ["valid-bearer"]
    assert client.post("/verify", data=form | {"request": "certificate-authority/chek"}).status_code == 400
    assert client.get("/?request=certificate-authority/chek").status_code == 400
    lost = client.post("/verify", data=form | {"question": "0" * 16})
    assert lost.status_code == 409 and said("en", "problem.409") in lost.text


def test_cookies_are_ours_alone(place: Place) -> None:
    """HttpOnly and SameSite always; Secure and host-bound under TLS."""
    plain = place.client().get("/").headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Strict" in plain
    tls = place.client(TLS=True).get("/", base_url="https://localhost").headers["Set-Cookie"]
    assert tls.startswith("__Host-verifier=")
    assert "Secure" in tls


def test_uploads_that_are_too_large_are_refused_in_words(place: Place) -> None:
    """A file over the limit, a frame over its own limit, a text that is endless."""
    client = place.client(MAX_CONTENT_LENGTH=200_000)
    held = token(client)
    big = {"file": (BytesIO(b"\xff" * 300_000), "x.jpg"), "csrf_token": held}
    answer = client.post("/verify", data=big)
    assert answer.status_code == 413
    assert said("en", "problem.413") in answer.get_data(as_text=True)
    client = place.client()
    headers = {"X-CSRFToken": token(client)}
    answer = client.post("/scan", data=b"\xff" * (4 << 20), content_type="image/jpeg", headers=headers)
    assert answer.status_code == 413


def test_rates_are_limited(place: Place) -> None:
    """The thirty-first check by typing in a minute waits."""
    client = place.client(RATELIMIT_ENABLED=True)
    found = [client.get("/typed").status_code for _ in range(32)]
    assert found.count(200) == 30
    assert found[-1] == 429


def test_a_picture_bomb_is_refused_before_it_is_unpacked(place: Place) -> None:
    """A few kilobytes that claim 30,000 × 30,000 pixels."""
    assert len(_bomb(30_000)) < 10_000
    for side in (8_000, 11_000, 30_000):
        page = _upload(place, _bomb(side))
        assert verdict(page) == []
        assert said("en", "problem.too-large") in page


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "not-a-picture"),
        (b"\xff\xd8\xff\xe0" + b"\1" * 400, "not-a-picture"),
        (b"%PDF-1.7\n...", "unreadable"),
    ],
)
def test_broken_files_are_told_apart(place: Place, data: bytes, problem: str) -> None:
    """Never a crash, never a verdict about a person."""
    page = _upload(place, data)
    assert verdict(page) == []
    assert said("en", f"problem.{problem}") in page


def test_a_picture_without_a_code_and_one_cut_short(place: Place) -> None:
    """The officer is told how to take a better one."""
    out = BytesIO()
    Image.new("L", (400, 300), 200).save(out, "PNG")
    assert said("en", "problem.no-code") in _upload(place, out.getvalue())
    whole = _jpeg(place.png(place.issue(CERTIFICATE)))
    page = _upload(place, whole[: len(whole) // 2])
    assert said("en", "problem.not-a-picture") in page or said("en", "problem.no-code") in page


def test_a_camera_frame_is_answered_in_json(place: Place) -> None:
    """Nothing in sight; another kind of code; a certificate; a wrong content type; no picture at all."""
    import qrcode

    client = place.client()
    headers = {"X-CSRFToken": token(client)}

    def scan(data: bytes, kind: str = "image/jpeg") -> Any:
        return client.post("/scan?request=none&question=", data=data, content_type=kind, headers=headers)

    blank, advert = BytesIO(), BytesIO()
    Image.new("L", (640, 480), 128).save(blank, "JPEG")
    qrcode.make("WIFI:S:cafe;;").get_image().convert("L").save(advert, "JPEG")
    assert scan(blank.getvalue()).get_json() == {"found": False, "foreign": False}
    assert scan(advert.getvalue()).get_json() == {"found": False, "foreign": True}
    assert scan(b"no picture").get_json() == {"found": False, "foreign": False}
    assert scan(b"x", "text/plain").status_code == 415
    answer = scan(_jpeg(place.png(place.issue(CERTIFICATE)))).get_json()
    assert answer["found"]
    assert verdict(answer["html"]) == ["valid-bearer"]


def _upload(place: Place, data: bytes) -> str:
    client = place.client()
    form = {"file": (BytesIO(data), "given"), "csrf_token": token(client), "request": "none"}
    return client.post("/verify", data=form).get_data(as_text=True)


def _jpeg(png: bytes) -> bytes:
    out = BytesIO()
    Image.open(BytesIO(png)).convert("L").save(out, "JPEG", quality=80)
    return out.getvalue()


def _bomb(side: int) -> bytes:
    """A PNG head of side × side grey pixels with hardly any data behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 5000)) + chunk(b"IEND", b"")
