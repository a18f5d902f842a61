"""Signing in with a wallet key: the answer is for one origin, one browser, one time (S25)."""

from __future__ import annotations

import json

import pytest

from tests.issuer_app.access.conftest import ORIGIN, answered, challenge_of, link, signed_in, wallet
from tests.issuer_app.house import House, Person
from wallet_cli.wallet import Login
from weid.errors import WeidError


def answer_in(person: Person, text: str) -> int:
    token = person.token("/sign-in")
    return person.http.post("/sign-in/wallet", data={"csrf_token": token, "answer": text}).status_code


@pytest.mark.parametrize("suite", ["ed25519", "sm2"])
def test_link_then_sign_in(house: House, suite: str) -> None:
    """A linked key opens a session of its user, without a password, whatever the suite; removed, it opens none."""
    app, key = house.app(), wallet(suite=suite)
    chen = signed_in(app, "chen")
    assert link(chen, key, house.now).status_code == 302
    did = key.signer().kid
    assert did in chen.get("/account/").text
    other = Person(app)
    asked = challenge_of(other.get("/sign-in/wallet").text)
    assert (asked.origin, asked.purpose) == (ORIGIN, "sign-in")
    assert answer_in(other, answered(asked, key, house.now)) == 302
    assert other.get("/desk/").status_code == 200
    chen.post("/account/wallet-key/remove", {"did": did}, page="/account/")
    third = Person(app)
    assert answer_in(third, answered(challenge_of(third.get("/sign-in/wallet").text), key, house.now)) == 401
    assert third.get("/desk/").status_code == 302


def test_a_replayed_answer_is_worth_nothing(house: House) -> None:
    """Nonce reuse: neither in the same browser, nor in another one that caught the answer; a wrong try uses it up, too."""
    app, key = house.app(), wallet()
    link(signed_in(app, "chen"), key, house.now)
    person, thief = Person(app), Person(app)
    good = answered(challenge_of(person.get("/sign-in/wallet").text), key, house.now)
    thief.get("/sign-in/wallet")
    assert answer_in(thief, good) == 401  # caught before it was used: this browser was asked something else
    assert answer_in(person, good) == 302
    person.post("/sign-out", {}, page="/account/")
    assert answer_in(person, good) == 401
    fresh = Person(app)
    good = answered(challenge_of(fresh.get("/sign-in/wallet").text), key, house.now)
    assert answer_in(fresh, good[:-4] + 'AA"}') == 401
    assert answer_in(fresh, good) == 401


def test_a_challenge_of_one_origin_is_not_answered_for_another(house: House) -> None:
    """Phishing relay: a false page shows our challenge, or we are sent an answer made for the false page."""
    app, key = house.app(), wallet()
    link(signed_in(app, "chen"), key, house.now)
    person = Person(app)
    asked = challenge_of(person.get("/sign-in/wallet").text)
    with pytest.raises(WeidError) as caught:  # the person means the false page: the wallet has another origin in mind
        answered(asked, wallet(origin="https://desk.example.evil"), house.now)
    assert caught.value.code == "other-origin"
    # The false page asks in its own name and hands the answer on to us: signed over another challenge.
    false = type(asked)("https://desk.example.evil", asked.name, asked.purpose, asked.nonce, asked.issued, asked.expires)
    signed = answered(false, Login("https://desk.example.evil", key.suite, key.secret, 0), house.now)
    assert answer_in(person, signed) == 401


def test_purposes_are_not_mixed(house: House) -> None:
    """An answer for signing in links no key, and one for linking opens no session."""
    app, key = house.app(), wallet()
    chen = signed_in(app, "chen")
    asked = challenge_of(chen.get("/account/wallet-key").text)
    false = type(asked)(asked.origin, asked.name, "sign-in", asked.nonce, asked.issued, asked.expires)
    token = chen.token("/account/")
    sent = {"csrf_token": token, "answer": answered(false, key, house.now)}
    assert chen.http.post("/account/wallet-key", data=sent).status_code == 422


def test_clocks(house: House) -> None:
    """Within five minutes a wallet's clock may differ; the site's own clock decides when a challenge is too old."""
    app, key = house.app(), wallet()
    link(signed_in(app, "chen"), key, house.now)
    for skew, good in ((-5, True), (9, True), (-6, False), (10, False)):
        person = Person(app)
        asked = challenge_of(person.get("/sign-in/wallet").text)
        if good:
            assert answer_in(person, answered(asked, key, house.now + skew)) == 302, skew
        else:
            with pytest.raises(WeidError):
                answered(asked, key, house.now + skew)
    late = Person(app)
    text = answered(challenge_of(late.get("/sign-in/wallet").text), key, house.now)
    house.world.tick(5)
    assert answer_in(late, text) == 401


def test_keys_are_one_persons(house: House) -> None:
    """A key that is linked cannot be linked again; a locked-out user's key opens nothing; nobody removes another's."""
    app, key = house.app(), wallet()
    chen, lin, boss = signed_in(app, "chen"), signed_in(app, "lin"), signed_in(app, "boss")
    link(chen, key, house.now)
    assert link(lin, key, house.now).status_code == 422
    assert lin.post("/account/wallet-key/remove", {"did": key.signer().kid}, page="/account/").status_code == 404
    boss.post("/people/users/chen/disabled", {"disabled": "yes"}, page="/people")
    person = Person(app)
    assert answer_in(person, answered(challenge_of(person.get("/sign-in/wallet").text), key, house.now)) == 401


def test_a_wallet_counts_as_a_second_factor(house: House) -> None:
    """Where the role needs one, a session by wallet goes on, and one by password alone does not."""
    app, key = house.app(), wallet()
    link(signed_in(app, "chen"), key, house.now)
    signed_in(app, "boss").post("/people/rules", {"role": ["clerk"]})
    person = Person(app)
    answer_in(person, answered(challenge_of(person.get("/sign-in/wallet").text), key, house.now))
    assert person.get("/desk/").status_code == 200
    assert signed_in(app, "chen").get("/desk/").headers["Location"] == "/account/second-factor"


def test_hostile_answers_are_sentences(house: House) -> None:
    """Whatever is sent: 401 with a sentence, and the challenge is used up."""
    app = house.app(sign_in="1000 per minute")
    good = json.loads(answered(challenge_of(Person(app).get("/sign-in/wallet").text), wallet(), house.now))
    for changed in (
        {**good, "did": "did:key:z6Mk"}, {**good, "did": house.desk.did}, {**good, "signature": "AA"}, {**good, "more": 1},
        {**good, "nonce": 5}, {"type": "weid-login-answer"}, [], "x" * 5000, {**good, "type": "weid-login-challenge"},
    ):  # fmt: skip
        person = Person(app)
        person.get("/sign-in/wallet")
        assert answer_in(person, json.dumps(changed)) == 401
