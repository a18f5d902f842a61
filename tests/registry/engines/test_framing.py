"""A batch is whole entries and nothing else, and an engine is never sent more than it takes."""

from __future__ import annotations

import pytest

from registry.engines import EngineInfo, GapError
from registry.engines.framing import batches, frame, unframe
from tests.seeds import chance as chance_of
from weid.errors import RegistryError

INFO = EngineInfo("test", "local", max_entry=100, max_batch=7, max_bytes=300)


def test_frames_read_back() -> None:
    chance = chance_of(1)
    for _ in range(200):
        entries = tuple(chance.randbytes(chance.choice((1, 2, 255, 256, 65_535))) for _ in range(chance.randrange(1, 6)))
        assert unframe(frame(entries), len(entries)) == entries


def test_any_change_of_a_length_or_count_is_a_gap() -> None:
    """Cut, longer, empty, or another number of entries."""
    entries = (b"one", b"2b", b"x")
    data = frame(entries)
    for count in (0, 1, 2, 4):
        with pytest.raises(GapError):
            unframe(data, count)
    for wrong in (b"", *(data[:n] for n in range(len(data))), data + b"\0", data + b"\0\0", b"\0\0" + data):
        with pytest.raises(GapError):
            unframe(wrong, 3)


def test_batches_keep_order_and_limits() -> None:
    chance = chance_of(2)
    for _ in range(100):
        entries = [chance.randbytes(chance.randrange(1, 101)) for _ in range(chance.randrange(40))]
        made = list(batches(entries, INFO))
        assert [entry for batch in made for entry in batch] == entries
        assert all(0 < len(batch) <= 7 and len(frame(batch)) <= 300 for batch in made)


def test_an_entry_that_never_fits_is_refused() -> None:
    for wrong in (b"", bytes(101)):
        with pytest.raises(RegistryError) as caught:
            list(batches([b"a", wrong], INFO))
        assert caught.value.code == "entry-size"
