"""R28: nothing that is shown may lie, hide or hold up the reader, whoever wrote it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from credentials.compact import read_compact
from credentials.schema import read_schema, schema_digest
from credentials.verify import verify
from tests.attacks.forge import forged
from tests.credentials.world import CLAIMS, World, at, labels, pass_schema
from weid.errors import SchemaError
from weid.hashes import SHA256

REVERSED = "exempt\u202e not \u202c"


@pytest.mark.parametrize("place", ["title", "label", "choice"])
def test_r28_a_label_that_reads_backwards_makes_a_schema_unusable(place: str) -> None:
    """Labels stand beside signed values: one with bidi or control characters could turn RED into "exempt"."""
    document: dict[str, Any] = json.loads(pass_schema())
    if place == "title":
        document["x-weid"]["title"] = labels(REVERSED)
    elif place == "label":
        document["properties"]["name"]["x-label"] = labels("\u001b[2J")
    else:
        document["properties"]["status"]["x-values"]["RED"] = labels(REVERSED)
    data = json.dumps(document).encode()
    with pytest.raises(SchemaError, match="holds the invisible"):
        read_schema(data, schema_digest(data, SHA256))


def test_r28_bidi_text_that_an_issuer_signed_is_flagged() -> None:
    """An accredited issuer signs a name with a bidi override: the proof holds, the verdict is not valid."""
    world = World()
    good = world.issue()
    items = read_compact(good.compact).items
    report = verify(forged(world, good.compact, items=(items[0], REVERSED, items[2])), facts=world.facts(), at=at())
    assert (report.exit_code, report.check("schema").code) == (1, "unsafe-text")


def test_r28_a_pattern_of_a_schema_cannot_hold_up_the_checker() -> None:
    """A publisher's `^(a+)+$` against its own `aaaa…!` took minutes when the reason was worked out."""
    document: dict[str, Any] = json.loads(pass_schema())
    document["properties"]["name"]["pattern"] = "^(a+)+$"
    world = World(schema_bytes=json.dumps(document).encode())
    good = world.issue({**CLAIMS, "name": "aa"}).compact
    items = read_compact(good).items
    bad = forged(world, good, items=(items[0], "a" * 39 + "!", items[2]))
    start = time.perf_counter()
    report = verify(bad, facts=world.facts(), at=at())
    assert time.perf_counter() - start < 2
    assert report.check("schema").evidence["reason"] == "name: does not fit pattern"
