"""OpenAttestation under the one pipeline: values, hash tree, a wallet's signature, stores that nobody can ask offline."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.credentials.others.makers import EthereumKey, attested, attested_3, flat, leaf, wrapped
from tests.credentials.others.world import codes, judged, kept
from weid.anchors import AnchorList

STORE = "0x8bA63EAB43342AAc3AdBB4B827b68Cf4aAE5Caca"


@pytest.fixture(scope="module")
def key() -> EthereumKey:
    return EthereumKey.fresh()


def issuers(**held: Any) -> AnchorList:
    return kept("openattestation", {"issuers": held})


def text(value: Any) -> str:
    return json.dumps(value)


MAKERS: tuple[Callable[[EthereumKey], dict[str, Any]], ...] = (attested, attested_3)


@pytest.mark.parametrize("make", MAKERS)
def test_a_document_of_a_did_in_the_list_is_valid_for_its_bearer(key: EthereumKey, make: Any) -> None:
    report = judged(text(make(key)), issuers(**{key.did: {"name": "School"}}))
    assert (report.verdict, codes(report)) == ("valid-bearer", {})
    shown = report.presented
    assert shown is not None and report.authentic is not None
    assert shown.issuer_names["en"] == "School" and shown.issuer == key.did
    assert "Ana Silva" in text(dict(shown.claims)) and "openAttestationMetadata" not in shown.claims


@pytest.mark.parametrize("make", MAKERS)
def test_a_did_outside_the_list_signed_it_but_counts_for_nothing(key: EthereumKey, make: Any) -> None:
    report = judged(text(make(key)))
    assert (report.verdict, report.exit_code) == ("issuer-unknown", 3)
    assert codes(report) == {"issuer.accreditation": "issuer-not-in-trust-data"}


@pytest.mark.parametrize("make", MAKERS)
def test_another_key_than_the_issuers_is_tampered(key: EthereumKey, make: Any) -> None:
    value, thief = make(key), EthereumKey.fresh()
    root = bytes.fromhex((value.get("signature") or value["proof"])["merkleRoot"])
    forged = thief.sign_message(root)
    if isinstance(value["proof"], list):
        value["proof"][0]["signature"] = forged
    else:
        value["proof"]["signature"] = forged
    assert judged(text(value), issuers(**{key.did: {}})).verdict == "tampered"


def changes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a leaf."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return [path]
    return [found for name, item in items for found in changes(item, (*path, name))]


def test_any_changed_value_never_verifies(key: EthereumKey) -> None:
    """Whatever the signature covers: of `proof` its time and purpose are not, and are told as unsigned."""
    value, lists = attested(key, beside=["ab" * 32]), issuers(**{key.did: {}})
    report = judged(text(value), lists)
    assert report.verdict == "valid-bearer" and report.presented is not None
    assert report.presented.unsigned == ("proof.created",)
    for path in changes(value):
        if path[-1] in ("created", "proofPurpose"):
            continue
        changed = copy.deepcopy(value)
        holder: Any = changed
        for name in path[:-1]:
            holder = holder[name]
        held = holder[path[-1]]
        for other in (held[:-1] + ("1" if held[-1] != "1" else "2"), held[:40] + "x" + held[41:], held.upper()):
            if other == held or (path[-1] == "verificationMethod" and other.partition("#")[0].lower() == key.did):
                continue
            holder[path[-1]] = other
            assert not judged(text(changed), lists).verdict.startswith("valid"), (path, other)


def test_an_added_moved_or_reshaped_value_never_verifies(key: EthereumKey) -> None:
    value, lists = attested(key), issuers(**{key.did: {}})
    shapes: list[Callable[[dict[str, Any]], Any]] = [
        lambda data: data.update(grade=data["id"]), lambda data: data.pop("points"), lambda data: data.update(note={"a": data["id"]}),
        lambda data: data.update({"recipient.name": data.pop("recipient")["name"]}),
        lambda data: data.update(issuers={"0": data["issuers"][0]}), lambda data: data.update(points=5),
    ]  # fmt: skip
    for shape in shapes:
        changed = copy.deepcopy(value)
        shape(changed["data"])
        assert not judged(text(changed), lists).verdict.startswith("valid")


def test_an_empty_object_adds_nothing_that_people_see(key: EthereumKey) -> None:
    """Hiding leaves empty objects behind, so they are allowed; nobody signed their names."""
    value = attested(key)
    value["data"]["WithHonours"] = {}
    report = judged(text(value), issuers(**{key.did: {}}))
    assert report.verdict == "valid-bearer" and report.presented is not None
    assert "WithHonours" not in report.presented.claims


def test_a_hidden_value_still_leads_to_the_root_and_is_counted(key: EthereumKey) -> None:
    value = attested(key)
    hidden = leaf("recipient.name", flat(value["data"])["recipient.name"])
    value["data"]["recipient"] = {}
    value["privacy"] = {"obfuscatedData": [hidden]}
    report = judged(text(value), issuers(**{key.did: {}}))
    assert (report.verdict, report.check("disclosure.digests").evidence["hidden"]) == ("valid-bearer", 1)
    assert any("1 values are not shown" in note for note in report.notes)


def store_document() -> dict[str, Any]:
    return wrapped({"id": "A-1", "name": "Ana", "issuers": [{"name": "School", "documentStore": STORE}]}, ["cd" * 32])


def test_what_a_store_issued_is_known_from_the_list_alone() -> None:
    value = store_document()
    root = value["signature"]["merkleRoot"]
    assert codes(judged(text(value))) == {"proof.signature": "issuer-not-in-trust-data"}
    report = judged(text(value), issuers(**{STORE: {"name": "School"}}))
    assert (report.verdict, codes(report)) == ("undecided", {"proof.signature": "foreign-issue-unknown"})
    report = judged(text(value), issuers(**{STORE: {"issued": [root]}}))
    assert (report.verdict, codes(report)) == ("undecided", {"status": "status-unknown"})
    assert judged(text(value), issuers(**{STORE: {"issued": [root], "revoked": []}})).verdict == "valid-bearer"


def test_a_store_revokes_a_document_or_its_whole_batch() -> None:
    value = store_document()
    root, target = value["signature"]["merkleRoot"], value["signature"]["targetHash"]
    for gone in (root, target, "0x" + target):
        assert judged(text(value), issuers(**{STORE: {"issued": [root], "revoked": [gone]}})).verdict == "revoked"


def test_a_changed_document_of_a_store_is_tampered_even_without_a_list() -> None:
    value = store_document()
    value["data"]["name"] = value["data"]["name"].replace("Ana", "Eve")
    report = judged(text(value))
    assert (report.verdict, codes(report)) == ("tampered", {"proof.signature": "bad-disclosure"})


def test_a_signer_that_revokes_elsewhere_leaves_it_open(key: EthereumKey) -> None:
    value = attested(key, revocation="OCSP_RESPONDER")
    assert codes(judged(text(value), issuers(**{key.did: {}}))) == {"status": "status-unknown"}


def test_version_3_does_not_sign_types_and_says_where(key: EthereumKey) -> None:
    value = attested_3(key)
    report = judged(text(value), issuers(**{key.did: {}}))
    assert report.check("disclosure.digests").evidence["ambiguous"] == ["credentialSubject.points"]
    value["credentialSubject"]["name"] = "Eve"
    assert judged(text(value), issuers(**{key.did: {}})).verdict == "tampered"
    value = attested_3(key)
    value["credentialSubject"]["more"] = "x"
    assert judged(text(value), issuers(**{key.did: {}})).verdict == "not-a-credential"


@pytest.mark.parametrize("change", [
    {"version": "https://schema.openattestation.com/9.0/schema.json"}, {"data": {}}, {"signature": {}}, {"proof": []}, {"more": 1},
    {"privacy": {"obfuscatedData": ["zz"]}},
])  # fmt: skip
def test_what_is_no_document_is_told_so(key: EthereumKey, change: dict[str, Any]) -> None:
    assert judged(text({**attested(key), **change})).verdict in ("not-a-credential", "unsupported")
