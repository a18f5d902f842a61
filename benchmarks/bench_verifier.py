"""The verifier's page: code in view to verdict in a real browser, 200 mixed files, frames of animated codes."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.timing import line
from tests.verifier_app.places import CERTIFICATE, Place
from weid.fountain import Receiver, Sender


def main() -> None:
    """All three, with the server as a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), "certificate-authority", "skill-certificate")
        _gate(place, Path(folder))
        _files(place)
        place.close()
    _frames()


def _gate(place: Place, folder: Path) -> None:
    from tests.browser import DESK, chromium, found
    from tests.verifier_app.served import served
    from tests.verifier_app.test_pages_browser import FAKE, WATCH, film

    if found() is None:
        print("no chromium: the gate is not measured")
        return
    codes = [place.png(place.issue({**CERTIFICATE, "certificateNumber": f"20260000{n:04}"})) for n in range(12)]
    camera = film(folder / "gate.mjpeg", codes, shown=30, blank=25)
    with served(place) as address, chromium([*FAKE, camera]) as browser:
        page = browser.new_page(viewport=DESK)
        page.goto(f"{address}/gate?lang=en&request=none")
        page.evaluate(WATCH)
        page.click("[data-do=start]")
        page.wait_for_selector("#total:text-is('12')", state="attached", timeout=90_000)
        seen, answered = page.evaluate("[window.seen, window.answered]")
    waited = sorted(min(after - at for at in seen if at <= after) for after in answered)
    line("code in view to verdict at 720p, median of 12", statistics.median(waited), "ms", "goal ≤ 300")
    line("  the slowest", waited[-1], "ms")


def _files(place: Place) -> None:
    from tests.verifier_app.clients import Visitor
    from tests.verifier_app.served import served
    from tests.verifier_app.sheets import archive, certificate, photo

    names = ("Ana Lau", "张伟", "李雷", "João Sá", "Zhang Wei")
    files: dict[str, bytes] = {}
    for number in range(40):
        name = names[number % len(names)]
        made = place.issue({**CERTIFICATE, "holderName": name, "certificateNumber": f"20270000{number:04}"})
        png = place.png(made)
        files[f"{number}.pdf"] = certificate(name, png)
        files[f"{number}-edited.pdf"] = certificate("Somebody Else", png)
        files[f"{number}.png"] = png
        files[f"{number}.jpg"] = photo(png)
        files[f"{number}.json"] = made.file
    assert len(files) == 200
    with served(place) as address:
        person = Visitor(address)
        person.get("/batch")
        start = time.perf_counter()
        found = person.file("all.zip", archive(files))
        line("200 mixed files in one ZIP (80 PDF, 80 pictures, 40 JSON)", time.perf_counter() - start, "s", "goal ≤ 30")
        counts = {name: found.count(name) for name in sorted(set(found))}
        print(f"  {counts}")
        people = [Visitor(address) for _ in range(2)]
        for each in people:
            each.get("/batch")
        start = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            parts = [list(files.items())[n::2] for n in range(2)]
            list(pool.map(lambda work: [work[0].file(*item) for item in work[1]], zip(people, parts, strict=True)))
        line("the same one by one, two at a time, as the page sends them", time.perf_counter() - start, "s", "goal ≤ 30")


def _frames() -> None:
    data, chance = random.Random(1).randbytes(20_000), random.Random(2)
    for loss in (0.0, 0.2, 0.4):
        shown = []
        for _ in range(200):
            sender, receiver, number = Sender(data), Receiver(), 0
            while receiver.data is None:
                if chance.random() >= loss:
                    receiver.take(sender.frame(number))
                number += 1
            shown.append(number)
        middle, high = statistics.median(shown), sorted(shown)[189]
        line(
            f"20 kB by animated code, {loss:.0%} lost: frames shown, median",
            middle,
            "frames",
            f"95 % {high}, of {sender.fragments}",
        )
    sender, receiver = Sender(data), Receiver()
    frames = [sender.frame(number) for number in range(100, 170)]  # none of them a plain fragment
    start = time.perf_counter()
    for frame in frames:
        receiver.take(frame)
    assert receiver.data == data
    line("  decoding 20 kB", (time.perf_counter() - start) * 1000, "ms")


if __name__ == "__main__":
    main()
