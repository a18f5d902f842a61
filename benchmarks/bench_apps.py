"""The apps under fifty people at once: one process, the server of `serve`, real connections."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from issuer_app.scopes import BY_ROLE
from tests.issuer_app.house import House
from tests.issuer_app.test_api import CLAIMS
from tests.test_load import USERS, Call, asked, crowd, served
from tests.verifier_app.places import CERTIFICATE, Place

__all__ = ["main"]


def main() -> None:
    """Answers a second, and how long half and 95 of 100 people wait."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), "certificate-authority", "skill-certificate")
        address = served(place.app())
        body = json.dumps({"data": place.text(place.issue(CERTIFICATE))}).encode()
        _told("verifier: page", address, [asked("GET", "/")], 4)
        _told("verifier: verdict", address, [asked("POST", "/api/v1/verify", body)], 4)
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "house")
        house.accredit()
        app = house.app(**dict.fromkeys(("api", "issue", "form"), "1000000 per minute"))
        address, users = served(app), app.extensions["issuer_app"].users
        head = {"Authorization": f"Bearer {users.add_key('bench', frozenset(BY_ROLE), house.now)}"}
        order = json.dumps({"schema": house.skill.hex(), "claims": CLAIMS}).encode()
        _told("desk: issue and publish", address, [asked("POST", "/api/v1/certificates", order, head)], 1)
        _told("desk: find", address, [asked("GET", "/api/v1/certificates?limit=5", head=head)], 4)


def _told(what: str, address: str, calls: list[Call], rounds: int) -> None:
    answers, seconds, times = crowd(address, calls, rounds=rounds)
    times.sort()
    middle, late, most = times[len(times) // 2], times[len(times) * 95 // 100], sum(answers.values())
    waits = f"half within {middle:.2f} s, 95 % within {late:.2f} s"
    print(f"{what}, {USERS} at once: {most / seconds:.0f} a second, {waits}, {dict(answers)}")


if __name__ == "__main__":
    main()
