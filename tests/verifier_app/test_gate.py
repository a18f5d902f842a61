"""Gate, kiosk and what waits: the answers behind the pages, without a browser."""

from __future__ import annotations

import io
import re
from threading import Thread
from typing import Any

import pytest
from cheroot.wsgi import Server
from flask.testing import FlaskClient
from PIL import Image

from credentials import picture
from credentials.binding import Binding
from credentials.picture import Picture
from credentials.presentation import gate_code
from registry.genesis import print_genesis
from registry.node.folder import TrustFolder
from tests.verifier_app.places import CERTIFICATE, PACKS, Place, holder, judge, said, token
from tests.verifier_app.test_challenge import claims
from verifier_app.app import create_app
from verifier_app.languages import SELF_NAMES
from weid.errors import KeyMaterialError, MalformedError

NAME = str(CERTIFICATE["holderName"])
SECRET = {"PASSPHRASE": "correct horse", "SEAL_COST": 10}


def jpeg(png: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(out, "JPEG", quality=80)
    return out.getvalue()


def scan(client: FlaskClient, frame: bytes, *recent: str, language: str = "en") -> dict[str, Any]:
    """One frame; the answer."""
    headers = {"X-CSRFToken": token(client, "/gate"), "X-Recent": ",".join(recent), "X-Request": "none"}
    answer = client.post(f"/gate/scan?lang={language}", data=frame, content_type="image/jpeg", headers=headers)
    assert answer.status_code == 200
    held: dict[str, Any] = answer.get_json()
    return held


def test_a_frame_gives_one_large_answer(place: Place) -> None:
    """Shape, word, colour, tone and the signed name in one; a frame without a code gives none."""
    client = place.client()
    found = scan(client, jpeg(place.png(place.issue(CERTIFICATE))))
    assert (found["verdict"], found["tone"], found["colour"]) == ("valid-bearer", "good", "green-outline")
    assert NAME in found["html"]
    assert 'data-shape="tick-outline-card"' in found["html"]
    assert scan(client, jpeg(place.png(b"\x86" + b"x" * 40)))["tone"] in ("ask", "bad")
    out = io.BytesIO()
    Image.new("L", (300, 300), 200).save(out, "JPEG")
    assert scan(client, out.getvalue()) == {"found": False, "foreign": False}


def test_the_same_code_in_sight_is_judged_once(live: Place) -> None:
    """A live code that stays in the picture is not "already used" at the second frame; another code is judged."""
    client, key = live.client(GATE="gate-3"), holder(live)
    codes = [
        gate_code(live.issue(claims(live), bind=Binding.to_key(key.public_key)).compact, "gate-3", key, time=live.clock)
        for _ in "ab"
    ]
    first, second = (jpeg(live.png(code, scale=4)) for code in codes)
    one = scan(client, first)
    assert (one["same"], one["verdict"]) == (False, "valid")
    assert scan(client, first)["verdict"] == "replayed"
    again = scan(client, first, *one["ids"])
    assert again == {"found": True, "same": True, "ids": one["ids"]}
    assert scan(client, second, *one["ids"])["same"] is False


def test_marks_of_codes_mean_nothing_elsewhere(place: Place) -> None:
    """Salted by the process: two verifiers cannot compare whom they saw."""
    frame = jpeg(place.png(place.issue(CERTIFICATE)))
    assert scan(place.client(), frame)["ids"] != scan(place.client(), frame)["ids"]


def test_a_hand_scanner_types_the_code(place: Place) -> None:
    """The text way gives the same answer; anything else than text is refused."""
    client = place.client()
    headers = {"X-CSRFToken": token(client, "/gate")}
    text = place.text(place.issue(CERTIFICATE))
    answer = client.post("/gate/text", data=text, content_type="text/plain", headers=headers).get_json()
    assert answer["verdict"] == "valid-bearer"
    assert client.post("/gate/text", data="{}", content_type="application/json", headers=headers).status_code == 415
    assert client.post("/gate/text", data=" ", content_type="text/plain", headers=headers).status_code == 400
    assert client.post("/gate/text", data="9" * 70_000, content_type="text/plain", headers=headers).status_code == 413


def test_the_state_tells_the_hour_and_the_age(place: Place) -> None:
    """A page that stays open all day sees trust data grow old; the clock is the verifier's zone's."""
    client = place.client()
    fresh = client.get("/gate/state?lang=en").get_json()
    place.clock += 90 * 24 * 60
    later = client.get("/gate/state?lang=en").get_json()
    assert (fresh["state"], later["state"]) == ("fresh", "stale")
    assert later["now"] - fresh["now"] == 90 * 24 * 3600 * 1000
    assert fresh["now"] == place.clock * 60_000 - 90 * 24 * 3600 * 1000 + 8 * 3600 * 1000


def test_a_gate_asks_no_question(live: Place) -> None:
    """A request that needs a fresh answer is not offered at a gate, and not taken."""
    client = live.client()
    assert re.findall(r'name="request" value="([^"]+)"', client.get("/gate").get_data(as_text=True)) == [
        "health-code/venue",
        "none",
    ]
    headers = {"X-CSRFToken": token(client, "/gate"), "X-Request": "health-code/entry"}
    assert client.post("/gate/text", data="1", content_type="text/plain", headers=headers).status_code == 400


def test_a_kiosk_serves_itself_and_nothing_else(place: Place) -> None:
    """Four languages first; every page of trust, files, lists and programs is not there."""
    client = place.client(KIOSK=True, VC_API=True, RESOLVER=True)
    assert client.get("/").headers["Location"] == "/kiosk"
    start = client.get("/kiosk").get_data(as_text=True)
    assert all(name in start for name in SELF_NAMES.values())
    assert "/trust" not in start
    page = client.get("/kiosk/scan?lang=pt")
    assert page.status_code == 200
    for path in ("/trust", "/batch", "/typed", "/waiting", "/transfer", "/transfer/receive", "/gate", "/api/v1/verify",
                 "/challenge/00", "/vc-api/credentials/verify", "/1.0/identifiers/did:key:z"):  # fmt: skip
        assert client.get(path).status_code == 404, path
        assert client.post(path).status_code in (400, 404), path
    answer = scan_kiosk(client, jpeg(place.png(place.issue(CERTIFICATE))))
    assert answer["verdict"] == "valid-bearer"


def scan_kiosk(client: FlaskClient, frame: bytes) -> dict[str, Any]:
    headers = {"X-CSRFToken": token(client, "/kiosk/scan")}
    held: dict[str, Any] = client.post("/gate/scan", data=frame, content_type="image/jpeg", headers=headers).get_json()
    return held


# -- what waits -------------------------------------------------------------------------------------------------------


def bring(client: FlaskClient, bundle: bytes) -> str:
    data = {"file": (io.BytesIO(bundle), "b"), "csrf_token": token(client)}
    return client.post("/trust/bundle?lang=en", data=data).get_data(as_text=True)


def test_undecided_ones_wait_and_are_judged_again(place: Place) -> None:
    """Stale at first, then fresh data come: one is valid, one turns out revoked; both changes are shown."""
    good, bad = (
        place.issue(CERTIFICATE, minutes=60_000),
        place.issue({**CERTIFICATE, "certificateNumber": "202600000999"}, minutes=60_000),
    )
    place.publish()
    client = place.client(**SECRET, KEEP_UNDECIDED=48, MEMORY=place.trust / "memory.db")
    bring(client, place.bundle())
    place.clock = place.now + 20 * 24 * 60
    for made in (good, bad):
        assert 'data-verdict="stale"' in judge(client, place.text(made))
    judge(client, "not a certificate")
    shown = client.get("/waiting?lang=en").get_data(as_text=True)
    assert shown.count('data-verdict="stale"') == 2
    assert "changed" not in shown
    place.world.now = place.clock
    assert bad.leaf is not None
    bring(client, place.revoke(bad.leaf.index))
    place.clock = place.now
    shown = client.get("/waiting?lang=en").get_data(as_text=True)
    assert shown.count('class="changed"') == 2
    assert 'data-verdict="valid-bearer"' in shown
    assert 'data-verdict="revoked"' in shown
    assert NAME in shown
    assert said("en", "foot.waits", hours=48) in shown
    assert said("en", "foot.kept") not in shown
    place.clock += 49 * 60
    assert said("en", "waiting.none") in client.get("/waiting?lang=en").get_data(as_text=True)


def test_what_waits_is_sealed_and_can_be_erased(place: Place) -> None:
    """Nothing readable on disk, not for another passphrase; erased means gone from the file."""
    made = place.issue(CERTIFICATE, minutes=60_000)
    place.clock = place.now + 20 * 24 * 60
    client = place.client(**SECRET, KEEP_UNDECIDED=48)
    judge(client, made.file.decode())
    files = sorted(place.trust.glob("verifier-waiting.db*"))
    held = b"".join(path.read_bytes() for path in files)
    assert b"sealed" in held
    assert NAME.encode() not in held
    assert b"credentialSubject" not in held
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    with pytest.raises(KeyMaterialError):
        place.app(**{**SECRET, "PASSPHRASE": "another"}, KEEP_UNDECIDED=48)
    client.post("/waiting/drop", data={"csrf_token": token(client, "/waiting")})
    assert said("en", "waiting.none") in client.get("/waiting?lang=en").get_data(as_text=True)


def test_the_list_of_what_waits_is_for_this_machine_alone(place: Place) -> None:
    """A service that phones reach shows it to nobody on the network."""
    client = place.client(**SECRET, KEEP_UNDECIDED=48)
    assert client.get("/waiting", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 403
    assert "/waiting" not in client.get("/", environ_base={"REMOTE_ADDR": "192.0.2.7"}).get_data(as_text=True)
    assert "/waiting" in client.get("/").get_data(as_text=True)


def test_nothing_waits_unless_the_operator_asked(place: Place) -> None:
    """Off by default, and never without a passphrase."""
    client = place.client()
    place.clock = place.now + 20 * 24 * 60
    judge(client, place.text(place.issue(CERTIFICATE, minutes=60_000)))
    assert place.app(**SECRET, KEEP_UNDECIDED=48, KIOSK=True).extensions["checker"].shelf is None
    assert said("en", "waiting.off") in client.get("/waiting?lang=en").get_data(as_text=True)
    assert not (place.trust / "verifier-waiting.db").exists()
    with pytest.raises(MalformedError):
        place.app(KEEP_UNDECIDED=48)
    with pytest.raises(MalformedError):
        create_app({"TRUST_FOLDER": place.trust, "PACKS": [PACKS / place.pack], "TRUST_URL": "http://example.org/b"})


# -- animated codes ---------------------------------------------------------------------------------------------------


def frames(client: FlaskClient, *numbers: int) -> list[bytes]:
    """Frames of the page that shows, as a camera sees them."""
    seen = []
    for number in numbers:
        svg = client.get(f"/transfer/frame/{number}.svg").get_data(as_text=True)
        side = int(re.search(r'viewBox="0 0 (\d+)', svg).group(1)) - 8  # type: ignore[union-attr]
        dark = {(int(x) - 4, int(y) - 4) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg)}
        rows = tuple(tuple((x, y) in dark for x in range(side)) for y in range(side))
        seen.append(jpeg(picture.png(Picture("", "L", (side - 17) // 4, rows), scale=5)))
    return seen


def receive(client: FlaskClient, frame: bytes, held: str = "") -> dict[str, Any]:
    headers = {"X-CSRFToken": held or token(client, "/transfer/receive")}
    answer = client.post("/transfer/frames?lang=en", data=frame, content_type="image/jpeg", headers=headers)
    told: dict[str, Any] = answer.get_json()
    return told


def test_trust_data_pass_from_screen_to_camera(place: Place) -> None:
    """Every second frame lost: the other verifier still gets the same bundle and takes it; another set is refused."""
    sender = place.client()
    target = place.folder / "second"
    target.mkdir()
    TrustFolder(target).pin(print_genesis(place.world.genesis))
    receiver = place.client(TRUST_FOLDER=target)
    assert "data-fragments" in sender.get("/transfer").get_data(as_text=True)
    said_last: dict[str, Any] = {}
    form = token(receiver, "/transfer/receive")
    for number in range(1, 80, 2):
        said_last = receive(receiver, *frames(sender, number), form)
        if said_last.get("done"):
            break
    assert said_last["done"]
    assert said_last["imported"]
    assert said_last["have"] == said_last["needed"]
    assert receiver.get("/gate/state?lang=en").get_json()["state"] == "fresh"


def test_sets_do_not_mix_and_a_code_of_another_kind_is_told(place: Place) -> None:
    """The page says which; beginning again takes the other set."""
    client = place.client()
    (old,) = frames(client, 0)
    receive(client, old)
    place.world.tick()
    bring(client, place.bundle())
    (new,) = frames(client, 1)
    assert receive(client, new)["problem"] == said("en", "transfer.problem.mixed-sets").replace("&#34;", '"')
    assert receive(client, jpeg(place.png(place.issue(CERTIFICATE))))["foreign"] is True
    client.post("/transfer/restart", headers={"X-CSRFToken": token(client, "/transfer/receive")})
    assert receive(client, new)["have"] == 1


def test_the_button_fetches_only_from_the_operators_address(place: Place) -> None:
    """Off by default; with an address a bundle is fetched once, by a press, and judged like a file."""
    client = place.client()
    assert client.post("/transfer/fetch", data={"csrf_token": token(client, "/trust")}).status_code == 404
    place.world.tick()
    fresh, asked = place.bundle(), []

    def node(environ: dict[str, Any], start: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start("200 OK", [("Content-Type", "application/octet-stream")])
        return [fresh]

    server = Server(("127.0.0.1", 0), node)
    server.prepare()
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    place.clock = place.now
    try:
        client = place.client(TRUST_URL=f"http://127.0.0.1:{server.bind_addr[1]}/bundle")
        assert asked == []
        page = client.post("/transfer/fetch?lang=en", data={"csrf_token": token(client, "/trust")})
        assert "Imported" in page.get_data(as_text=True)
        assert client.post("/transfer/fetch", data={"csrf_token": token(client, "/trust")}).status_code == 429
        assert asked == ["/bundle"]
    finally:
        server.stop()
        thread.join(5)
    client = place.client(TRUST_URL=f"http://127.0.0.1:{server.bind_addr[1]}/bundle")
    failed = client.post("/transfer/fetch?lang=en", data={"csrf_token": token(client, "/trust")})
    assert failed.status_code == 502
    assert "did not answer" in failed.get_data(as_text=True)
