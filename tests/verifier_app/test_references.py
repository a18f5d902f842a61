"""Status lists and schemas of others on the verifier's pages and in its VC-API: brought by file, judged offline."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from credentials.bitstring_list import BitstringStatusList
from credentials.policy import Policy
from tests.credentials.test_foreign import document, key_signer
from tests.credentials.world import Seeded, make_signer
from tests.verifier_app.places import Place, said, token
from verifier_app.languages import LANGUAGES
from verifier_app.references import ReferenceFolder
from weid.did import did_key
from weid.errors import MalformedError

URL = "https://issuer.example/status/1"
LISTED, (INDEX,) = BitstringStatusList(URL, "revocation").allocate(random=Seeded("list"))


def published(place: Place, value: int = 0, *, age: int = 60) -> bytes:
    signer = key_signer()
    issuer, issued = signer.kid.split("#")[0], place.now - age
    made = LISTED.set(INDEX, value).credential(signer, issuer=issuer, issued=issued, until=issued + 10_080)
    return json.dumps(made).encode()


def hand_in(client: FlaskClient, data: bytes, name: str = "list.json", language: str = "en") -> tuple[int, str]:
    form = {"csrf_token": token(client, "/trust"), "file": (BytesIO(data), name)}
    answer = client.post(f"/trust/reference?lang={language}", data=form)
    return answer.status_code, answer.get_data(as_text=True)


def asked(client: FlaskClient, *checks: str) -> tuple[int, list[str]]:
    """(status, what speaks against it) of the VC-API for a credential with a place in the list."""
    value = document(credentialStatus=LISTED.entry(INDEX))
    body = {"verifiableCredential": value, "options": {"checks": ["proof", *checks]}}
    answer = client.post("/vc-api/credentials/verify", json=body)
    return answer.status_code, answer.json.get("errors", [])


def page_status(client: FlaskClient) -> str:
    """The `status` check of the JSON API that the pages share their verifier with."""
    value = document(credentialStatus=LISTED.entry(INDEX))
    report = client.post("/api/v1/verify", json={"verifiableCredential": value}).json
    return str(next(check["code"] for check in report["checks"] if check["id"] == "status"))


def test_a_list_by_file(place: Place) -> None:
    """Unknown without it, decided with it, in pages and API alike; the page shows whose it is and how old."""
    client = place.client(VC_API=True)
    assert said("en", "trust.lists.none") in client.get("/trust").get_data(as_text=True)
    assert (page_status(client), asked(client, "credentialStatus")) == ("status-unknown", (400, ["status: status-unknown"]))
    assert asked(client) == (200, [])
    status, page = hand_in(client, published(place, age=120))
    assert status == 200
    assert URL in page
    assert key_signer().kid.split("#")[0] in page
    assert "2 h old" in page or "120 min old" in page
    assert (page_status(client), asked(client, "credentialStatus")) == ("good-standing", (200, []))
    assert hand_in(client, published(place, 1))[0] == 200
    assert (page_status(client), asked(client)) == ("revoked", (400, ["status: revoked"]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_names_file_and_reason(place: Place, language: str) -> None:
    """An older list, a changed one, and no list at all; what is here stays."""
    client = place.client(VC_API=True)
    assert hand_in(client, published(place, 1))[0] == 200
    changed = published(place).replace(b'"revocation"', b'"suspension"')
    for data, reason in ((published(place, age=120), "older"), (changed, "a proof is wrong"), (b"{}", "not a")):
        status, page = hand_in(client, data, "from-a-stick.json", language)
        assert status == 422
        assert said(language, "refused.bad-reference") in page
        assert "from-a-stick.json" in page
        assert reason in page
    assert asked(client, "credentialStatus") == (400, ["status: revoked"])
    assert client.post("/trust/reference", data={"csrf_token": token(client, "/trust")}).status_code == 400


def test_lists_by_configuration(place: Place, tmp_path: Path) -> None:
    """Named files and folders are read at the start; a changed file counts at once, a bad one stops the start.

    One that turns bad later, such as one half copied, stops no check: what was read of it last counts, and the page names it.
    """
    folder = tmp_path / "lists"
    folder.mkdir()
    path = folder / "list.json"
    path.write_bytes(published(place))
    client = place.client(VC_API=True, STATUS_LISTS=[folder])
    assert asked(client, "credentialStatus") == (200, [])
    path.write_bytes(published(place, 1, age=30) + b" ")
    assert asked(client, "credentialStatus") == (400, ["status: revoked"])
    good = path.read_bytes()
    assert said("en", "trust.fault") not in client.get("/trust").get_data(as_text=True)
    path.write_bytes(good[: len(good) // 2])
    (folder / "new.json").write_bytes(b"")
    for _ in range(2):
        assert asked(client, "credentialStatus") == (400, ["status: revoked"])
    page = client.get("/trust").get_data(as_text=True)
    assert (said("en", "trust.fault") in page, "list.json: " in page, "new.json: " in page) == (True, True, True)
    assert str(folder) not in page
    assert hand_in(client, published(place, age=120))[0] == 422  # older than what counts
    folder.rename(tmp_path / "away")
    assert asked(client, "credentialStatus") == (400, ["status: revoked"])
    (tmp_path / "away").rename(folder)
    (folder / "new.json").unlink()
    path.write_bytes(good)
    assert said("en", "trust.fault") not in client.get("/trust").get_data(as_text=True)
    path.write_bytes(b"spoiled")
    with pytest.raises(MalformedError) as caught:
        place.client(STATUS_LISTS=[path])
    assert "list.json" in str(caught.value)


def test_an_old_list_is_amber(place: Place) -> None:
    """Past its period nothing is decided, and the page marks it."""
    client = place.client(VC_API=True)
    assert hand_in(client, published(place))[0] == 200
    place.clock = place.now + 10_080
    assert asked(client, "credentialStatus") == (400, ["status: status-stale"])
    page = client.get("/trust").get_data(as_text=True)
    assert page.count('class="stale"') == 1


SCHEMA = "https://schemas.example/person"


def by_a_stranger(place: Place, *, age: int = 1) -> bytes:
    """A list under the same URL that says all is well, signed by whoever made a key for it."""
    key = make_signer("p256", "assert", "stranger").public_key
    signer = make_signer("p256", "assert", "stranger", f"{did_key(key)}#{key.multikey()}")
    made = LISTED.credential(signer, issuer=did_key(key), issued=place.now - age, until=place.now + 10_080)
    return json.dumps(made).encode()


@pytest.mark.parametrize("first", ["stranger", "issuer"])
def test_a_strangers_list_under_the_same_url(place: Place, first: str) -> None:
    """It neither takes the place of the issuer's list nor keeps that from being brought: each stands under its signer."""
    client = place.client(VC_API=True)
    brought = [by_a_stranger(place), published(place, 1)]
    for data in brought if first == "stranger" else reversed(brought):
        assert hand_in(client, data)[0] == 200
    assert asked(client, "credentialStatus") == (400, ["status: revoked"])
    assert len(list((place.trust / "references").glob("*.reference"))) == 2


