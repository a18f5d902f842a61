"""The institution's desk on a hostile network: every route asks who is there, every form is counted and bound."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.issuer_app.house import PASSWORD, SKILL, House, Person
from weid.errors import WeidError

OPEN = {
    "static",
    "people.sign_in",
    "people.enter",
    "people.sign_out",
    "health.healthy",
    "health.is_ready",
    "health.metrics",
    "openapi.served",
    "manifest.manifest",  # the institution's name
}
OPEN |= {"status.status_list", "vc-api-issuer.status_list"}  # whole lists
BY_LINK = {f"holder.{name}" for name in ("certificate", "pdf", "drawn", "code", "file")}  # 128 random bits open these
BY_LINK |= {"offering.offered"}
# Wallets bring a code or a token that came out of a link (test_offers.py); the two addresses say who we are, and no more.
WALLETS = {"offering.token", "offering.credential"}  # no cookie is read there
OPEN |= WALLETS | {"offering.about_issuer", "offering.about_server"}
OPEN |= BY_LINK | {"templates.template"}  # a template holds nobody's data
# Holders ask without signing in (R25): what they may learn, and how slowly, is tested with look-ups.
ASKED = {f"find.{name}" for name in (
    "home", "form", "look", "asked", "answer", "code", "file", "own_page", "link", "follow",
)}  # fmt: skip
OPEN |= ASKED
OPEN |= {"entry.wallet_form", "entry.wallet", "entry.wallet_file"}  # signing in with a wallet key
OPEN |= {"entry.join", "entry.accept", "entry.join_wallet", "entry.join_file"}  # whoever holds an invitation's token
HELD_BACK = ("later.hold",)  # and later.holding: an administrator's, among the clerks' pages
OWN = ("account.", "entry.")  # everybody has an account of their own, and nothing in it is another's
PROGRAMS = ("/api", "/vc-api")  # a key in a header, no cookie
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house") / "h")
    made.accredit()
    yield made
    made.close()


def routes(app: Any, house: House) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of every route, with something plausible in every place."""
    values = {
        "id_": "0" * 32,
        "did": house.desk.did,
        "digest": house.skill.hex(),
        "name": "chen",
        "number": "1",
        "field": "personName",
        "purpose": "revocation",
        "proposal": "0" * 64,
        "token": "A" * 22,
        "entry": "0" * 16,
    }
    found = []
    for rule in app.url_map.iter_rules():
        choices = re.search(r"<any\(([a-z,]+)\):(\w+)>", rule.rule)
        for choice in choices.group(1).split(",") if choices else [""]:
            given = {**values, **({choices.group(2): choice} if choices else {}), "filename": "app.css"}
            path = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda match, given=given: given.get(match.group(1), "0"), rule.rule)
            found += [(rule.endpoint, method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return found


def test_every_route_refuses_a_stranger(house: House) -> None:
    """Signed out: pages lead to sign-in, forms and the API are refused. Nothing is open that is not on the list."""
    app = house.app()
    app.config["WTF_CSRF_ENABLED"] = False
    browser = app.test_client()
    for endpoint, method, path in routes(app, house):
        if endpoint in OPEN:
            continue
        answer = browser.open(path, method=method, json={} if path.startswith(PROGRAMS) else None)
        if path.startswith(PROGRAMS):
            assert answer.status_code == 401, (endpoint, method)
        else:
            assert answer.status_code == 302, (endpoint, method)
            assert answer.headers["Location"].startswith("/sign-in"), (endpoint, method)


def test_what_a_link_opens_stays_shut_without_one(house: House) -> None:
    """A guessed link is no page, for a stranger and for every role alike."""
    app = house.app(form="10000 per minute", sign_in="10000 per minute")
    for browser in (Person(app).http, Person(app, "chen").http):
        for endpoint, method, path in routes(app, house):
            if endpoint in BY_LINK:
                assert browser.open(path, method=method).status_code == 404, endpoint


@pytest.mark.parametrize(
    ("name", "own"), [("chen", "desk"), ("lin", "office"), ("ho", "audit"), ("mei", "votes"), ("boss", "people")]
)
def test_every_route_refuses_another_role(house: House, name: str, own: str) -> None:
    """A clerk is no reviewer, a reviewer no auditor and no governor, nobody but the administrator sees people: 403 on every route."""
    app = house.app(form="10000 per minute")
    app.config["WTF_CSRF_ENABLED"] = False
    browser = app.test_client()
    assert browser.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 302
    for endpoint, method, path in routes(app, house):
        if endpoint in OPEN or path.startswith(PROGRAMS) or endpoint.startswith(OWN) or endpoint == "front.front":
            continue
        rooms = {
            "desk": ("desk.", "reissue.", "papers.", "imports.", "later.", "joint.", "entries.", "two.", "trail.certificate",
                     "depending."),
            "people": ("people.", "rights.", "two.", "trail.home", "design.", "hooks.", *HELD_BACK), "office": ("office.",),
            "audit": ("office.", "trail.home"), "votes": ("votes.", "committee.", "office."),
        }  # fmt: skip
        mine = rooms[own]
        if own == "desk" and endpoint.startswith(HELD_BACK):
            mine = ()  # how long revocations wait is the administrator's
        audits = endpoint in ("office.audit_home", "office.override")
        if endpoint.startswith(mine) and (not endpoint.startswith("office.") or own == "votes" or audits == (own == "audit")):
            continue
        assert browser.open(path, method=method).status_code == 403, (endpoint, method)


def test_every_api_route_refuses_keys_of_other_roles(house: House) -> None:
    """A key acts only in the roles it was given."""
    app = house.app()
    users = app.extensions["issuer_app"].users
    head = {"Authorization": f"Bearer {users.add_key('nothing much', frozenset({'metrics:read'}), house.now)}"}
    for endpoint, method, path in routes(app, house):
        if not path.startswith("/api") or endpoint in ("api.me", "api-trail.own"):
            continue
        answer = app.test_client().open(path, method=method, json={}, headers=head)
        assert (answer.status_code, answer.json["code"]) == (403, "no-scope"), endpoint


def test_every_form_needs_its_token(house: House) -> None:
    """A page of another site cannot send any form, signed in or not."""
    app = house.app(form="10000 per minute")
    browser = Person(app, "boss").http
    for endpoint, method, path in routes(app, house):
        if method == "POST" and not path.startswith(PROGRAMS) and endpoint not in WALLETS:
            assert browser.post(path, data={"reason": "fraud"}).status_code == 400, endpoint


def test_every_form_is_counted(house: House) -> None:
    """Forms without a limit of their own (revoke, publish, users, decisions) were unlimited."""
    app = house.app(form="1 per minute")
    browser = app.test_client()
    for place, (endpoint, method, path) in enumerate(routes(app, house)):
        if method in ("POST", "DELETE"):
            address = {"REMOTE_ADDR": f"10.0.{place >> 8}.{place & 255}"}  # each route from an address of its own
            answers = [browser.open(path, method=method, data={}, environ_base=address).status_code for _ in range(2)]
            assert answers[1] == 429, (endpoint, answers)


def test_names_and_claims_with_markup_stay_text(house: House) -> None:
    """Markup in every field of a certificate, in a user's name, a search, a label: no page holds it as markup."""
    app = house.app()
    clerk, boss = Person(app, "chen"), Person(app, "boss")
    form = {**SKILL, "claim-holderName": SCRIPT[:50], "claim-skill": "<svg onload=alert(1)>", "once": "xss"}
    page = f"/desk/issue/{house.skill.hex()}"
    answer = clerk.post(page, form)
    found = clerk.follow(answer).text if answer.status_code == 302 else answer.text
    here = answer.headers.get("Location", "/desk/")
    pages = [found, clerk.get("/desk/").text, clerk.get(f"/desk/certificates?q={SCRIPT}").text, clerk.get(f"{here}/print").text,
             clerk.get(f"/desk/certificates/{SCRIPT}").text, clerk.get(f"/{SCRIPT}?lang={SCRIPT}&x={SCRIPT}").text,
             boss.post("/people/users", {"name": SCRIPT, "password": "x", "role": SCRIPT}, page="/people").text,
             boss.post("/people/keys", {"label": SCRIPT, "role": "clerk"}, page="/people").text,
             Person(app).get(f"/sign-in?next={SCRIPT}").text]  # fmt: skip
    for text in pages:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<svg onload" not in text
    assert any("&lt;svg onload" in text for text in pages)


def test_bidi_and_control_characters_are_not_issued(house: House) -> None:
    """R28: a name that reads otherwise than it is signed is refused at the form."""
    clerk = Person(house.app(), "chen")
    for name in ("王\u202e小明", "王\u200b小明", "王\x1b[2J", "e\u0301\u034f"):
        answer = clerk.post(f"/desk/issue/{house.skill.hex()}", {**SKILL, "claim-holderName": name})
        assert answer.status_code == 422, repr(name)


@pytest.mark.parametrize(
    "path", ["/\\evil.example", "//evil.example", "///evil.example/x", "/%5Cevil.example", "/\\/evil.example"]
)
def test_the_language_link_of_a_missing_page_stays_here(house: House, path: str) -> None:
    """`/\\evil.example` is a page that does not exist, and its language link was an address of another site."""
    from werkzeug.test import EnvironBuilder

    app = house.app()
    builder = EnvironBuilder(path="/")
    environ = builder.get_environ()
    environ["PATH_INFO"] = path.replace("%5C", "\\")
    text = app.test_client().open(environ).text
    for link in re.findall(r'href="([^"]*lang=[^"]*)"', text):
        assert re.match(r"/[A-Za-z0-9%?._-]", link), link


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/\n/evil.example", "\\\\evil",
     "javascript:alert(1)", " //evil.example", "/\r\nSet-Cookie: a=b", "http:evil.example"],
)  # fmt: skip
def test_sign_in_leads_nowhere_else(house: House, target: str) -> None:
    """?next= is a path of this app or nothing; no header is made of it."""
    person = Person(house.app())
    answer = person.post("/sign-in", {"name": "chen", "password": PASSWORD, "next": target}, page="/sign-in")
    assert answer.status_code == 302
    assert re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", answer.headers["Location"]), answer.headers["Location"]
    assert "a=b" not in answer.headers.get("Set-Cookie", "")


