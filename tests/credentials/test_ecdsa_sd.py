"""ecdsa-sd-2023: every intermediate value of the official vectors, what a change does, and what a choice shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import disclosing, ecdsa_sd
from credentials.data_integrity import options_of, read_proof
from credentials.data_integrity import verify as verify_whole
from credentials.jsonld.quads import quads_of
from credentials.jsonld.rdfc import canonicalize
from tests.credentials.disclosure_cases import changes, credential, mutants, reveals
from tests.credentials.world import make_signer
from tests.vectors import vector, vector_json
from weid.codec import b64u, unb64u, unmultibase
from weid.did import key_of_did_key
from weid.errors import DisclosureError, MalformedError, SignatureError, UnknownSuiteError
from weid.hashes import SHA256
from weid.keys import LocalSigner
from weid.suites import Random

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


@pytest.fixture(scope="module")
def issuer() -> LocalSigner:
    return make_signer("p256", "assert", "issuer", "did:example:i#key-1")


@pytest.fixture(scope="module")
def base(issuer: LocalSigner) -> dict[str, Any]:
    return issue(credential(), issuer, ["/issuer", "/validFrom"])


def fresh(start: int = 0) -> Random:
    """Different octets at every call, the same in every run."""
    count = iter(range(start, start + 1_000))
    return lambda length: SHA256(next(count).to_bytes(4, "big"))[:length]


def issue(document: dict[str, Any], signer: LocalSigner, mandatory: list[str], start: int = 0) -> dict[str, Any]:
    return ecdsa_sd.sign(document, signer, created=None, mandatory=mandatory, random=fresh(start))


def show(base: dict[str, Any], *pointers: str) -> dict[str, Any]:
    return ecdsa_sd.derive(base, read_proof(base), pointers)


def with_value(shown: dict[str, Any], value: ecdsa_sd.DerivedValue) -> dict[str, Any]:
    return {**shown, "proof": {**shown["proof"], "proofValue": value.to_text()}}


def test_every_change_fails(base: dict[str, Any], issuer: LocalSigner) -> None:
    """Each claim and each proof option: nothing that was changed, left out or added verifies."""
    shown = show(base, "/credentialSubject/courses/1", "/credentialSubject/name")
    check(shown, issuer.public_key)
    for changed in changes(shown):
        with pytest.raises((SignatureError, MalformedError)):
            check(changed, issuer.public_key)


def test_every_octet_counts(base: dict[str, Any], issuer: LocalSigner) -> None:
    """Every octet of the proof value, cut, changed or added: it never verifies."""
    shown = show(base, "/credentialSubject/name", "/credentialSubject/address")
    for changed in mutants(shown):
        with pytest.raises((SignatureError, MalformedError)):
            check(changed, issuer.public_key)


def test_what_a_holder_could_try(base: dict[str, Any], issuer: LocalSigner) -> None:
    """Hiding a mandatory statement, calling a hidden one mandatory, mixing two credentials, one label for two nodes."""
    shown = show(base, "/credentialSubject/courses/1", "/credentialSubject/courses/2")
    value = ecdsa_sd.read_derived(read_proof(shown).signature)
    other = issue(
        credential() | {"name": "Other"},
        make_signer("p256", "assert", "thief", "did:example:t#key-1"),
        ["/issuer", "/validFrom"],
        5000,
    )
    stolen = ecdsa_sd.read_derived(
        read_proof(show(other, "/credentialSubject/courses/1", "/credentialSubject/courses/2")).signature
    )
    labels = dict(value.labels)
    one = dict.fromkeys(labels, labels[0])
    swapped = {**labels, 0: labels[1], 1: labels[0]}
    for change in (
        {"mandatory": value.mandatory[:-1]}, {"mandatory": (*value.mandatory, 10**6)}, {"mandatory": (0, *value.mandatory[1:])},
        {"signatures": value.signatures[::-1]}, {"signatures": value.signatures[1:]}, {"signatures": ()},
        {"public_key": stolen.public_key}, {"public_key": stolen.public_key, "signatures": stolen.signatures},
        {"signature": stolen.signature}, {"labels": one}, {"labels": swapped}, {"labels": {}},
        {"labels": {**labels, len(labels): "_:u" + "A" * 43}}, {"public_key": b"\xed\x01" + value.public_key[2:]},
        {"public_key": value.public_key[:2] + b"\x02" + b"\xff" * 32},
    ):  # fmt: skip
        changed = with_value(shown, replace(value, **change))  # type: ignore[arg-type]
        if changed == shown:
            continue
        with pytest.raises((SignatureError, MalformedError)):
            check(changed, issuer.public_key)
    without = {name: item for name, item in shown.items() if name != "validFrom"}
    with pytest.raises(SignatureError):
        check(without, issuer.public_key)


def test_linkable(base: dict[str, Any]) -> None:
    """Two showings carry the same signatures: the docs say so, and this is why bbs-2023 exists."""
    values = [ecdsa_sd.read_derived(read_proof(show(base, name)).signature) for name in ("/name", "/credentialSubject/name")]
    assert values[0].signature == values[1].signature
    assert values[0].public_key == values[1].public_key


def test_a_base_proof_is_not_verified(base: dict[str, Any], issuer: LocalSigner) -> None:
    """It carries the HMAC key and every signature: whoever verified it could show on, and see what is hidden by labels."""
    with pytest.raises(MalformedError) as caught:
        check(base, issuer.public_key)
    assert caught.value.code == "base-proof"
    with pytest.raises(MalformedError):
        show(show(base, "/name"), "/name")


def test_the_right_key_and_role(base: dict[str, Any], issuer: LocalSigner) -> None:
    """Another key, a key of another suite, a role that signs no credentials (R1), a chain."""
    shown = show(base, "/name")
    proof = read_proof(shown)
    for key in (make_signer("p256", "assert", "y").public_key, make_signer("ed25519", "assert", "y").public_key):
        with pytest.raises(SignatureError):
            ecdsa_sd.verify(shown, proof, key, "assert")
    with pytest.raises(SignatureError):
        verify_whole(shown, proof, issuer.public_key, "assert")
    with pytest.raises(SignatureError) as caught:
        ecdsa_sd.verify(shown, proof, issuer.public_key, "login")
    assert caught.value.code == "wrong-role"
    with pytest.raises(MalformedError):
        ecdsa_sd.verify(shown, replace(proof, previous=("urn:x",)), issuer.public_key, "assert")
    with pytest.raises(SignatureError):
        ecdsa_sd.verify(shown, replace(proof, cryptosuite="bbs-2023"), issuer.public_key, "assert")
    with pytest.raises(UnknownSuiteError):
        issue(credential(), make_signer("ed25519", "assert", "x", "did:example:x#k"), ["/issuer"])


def test_bad_base_proofs(base: dict[str, Any]) -> None:
    """A holder notices that signatures are missing, and nothing is derived from nothing."""
    value = ecdsa_sd.read_base(read_proof(base).signature)
    for change, error in (({"signatures": value.signatures[1:]}, MalformedError), ({"mandatory": ()}, DisclosureError)):
        text = replace(value, **change).to_text()  # type: ignore[arg-type]
        with pytest.raises(error):
            show({**base, "proof": {**base["proof"], "proofValue": text}})
    for pointer in ("/credentialSubject/nothing", "/credentialSubject/courses/3", "credentialSubject", ""):
        with pytest.raises(DisclosureError) as caught:
            show(base, pointer)
        assert caught.value.code == "unknown-pointer"
    assert len(b64u(value.hmac_key)) == 43
    assert unb64u(b64u(value.hmac_key)) == value.hmac_key


@pytest.mark.parametrize(
    "parts",
    [[], [b""] * 5, [bytes(64), bytes(35), [], {}, [2, 1]], [bytes(64), bytes(35), [], {}, ["1"]],
     [bytes(64), bytes(35), [], {0: bytes(31)}, []], [bytes(64), bytes(35), [], {"0": bytes(32)}, []],
     [bytes(64), bytes(35), [bytes(63)], {}, []], [bytes(64), bytes(35), b"", {}, []], [bytes(64), bytes(34), [], {}, []],
     [bytes(63), bytes(35), [], {}, []], [bytes(64), bytes(35), [], [], []], [bytes(64), bytes(35), [], {}, [-1]],
     [bytes(64), bytes(35), [], {}, [1.0]], [bytes(64), bytes(35), [], {}, [2**40]], [bytes(64), bytes(35), [], {}, [], []]],
)  # fmt: skip
def test_strict_values(parts: list[Any]) -> None:
    """A proof value of another shape is malformed."""
    with pytest.raises(MalformedError) as caught:
        ecdsa_sd.read_derived(unb64u(disclosing.write_value(b"\xd9\x5d\x01", parts)[1:]))
    assert caught.value.code == "bad-proof-value"


@pytest.mark.parametrize(
    "data", ["d95d0185", "d95d01" + "81" * 500, "d95d019f00ff", "d95d01d81c81d81d00", "d95d01c074", "d95d01", ""]
)
def test_values_that_are_no_plain_cbor(data: str) -> None:
    """Cut short, nested deep, of indefinite length, with references, with tags: malformed and nothing else."""
    with pytest.raises(MalformedError):
        ecdsa_sd.read_derived(bytes.fromhex(data))


def test_one_spelling(base: dict[str, Any]) -> None:
    """The same parts in another CBOR spelling are refused: a proof value has one."""
    value = read_proof(show(base, "/name")).signature
    assert value[3:6] == b"\x85\x58\x40"
    with pytest.raises(MalformedError):
        ecdsa_sd.read_derived(value[:4] + b"\x59\x00\x40" + value[6:])
    with pytest.raises(MalformedError):
        ecdsa_sd.read_derived(b"\xd9\x5d\x01" + bytes(1 << 18))


LEAVES = st.text('abcé"\\\n', max_size=4) | st.integers(-9, 9) | st.booleans() | st.floats(-2, 2)
NODES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdefg"), inner, max_size=4),
    max_leaves=10,
)
SUBJECTS = st.dictionaries(st.sampled_from("pqrst"), NODES, min_size=1, max_size=4)


def pointers_of(value: Any, start: str = "") -> Iterator[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield f"{start}/{name}"
        yield from pointers_of(item, f"{start}/{name}")


def marked(value: Any, start: str) -> Any:
    """The value with every text saying where it stands."""
    if isinstance(value, dict):
        return {name: marked(item, f"{start}/{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [marked(item, f"{start}/{place}") for place, item in enumerate(value)]
    return f"{value}<{start}>" if isinstance(value, str) else value


@settings(max_examples=60, deadline=None)
@given(subject=SUBJECTS, data=st.data())
def test_any_choice_shows_exactly_what_was_chosen(subject: dict[str, Any], data: st.DataObject) -> None:
    """Of any credential, any pointers: the derived one verifies and says the mandatory part and the chosen, no more."""
    subject = marked(subject, "/credentialSubject")
    document = {**credential(), "credentialSubject": subject}
    known = st.lists(st.sampled_from([item for item in pointers_of(document) if not item.startswith("/@context")]), max_size=4)
    mandatory, chosen = data.draw(known), data.draw(known)
    signer = make_signer("p256", "assert", "issuer", "did:example:i#key-1")
    made = issue(document, signer, mandatory)
    if not mandatory + chosen:
        with pytest.raises(DisclosureError):
            show(made)
        return
    shown = show(made, *chosen)
    check(shown, signer.public_key)
    assert reveals(shown) == disclosing.select(document, mandatory + chosen)
    said = canonicalize(quads_of(reveals(shown)))[0]
    expected = disclosing.statements_of(document, lambda tokens: {token: token for token in tokens}, {"all": mandatory + chosen})
    assert len(said) == len(expected.groups["all"].indexes)
    text = json.dumps(shown)
    for pointer in pointers_of(subject, "/credentialSubject"):
        if f"<{pointer}>" in json.dumps(subject):
            assert (f"<{pointer}>" in text) == any(f"{pointer}/".startswith(f"{item}/") for item in mandatory + chosen)
    wrong = data.draw(st.sampled_from(["/z", "/credentialSubject/z", "/credentialSubject/p/99", "/issuer/~2", "x"]))
    with pytest.raises(DisclosureError):
        show(made, wrong)
