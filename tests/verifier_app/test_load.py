"""Fifty people at one process, as it is served: no error, no wrong verdict, nobody sees another's table."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.verifier_app.clients import Visitor
from tests.verifier_app.places import CERTIFICATE, Place
from tests.verifier_app.served import served
from tests.verifier_app.sheets import certificate
from tests.verifier_app.test_gate import jpeg

pytestmark = pytest.mark.long
USERS, ROUNDS = 50, 6


def test_fifty_people_at_once(place: Place) -> None:
    """Each opens pages, scans frames, drops a PDF, an edited PDF, a JSON and a broken file, six times over."""
    made = place.issue(CERTIFICATE)
    png = place.png(made)
    frame = jpeg(png)
    files = {
        "good.pdf": (certificate(str(CERTIFICATE["holderName"]), png), ["valid-bearer"]),
        "edited.pdf": (certificate("李雷", png), ["paper-differs"]),
        "good.json": (made.file, ["valid-bearer"]),
        "broken.pdf": (b"%PDF-1.7 x", ["none"]),
    }

    def visit(address: str) -> list[float]:
        person, waited = Visitor(address), []
        for _ in range(ROUNDS):
            person.get("/gate")
            began = time.monotonic()
            assert person.frame(frame)["verdict"] == "valid-bearer"
            waited.append(time.monotonic() - began)
            person.get("/batch")
            for name, (data, verdicts) in files.items():
                assert person.file(name, data) == verdicts, name
        table = person.get("/batch")
        assert table.count('<th scope="row"') == ROUNDS * len(files)
        person.close()
        return waited

    began = time.monotonic()
    with served(place) as address, ThreadPoolExecutor(USERS) as people:
        waited = [each for found in people.map(visit, [address] * USERS) for each in found]
    whole = time.monotonic() - began
    requests = USERS * ROUNDS * (3 + len(files))
    print(f"{requests} requests in {whole:.1f} s, no error; a frame: median {statistics.median(waited) * 1000:.0f} ms, "
          f"95 % {sorted(waited)[int(len(waited) * 0.95)] * 1000:.0f} ms")  # fmt: skip
