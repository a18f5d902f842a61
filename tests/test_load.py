"""Fifty people at once on one process, over real connections to the server that `serve` runs."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from issuer_app.scopes import BY_ROLE
from registry.node.serving import serve
from tests.issuer_app.house import House
from tests.issuer_app.test_api import CLAIMS
from tests.verifier_app.places import CERTIFICATE, Place

USERS, ROUNDS = 50, 6
Call = Callable[[http.client.HTTPConnection, int], int]


def served(app: object) -> str:
    """The app behind the server of `weid … serve`, until the process ends."""
    port: list[int] = []
    threading.Thread(target=serve, args=(app, "127.0.0.1", 0), kwargs={"ready": port.append}, daemon=True).start()
    for _ in range(500):
        if port:
            return f"http://127.0.0.1:{port[0]}"
        time.sleep(0.01)
    raise AssertionError("the server did not start")


def crowd(address: str, calls: list[Call], users: int = USERS, rounds: int = ROUNDS) -> tuple[Counter[int], float, list[float]]:
    """Everybody starts together and makes every call in turn; (answers by status, seconds in all, seconds of each)."""
    start, host = threading.Barrier(users + 1), urlsplit(address).netloc
    answers: Counter[int] = Counter()
    times: list[float] = []
    lock = threading.Lock()

    def one(number: int) -> None:
        start.wait()
        for turn in range(rounds):
            for call in calls:
                link = http.client.HTTPConnection(host, timeout=120)
                began = time.perf_counter()
                status = call(link, number * 1_000 + turn)
                link.close()
                with lock:
                    answers[status] += 1
                    times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return answers, time.perf_counter() - began, times


def asked(method: str, path: str, body: bytes | None = None, head: dict[str, str] | None = None) -> Call:
    """A call that is the same for everybody, but for an Idempotency-Key of its own."""

    def call(link: http.client.HTTPConnection, number: int) -> int:
        own = {"Idempotency-Key": f"load-{number}"} if method == "POST" and head else {}
        link.request(method, path, body, {**(head or {}), **own, "Content-Type": "application/json"})
        answer = link.getresponse()
        answer.read()
        return answer.status

    return call


@pytest.mark.long
def test_fifty_people_check_at_once(tmp_path: Path) -> None:
    """Pages and verdicts: every answer is 200."""
    place = Place(tmp_path, "certificate-authority", "skill-certificate")
    body = json.dumps({"data": place.text(place.issue(CERTIFICATE))}).encode()
    answers, _, _ = crowd(served(place.app()), [asked("GET", "/"), asked("POST", "/api/v1/verify", body)])
    assert answers == {200: 2 * USERS * ROUNDS}


@pytest.mark.long
def test_fifty_programs_issue_and_find_at_once(house: House) -> None:
    """Each order becomes one certificate, and no answer is an error."""
    house.accredit()
    app = house.app(**dict.fromkeys(("api", "issue", "form"), "1000000 per minute"))
    key = app.extensions["issuer_app"].users.add_key("p", frozenset(BY_ROLE), house.now)
    head = {"Authorization": f"Bearer {key}"}
    order = json.dumps({"schema": house.skill.hex(), "claims": CLAIMS}).encode()
    find, issue = asked("GET", "/api/v1/certificates?limit=5", head=head), asked("POST", "/api/v1/certificates", order, head)
    answers, _, _ = crowd(served(app), [issue, find], rounds=1)
    assert answers == {201: USERS, 200: USERS}
    assert len(house.desk.find("", 500)) == USERS


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")
