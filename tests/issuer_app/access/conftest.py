"""The house of the app's other tests, with ways to answer challenges as a wallet does."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.issuer_app.house import House, Person
from wallet_cli.wallet import Login
from weid.login import LoginChallenge, answer, read_challenge

ORIGIN = "http://localhost"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def two_people(house: House, *acts: str) -> None:
    """As if the desk had been made from a pack that asks for two people."""
    house.desk.terms = replace(house.desk.terms, two_people=frozenset(acts))


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
