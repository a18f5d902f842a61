"""The desk's status lists from outside, and `POST /credentials/status`: what strangers fetch is what the desk decided."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from credentials import data_integrity
from credentials.bitstring import read_list, value_at
from credentials.data_integrity import read_proof
from credentials.envelope import open_url
from credentials.opening import open_inner
from credentials.references import read_reference
from credentials.status import MIN_BITS
from credentials.vcdm import read_file
from issuer_app.app import create_app
from issuer_app.party import Party
from issuer_app.status_book import StatusBook
from issuer_app.users import Users
from issuer_app.vc_api import Instance
from registry.node.client import RegistryClient
from tests.issuer_app.house import SKILL, House
from tests.registry.world import World
from wallet_cli.vc_api import _signer
from weid.canon import parse_json
from weid.errors import RegistryError, StatusFullError
from weid.facts import NoFacts

CLAIMS = {name.removeprefix("claim-"): value for name, value in SKILL.items()}
PUBLIC = "https://desk.example/issuer"


def app(house: House, **change: Any) -> Any:
    house.desk.public = PUBLIC
    return create_app(replace(house.config(), public=PUBLIC, **change))


def key(house: House, role: str = "clerk") -> dict[str, str]:
    users = Users(house.folder / "app")
    text = users.add_key("a program", frozenset({role}), house.now)
    users.close()
    return {"Authorization": f"Bearer {text}"}


def issued(house: House) -> tuple[Any, dict[str, Any]]:
    house.accredit()
    row = house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random)
    document = parse_json(row.file)
    assert isinstance(document, dict)
    return row, document


def bit(http: Any, entry: Any) -> int:
    """What the list that an entry points to says at its index."""
    assert entry["statusListCredential"].startswith(PUBLIC)
    answer = http.get(entry["statusListCredential"].removeprefix(PUBLIC))
    assert answer.status_code == 200, answer.text
    assert answer.json["id"] == entry["statusListCredential"]
    return value_at(read_list(answer.json).bits, int(entry["statusListIndex"]), 1)


def test_what_a_file_points_to_is_there(house: House) -> None:
    """Entries name the public address; the list behind is signed by the status key and follows every decision."""
    http = app(house).test_client()
    row, document = issued(house)
    revocation, suspension = document["credentialStatus"]
    assert [bit(http, revocation), bit(http, suspension)] == [0, 0]
    house.desk.suspend(row.id, "fraud", house.now)
    assert [bit(http, revocation), bit(http, suspension)] == [0, 1]
    house.desk.lift(row.id, house.now)
    assert [bit(http, revocation), bit(http, suspension)] == [0, 0]
    house.desk.revoke(row.id, "fraud", house.now)
    assert [bit(http, revocation), bit(http, suspension)] == [1, 0]
    served = http.get("/status/1/revocation").json
    signer = house.desk.party.signer("status")
    assert served["issuer"] == house.desk.did
    held = read_reference(http.get("/status/1/revocation").data, name="served")
    assert (held.url, held.unproven(house.desk.facts(house.now))) == (f"{PUBLIC}/status/1/revocation", None)
    assert held.unproven(NoFacts()) == "the key of a proof is not here"
    assert served["proof"]["verificationMethod"] == signer.kid
    data_integrity.verify(served, read_proof(served), signer.public_key, "status")


def test_our_own_checks_do_not_follow_the_address(house: House) -> None:
    """Wherever the entries point, issuer, list and index decide, and any change of them is seen."""
    house.desk.public = PUBLIC
    row, _ = issued(house)
    assert house.verify(row.file).verdict == "valid-bearer"
    assert read_file(row.file).own.list_number == 1  # type: ignore[union-attr]
    house.desk.revoke(row.id, "fraud", house.now)
    assert house.verify(row.file).verdict == "revoked"
    moved = row.file.replace(b"desk.example", b"desk.examplf")
    assert house.verify(moved).verdict == "tampered"
    for address in (b"ftp://desk.example/issuer", b"http://desk.example/issuer", b"https://desk.example/../x", b"//x"):
        assert house.verify(row.file.replace(PUBLIC.encode(), address)).check("format").outcome.value == "FAILED"


def test_without_a_public_address_files_are_as_ever(house: House) -> None:
    """The entries are DID URLs, and so is the id of the list, which is served all the same."""
    _, document = issued(house)
    wanted = f"{house.desk.did}/status/1/revocation"
    assert document["credentialStatus"][0]["statusListCredential"] == wanted
    assert house.app().test_client().get("/status/1/revocation").json["id"] == wanted


def test_an_auditors_word_is_in_the_list(house: House) -> None:
    """The worse of issuer and auditor counts (R9), and a lifted word no longer does."""
    http = app(house).test_client()
    row, document = issued(house)
    place = (f"{house.desk.did}/status/1", row.index)
    house.audit.override(*place, "suspended", "fraud", house.now)
    house.desk.party.forget()
    revocation, suspension = document["credentialStatus"]
    assert [bit(http, revocation), bit(http, suspension)] == [0, 1]
    house.audit.override(*place, "lifted", "fraud", house.now)
    house.desk.party.forget()
    assert [bit(http, revocation), bit(http, suspension)] == [0, 0]
    house.audit.override(*place, "revoked", "fraud", house.now)
    house.desk.party.forget()
    assert [bit(http, revocation), bit(http, suspension)] == [1, 0]


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_caches_are_told_what_they_need(tmp_path: Any, profile: str) -> None:
    """One state is one byte string whatever the suite; an ETag spares the rest; no cookie, no store-forbidding."""
    house = House(tmp_path, profile=profile)
    http = app(house).test_client()
    row, _ = issued(house)
    first, again = http.get("/status/1/revocation"), http.get("/status/1/revocation")
    assert first.data == again.data
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert first.json["credentialSubject"]["ttl"] == 3_600_000
    assert "Cookie" not in first.headers.get("Vary", "")
    assert "Set-Cookie" not in first.headers
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    spared = http.get("/status/1/revocation", headers={"If-None-Match": tag})
    assert (spared.status_code, spared.data, spared.headers["ETag"]) == (304, b"", tag)
    vc = http.get("/status/1/revocation", headers={"Accept": "application/vc"})
    assert (vc.mimetype, vc.data) == ("application/vc", first.data)
    assert vc.headers["ETag"] != tag
    house.desk.revoke(row.id, "fraud", house.now)
    changed = http.get("/status/1/revocation", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert "no-store" in http.get("/healthz").headers["Cache-Control"]
    house.close()


def test_a_list_near_its_end_is_not_kept_longer(house: House) -> None:
    """max-age never reaches beyond the period of the list."""
    http = app(house).test_client()
    issued(house)
    world: World = house.world
    before = http.get("/status/1/revocation").json
    world.tick(house.desk.terms.next_update - 10)
    after = http.get("/status/1/revocation").json
    # nothing changed since, and the registry said so a moment ago
    assert after["validFrom"] == before["validFrom"] < after["proof"]["created"]
    assert http.get("/status/1/revocation").headers["Cache-Control"] == "public, max-age=600"
    world.tick(10)
    assert http.get("/status/1/revocation").headers["Cache-Control"] == "public, max-age=0"


def test_what_is_not_there_is_not_found_in_one_way(house: House) -> None:
    """An unknown list, purpose or spelling: the same 404, which nobody may keep; too many questions are 429."""
    http = app(house, limits=replace(house.config().limits, api="8 per minute")).test_client()
    issued(house)
    answers = [
        http.get(f"/status/{path}") for path in ("2/revocation", "1/message", "01/revocation", "x/revocation", "1/revocation/x")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.mimetype for answer in answers} == {"application/problem+json"}
    assert len({answer.data for answer in answers[:4]}) == 1
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert [http.get("/status/1/revocation").status_code for _ in range(6)][-1] == 429


def test_programs_set_the_status_of_the_desks_certificates(house: House) -> None:
    """By the file's id or the desk's number; revoked is final, and all of a request is done or nothing."""
    http, head = app(house).test_client(), key(house)
    row, document = issued(house)
    entries = document["credentialStatus"]

    def post(purpose: str, status: Any, **change: Any) -> int:
        entry = {"type": "BitstringStatusListEntry", "statusPurpose": purpose}
        body = {"credentialId": document["id"], "credentialStatus": entry, "status": status, **change}
        answer = http.post("/vc-api/credentials/status", json=body, headers=head)
        assert answer.status_code == 200 or answer.mimetype == "application/problem+json"
        return int(answer.status_code)

    assert post("suspension", True) == 200
    assert [bit(http, entry) for entry in entries] == [0, 1]
    assert house.desk.get(row.id).state == "suspended"
    assert [post("suspension", "0", credentialId=row.id), post("suspension", False), post("revocation", False)] == [200] * 3
    assert house.desk.get(row.id).state == "valid"
    several = [{**entry, "status": "1"} for entry in entries]
    assert post("", None, credentialStatus=[several[0], {**several[1], "statusListIndex": "1"}]) == 400
    assert house.desk.get(row.id).state == "valid"
    assert post("", None, credentialStatus=several) == 200
    assert house.verify(row.file).verdict == "revoked"
    assert [post("revocation", False), post("suspension", True), post("revocation", True)] == [400, 400, 200]
    assert [post("message", True), post("revocation", 7), post("revocation", True, more=1)] == [400] * 3
    assert [post("revocation", True, credentialId="urn:x"), post("revocation", True, credentialId=7)] == [404, 400]
    assert post("revocation", True, credentialStatus=[several[0], several[0]]) == 400
    assert http.post("/vc-api/credentials/status", data=b"[", headers=head).status_code == 400
    for other in ({}, key(house, "auditor")):
        assert http.post("/vc-api/credentials/status", json={}, headers=other).status_code == 401


def test_what_programs_issue_points_to_a_list(house: House, tmp_path: Any) -> None:
    """A W3C credential of an instance gets its place below the public address, and the book survives a restart."""
    signer, head = _signer("p256"), key(house)
    value = {
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "id": "urn:uuid:1",
        "credentialSubject": {"id": "did:example:x"},
    }  # fmt: skip
    for cryptosuite in ("ecdsa-rdfc-2019", "ecdsa-sd-2023"):
        path = tmp_path / f"{cryptosuite}.db"
        book = StatusBook(path)
        http = app(house, vc_api={"courses": Instance(signer, cryptosuite, book)}).test_client()
        answer = http.post("/vc-api/courses/credentials/issue", json={"credential": value}, headers=head)
        assert answer.status_code == 201, answer.text
        made = answer.json["verifiableCredential"]
        entries = made["credentialStatus"]
        assert entries[0]["statusListCredential"] == f"{PUBLIC}/vc-api/courses/status/1/revocation"
        body = {"credentialId": "urn:uuid:1", "credentialStatus": [{**entries[0], "status": "1"}]}
        assert http.post("/vc-api/courses/credentials/status", json=body, headers=head).status_code == 200
        book.close()
        later = StatusBook(path)
        http = app(house, vc_api={"courses": Instance(signer, cryptosuite, later)}).test_client()
        assert [bit(http, entry) for entry in entries] == [1, 0]
        served = http.get("/vc-api/courses/status/1/revocation")
        assert served.headers["Cache-Control"].startswith("public")
        assert served.json["proof"]["cryptosuite"] in ("ecdsa-rdfc-2019", "ecdsa-jcs-2019")
        undo = {**body, "credentialStatus": [{**entries[0], "status": "0"}]}
        assert http.post("/vc-api/courses/credentials/status", json=undo, headers=head).json["code"] == "revoked-is-final"
        again = http.post("/vc-api/courses/credentials/issue", json={"credential": value}, headers=head)
        assert again.json["verifiableCredential"]["credentialStatus"] == entries  # one id, one place: revoked with it
        if cryptosuite == "ecdsa-sd-2023":  # a holder cannot leave the status out
            chosen = {"verifiableCredential": made, "options": {"selectivePointers": ["/credentialSubject"]}}
            shown = http.post("/vc-api/courses/credentials/derive", json=chosen, headers=head).json["verifiableCredential"]
            assert shown["credentialStatus"] == entries
        later.close()


class Silent:
    """A node that does not answer, and how often it was asked."""

    asked = 0

    def get(self, path: str) -> bytes:
        self.asked += 1
        raise RegistryError("no answer", code="unreachable")

    def post(self, path: str, data: bytes) -> bytes:
        return self.get(path)


def test_a_silent_registry_is_asked_once_a_minute(house: House) -> None:
    """Strangers cannot make the desk wait for it each time: what is no list asks nobody, the rest once for all of them."""
    http = app(house).test_client()
    _, document = issued(house)
    bit(http, document["credentialStatus"][0])
    real, silent = house.client._transport, Silent()
    house.client._transport = silent
    house.world.tick()
    assert [http.get(f"/status/{path}").status_code for path in ("9/revocation", "1/message")] == [404, 404]
    assert silent.asked == 0
    clients = [app(house).test_client() for _ in range(4)]  # one after the other: ast.parse of 3.11 is not for two threads
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda client: client.get("/status/1/revocation").status_code, clients))
    assert (answers, silent.asked) == ([200] * 4, 1)
    assert house.desk.may_issue(house.skill, house.now)
    assert not house.desk.may_issue(bytes(32), house.now)
    assert silent.asked == 1
    house.world.tick()
    assert (http.get("/status/1/revocation").status_code, silent.asked) == (200, 2)
    house.client._transport = real
    house.world.tick()
    assert house.desk.facts(house.now).fact("trust", "root").as_of == house.now  # type: ignore[union-attr]


def test_without_any_bundle_each_question_says_so_and_one_is_asked(tmp_path: Any) -> None:
    """The remembered failure is the same error, also where there is nothing to serve on from."""
    made, silent = House(tmp_path), Silent()
    signer = made.world.committee[0].log
    party = Party.of_signer(tmp_path / "new", signer, client=RegistryClient(made.client.genesis, silent), names={})
    for fresh in (False, True, False):
        with pytest.raises(RegistryError) as caught:
            party.facts(made.now, fresh=fresh)
        assert caught.value.code == "unreachable"
    assert silent.asked == 1
    made.close()


W3C = {
    "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"], "id": "urn:uuid:1",
    "credentialSubject": {"id": "did:example:x", "description": "a course"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "suite", "listed"),
    [
        ("vc+jwt", "p256", "ecdsa-jcs-2019"), ("vc+jwt", "ed25519", "eddsa-jcs-2022"), ("vc+cose", "p384", "ecdsa-jcs-2019"),
        ("vc+sd-jwt", "p256", "ecdsa-jcs-2019"), ("vc+jwt", "secp256k1", None), ("bbs-2023", "bbs", None),
    ],
)  # fmt: skip
def test_every_form_has_its_lists_or_no_place_in_one(house: House, form: str, suite: str, listed: str | None) -> None:
    """In an envelope the place is there and cannot be left out; the list has a plain proof. No such proof: no place, 404."""
    book = StatusBook(None)
    http, head = app(house, vc_api={"courses": Instance(_signer(suite), form, book)}).test_client(), key(house)
    answer = http.post("/vc-api/courses/credentials/issue", json={"credential": W3C}, headers=head)
    assert answer.status_code == 201, answer.text
    made = answer.json["verifiableCredential"]
    document = made if form == "bbs-2023" else open_inner(open_url(made["id"])).document
    body = {"credentialId": "urn:uuid:1", "status": True, "credentialStatus": {
        "type": "BitstringStatusListEntry", "statusPurpose": "revocation"}}  # fmt: skip
    changed = http.post("/vc-api/courses/credentials/status", json=body, headers=head)
    served = http.get("/vc-api/courses/status/1/revocation")
    if listed is None:
        assert "credentialStatus" not in document
        assert [changed.status_code, served.status_code] == [404, 404]
        return
    assert [changed.status_code, served.status_code] == [200, 200]
    assert [bit(http, entry) for entry in document["credentialStatus"]] == [1, 0]
    assert served.json["proof"]["cryptosuite"] == listed
    assert read_reference(served.data, name="served").unproven(NoFacts()) is None
    if form == "vc+sd-jwt":
        chosen = {"verifiableCredential": made, "options": {"selectivePointers": []}}
        shown = http.post("/vc-api/courses/credentials/derive", json=chosen, headers=head).json["verifiableCredential"]
        assert shown["id"].count("~") < made["id"].count("~")
        held = open_inner(open_url(shown["id"])).document
        assert held["credentialStatus"] == document["credentialStatus"]


BASE = "https://desk.example/issuer/vc-api/x/status"


def test_a_place_is_drawn_without_reading_the_list(tmp_path: Any) -> None:
    """A taken place is drawn again, a list is left when it is half full, and no draw reads all places."""
    book = StatusBook(tmp_path / "x.db")
    drawn = iter([7, 7, 7, 8, *range(10, 20)])
    read: list[str] = []
    book._store._database.conn.set_trace_callback(read.append)

    def place(name: str) -> tuple[str, str]:
        entry = book.entries(name, BASE, random=lambda n: next(drawn).to_bytes(n, "big"))[0]
        assert isinstance(entry, dict)
        return str(entry["statusListCredential"]), str(entry["statusListIndex"])

    first = f"{BASE}/1/revocation"
    assert [place("urn:a"), place("urn:b"), place("urn:a")] == [(first, "7"), (first, "8"), (first, "7")]
    assert not any("SELECT slot FROM places" in sql for sql in read)
    rows = [(f"filled {slot}", 1, slot) for slot in range(1000, 1000 + MIN_BITS // 2 - 3)]
    with book._store.change() as db:
        db.conn.executemany("INSERT INTO places VALUES (?, ?, ?)", rows)
    assert [place("urn:c")[0], place("urn:d")[0], place("urn:e")[0]] == [first, *[f"{BASE}/2/revocation"] * 2]
    with pytest.raises(StatusFullError):
        book.entries("urn:f", BASE, random=lambda n: (11).to_bytes(n, "big"))
    book.close()


def test_ids_are_not_on_disk_and_a_book_that_had_them_forgets_them(tmp_path: Any) -> None:
    """An id may be a person's; what is kept finds its place and says nothing else, older books too."""
    path, name = tmp_path / "x.db", "urn:example:ana-silva-1990"
    book = StatusBook(path)
    held = book.entries(name, BASE, random=lambda n: bytes(n))
    with book._store.change() as db:
        db.execute("UPDATE places SET credential = ?", (name,))
        db.execute("PRAGMA user_version = 0")
    book.close()
    assert name.encode() in path.read_bytes()
    for _ in range(2):
        book = StatusBook(path)
        assert book.entries(name, BASE, random=lambda n: b"\x01" * n) == held
        assert not any(name.encode() in file.read_bytes() for file in tmp_path.iterdir())
        book.close()
