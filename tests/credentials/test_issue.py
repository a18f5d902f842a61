"""One credential, two securings (R17): the file and the code are the same value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credentials import compact, vcdm
from credentials.binding import NO_BINDING, Binding, read_binding
from credentials.verify import verify
from tests.credentials.world import CLAIMS, DAY, NOW, World, at, holder, pass_schema
from weid import cbor
from weid.canon import jcs
from weid.errors import IssueError, MalformedError, SchemaError, UnknownSuiteError
from weid.hashes import SHA256

SUITES = ("ed25519", "p256", "sm2")


@pytest.mark.parametrize("suite_name", SUITES)
def test_same_value(suite_name: str) -> None:
    """Same id, status slot, validity, claims and verdict from both forms."""
    world = World(suite=suite_name)
    issued = world.issue()
    facts = world.facts()
    code, file = verify(issued.compact, facts=facts, at=at()), verify(issued.file, facts=facts, at=at())
    a, b = code.require(), file.require()
    assert (a.id, a.cid, a.claims, a.valid_from, a.valid_until, a.status, a.index) == (
        b.id, b.cid, b.claims, b.valid_from, b.valid_until, b.status, b.index,
    )  # fmt: skip
    assert a.id == issued.id
    assert issued.leaf is not None
    assert (issued.leaf.cid, issued.list_id) == (a.cid, world.list_id)


def test_file_is_vcdm() -> None:
    """The file has the members VCDM 2.0 asks for and nothing twice."""
    world = World()
    document = json.loads(world.issue().file)
    assert document["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert document["type"] == ["VerifiableCredential", "EntryPassCredential"]
    assert {entry["statusPurpose"] for entry in document["credentialStatus"]} == {"revocation", "suspension"}
    assert document["credentialSubject"] == CLAIMS


def test_fresh_seed() -> None:
    """Two credentials over the same claims share neither seed nor id (R15)."""
    world = World()
    first, second = world.issue(index=1), world.issue(index=1)
    assert first.cid != second.cid
    assert compact.read_compact(first.compact).seed != compact.read_compact(second.compact).seed


@pytest.mark.parametrize(
    "schema, change, code",
    [
        ({}, {"index": None}, "status-missing"),
        ({}, {"until": NOW + 400 * DAY}, "lifetime-exceeded"),
        ({}, {"until": NOW - 20 * DAY}, "bad-period"),
        ({}, {"valid_from": NOW - 20 * DAY}, "bad-period"),
        ({}, {"bind": Binding.to_key(holder().public_key)}, "bind-mismatch"),
        ({"bind": "key"}, {"bind": NO_BINDING}, "bind-mismatch"),
        ({"bind": "chain", "status": False, "lifetime": DAY}, {
            "bind": Binding.to_chain(b"t" * 24, 720, SHA256), "index": None, "until": NOW - 10 * DAY + 719}, "bad-period"),
    ],
)  # fmt: skip
def test_refusals(schema: dict[str, Any], change: dict[str, Any], code: str) -> None:
    """Terms the schema does not allow are refused at issue, with a code."""
    with pytest.raises(IssueError) as caught:
        World(schema_bytes=pass_schema(**schema)).issue(**change)
    assert caught.value.code == code


def test_missing_claim_is_named() -> None:
    """A missing mandatory claim is named."""
    with pytest.raises(SchemaError, match="name"):
        World().issue({"status": "GREEN"})


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in leaves(item, (*path, name))]
    if isinstance(value, list):
        return [found for place, item in enumerate(value) for found in leaves(item, (*path, place))]
    return [path]


def put(document: Any, path: tuple[Any, ...], value: Any) -> bytes:
    copy = json.loads(json.dumps(document))
    place = copy
    for name in path[:-1]:
        place = place[name]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return jcs(copy)


def test_any_change_of_the_file_fails() -> None:
    """Every leaf changed, retyped or removed, and every added member, is not valid (R27)."""
    world = World()
    facts = world.facts()
    document = json.loads(world.issue().file)
    for path in leaves(document):
        for value in ("other", 1, None, True, [], ...):
            data = put(document, path, value)
            if json.loads(data) == document:
                continue
            report = verify(data, facts=facts, at=at())
            assert report.exit_code != 0, (path, value)
            assert all(check.code != "internal-error" for check in report), (path, value)
    for path in ((), ("weid",), ("proof",), ("credentialSubject",), ("credentialSchema",)):
        data = put(document, (*path, "new"), "x")
        assert verify(data, facts=facts, at=at()).exit_code != 0, path


def test_file_spelling_does_not_matter() -> None:
    """JSON formats are read by their parsed value: white space and order change nothing (R27)."""
    world = World()
    document = json.loads(world.issue().file)
    pretty = json.dumps(dict(reversed(document.items())), indent=2, ensure_ascii=False).encode()
    assert verify(pretty, facts=world.facts(), at=at()).exit_code == 0


@pytest.mark.parametrize(
    "text", ['{}', '{"type":"VerifiableCredential"}', '{"@context":["x"],"type":["VerifiableCredential"]}', "[]", "{",
             '{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiableCredential","issuer":1}'],
)  # fmt: skip
def test_not_a_credential_file(text: str) -> None:
    """Other JSON is refused as not a credential or not supported."""
    with pytest.raises(MalformedError):
        vcdm.read_file(text.encode())


@pytest.mark.parametrize("name", ["p384", "p521", "ml-dsa-44"])
def test_suites_that_do_not_fit_the_compact_form(name: str) -> None:
    """`wrong-suite`: neither an issuer nor a bound holder has a key whose signatures are not 64 bytes (R2)."""
    world = World(suite=name)
    for attempt in (world.issue, lambda: Binding.to_key(holder(name).public_key)):
        with pytest.raises(UnknownSuiteError, match=f"^{name} signs no compact codes") as caught:
            attempt()
        assert caught.value.code == "wrong-suite"
    asked = {"bind": "key", "form": "weid/binding/1", "key": holder("p384").public_key.multikey()}
    with pytest.raises(UnknownSuiteError):
        read_binding(jcs(asked), "key")  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [5, 6, 7])
def test_codes_of_suites_that_do_not_fit(number: int) -> None:
    """A compact code or a holder's key that claims such a suite by its number is refused as it is read."""
    data = World().issue().compact
    value = list(cbor.decode(data))  # type: ignore[arg-type]
    value[1] = number
    with pytest.raises(UnknownSuiteError) as caught:
        compact.read_compact(cbor.encode(value))
    assert caught.value.code == "wrong-suite"