def test_a_planted_session_is_worth_nothing(house: House) -> None:
    """Fixation: what was in the cookie before sign-in is gone after it; a signed-out or copied id is dead."""
    app = house.app()
    person = Person(app)
    with person.http.session_transaction() as planted:
        planted["sid"], planted["left"] = "f" * 64, "behind"
    person.post("/sign-in", {"name": "chen", "password": PASSWORD}, page="/sign-in")
    with person.http.session_transaction() as held:
        assert held["sid"] != "f" * 64
        assert "left" not in held
        copied = held["sid"]
    person.post("/sign-out", {}, page="/desk/certificates")
    thief = Person(app)
    with thief.http.session_transaction() as session:
        session["sid"] = copied
    assert thief.get("/desk/").status_code == 302


def test_downloads_make_no_header_of_their_name(house: House) -> None:
    """The name of a file comes from an id the ledger knows; anything else is not found before a header is made."""
    clerk = Person(house.app(), "chen")
    for name in ("..%2f..%2fusers.db", "x%0d%0aSet-Cookie:%20a=b", "%00", "'; DROP TABLE issued;--"):
        for part in ("code.png", "certificate.json", "print"):
            answer = clerk.get(f"/desk/certificates/{name}/{part}")
            assert answer.status_code == 404
            assert "a=b" not in str(answer.headers)


