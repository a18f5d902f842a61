"""The conformance suite of engines, and what is special about the SQLite one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.engines import MAX_ENTRY, Entry, GapError, Placed, Refused
from registry.engines.sqlite import SqliteEngine, genesis_of
from weid import merkle
from weid.errors import ConflictError, RegistryError
from weid.hashes import SHA256


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    made = SqliteEngine.create(tmp_path / "log.db", b"genesis", hash=SHA256)
    yield made
    made.close()


def test_append_places_entries_in_order(engine: SqliteEngine) -> None:
    """Entries come back contiguous, in the order they were given."""
    assert Placed(0, 2) == engine.wait(engine.append([b"a", b"b"]), 1.0)
    assert Placed(2, 1) == engine.wait(engine.append([b"c"], expect=2), 1.0)

    assert engine.head().size == 3
    assert [Entry(1, b"b"), Entry(2, b"c")] == list(engine.read(1, 10))
    assert list(engine.read(3, 10)) == []
    assert engine.evidence(0) is None


def test_compare_and_append_refuses_a_stale_expectation(engine: SqliteEngine) -> None:
    """With `expect`, a log that has moved on takes nothing."""
    engine.append([b"a"])

    assert Refused("stale") == engine.wait(engine.append([b"b"], expect=0), 1.0)
    assert engine.head().size == 1


@pytest.mark.parametrize("data", [b"", bytes(MAX_ENTRY + 1)])
def test_entry_sizes_are_bounded(engine: SqliteEngine, data: bytes) -> None:
    """An entry too small or too large is refused and nothing of its batch is stored."""
    with pytest.raises(RegistryError, match="an entry is"):
        engine.append([b"fine", data])
    assert engine.head().size == 0


def test_reading_pages_and_reopening(tmp_path: Path) -> None:
    """Thousands of entries read back in order after reopening, with the right root."""
    path = tmp_path / "log.db"
    data = [n.to_bytes(3, "big") for n in range(2_500)]
    engine = SqliteEngine.create(path, b"genesis", hash=SHA256)
    for start in range(0, len(data), 333):
        engine.append(data[start : start + 333])
    engine.close()
    engine = SqliteEngine.open(path, hash=SHA256)

    assert data == [entry.data for entry in engine.read(0, 10_000)]
    assert data[7:1_207] == [entry.data for entry in engine.read(7, 1_200)]
    assert merkle.root([merkle.leaf_hash(d, hash=SHA256) for d in data], hash=SHA256) == engine.tree.root
    assert genesis_of(path) == b"genesis"


def test_two_writers_cannot_interleave(tmp_path: Path) -> None:
    """A second process that appended makes the first one stop, not fork."""
    path = tmp_path / "log.db"
    one = SqliteEngine.create(path, b"genesis", hash=SHA256)
    two = SqliteEngine.open(path, hash=SHA256)
    one.append([b"a"])

    assert Refused("stale") == two.wait(two.append([b"b"]), 1.0)
    assert [Entry(0, b"a")] == list(two.read(0, 9))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET data = x'00' WHERE idx = 0",
        "DELETE FROM entry WHERE idx = 1",
        "INSERT INTO entry VALUES (9, x'00')",
        "INSERT OR REPLACE INTO entry VALUES (0, x'00')",
        "UPDATE tile SET data = x'00'",
        "DELETE FROM tile",
        "UPDATE meta SET value = x'00'",
        "DELETE FROM meta",
    ],
)
def test_tables_are_append_only(tmp_path: Path, statement: str) -> None:
    """A careless SQL statement cannot change history."""
    engine = SqliteEngine.create(tmp_path / "log.db", b"genesis", hash=SHA256)
    engine.append([b"a", b"b"])
    engine.close()
    connection = sqlite3.connect(tmp_path / "log.db")

    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


def test_a_hole_is_an_error(tmp_path: Path) -> None:
    """An entry removed behind the triggers stops the reader."""
    engine = SqliteEngine.create(tmp_path / "log.db", b"genesis", hash=SHA256)
    engine.append([b"a", b"b", b"c"])
    connection = sqlite3.connect(tmp_path / "log.db")
    connection.executescript("DROP TRIGGER entry_kept; DELETE FROM entry WHERE idx = 1;")

    with pytest.raises(GapError, match="entry 1"):
        list(engine.read(0, 9))


def test_files_that_are_no_registry_are_named(tmp_path: Path) -> None:
    """Another file, a missing file and an existing file each give a coded error."""
    (tmp_path / "text").write_text("hello, this is not a database at all" * 50)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)")
    for name in ("text", "other.db", "missing.db"):
        with pytest.raises(RegistryError) as caught:
            SqliteEngine.open(tmp_path / name, hash=SHA256)
        assert caught.value.code == "not-a-registry"
    with pytest.raises(ConflictError):
        SqliteEngine.create(tmp_path / "text", b"genesis", hash=SHA256)


def test_kept_values(engine: SqliteEngine) -> None:
    """Small values beside the log can be replaced and listed."""
    engine.keep("note", "b", b"1")
    engine.keep("note", "a", b"2")
    engine.keep("note", "b", b"3")

    assert engine.kept("note", "b") == b"3"
    assert engine.kept("note", "c") is None
    assert engine.kept_keys("note") == ("a", "b")
