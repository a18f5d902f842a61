"""The section `assets` of a pack is read strictly, and names what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.pack import read_assets
from weid.errors import MalformedError
from weid.pack import Pack, read_pack

FOLDER = Path(__file__).parents[2] / "packs" / "warehouse-pledge"
HEAD = (FOLDER / "pack.json").read_bytes()
SECTION = json.loads((FOLDER / "assets.json").read_bytes())


def pack(section: Any) -> Pack:
    return read_pack({"pack.json": HEAD, "assets.json": json.dumps(section).encode()})


def changed(part: str, name: str, **members: Any) -> Pack:
    """The pack's section with one entry changed; a member set to None is left out."""
    section = json.loads(json.dumps(SECTION))
    entry = section[part][name] | members
    section[part][name] = {key: value for key, value in entry.items() if value is not None}
    return pack(section)


def test_what_a_pack_says() -> None:
    held = read_assets(pack(SECTION))
    assert set(held.machines) == {"receipt"} and set(held.keys) == {"receipt"}
    assert held.registers["financing"].claimers == ("bank-a", "bank-b")
    assert held.registers["financing"].reusable and not held.registers["delivery"].reusable


def test_a_pack_without_the_section_says_nothing() -> None:
    held = read_assets(read_pack({"pack.json": HEAD}))
    assert not held.machines and not held.keys and not held.registers


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (pack({"more": {}}), "more"),
        (pack({"machines": []}), "machines must be an object"),
        (pack({"machines": {"a": 1}}), "needs registry and document"),
        (pack({"registers": {"a": 1}}), "needs owner"),
        (pack({"keys": {"a": 1}}), "fields"),
        (changed("machines", "receipt", registry=7), "registry must be text"),
        (changed("machines", "receipt", document={}), "not canonical JSON of a machine"),
        (changed("registers", "financing", key="other"), "no business key other"),
        (changed("registers", "financing", key=None), "needs owner"),
        (changed("registers", "financing", owner=""), "owner must be text"),
        (changed("registers", "financing", claimers="bank-a"), "claimers is a list"),
        (changed("registers", "financing", claimers=[1]), "claimers must be text"),
        (changed("registers", "financing", reusable=1), "reusable true or false"),
        (changed("registers", "financing", more=1), "needs owner"),
    ],
)
def test_what_is_wrong_is_named(given: Pack, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read_assets(given)
