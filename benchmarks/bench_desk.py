"""How fast a desk issues many at once, over a real registry on disk. Run: python -m benchmarks.bench_desk [--badges]

A list of 10,000 rows of which 37 are wrong, as a workbook: read, checked, signed, published, anchored, one in a hundred
verified from the exported bundle. `--badges` does the same with 300,000 rows of CSV and a thousand verified.
"""

from __future__ import annotations

import io
import json
import random
import resource
import secrets
import sys
import tempfile
import time
from datetime import UTC
from pathlib import Path

from credentials.policy import Policy
from credentials.verify import verify
from issuer_app import selfcheck
from issuer_app.importing.job import Importer
from issuer_app.terms import Terms
from registry.bundle import open_bundle
from tests.issuer_app.house import House
from tests.issuer_app.sheets import HEADER, csv_of, person
from weid.canon import jcs

WRONG = 37


def main() -> None:
    """Print the times of every step."""
    workbook(10_000, "intl")
    workbook(10_000, "gm")
    if "--badges" in sys.argv:
        badges(300_000)


def workbook(count: int, profile: str) -> None:
    """The import of a school's list."""
    import openpyxl

    wrong = set(random.Random(7).sample(range(1, count + 1), WRONG))
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADER)
    for number in range(1, count + 1):
        sheet.append(person(number, 证书编号="12") if number in wrong else person(number))
    out = io.BytesIO()
    book.save(out)
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "house", profile=profile)
        house.accredit()
        run(house, house.skill, out.getvalue(), f"{count:,} rows, {profile}", checks=count // 100)


def badges(count: int) -> None:
    """The burst of a volunteers' day: a name and a number each."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:weid:schema:badge:1", "title": "Badge",
        "type": "object", "additionalProperties": False, "required": ["name", "number"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 60, "x-class": "public", "x-label": labels("Name")},
            "number": {"type": "string", "pattern": "^[0-9]{8}$", "minLength": 8, "maxLength": 8, "x-type": "digits",
                       "x-class": "public", "x-label": labels("Number")},
        },
        "x-weid": {"name": "badge", "version": 1, "order": ["name", "number"], "title": labels("Badge"), "lifetime": 525600,
                   "bind": "none", "status": True, "width": 20},
    }  # fmt: skip
    data = csv_of([[f"Volunteer {number}", f"{number:08}"] for number in range(count)], header=("Name", "Number"))
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "house")
        schema = house.committee.publish_schema(jcs(json.loads(json.dumps(document))))
        house.desk.apply([schema], house.now)
        house.accredit(schema)
        run(house, schema, data, f"{count:,} badges", checks=1_000)


def labels(text: str) -> dict[str, str]:
    """One text as if it were four languages."""
    return dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), text)


def run(house: House, schema: bytes, data: bytes, name: str, *, checks: int) -> None:
    """Upload to report, with times, memory, operations, and files verified offline."""
    house.desk.terms = Terms()
    work = Importer(house.desk, clock=lambda: house.now, random=secrets.token_bytes, zone=UTC)
    before, start, cpu = house.world.registry.size, time.perf_counter(), time.process_time()
    job = work.upload(data, "list", schema, by="bench")
    work.check(job.id, job.mapped.columns, job.mapped.key, "", wait=True)
    checked = time.perf_counter()
    work.start(job.id, wait=True)
    done, spent, memory = (
        time.perf_counter(),
        time.process_time() - cpu,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
    job, size = work.records.get(job.id), house.world.registry.size
    kinds = [house.world.registry.view(at)["operation"]["type"] for at in range(before, size)]
    rows = house.desk.find("", checks)
    begun = time.perf_counter()
    for row in rows:
        selfcheck.draw(row, "v.example")
    drawn = time.perf_counter()
    facts = open_bundle(house.world.commit(), pin=house.world.pin, at=house.now, label="home")
    good = sum(verify(row.file, facts=facts, policy=Policy(), at=house.moment).verdict == "valid-bearer" for row in rows)
    assert job.state == "done", (job.state, job.code)
    print(
        f"import {name}: checked {checked - start:.1f} s, issued {done - checked:.1f} s, together {done - start:.1f} s "
        f"({spent:.1f} s of one core), {memory} MB at most\n"
        f"  {job.good:,} issued, {job.bad} wrong and named; on the log {kinds.count('status.publish')} status and "
        f"{kinds.count('evidence.anchor')} evidence; {good:,} of {len(rows):,} verified offline; "
        f"a code drawn in {(drawn - begun) / len(rows) * 1e3:.1f} ms",
        flush=True,
    )
    house.close()


if __name__ == "__main__":
    main()
