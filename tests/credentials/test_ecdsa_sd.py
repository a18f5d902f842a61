"""ecdsa-sd-2023: every intermediate value of the official vectors, what a change does, and what a choice shows."""

from __future__ import annotations

from typing import Any

import pytest

from credentials import disclosing, ecdsa_sd
from credentials.data_integrity import options_of, read_proof
from credentials.jsonld.quads import quads_of
from credentials.jsonld.rdfc import canonicalize
from tests.vectors import vector, vector_json
from weid.codec import unmultibase
from weid.did import key_of_did_key
from weid.keys import LocalSigner

ROOT = "vc-di-ecdsa/TestVectors"
PAIRS = f"{ROOT}/ecdsa-sd-2023/SDKeyMaterial.json"
CASES = {"prc": "prCred", "employ": "employ"}


class Case:
    """One folder of official values, by the names of their files."""

    def __init__(self, name: str) -> None:
        self.folder = f"{ROOT}/ecdsa-sd-2023/{name}"
        self.mandatory = vector_json(f"{ROOT}/{CASES[name]}Mandatory.json")
        self.selective = vector_json(f"{ROOT}/{CASES[name]}Selective.json")
        self.base, self.revealed = self["addSignedSDBase"], self["derivedRevealDocument"]
        self.unsigned = {name: item for name, item in self.base.items() if name != "proof"}

    def __getitem__(self, name: str) -> Any:
        return vector_json(f"{self.folder}/{name}.json")


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def secret(pair: str) -> bytes:
    return unmultibase(vector_json(PAIRS)[pair]["secretKeyMultibase"])[2:]


def hmac_key() -> bytes:
    return bytes.fromhex(vector_json(PAIRS)["hmacKeyString"])


def issuer_of(document: dict[str, Any]) -> LocalSigner:
    return LocalSigner(secret("baseKeyPair"), "p256", document["proof"]["verificationMethod"], "assert")


def key_in(document: dict[str, Any]) -> Any:
    return key_of_did_key(document["proof"]["verificationMethod"].split("#")[0])


def check(document: dict[str, Any], key: Any = None) -> None:
    ecdsa_sd.verify(document, read_proof(document), key or key_in(document), "assert")


def test_official_transformation(case: Case) -> None:
    """Canonical statements, the same with secret labels, and the mandatory ones among them."""
    assert canonicalize(quads_of(case.unsigned))[0] == case["addBaseDocCanon"]
    found = disclosing.statements_of(case.unsigned, disclosing.hmac_labels(hmac_key()), {"mandatory": case.mandatory})
    assert list(found.lines) == case["addBaseDocHMACCanon"]
    expected = case["addBaseTransform"]
    assert expected["mandatoryPointers"] == case.mandatory
    indexes = found.groups["mandatory"].indexes
    assert [[place, found.lines[place]] for place in indexes] == expected["mandatory"]["value"]
    others = [[place, line] for place, line in enumerate(found.lines) if place not in indexes]
    assert others == expected["nonMandatory"]["value"]
    values = [{"pointer": pointer, "value": _at(case.unsigned, pointer)} for pointer in case.mandatory]
    assert values == case["addPointerValues"]


def _at(value: Any, pointer: str) -> Any:
    for token in pointer[1:].split("/"):
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


def test_official_hashes(case: Case) -> None:
    """The canonical proof configuration, its hash and the hash of the mandatory statements."""
    options = options_of(case.base, read_proof(case.base))
    assert options == case["addProofConfig"]
    lines = canonicalize(quads_of(options))[0]
    assert "".join(lines) == vector(f"{case.folder}/addProofConfigCanon.txt").read_text("utf-8")
    expected = case["addHashData"]
    assert disclosing.canonical_hash(options).hex() == expected["proofHash"]
    mandatory = [line for _, line in case["addBaseTransform"]["mandatory"]["value"]]
    assert disclosing.lines_hash(mandatory).hex() == expected["mandatoryHash"]


