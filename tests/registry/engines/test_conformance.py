"""One suite for every engine: order, atomic batches, compare-and-append, contiguous reading, nothing more."""

from __future__ import annotations

import json
import threading

import pytest

from registry.engines import Entry, LogEngine, Placed, Refused, Ticket
from registry.engines.framing import batches
from tests.registry.engines.conftest import Maker
from tests.seeds import chance as chance_of
from weid.errors import RegistryError


def placed(engine: LogEngine, entries: list[bytes], expect: int | None = None) -> Placed:
    found = engine.wait(engine.append(entries, expect=expect), 10.0)
    assert isinstance(found, Placed), found
    return found


def data(engine: LogEngine, start: int = 0, limit: int = 100_000) -> list[bytes]:
    return [entry.data for entry in engine.read(start, limit)]


def test_an_empty_log_has_nothing(engine: LogEngine) -> None:
    assert (engine.head().size, data(engine), engine.evidence(0)) == (0, [], None)


def test_entries_come_back_in_order(engine: LogEngine) -> None:
    """With and without an expected size."""
    assert placed(engine, [b"a", b"b"]) == Placed(0, 2)
    assert placed(engine, [b"c"], 2) == Placed(2, 1)
    assert engine.head().size == 3
    assert list(engine.read(1, 10)) == [Entry(1, b"b"), Entry(2, b"c")]
    assert list(engine.read(0, 2)) == [Entry(0, b"a"), Entry(1, b"b")]
    assert list(engine.read(3, 10)) == []


def test_a_stale_expectation_is_refused_whole(engine: LogEngine) -> None:
    placed(engine, [b"a"])
    for expect in (0, 2):
        assert engine.wait(engine.append([b"b", b"c"], expect=expect), 10.0) == Refused("stale")
    assert data(engine) == [b"a"]


def test_the_same_entries_again_are_other_entries(engine: LogEngine) -> None:
    """An engine knows no operation: whether something is a duplicate is the state's to say."""
    assert [placed(engine, [b"same"]).first for _ in range(3)] == [0, 1, 2]
    assert data(engine) == [b"same"] * 3


def test_the_head_moves_with_every_append(engine: LogEngine) -> None:
    blocks = [engine.head().block]
    for n in range(3):
        placed(engine, [bytes([n + 1])])
        blocks.append(engine.head().block)
    assert len(set(blocks)) == 4


@pytest.mark.parametrize("wrong", ["empty", "large"])
def test_entry_sizes_are_bounded(engine: LogEngine, wrong: str) -> None:
    """Nothing of a batch with a wrong entry is stored."""
    bad = b"" if wrong == "empty" else bytes(engine.info.max_entry + 1)
    with pytest.raises(RegistryError) as caught:
        engine.append([b"fine", bad])
    assert (caught.value.code, engine.head().size) == ("entry-size", 0)


def test_the_largest_entry_and_batch_fit(engine: LogEngine) -> None:
    """The limits an engine names are ones it takes."""
    info = engine.info
    largest = bytes([7]) * info.max_entry
    first = placed(engine, [largest])
    many = [n.to_bytes(4, "big") * 4 for n in range(min(info.max_batch, 2_000))]
    full = next(iter(batches(many, info)))
    assert placed(engine, list(full)) == Placed(first.count, len(full))
    assert data(engine) == [largest, *full]


def test_reading_pages_from_anywhere(make: Maker) -> None:
    """Batches of every size, read from random places by one who was not there."""
    chance, engine, written = chance_of(4), make(), []
    for n in range(12):
        batch = [chance.randbytes(chance.randrange(1, 300)) for _ in range(chance.choice((1, 2, 5, 40)))]
        placed(engine, batch, len(written))
        written += batch
        if n % 5 == 0:
            assert data(make.again()) == written
    other = make.again()
    assert data(other) == written
    for _ in range(8):
        start, limit = chance.randrange(len(written)), chance.randrange(1, 60)
        assert data(other, start, limit) == written[start : start + limit]
        assert data(make.again(), start, limit) == written[start : start + limit]


def test_two_writers_never_interleave(make: Maker) -> None:
    """With an expected size one of two wins each place; nothing is lost, doubled or split."""
    engine, sent = make(), []
    lock = threading.Lock()

    def write(name: int) -> None:
        mine = make.again()
        done = 0
        while done < 6:
            batch = [f"{name}/{done}/{k}".encode() for k in range(3)]
            if isinstance(mine.wait(mine.append(batch, expect=mine.head().size), 10.0), Placed):
                done += 1
                with lock:
                    sent.append(batch)
            elif make.kind == "sqlite":
                mine = make.again()  # the embedded engine has one writer: another one opens the file again

    if make.kind in ("evm", "fisco"):
        pytest.skip("an account has one sequence of transactions: see test_writers_are_named_by_the_owner")
    threads = [threading.Thread(target=write, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = data(make.again())
    assert sorted(found[n : n + 3] for n in range(0, 36, 3)) == sorted(sent)
    assert engine.head().size == 36 or make.kind == "sqlite"


def test_evidence_is_information_only(engine: LogEngine) -> None:
    """Where there is a proof of the engine's own it is JSON, and none for an entry that is not there."""
    placed(engine, [b"a", b"b"])
    said = engine.evidence(1)
    assert said is None or json.loads(said)["first"] == 0
    assert engine.evidence(2) is None


def test_a_refused_ticket_stays_refused(engine: LogEngine) -> None:
    placed(engine, [b"a"])
    ticket = engine.append([b"b"], expect=0)
    assert isinstance(ticket, Ticket)
    assert engine.wait(ticket, 10.0) == engine.wait(ticket, 10.0) == Refused("stale")
