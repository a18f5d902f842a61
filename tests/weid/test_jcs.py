"""RFC 8785 against the official examples."""

from __future__ import annotations

import json

import pytest

from tests.vectors import vector
from weid.canon import jcs, parse_json
from weid.errors import MalformedError

NAMES = ("arrays", "french", "structures", "unicode", "values", "weird")


@pytest.mark.parametrize("name", NAMES)
def test_official_examples(name: str) -> None:
    """The canonical bytes are the published ones, to the hex digit."""
    given = vector(f"jcs/testdata/input/{name}.json").read_bytes()
    try:
        value = parse_json(given)
    except MalformedError:  # the examples hold integers beyond 2^53-1, which our strict reader refuses to guess
        value = json.loads(given, parse_int=float)
    wanted = bytes.fromhex(vector(f"jcs/testdata/outhex/{name}.txt").read_text())
    assert jcs(value) == wanted


def test_what_has_no_canonical_form_is_refused() -> None:
    for value in (float("nan"), float("inf"), "\ud800", {"\ud800": 1}, 2**60):
        with pytest.raises(MalformedError):
            jcs(value)
