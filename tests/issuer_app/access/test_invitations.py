"""Invitations: a link that works once, for the roles that were given, told once and kept as a hash."""

from __future__ import annotations

import re

from tests.issuer_app.access.conftest import answered, challenge_of, signed_in, wallet
from tests.issuer_app.house import PASSWORD, House, Person

NEW = "another long password"


def invited(boss: Person, name: str = "yan", **form: object) -> str:
    """The path of a new invitation's link."""
    answer = boss.post("/people/invitations", {"name": name, "role": ["clerk"], "days": "7", **form})
    assert answer.status_code == 200, answer.text
    found = re.search(r'<code id="link">http://localhost(/join/[0-9a-f]{32})</code>', answer.text)
    assert found is not None
    return found.group(1)


def test_the_invited_person_chooses_the_password_and_nobody_a_second_time(house: House) -> None:
    """The link makes the user with the roles of the invitation, opens a session, and is worth nothing afterwards."""
    app = house.app()
    boss, mei = signed_in(app, "boss"), Person(app)
    path = invited(boss)
    assert path not in boss.get("/people/invitations").text  # told once
    assert "yan" in mei.get(path).text
    short = mei.post(path, {"password": "short", "again": "short"})
    assert short.status_code == 422 and "12 to 200" in short.text
    assert mei.post(path, {"password": NEW, "again": NEW + "x"}).status_code == 422
    welcome = mei.post(path, {"password": NEW, "again": NEW, "role": "admin", "name": "boss"})
    assert welcome.status_code == 302
    assert mei.get("/desk/").status_code == 200
    assert mei.get("/people").status_code == 403  # what the form says about roles is not read
    again = Person(app)
    assert again.get(path).status_code == 404
    assert "new one" in again.get(path).text
    token = again.token("/sign-in")
    assert again.http.post(path, data={"csrf_token": token, "password": PASSWORD, "again": PASSWORD}).status_code == 404
    assert Person(app).post("/sign-in", {"name": "yan", "password": NEW}).status_code == 302


def test_withdrawn_late_and_guessed_links_read_the_same(house: House) -> None:
    """404 in the same words; the file of people holds no token."""
    app = house.app()
    boss = signed_in(app, "boss")
    first = invited(boss, "one")
    second = invited(boss, "two", days="1")
    assert first.rsplit("/", 1)[1].encode() not in (house.folder / "app" / "users.db").read_bytes()
    found = re.search(
        r"/people/invitations/([0-9a-f]{16})/revoke", boss.get("/people/invitations").text.split("<b>one</b>")[0][-600:]
    )
    assert found is not None
    assert boss.post(found.group(0), {}, page="/people/invitations").status_code == 302
    house.world.tick(24 * 60 + 1)
    pages = {re.sub(r"join%?/?[0-9a-f]+", "", Person(app).get(path).text) for path in (first, second, "/join/" + "0" * 32)}
    assert len(pages) == 1
    assert [Person(app).get(path).status_code for path in (first, second, "/join/x")] == [404, 404, 404]


def test_an_invitation_for_a_known_name_gives_no_role(house: House) -> None:
    """It sets a new password and ends the sessions; the roles stay what they were."""
    app = house.app()
    boss, chen = signed_in(app, "boss"), signed_in(app, "chen")
    path = invited(boss, "chen", role=["admin", "clerk"])
    fresh = Person(app)
    assert fresh.post(path, {"password": NEW, "again": NEW}).status_code == 302
    assert chen.get("/desk/").status_code == 302
    assert fresh.get("/people").status_code == 403
    assert Person(app).post("/sign-in", {"name": "chen", "password": PASSWORD}).status_code == 401


def test_a_wallet_key_instead_of_a_password(house: House) -> None:
    """The answer makes the user and links the key; no password opens that account."""
    app = house.app()
    path = invited(signed_in(app, "boss"))
    mei = Person(app)
    asked = challenge_of(mei.get(path).text)
    token = mei.token("/sign-in")
    done = mei.http.post(f"{path}/wallet", data={"csrf_token": token, "answer": answered(asked, wallet(), house.now)})
    assert done.status_code == 302, done.text
    assert mei.get("/desk/").status_code == 200
    assert Person(app).post("/sign-in", {"name": "yan", "password": ""}).status_code == 401
    assert Person(app).get(path).status_code == 404


def test_only_known_roles_and_names(house: House) -> None:
    """A wrong role, no role, a wrong name or period: a sentence, and no link."""
    boss = signed_in(house.app(), "boss")
    for form in ({"role": ["root"]}, {"role": []}, {"name": "a b"}, {"days": "365"}, {"days": "x"}):
        answer = boss.post("/people/invitations", {"name": "yan", "role": ["clerk"], "days": "7", **form})
        assert answer.status_code == 422, form
        assert "/join/" not in answer.text
