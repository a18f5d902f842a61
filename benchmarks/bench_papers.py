"""Papers: how fast they are drawn, and how well codes of each size read when worn. Desk and registry as the tests have them."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from benchmarks.timing import line
from credentials import picture
from issuer_app.papers import look, pdf_of, picture_of, scan
from tests.issuer_app.house import House, pack

CLAIMS = {
    "certificateNumber": "202611230001",
    "skill": "区块链应用操作员",
    "awardDate": "2026-11-20",
    "level": "3",
    "grade": "优秀",
}
COUNT = 40
SIZES = (180, 220, 260, 300, 340, 385, 420, 460, 510, 550, 590, 630)  # bytes: versions 9 to 20 at level M, about


def main() -> None:
    """PDFs and pictures a second, then one row a version."""
    with tempfile.TemporaryDirectory() as folder:
        _speed(Path(folder))
    _readability()


def _speed(folder: Path) -> None:
    house = House(folder / "house")
    house.accredit()
    look.install(house.desk.party.folder, pack("certificate-authority"))
    rows = [
        house.desk.issue(
            house.skill, {**CLAIMS, "holderName": f"王小明{index}"}, at=house.now, random=house.world.random, publish=False
        )
        for index in range(COUNT)
    ]
    drawn = [pdf_of(house.desk, rows[0], ("zh-Hans", "en"), at=house.now)]  # fonts are read here, once a process
    wall, cpu = time.perf_counter(), time.process_time()
    drawn += [pdf_of(house.desk, row, ("zh-Hans", "en"), at=house.now) for row in rows[1:]]
    line("PDFs in two languages, logo and seal", (COUNT - 1) / (time.perf_counter() - wall), "/s", "goal ≥ 20 a core")
    line("the same by processor time", (COUNT - 1) / (time.process_time() - cpu), "/s")
    line("size of one", sum(map(len, drawn)) / len(drawn) / 1000, "kB")
    wall = time.perf_counter()
    for row in rows[:10]:
        picture_of(house.desk, row, "card", ("zh-Hans", "en"), at=house.now)
    line("picture cards", 10 / (time.perf_counter() - wall), "/s")
    house.close()


def _readability() -> None:
    names = list(scan.CONDITIONS)
    print("version  bytes  " + "  ".join(f"{name:>5}" for name in names) + "  total %   smallest print")
    for size in SIZES:
        chance = random.Random(size)
        code = picture.draw(b"\x98" + chance.randbytes(size), host="v.example", level="M")
        found = scan.score(picture.png(code, scale=8), code, seed=f"bench {size}", trials=12)
        shares = "  ".join(f"{share:>5}" for _, share in found.shares)
        print(f"{code.version:>7}  {size:>5}  {shares}  {found.total:>7}   {found.least_mm:.1f} mm")


if __name__ == "__main__":
    main()
