"""Sessions: each sees and ends their own, the administrator everybody's; an edited token gives nobody a role."""

from __future__ import annotations

import re

from tests.issuer_app.access.conftest import signed_in
from tests.issuer_app.house import House, Person


def ends(text: str) -> list[str]:
    return re.findall(r'action="(/(?:account|people)/sessions/[0-9a-f]{16}/end)"', text)


def test_the_list_and_its_ends(house: House) -> None:
    """The other session of mine ends by its button or all at once; mine stays; a colleague's is out of reach."""
    app = house.app()
    here, there, lin = signed_in(app, "chen"), signed_in(app, "chen"), signed_in(app, "lin")
    text = here.get("/account/").text
    assert len(ends(text)) == 2 and text.count("This one") == 1
    foreign = ends(lin.get("/account/").text)[0]
    here.post(foreign, {}, page="/account/")
    assert lin.get("/office/").status_code == 200
    assert here.post("/account/sessions/end-others", {}, page="/account/").status_code == 302
    assert (here.get("/desk/").status_code, there.get("/desk/").status_code) == (200, 302)


def test_the_administrator_ends_any(house: House) -> None:
    """Names of people and coarse words for browsers; the session is over at once."""
    app = house.app()
    boss = signed_in(app, "boss")
    chen = Person(app)
    chen.http.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    chen.post("/sign-in", {"name": "chen", "password": "a long enough password"})
    text = boss.get("/people/sessions").text
    assert "chen" in text and "Firefox" in text and "rv:140" not in text
    listed = next(part for part in text.split("<li>") if "<b>chen</b>" in part)
    boss.post(ends(listed)[0], {}, page="/people/sessions")
    assert chen.get("/desk/").status_code == 302


def test_no_token_carries_a_role(house: House) -> None:
    """Role escalation by editing: the cookie holds a random id under a signature, the API key an id and a secret."""
    app = house.app()
    chen, users = signed_in(app, "chen"), app.extensions["issuer_app"].users
    cookie = chen.http.get_cookie("issuer")
    assert cookie is not None
    for place in (3, len(cookie.value) // 2, len(cookie.value) - 5):
        forged = Person(app)
        changed = cookie.value[:place] + ("A" if cookie.value[place] != "A" else "B") + cookie.value[place + 1 :]
        forged.http.set_cookie("issuer", changed)
        assert forged.get("/desk/").status_code == 302
    with chen.http.session_transaction() as held:
        assert set(held) <= {"sid", "csrf_token", "_flashes"}
        held["roles"], held["user"], held["admin"] = ["admin"], "boss", True  # even with the key of the cookie
    assert chen.get("/people").status_code == 403
    clerk = users.add_key("one", frozenset({"clerk"}), house.now)
    admin = users.add_key("two", frozenset({"reviewer"}), house.now)
    mixed = f"{admin[:21]}_{clerk.rsplit('_', 1)[1]}"  # the id of one, the secret of the other
    head = {"Authorization": f"Bearer {mixed}"}
    assert app.test_client().get("/api/v1/institutions", headers=head).status_code == 401


def test_an_administrator_issues_nothing(house: House) -> None:
    """Without the clerk's role: 403 at every door of the desk."""
    house.accredit()
    boss = signed_in(house.app(), "boss")
    assert boss.get(f"/desk/issue/{house.skill.hex()}").status_code == 403
    assert boss.post(f"/desk/issue/{house.skill.hex()}", {}, page="/people").status_code == 403
