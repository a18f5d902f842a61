"""A file may name what it is drawn with (ADR 24): signed, in one spelling, and without a say in anything else."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from credentials import vcdm
from credentials.issue import Issued, Slot, issue
from credentials.verify import verify
from tests.credentials.world import CLAIMS, DAY, NOW, World, at
from weid.canon import jcs
from weid.codec import multibase
from weid.errors import MalformedError

DIGEST = multibase(b"\x12\x20" + hashlib.sha256(b"<svg/>").digest())
BASE = "https://desk.example"


def made(world: World, *templates: str, base: str | None = None) -> Issued:
    return issue(
        world.schema, CLAIMS, issuer=world.issuer.signer, registry=world.registry, issued=NOW - DAY, valid_until=NOW + DAY,
        random=lambda size: b"7" * size, slot=Slot(1, 7), status_base=base, templates=templates,
    )  # fmt: skip


@pytest.mark.parametrize("base", [None, BASE])
def test_a_file_that_names_its_template_verifies_and_is_otherwise_the_same(base: str | None) -> None:
    """Same id, same code, same verdict; the member is what W3C writes."""
    world = World()
    plain, named = made(world, base=base), made(world, DIGEST, base=base)

    assert (plain.id, plain.compact) == (named.id, named.compact)
    assert "renderMethod" not in json.loads(plain.file)
    where = f"urn:weid:template:{DIGEST}" if base is None else f"{BASE}/templates/{DIGEST}.svg"
    assert json.loads(named.file)["renderMethod"] == [{
        "type": "TemplateRenderMethod", "renderSuite": "svg-mustache",
        "template": {"id": where, "mediaType": "image/svg+xml", "digestMultibase": DIGEST},
    }]  # fmt: skip
    assert verify(named.file, facts=world.facts(), at=at()).verdict == verify(plain.file, facts=world.facts(), at=at()).verdict


@pytest.mark.parametrize("change", ["gone", "added", "digest"])
def test_it_is_signed(change: str) -> None:
    """Taken away, put in or exchanged: tampered."""
    world = World()
    document = json.loads(made(world, *(() if change == "added" else (DIGEST,))).file)
    if change == "gone":
        del document["renderMethod"]
    else:
        other = multibase(b"\x12\x20" + bytes(32))
        document["renderMethod"] = vcdm.render_methods((other,), base=None)
    assert verify(jcs(document), facts=world.facts(), at=at()).verdict == "tampered"


CHANGES: dict[str, Callable[[Any], Any]] = {
    "one object": lambda value: value[0],
    "none": lambda value: [],
    "four": lambda value: value * 4,
    "another suite": lambda value: [{**value[0], "renderSuite": "html"}],
    "something more": lambda value: [{**value[0], "outputPreference": {}}],
    "another address": lambda value: [{**value[0], "template": {**value[0]["template"], "id": f"https://e.example/templates/{DIGEST}.svg"}}],
    "a short digest": lambda value: [{**value[0], "template": {**value[0]["template"], "digestMultibase": "zQm"}}],
    "text": lambda value: "x",
    "a picture inside": lambda value: [{**value[0], "template": "data:image/svg+xml;base64,AAAA"}],
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_one_spelling_is_ours(name: str) -> None:
    """R27: whatever else W3C allows is not one of our files."""
    document = json.loads(made(World(), DIGEST, base=BASE).file)
    changed = copy.deepcopy(document)
    changed["renderMethod"] = CHANGES[name](document["renderMethod"])
    with pytest.raises(MalformedError):
        vcdm.read_file(jcs(changed))


def test_what_is_no_digest_is_not_signed() -> None:
    """Refused at issue, before anything is signed."""
    for digest in ("", "zQm", DIGEST[:-1], f"{DIGEST}/../x", multibase(b"\x12\x20" + bytes(31))):
        with pytest.raises(MalformedError):
            made(World(), digest)