def test_no_page_tells_a_secret(house: House) -> None:
    """Error pages and problems hold no path, no stack, no key, no password."""
    app = house.app()
    clerk, api = Person(app, "chen"), app.test_client()
    texts = [
        clerk.get("/desk/issue/zz").text,
        clerk.get("/desk/certificates/none").text,
        api.get("/api/v1/me", headers={"Authorization": "Bearer weid_x"}).text,
        Person(app).post("/sign-in", {"name": "chen", "password": "not the password"}).text,
        api.post("/api/v1/certificates", data=b"\xff" * 100, content_type="application/json").text,
    ]
    for text in texts:
        assert str(house.folder) not in text
        for word in ("Traceback", "not the password", "scrypt", "weid_x", 'File "'):
            assert word not in text


def test_files_of_the_desk_are_private(house: House) -> None:
    """Keys, databases and their logs are 0600 in folders of 0700, whatever the umask was."""
    house.app()
    for folder in ("desk", "reviewer", "app"):
        assert stat.S_IMODE((house.folder / folder).stat().st_mode) == 0o700, folder
        for path in (house.folder / folder).rglob("*"):
            if path.suffix in (".db", ".key", ".db-wal", ".db-shm") or path.name == "party.json":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_upload_limits(house: House) -> None:
    """More than any form, many parts, a large picture for the auditor: refused by size, in words."""
    clerk, auditor = Person(house.app(), "chen"), Person(house.app(), "ho")
    big = {**SKILL, "claim-holderName": "x" * 70_000}
    assert clerk.post(f"/desk/issue/{house.skill.hex()}", big).status_code == 413
    many = {f"part{number}": "x" for number in range(400)}
    answer = clerk.http.post("/desk/publish", data=many, content_type="multipart/form-data")
    assert answer.status_code in (400, 413)
    from io import BytesIO

    upload = {"file": (BytesIO(b"\x89PNG" + bytes(5 << 20)), "x.png")}
    assert auditor.post("/office/audit", upload).status_code == 413


