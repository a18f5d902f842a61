"""The check by typing (R25): the code is the key; one letter off finds nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.typed import new_code, place_of, read_code, typed_kind
from weid.errors import MalformedError


@given(st.binary(min_size=10, max_size=10))
def test_a_printed_code_reads_back_to_its_80_bits(data: bytes) -> None:
    """What is printed is what was drawn, also as people type it."""
    text = new_code(lambda size: data[:size])
    assert read_code(text) == data
    assert read_code(f" {text.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} ") == data


@pytest.mark.parametrize("text", ["", "1234", "U" * 16, "0" * 17, "é" * 16])
def test_anything_else_is_not_a_code(text: str) -> None:
    """Only 16 characters of the alphabet are a code."""
    with pytest.raises(MalformedError):
        read_code(text)


def test_a_kind_leads_back_to_its_place() -> None:
    """The kind of the anchor names list and index, in one spelling only."""
    kind = typed_kind("did:weid:1:0xab/status/1", 77)
    assert place_of(kind) == ("did:weid:1:0xab/status/1", 77)
    for other in ("typed/x/077", "other/x/7", "typed/x/", "typed/x/-1"):
        with pytest.raises(MalformedError):
            place_of(other)
