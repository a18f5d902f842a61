"""Rice code and the packed entries of a status list: one spelling, small, and nothing but our own errors."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weid.errors import MalformedError
from weid.rice import MAX_K, best_k, rice, unrice
from weid.status import REASONS, STATES, StatusEntries, StatusEntry, pack_entries, unpack_entries


def test_a_list_worked_by_hand() -> None:
    """5, 0, 3 with k = 1: 110·1, 0·0, 10·1 (quotient, low bit)."""
    assert rice([5, 0, 3], 1) == bytes([0b11010010, 0b10000000])
    assert unrice(bytes([0b11010010, 0b10000000]), 3, 1) == [5, 0, 3]


@given(st.lists(st.integers(0, 5_000), max_size=60), st.integers(0, 12))
def test_round_trip(numbers: list[int], k: int) -> None:
    assert unrice(rice(numbers, k), len(numbers), k) == numbers


@given(st.lists(st.integers(0, 1 << 20), min_size=1, max_size=40))
def test_the_parameter_is_the_cheapest(numbers: list[int]) -> None:
    """No parameter takes fewer bits, as counted by the definition."""

    def bits(k: int) -> int:
        return sum((number >> k) + 1 + k for number in numbers)

    assert bits(best_k(numbers)) == min(bits(k) for k in range(MAX_K + 1))


@given(st.binary(max_size=40), st.integers(0, 400), st.integers(0, 40))
def test_any_bytes_are_read_or_refused(data: bytes, count: int, k: int) -> None:
    try:
        numbers = unrice(data, count, k)
    except MalformedError:
        return
    assert rice(numbers, k) == data


ENTRIES = st.lists(
    st.tuples(st.integers(0, 3_000), st.sampled_from(STATES), st.sampled_from(REASONS), st.integers(0, 1 << 31)),
    max_size=30, unique_by=lambda item: item[0],
)  # fmt: skip


@given(ENTRIES)
def test_entries_round_trip(items: list[tuple[int, str, str, int]]) -> None:
    entries = StatusEntries(StatusEntry(*item) for item in sorted(items))
    assert unpack_entries(pack_entries(entries)) == entries


@given(ENTRIES, st.data())
def test_one_spelling_of_a_list(items: list[tuple[int, str, str, int]], data: st.DataObject) -> None:
    """Whatever is changed is refused or means something else."""
    packed = pack_entries(StatusEntries(StatusEntry(*item) for item in sorted(items)))
    if not packed:
        return
    changed = bytearray(packed)
    changed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(MalformedError):
        assert pack_entries(unpack_entries(bytes(changed))) == bytes(changed)


@pytest.mark.parametrize("extra", [b"\x00", b"\x01", b"\xff"])
def test_nothing_may_follow(extra: bytes) -> None:
    packed = pack_entries(StatusEntries([StatusEntry(3, "revoked", "fraud", 9)]))
    with pytest.raises(MalformedError):
        unpack_entries(packed + extra)


def test_ten_thousand_of_a_million_take_under_four_bytes_each() -> None:
    chance = random.Random(7)
    places = sorted(chance.sample(range(1_000_000), 10_000))
    entries = StatusEntries(
        StatusEntry(place, "revoked", chance.choice(REASONS[:3]), 29_900_000 + chance.randrange(1_576_800)) for place in places
    )
    assert len(pack_entries(entries)) < 40_000