def test_guessing_is_slowed_by_name_and_address(house: House) -> None:
    """The eleventh try is refused even with the right password, and an unknown name is answered like a known one."""
    person = Person(house.app(sign_in="5 per minute"))
    token = person.token("/sign-in")
    tries = [
        person.http.post("/sign-in", data={"csrf_token": token, "name": name, "password": "wrong wrong wrong"})
        for name in ("chen", "nobody", "chen", "nobody", "chen")
    ]
    same = {(answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)) for answer in tries}  # but for the name typed
    assert len(same) == 1
    assert person.http.post("/sign-in", data={"csrf_token": token, "name": "chen", "password": PASSWORD}).status_code == 429


def test_the_registry_decides_not_the_desk(tmp_path: Path) -> None:
    """A desk without the right posts straight to the node: Rejected(not-accredited), whatever its own app would say."""
    house = House(tmp_path / "h")
    try:
        with pytest.raises(WeidError) as caught:
            house.desk.issue(house.skill, {}, at=house.now, random=house.world.random, by="x")
        assert caught.value.code == "not-accredited"
        author = house.desk.party.author()
        from registry import operations as ops
        from registry.registers import register_root
        from weid.records import StatusEntries, status_digest, status_list_id

        list_id, hash = status_list_id(house.desk.did, 1), house.world.genesis.hash
        forced = ops.status_publish(
            author, None, number=1, seq=1, schemas=[house.skill], changed=StatusEntries(),
            digest=status_digest(hash, list_id, 1, StatusEntries()), register_root=register_root(list_id, [], hash=hash),
            register_size=0, this_update=house.now, next_update=house.now + 10,
        )  # fmt: skip
        assert house.client.submit(forced.data).code == "not-accredited"
    finally:
        house.close()
