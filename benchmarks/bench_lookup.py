"""A look-up among a million certificates: from the typed text to the ids, found and not found, on a file on disk."""

from __future__ import annotations

import os
import secrets
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from issuer_app.ledger import Ledger
from issuer_app.lookups import Book, read_lookup
from issuer_app.lookups.asking import Way, ask, forms_of
from weid.hashes import SHA256, SM3, Hash

ROWS = int(os.environ.get("WEID_BENCH_ROWS", "1000000"))
ASKED = 2_000
NAMES = ("陳大文", "王小明", "CHAN Tai Man", "José António d'Almeida")
TITLE = dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "Award")
RULE = {
    "title": TITLE, "schemas": ["award"], "documents": ["passport"], "from": {"name": "holder"},
    "by": [["documentNumber", "name", "birthDate"]],
}  # fmt: skip


def main() -> None:
    """Filled, then asked at random; the goal is for the 95th of a hundred. WEID_BENCH_SM3=1 measures the gm profile too."""
    print(f"{ROWS:,} certificates; milliseconds a look-up, {ASKED:,} of each kind in random order")
    for hash in (SHA256, *([SM3] if os.environ.get("WEID_BENCH_SM3") else [])):
        with TemporaryDirectory() as folder:
            _measure(Path(folder) / "issued.db", hash)


def _measure(path: Path, hash: Hash) -> None:
    ledger = Ledger(path)
    rules = {"open": {**RULE, "shows": "certificate"}, "private": {**RULE, "shows": "nothing-without-link"}}
    book = Book(ledger.store, secrets.token_bytes(32), read_lookup({"rules": rules}), hash=hash)  # type: ignore[dict-item]
    began = time.perf_counter()
    for setting in ("synchronous=OFF", "secure_delete=OFF", "cache_size=-400000"):  # to fill it sooner; asked as the desk is
        ledger.store._database.conn.execute(f"PRAGMA {setting}")
    _fill(book)
    ledger.store.checkpoint()
    for setting in ("synchronous=FULL", "secure_delete=ON", "cache_size=-2000"):
        ledger.store._database.conn.execute(f"PRAGMA {setting}")
    size = path.stat().st_size / 1e6
    print(f"{hash.name}: filled in {time.perf_counter() - began:,.0f} s, {size:,.0f} MB with the certificates' rows")
    for name in ("open", "private"):
        way = Way(book.lookup.rules[name], 0)
        spent: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(2 * ASKED):
            number = secrets.randbelow(ROWS) + (ROWS if turn % 2 else 0)
            found, seconds = _timed(book, way, number)
            spent[found].append(seconds)
        for found, times in spent.items():
            cuts = statistics.quantiles((1000 * item for item in times), n=100)
            what = f"  {name}, {'found' if found else 'not found'}"
            print(f"{what:<28} p50 {cuts[49]:7.3f} ms   p95 {cuts[94]:7.3f} ms   p99 {cuts[98]:7.3f} ms   goal p95 ≤ 20 ms")
    ledger.close()


def _timed(book: Book, way: Way, number: int) -> tuple[bool, float]:
    """(whether it was found, seconds)."""
    typed = {**_inputs(number), "documentKind": "passport"}
    began = time.perf_counter()
    ids = ask(book, way, typed, at=1, count=lambda *_: None)
    seconds = time.perf_counter() - began
    assert len(ids) == int(number < ROWS)
    return bool(ids), seconds


def _inputs(number: int) -> dict[str, str]:
    return {"documentNumber": f"E{number:08}", "name": NAMES[number % len(NAMES)], "birthDate": f"19{number % 90 + 10}-03-07"}


def _fill(book: Book) -> None:
    """Two values and one person for each certificate, as the desk writes them; the certificates' own bytes are left out."""
    ways = [(name, Way(rule, 0)) for name, rule in book.lookup.rules.items()]
    for start in range(0, ROWS, 20_000):
        numbers = range(start, min(start + 20_000, ROWS))
        ids = [secrets.token_hex(16) for _ in numbers]
        people = [secrets.token_bytes(16) for _ in numbers]
        entries = []
        for number, person in zip(numbers, people, strict=True):
            typed = {**_inputs(number), "documentKind": "passport"}
            for name, way in ways:
                (value,) = book.values(way.rule, way.by, forms_of(way, typed))
                entries.append((value, person, "", name, person[:8], "passport", 1))
        with book.store.change() as db:
            rows = ((number + 1, id_, b"s", number) for number, id_ in zip(numbers, ids, strict=True))
            db.conn.executemany(
                "INSERT INTO issued VALUES (?,?,?,1,?,0,0,9,'{}',x'',x'',NULL,NULL,0,'','valid',NULL,NULL,'',1,'',0,NULL,NULL,0)",
                rows,
            )
            held = ((id_, person, "award") for id_, person in zip(ids, people, strict=True))
            db.conn.executemany("INSERT INTO lookup_people VALUES (?,?,?)", held)
            db.conn.executemany("INSERT INTO lookup_entries VALUES (?,?,?,?,?,?,?)", entries)


if __name__ == "__main__":
    main()