def test_official_base_proof(case: Case) -> None:
    """The parts of the base proof; written again they give the same text."""
    value = ecdsa_sd.read_base(read_proof(case.base).signature)
    raw, recovered = case["addRawBaseSignatureInfo"], case["derivedRecoveredBaseData"]
    assert value.signature.hex() == raw["baseSignature"] == recovered["baseSignature"]
    assert value.public_key == unmultibase(raw["publicKey"])
    assert [item.hex() for item in value.signatures] == raw["signatures"] == recovered["signatures"]
    assert list(value.mandatory) == raw["mandatoryPointers"] == recovered["mandatoryPointers"]
    assert value.hmac_key.hex() == recovered["hmacKey"]
    assert value.to_text() == case.base["proof"]["proofValue"]


def test_issued_again(case: Case) -> None:
    """Issuing the vector's document with its keys gives its proof but for the spelling of ECDSA signatures."""
    drawn = iter([hmac_key(), secret("proofKeyPair")])
    made = ecdsa_sd.sign(
        case.unsigned, issuer_of(case.base), created=case.base["proof"]["created"],
        mandatory=case.mandatory, random=lambda count: next(drawn),
    )  # fmt: skip
    assert {**made, "proof": {**made["proof"], "proofValue": ""}} == {
        **case.base,
        "proof": {**case.base["proof"], "proofValue": ""},
    }  # type: ignore[dict-item]
    ours, theirs = (ecdsa_sd.read_base(read_proof(item).signature) for item in (made, case.base))
    assert (ours.public_key, ours.hmac_key, ours.mandatory) == (theirs.public_key, theirs.hmac_key, theirs.mandatory)
    for base in (made, case.base):
        check(ecdsa_sd.derive(base, read_proof(base), case.selective))


def test_official_derivation(case: Case) -> None:
    """Which statements are chosen, their places, and the whole derived document to the byte."""
    combined = [*case.mandatory, *case.selective]
    groups = {"mandatory": case.mandatory, "selective": case.selective, "combined": combined}
    found = disclosing.statements_of(case.unsigned, disclosing.hmac_labels(hmac_key()), groups)
    expected = case["derivedGroupIndexes"]
    for name in groups:
        assert list(found.groups[name].indexes) == expected[f"{name}Indexes"]
        matching = case["derivedAllGroupData"]["groups"][name]["matching"]["value"]
        assert [[place, found.lines[place]] for place in found.groups[name].indexes] == matching
    places = found.groups["mandatory"].indexes
    assert (
        disclosing.positions(places, found.groups["combined"].indexes)
        == case["derivedAdjMandatoryIndexes"]["adjMandatoryIndexes"]
    )
    signed = [place for place in range(len(found.lines)) if place not in places]
    adjusted = case["derivedAdjSignatures"]
    assert disclosing.positions(found.groups["combined"].indexes, signed) == adjusted["adjSignatureIndexes"]
    labels = {f"c14n{place}": label[2:] for place, label in disclosing.verifier_labels(found, "combined").items()}
    assert labels == dict(case["derivedDisclosureData"]["labelMap"]["value"])
    assert disclosing.select(case.unsigned, combined) == case["derivedUnsignedReveal"]
    assert ecdsa_sd.derive(case.base, read_proof(case.base), case.selective) == case.revealed


def test_official_verification(case: Case) -> None:
    """What the verifier reads and rebuilds, and that it holds."""
    proof = read_proof(case.revealed)
    value = ecdsa_sd.read_derived(proof.signature)
    expected = case["verifyDerivedProofValue"]
    assert [[f"c14n{place}", label[2:]] for place, label in value.labels.items()] == expected["labelMap"]
    assert (value.signature.hex(), list(value.mandatory)) == (expected["baseSignature"], expected["mandatoryIndexes"])
    assert [item.hex() for item in value.signatures] == expected["signatures"]
    assert value.public_key == unmultibase(expected["publicKey"])
    lines = disclosing.relabelled(case.revealed, value.labels)
    assert lines == case["verifyNQuads"]
    mandatory, others = disclosing.parted(lines, value.mandatory)
    assert others == case["verifyCreateVerifyData"]["nonMandatory"]
    assert disclosing.lines_hash(mandatory).hex() == case["verifyCreateVerifyData"]["mandatoryHash"]
    assert value.to_text() == case.revealed["proof"]["proofValue"]
    check(case.revealed)
