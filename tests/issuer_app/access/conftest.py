"""The house of the app's other tests, with ways to answer challenges as a wallet does."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from issuer_app.store import private_file
from tests.issuer_app.house import House, Person
from wallet_cli.wallet import Login
from weid.login import LoginChallenge, answer, read_challenge

ORIGIN = "http://localhost"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, bytes]]:
    """One registry with its parties for a file of tests, and the file of the four people."""
    made = House(tmp_path_factory.mktemp("house") / "h")
    yield made, (made.folder / "app" / "users.db").read_bytes()
    made.close()


@pytest.fixture
def house(registry: tuple[House, bytes], tmp_path: Path) -> House:
    """That registry, with people of its own for each test: nobody but the four has ever signed in."""
    made, people = registry
    private_file(tmp_path / "app" / "users.db")
    (tmp_path / "app" / "users.db").write_bytes(people)
    made.folder = tmp_path
    return made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[House]:
    """A registry of its own, where nothing was ever issued."""
    made = House(tmp_path)
    yield made
    made.close()


def signed_in(app: Any, name: str) -> Person:
    """Somebody with an open session: where signing in is not what is tested, nobody waits for a password's hash."""
    person, running = Person(app), app.extensions["issuer_app"]
    with person.http.session_transaction() as held:
        held["sid"] = running.users.open_session(name, running.config.now())
    return person


def two_people(house: House, *acts: str) -> None:
    """As if the desk had been made from a pack that asks for two people."""
    house.desk.terms = replace(house.desk.terms, two_people=frozenset(acts))


def agree(person: Person, path: str, *, page: str | None = None) -> TestResponse:
    """Look at a request and say yes to it, as its page has it; `page`: to what the person saw there instead."""
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', person.get(path).text if page is None else page)
    return person.post(f"{path}/agree", {"seen": "" if seen is None else seen.group(1)}, page="/waiting/" if page else path)


def wallet(seed: int = 7, origin: str = ORIGIN, suite: str = "ed25519") -> Login:
    """A wallet's key for an origin."""
    return Login(origin, suite, bytes([seed]) * 32, 0)


def challenge_of(text: str) -> LoginChallenge:
    """The challenge that a page shows."""
    found = re.search(r'<textarea id="challenge"[^>]*>(.*?)</textarea>', text, re.DOTALL)
    assert found is not None, text
    return read_challenge(html.unescape(found.group(1)).encode())


def answered(challenge: LoginChallenge, key: Login, at: int) -> str:
    """What the wallet hands back."""
    signer = key.signer()
    return answer(challenge, signer, signer.kid, origin=key.origin, at=at).to_bytes().decode()


def link(person: Person, key: Login, at: int) -> Any:
    """Link a wallet key on the person's own page."""
    asked = challenge_of(person.get("/account/wallet-key").text)
    token = person.token("/account/")
    return person.http.post("/account/wallet-key", data={"csrf_token": token, "answer": answered(asked, key, at)})


def secret_of(person: Person) -> str:
    """The secret of the second factor, as the page tells it to be typed."""
    found = re.search(r'<code class="typed">([A-Z2-7 ]+)</code>', person.get("/account/second-factor").text)
    assert found is not None
    return found.group(1).replace(" ", "")
