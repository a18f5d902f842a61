"""The formula of a vote against an oracle that counts in fractions, over every small committee (R24)."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weid.governance import RuleRecord, Seat, Vote, passes

SHARES = (0, 33, 50, 51, 67, 100)


def rule(agree: int, participates: int, win: int) -> RuleRecord:
    return RuleRecord("rules", agree, participates, win, 0, 10)


def oracle(weights: tuple[int, ...], words: tuple[bool | None, ...], rule: RuleRecord) -> bool:
    """The sentence of the rule, word for word, in fractions."""
    voted = Fraction(sum(weight for weight, word in zip(weights, words, strict=True) if word is not None))
    agree = Fraction(sum(weight for weight, word in zip(weights, words, strict=True) if word is True))
    if voted == 0 or agree == 0 or agree < rule.agree:
        return False
    return voted / sum(weights) >= Fraction(rule.participates, 100) and agree / voted >= Fraction(rule.win, 100)


@pytest.mark.parametrize("members", [1, 2, 3, 4, pytest.param(5, marks=pytest.mark.long)])
def test_every_small_committee_and_every_outcome_of_its_vote(members: int) -> None:
    """Up to five members with weights up to three, each voting for, against or not at all, under every rule."""
    seen = set()
    for weights in combinations_with_replacement((1, 2, 3), members):
        seats = tuple(Seat(f"did:{n}", weight) for n, weight in enumerate(weights))
        floors = sorted({1, sum(weights) // 2 + 1, sum(weights)})
        for words in product((True, False, None), repeat=members):
            votes = tuple(Vote(f"did:{n}", word, 1) for n, word in enumerate(words) if word is not None)
            for agree, participates, win in product(floors, SHARES, SHARES):
                asked = rule(agree, participates, win)
                answer = passes(seats, votes, asked)
                assert answer is oracle(weights, words, asked), (weights, words, asked)
                seen.add(answer)
    assert seen == {True, False}


@given(
    weights=st.lists(st.integers(1, 1 << 31), min_size=1, max_size=9),
    data=st.data(), participates=st.integers(0, 100), win=st.integers(0, 100),
)  # fmt: skip
def test_large_weights_lose_nothing_to_rounding(weights: list[int], data: st.DataObject, participates: int, win: int) -> None:
    words = tuple(data.draw(st.sampled_from((True, False, None))) for _ in weights)
    asked = rule(data.draw(st.integers(1, sum(weights))), participates, win)
    seats = tuple(Seat(f"did:{n}", weight) for n, weight in enumerate(weights))
    votes = tuple(Vote(f"did:{n}", word, 1) for n, word in enumerate(words) if word is not None)
    assert passes(seats, votes, asked) is oracle(tuple(weights), words, asked)


def test_a_stranger_counts_nothing() -> None:
    """A vote without a seat has no weight, in favour or against."""
    seats = (Seat("did:a", 2), Seat("did:b", 1))
    assert not passes(seats, (Vote("did:x", True, 1),), rule(1, 0, 0))
    assert passes(seats, (Vote("did:a", True, 1), Vote("did:x", False, 1)), rule(1, 51, 100))
