"""Every case of every pack, through desks, offices, the node's service and the pipeline; and each case can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from wallet_cli.cases import read_cases, run_case, run_flipped
from wallet_cli.pack import load_pack
from weid.errors import MalformedError
from weid.pack import read_pack

PACKS = {folder.name: load_pack(folder) for folder in sorted((Path(__file__).parents[2] / "packs").iterdir())}
CASES = [(name, case) for name, pack in PACKS.items() for case in read_cases(pack)]


@pytest.mark.parametrize(("pack", "case"), CASES)
def test_case(pack: str, case: str) -> None:
    assert run_case(PACKS[pack], read_cases(PACKS[pack])[case]) == []


@pytest.mark.parametrize(("pack", "case"), CASES)
def test_case_can_fail(pack: str, case: str) -> None:
    """R29: with its last expectation turned round, the same case does not pass."""
    assert run_flipped(PACKS[pack], read_cases(PACKS[pack])[case]) == []


@pytest.mark.parametrize("pack", sorted(PACKS))
def test_packs_are_data(pack: str) -> None:
    assert not [path for path in PACKS[pack].files if path.endswith(".py")]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "pack.json"),
        ({"pack.json": b"{}"}, "id"),
        ({"pack.json": b'{"id":"a","version":1,"title":{"en":"x"}}'}, "pt"),
        ({"pack.json": b"[]"}, "object"),
        ({"pack.json": b'{"id":"a","version":1,"title":{}}', "x.py": b""}, "Python"),
    ],
)
def test_a_broken_pack_is_named(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read_pack(files)