def test_a_list_that_the_operator_gave(place: Place, tmp_path: Path) -> None:
    """Nothing from the page displaces it but a newer one of the same signer; an older one is refused against it too."""
    path = tmp_path / "list.json"
    path.write_bytes(published(place, 1))
    client = place.client(VC_API=True, STATUS_LISTS=[path])
    status, page = hand_in(client, published(place, age=120))
    assert (status, "older" in page) == (422, True)
    assert hand_in(client, published(place))[0] == 200  # of the same minute: what was given counts
    assert asked(client, "credentialStatus") == (400, ["status: revoked"])
    assert hand_in(client, by_a_stranger(place))[0] == 200
    assert asked(client, "credentialStatus") == (400, ["status: revoked"])


def plain_schema(*needed: str) -> bytes:
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps({"$schema": dialect, "$id": SCHEMA, "type": "object", "required": list(needed)}).encode()


def schema_code(client: FlaskClient) -> str:
    value = document(credentialSchema={"id": SCHEMA, "type": "JsonSchema"})
    report = client.post("/api/v1/verify", json={"verifiableCredential": value}).json
    return str(next(check["code"] for check in report["checks"] if check["id"] == "schema"))


def test_a_schema_without_a_signer(place: Place, tmp_path: Path) -> None:
    """From the page it is taken where none is here; the operator's own counts whatever was kept before."""
    path = tmp_path / "schema.json"
    path.write_bytes(plain_schema("nothing of the kind"))
    client = place.client(SCHEMAS=[path])
    status, page = hand_in(client, plain_schema())
    assert (status, "nobody signed" in page, schema_code(client)) == (422, True, "schema-mismatch")
    assert hand_in(client, path.read_bytes())[0] == 200  # the same bytes again, as an update brings them
    other = place.client()
    assert hand_in(other, plain_schema())[0] == 422
    (kept,) = (place.trust / "references").glob("*.reference")
    kept.unlink()
    assert hand_in(other, plain_schema())[0] == 200
    assert (schema_code(other), schema_code(place.client(SCHEMAS=[path]))) == ("ok", "schema-mismatch")


def test_only_so_many_are_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reaches the page cannot fill the disk; what is here is still brought up to date."""
    monkeypatch.setattr("verifier_app.references.MAX_KEPT", 1)
    client = place.client(VC_API=True)
    assert hand_in(client, published(place, age=120))[0] == 200
    status, page = hand_in(client, by_a_stranger(place))
    assert (status, "kept here already" in page) == (422, True)
    assert hand_in(client, published(place, 1))[0] == 200
    assert asked(client, "credentialStatus") == (400, ["status: revoked"])


def test_a_check_merges_nothing_anew(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is at hand is put together when a file changes, not in front of each holder."""
    held = ReferenceFolder(tmp_path / "kept", [tmp_path / "list.json"])
    (tmp_path / "list.json").write_bytes(published(place))
    first = held.at_hand()
    with monkeypatch.context() as still:
        still.setattr("verifier_app.references.with_references", lambda *_: pytest.fail("merged again"))
        assert held.at_hand() is first
        assert first.applied(Policy()).lists_held is first.merged.lists_held
    (tmp_path / "list.json").write_bytes(published(place, 1, age=30) + b" ")
    assert held.at_hand() is not first
