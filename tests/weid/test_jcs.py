"""RFC 8785 against the official examples."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import vector
from weid.canon import JSON, jcs, parse_json
from weid.errors import MalformedError

NAMES = ("arrays", "french", "structures", "unicode", "values", "weird")


@pytest.mark.parametrize("name", NAMES)
def test_official_examples(name: str) -> None:
    """The canonical bytes are the published ones, to the hex digit."""
    data = vector(f"jcs/testdata/input/{name}.json").read_bytes()
    try:
        value = parse_json(data)
    except MalformedError:  # the examples hold integers beyond 2^53-1, which our strict reader refuses to guess
        value = json.loads(data, parse_int=float)
    wanted = bytes.fromhex(vector(f"jcs/testdata/outhex/{name}.txt").read_text())
    assert jcs(value) == wanted


def test_what_has_no_canonical_form_is_refused() -> None:
    unfit: list[JSON] = [float("nan"), float("inf"), "\ud800", {"\ud800": 1}, 2**60]
    for value in unfit:
        with pytest.raises(MalformedError):
            jcs(value)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=12)
    | st.floats(allow_nan=False, width=32),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_the_quick_way_writes_the_same_bytes(value: object) -> None:
    """Most values never reach the library; what they get instead is equal to its bytes."""
    try:
        wanted = rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(MalformedError):
            jcs(value)  # type: ignore[arg-type]
        return
    assert jcs(value) == wanted  # type: ignore[arg-type]
