"""The second factor: six digits of now, once; recovery codes, once; asked for where the role needs it."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from issuer_app.access.factors import Factors
from issuer_app.problems import RefusedError
from issuer_app.store import Store
from tests.issuer_app.access.conftest import secret_of, signed_in
from tests.issuer_app.house import PASSWORD, House, Person
from weid.errors import WeidError


def enrolled(house: House, person: Person) -> tuple[pyotp.TOTP, list[str]]:
    """The person's device, and the recovery codes."""
    device = pyotp.TOTP(secret_of(person))
    answer = person.post("/account/second-factor", {"code": device.at(house.moment)})
    assert answer.status_code == 200, answer.text
    codes = re.findall(r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b", answer.text)
    assert len(set(codes)) == 10
    return device, codes


def test_a_session_by_password_does_not_outlive_the_enrolment(house: House) -> None:
    """Whoever else was in with the password alone is out; wallet keys and factors are not theirs to set then."""
    app = house.app()
    chen, thief = signed_in(app, "chen"), signed_in(app, "chen")
    enrolled(house, chen)
    assert thief.get("/account/").status_code == 302
    assert chen.get("/account/").status_code == 200


def half_in(house: House, app: object, name: str = "chen") -> Person:
    """Somebody who has given the right password."""
    person = Person(app)
    answer = person.post("/sign-in", {"name": name, "password": PASSWORD})
    assert answer.headers["Location"] == "/sign-in/code"
    return person


def test_the_password_alone_opens_nothing_any_more(house: House) -> None:
    """After enrolment the code is asked for; a used code, an old one and a wrong one are refused."""
    app = house.app(sign_in="1000 per minute")
    device, _ = enrolled(house, signed_in(app, "chen"))
    used = device.at(house.moment)
    thief = half_in(house, app)
    assert thief.get("/desk/").status_code == 302
    assert thief.post("/sign-in/code", {"code": used}).status_code == 401  # its step was used for enrolling
    house.world.tick(2)
    assert thief.post("/sign-in/code", {"code": used}).status_code == 401  # and now it is old as well
    code = device.at(house.moment)
    chen = half_in(house, app)
    assert chen.post("/sign-in/code", {"code": code}).status_code == 302
    assert chen.get("/desk/").status_code == 200
    assert half_in(house, app).post("/sign-in/code", {"code": code}).status_code == 401  # replay within its half minute


def test_the_half_open_door_closes(house: House) -> None:
    """Five minutes after the password the code comes too late; without a password there is no code page."""
    app = house.app()
    device, _ = enrolled(house, signed_in(app, "chen"))
    person = half_in(house, app)
    token = person.token("/sign-in/code")
    house.world.tick(6)
    answer = person.http.post("/sign-in/code", data={"csrf_token": token, "code": device.at(house.moment)})
    assert answer.headers["Location"].startswith("/sign-in")
    assert person.get("/desk/").status_code == 302
    assert Person(app).get("/sign-in/code").headers["Location"] == "/sign-in"


def test_a_recovery_code_opens_once(house: House) -> None:
    """Blanks, hyphens and case do not matter; the second time it is nothing."""
    app = house.app()
    _, codes = enrolled(house, signed_in(app, "chen"))
    typed = codes[3].replace("-", " ").lower()
    assert half_in(house, app).post("/sign-in/code", {"code": typed}).status_code == 302
    assert half_in(house, app).post("/sign-in/code", {"code": codes[3]}).status_code == 401
    assert codes[4].encode() not in b"".join(path.read_bytes() for path in (house.folder / "app").glob("users.db*"))


def test_a_role_can_need_it(house: House) -> None:
    """From the rule on, nothing opens before the person has enrolled; the administrator can reset a lost device."""
    app = house.app()
    boss, chen = signed_in(app, "boss"), signed_in(app, "chen")
    assert boss.post("/people/rules", {"role": ["clerk"]}).status_code == 302
    for path in ("/desk/", "/account/", "/waiting/"):
        assert chen.get(path).headers["Location"] == "/account/second-factor", path
    assert boss.get("/people").status_code == 200
    device, _ = enrolled(house, chen)
    assert chen.get("/desk/").status_code == 200
    gone = chen.post("/account/second-factor/remove", {"code": "000000"}, page="/account/")
    assert gone.status_code == 403 and "needs a second factor" in gone.text
    boss.post("/people/users/chen/second-factor/reset", {}, page="/people/rules")
    assert chen.get("/desk/").status_code == 302  # sessions ended
    again = signed_in(app, "chen")
    assert again.get("/desk/").headers["Location"] == "/account/second-factor"
    assert pyotp.TOTP(secret_of(again)).secret != device.secret


def test_going_without_asks_for_the_device(house: House) -> None:
    """A session alone does not do away with the factor."""
    app = house.app()
    chen = signed_in(app, "chen")
    device, _ = enrolled(house, chen)
    assert chen.post("/account/second-factor/remove", {"code": "123456"}, page="/account/").status_code == 422
    house.world.tick(1)
    code = device.at(house.moment)
    assert chen.post("/account/second-factor/remove", {"code": code}, page="/account/").status_code == 302
    assert Person(app, "chen").get("/desk/").status_code == 200


def test_guessing_ends_after_ten(house: House, tmp_path: object) -> None:
    """Ten wrong codes in a row close the factor for a quarter of an hour, even for the right one."""
    store = Store(None)
    factors = Factors(store, house.folder / "own", random=house.world.random)
    device, at = pyotp.TOTP(factors.enrol("chen")), house.moment
    factors.confirm("chen", device.at(at), at)
    at += timedelta(minutes=1)
    wrong = "000000" if device.at(at) != "000000" else "000001"
    for _ in range(10):
        assert not factors.check("chen", wrong, at)
    with pytest.raises(RefusedError) as caught:
        factors.check("chen", device.at(at), at)
    assert caught.value.code == "factor-closed"
    at += timedelta(minutes=16)
    assert factors.check("chen", device.at(at), at)


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_the_secret_is_sealed_and_bound_to_its_user(house: House, profile: str) -> None:
    """The database alone gives no secret; a row copied to another user opens nothing."""
    store = Store(None)
    factors = Factors(store, house.folder / "own", random=house.world.random, profile=profile)
    secret = factors.enrol("chen")
    assert factors.enrol("chen") == secret
    factors.enrol("lin")
    row = store.row("SELECT sealed FROM factors WHERE user = 'chen'")
    assert row is not None and secret.encode() not in bytes(row["sealed"])
    with store.change() as db:
        db.execute("UPDATE factors SET sealed = ? WHERE user = 'lin'", (row["sealed"],))
    with pytest.raises(WeidError):
        factors.enrol("lin")
