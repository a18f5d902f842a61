"""bbs-2023: every intermediate value of the official vectors, what a change does, and that two showings have nothing in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("py_arkworks_bls12381")

from credentials import bbs_2023, disclosing
from credentials.bbs import BbsPublicKey, LocalBbsSigner, key_gen
from credentials.bls12381 import SHA_256
from credentials.data_integrity import Proof, hash_data, options_of, read_proof
from credentials.data_integrity import verify as verify_whole
from credentials.jsonld.quads import quads_of
from credentials.jsonld.rdfc import canonicalize
from tests.credentials.disclosure_cases import changes, credential, mutants, reveals
from tests.credentials.world import make_signer
from tests.vectors import vector, vector_json
from weid.codec import b64u
from weid.errors import DisclosureError, KeyMaterialError, MalformedError, SignatureError

ROOT = "vc-di-bbs/TestVectors"
FOLDERS = {"wind": ROOT, "prc": f"{ROOT}/prc"}
NAMES = {"wind": "wind", "prc": "prCred"}


class Case:
    """One folder of official values, by the names of their files."""

    def __init__(self, name: str) -> None:
        self.name, self.folder = name, FOLDERS[name]
        self.mandatory = vector_json(f"{ROOT}/{NAMES[name]}Mandatory.json")
        self.selective = vector_json(f"{ROOT}/{NAMES[name]}Selective.json")
        self.base, self.revealed = self["addSignedSDBase"], self["derivedRevealDocument"]
        self.unsigned = {name: item for name, item in self.base.items() if name != "proof"}
        keys, derive = vector_json(f"{ROOT}/BBSKeyMaterial.json"), vector_json(f"{ROOT}/BBSDeriveMaterial.json")
        self.hmac_key = bytes.fromhex(keys["hmacKeyString"])
        self.signer = LocalBbsSigner(bytes.fromhex(keys["privateKeyHex"]), self.base["proof"]["verificationMethod"], "assert")
        assert self.signer.public_key.data.hex() == keys["publicKeyHex"]
        self.presentation_header = bytes.fromhex(derive["presentationHeaderHex"])
        self.seed = bytes.fromhex(derive["pseudoRandSeedHex"])

    def __getitem__(self, name: str) -> Any:
        return vector_json(f"{self.folder}/{name}.json")


@pytest.fixture(params=list(FOLDERS))
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def mocked(seed: bytes, proof_octets: int) -> Callable[[int], bytes]:
    """The randomness of the vectors: the draft's mocked scalars (8.1), with the interface's id alone as separation tag."""
    count = 5 + (proof_octets - 272) // 32
    data = SHA_256.expand(seed, SHA_256.api, 48 * count)
    parts = iter([data[start : start + 48] for start in range(0, len(data), 48)])
    return lambda length: next(parts)


def fresh(start: int = 0) -> Callable[[int], bytes]:
    """Different octets at every call, the same in every run."""
    count = iter(range(start, start + 10_000))
    return lambda length: SHA_256.expand(next(count).to_bytes(4, "big"), b"test", length)


def key_in(document: dict[str, Any]) -> BbsPublicKey:
    return BbsPublicKey.from_multikey(document["proof"]["verificationMethod"].split("#")[1])


def test_official_transformation(case: Case) -> None:
    """Canonical statements, the same with shuffled labels, and the mandatory ones among them."""
    assert canonicalize(quads_of(case.unsigned))[0] == case["addBaseDocCanon"]
    found = disclosing.statements_of(case.unsigned, disclosing.shuffled_labels(case.hmac_key), {"mandatory": case.mandatory})
    assert list(found.lines) == case["addBaseDocHMACCanon"]
    expected, indexes = case["addBaseTransform"], found.groups["mandatory"].indexes
    assert expected["mandatoryPointers"] == case.mandatory
    assert [[place, found.lines[place]] for place in indexes] == expected["mandatory"]["value"]
    others = [[place, line] for place, line in enumerate(found.lines) if place not in indexes]
    assert others == expected["nonMandatory"]["value"]
    hashes, options = case["addHashData"], options_of(case.base, read_proof(case.base))
    assert options == case["addProofConfig"]
    assert "".join(canonicalize(quads_of(options))[0]) == vector(f"{case.folder}/addProofConfigCanon.txt").read_text("utf-8")
    assert disclosing.canonical_hash(options).hex() == hashes["proofHash"]
    assert disclosing.lines_hash(found.lines[place] for place in indexes).hex() == hashes["mandatoryHash"]


def test_official_base_proof(case: Case) -> None:
    """Issuing is deterministic: the vector's document with its keys gives its base proof to the octet."""
    value, raw = bbs_2023.read_base(read_proof(case.base).signature), case["addRawBaseSignatureInfo"]
    assert (value.signature.hex(), list(value.mandatory)) == (raw["bbsSignature"], raw["mandatoryPointers"])
    recovered = case["derivedRecoveredBaseData"]
    assert (value.signature.hex(), value.hmac_key.hex()) == (recovered["bbsSignature"], recovered["hmacKey"])
    made = bbs_2023.sign(
        case.unsigned, case.signer, created=case.base["proof"]["created"], mandatory=case.mandatory,
        random=lambda count: case.hmac_key,
    )  # fmt: skip
    assert made == case.base


def test_official_derivation(case: Case) -> None:
    """Which statements are chosen, their places, and with the vectors' randomness the whole derived document to the octet."""
    combined = [*case.mandatory, *case.selective]
    groups = {"mandatory": case.mandatory, "selective": case.selective, "combined": combined}
    found = disclosing.statements_of(case.unsigned, disclosing.shuffled_labels(case.hmac_key), groups)
    for name in groups:
        assert list(found.groups[name].indexes) == case["derivedGroupIndexes"][f"{name}Indexes"]
    places = found.groups["mandatory"].indexes
    adjusted = case["derivedAdjIndexes"]
    assert disclosing.positions(places, found.groups["combined"].indexes) == adjusted["adjMandatoryIndexes"]
    signed = [place for place in range(len(found.lines)) if place not in places]
    assert disclosing.positions(found.groups["combined"].indexes, signed) == adjusted["adjSelectiveIndexes"]
    disclosed = case["derivedDisclosureData"]
    labels = {f"c14n{place}": label[2:] for place, label in disclosing.verifier_labels(found, "combined").items()}
    assert labels == dict(disclosed["labelMap"]["value"])
    assert disclosing.select(case.unsigned, combined) == case["derivedUnsignedReveal"]
    octets = len(bytes.fromhex(disclosed["bbsProof"]))
    made = bbs_2023.derive(
        case.base, read_proof(case.base), case.selective, random=mocked(case.seed, octets),
        presentation_header=case.presentation_header,
    )  # fmt: skip
    assert made == case.revealed


def test_official_verification(case: Case) -> None:
    """What the verifier reads and rebuilds, and that it holds."""
    proof = read_proof(case.revealed)
    value = bbs_2023.read_derived(proof.signature)
    expected = case["derivedDisclosureData"]
    assert value.proof.hex() == expected["bbsProof"]
    assert {f"c14n{place}": label[2:] for place, label in value.labels.items()} == dict(expected["labelMap"]["value"])
    assert (list(value.mandatory), list(value.selective)) == (expected["mandatoryIndexes"], expected["adjSelectiveIndexes"])
    assert value.presentation_header == case.presentation_header
    assert value.to_text() == case.revealed["proof"]["proofValue"]
    if case.name == "prc":
        assert disclosing.relabelled(case.revealed, value.labels) == case["verifyNQuads"]
    bbs_2023.verify(case.revealed, proof, key_in(case.revealed), "assert")
    bbs_2023.verify(case.revealed, proof, key_in(case.revealed), "assert", presentation_header=case.presentation_header)


@pytest.fixture(scope="module")
def signer() -> LocalBbsSigner:
    return LocalBbsSigner(key_gen(bytes(range(32))), "did:example:i#bbs", "assert")


@pytest.fixture(scope="module")
def base(signer: LocalBbsSigner) -> dict[str, Any]:
    return bbs_2023.sign(credential(), signer, created=None, mandatory=["/issuer", "/validFrom"], random=fresh())


def show(base: dict[str, Any], *pointers: str, start: int = 0, header: bytes = b"") -> dict[str, Any]:
    return bbs_2023.derive(base, read_proof(base), pointers, random=fresh(start), presentation_header=header)


def check(document: dict[str, Any], key: Any, **more: Any) -> None:
    bbs_2023.verify(document, read_proof(document), key, "assert", **more)


def test_every_change_fails(base: dict[str, Any], signer: LocalBbsSigner) -> None:
    """Each claim, each proof option and each part of the proof value: nothing that was changed verifies."""
    shown = show(base, "/credentialSubject/courses/1", "/credentialSubject/name", header=b"nonce")
    check(shown, signer.public_key)
    for changed in changes(shown):
        with pytest.raises((SignatureError, MalformedError)):
            check(changed, signer.public_key)


def test_every_octet_counts(base: dict[str, Any], signer: LocalBbsSigner) -> None:
    """Sampled octets of the proof value, cut, changed or added, never verify."""
    shown = show(base, "/credentialSubject/name")
    for changed in mutants(shown, step=3):
        with pytest.raises((SignatureError, MalformedError)):
            check(changed, signer.public_key)


def test_two_showings_share_nothing(base: dict[str, Any]) -> None:
    """Unlinkable: of two derivations showing the same, no 8 octets of the proofs agree, and the rest is what is shown."""
    values = [
        bbs_2023.read_derived(read_proof(show(base, "/credentialSubject/name", start=start)).signature) for start in (0, 5000)
    ]
    windows = [{value.proof[at : at + 8] for at in range(len(value.proof) - 7)} for value in values]
    assert not windows[0] & windows[1]
    first, second = ((value.labels, value.mandatory, value.selective, value.presentation_header) for value in values)
    assert first == second
    kept = bbs_2023.read_base(read_proof(base).signature)
    for secret in (kept.signature[:48], kept.signature[48:], kept.hmac_key):
        assert all(secret not in value.proof for value in values)


def test_bound_to_its_showing(base: dict[str, Any], signer: LocalBbsSigner) -> None:
    """A verifier that gave a challenge takes no proof made for another one."""
    shown = show(base, "/credentialSubject/name", header=b"challenge 1")
    check(shown, signer.public_key, presentation_header=b"challenge 1")
    with pytest.raises(SignatureError) as caught:
        check(shown, signer.public_key, presentation_header=b"challenge 2")
    assert caught.value.code == "wrong-presentation-header"
    value = bbs_2023.read_derived(read_proof(shown).signature)
    forged = bbs_2023.DerivedValue(value.proof, value.labels, value.mandatory, value.selective, b"challenge 2")
    with pytest.raises(SignatureError):
        check({**shown, "proof": {**shown["proof"], "proofValue": forged.to_text()}}, signer.public_key)
    with pytest.raises(DisclosureError):
        show(base, "/credentialSubject/name", header=bytes(1025))


def test_a_base_proof_is_not_verified(base: dict[str, Any], signer: LocalBbsSigner) -> None:
    """It holds the signature itself and the key that shuffles labels: whoever verified it could show on."""
    with pytest.raises(MalformedError) as caught:
        check(base, signer.public_key)
    assert caught.value.code == "base-proof"
    with pytest.raises(MalformedError):
        show(show(base, "/credentialSubject/name"), "/credentialSubject/name")


def test_the_holder_notices_a_bad_base_proof(base: dict[str, Any], signer: LocalBbsSigner) -> None:
    """Deriving from a document that was changed, or a signature that was, is refused before anybody sees it."""
    with pytest.raises(SignatureError):
        show({**base, "validFrom": "2020-01-01T00:00:00Z"})
    subject = {**base["credentialSubject"], "name": "Somebody else"}
    with pytest.raises(SignatureError):
        show({**base, "credentialSubject": subject}, "/credentialSubject/name")
    kept = bbs_2023.read_base(read_proof(base).signature)
    other = bbs_2023.BaseValue(kept.signature[:-1] + b"\x01", kept.header, kept.public_key, kept.hmac_key, kept.mandatory)
    with pytest.raises(SignatureError):
        show({**base, "proof": {**base["proof"], "proofValue": other.to_text()}})
    with pytest.raises(DisclosureError) as caught:
        show(base, "/credentialSubject/nothing")
    assert caught.value.code == "unknown-pointer"


def test_the_right_key_and_role(base: dict[str, Any], signer: LocalBbsSigner) -> None:
    """Another BBS key, a key of another suite, a role that signs no credentials (R1)."""
    shown = show(base)
    proof = read_proof(shown)
    other = LocalBbsSigner(key_gen(bytes(32)), "k", "assert").public_key
    elliptic: Any = make_signer("p256", "assert", "x").public_key
    for key in (other, elliptic):
        with pytest.raises(SignatureError):
            bbs_2023.verify(shown, proof, key, "assert")
    with pytest.raises(SignatureError):
        verify_whole(shown, proof, elliptic, "assert")
    for role in ("login", "log", "log-op"):
        with pytest.raises(SignatureError) as caught:
            bbs_2023.verify(shown, proof, signer.public_key, role)
        assert caught.value.code == "wrong-role"
    chained = Proof(
        proof.cryptosuite, proof.method, proof.purpose, proof.created, proof.expires, proof.options, proof.signature,
        previous=("urn:x",),
    )  # fmt: skip
    with pytest.raises(MalformedError):
        bbs_2023.verify(shown, chained, signer.public_key, "assert")
    with pytest.raises(KeyMaterialError):
        BbsPublicKey(bytes(96))


@pytest.mark.parametrize(
    "parts",
    [[], [b""] * 5, [b"", {}, [], [], b""], [b"x" * 272, {0: b"b"}, [], [], b""], [b"x" * 272, {}, [1, 1], [], b""],
     [b"x" * 272, {}, ["1"], [], b""], [b"x" * 272, {}, [], [], bytes(1025)], [b"x" * 272, {}, [], [], "text"],
     [b"x" * 272, {-1: 0}, [], [], b""], [b"x" * 272, {}, [], [True], b""], [b"x" * 272, {}, [[0]], [], b""]],
)  # fmt: skip
def test_strict_values(base: dict[str, Any], signer: LocalBbsSigner, parts: list[Any]) -> None:
    """A proof value of another shape is malformed, whatever else is right."""
    shown = show(base)
    text = disclosing.write_value(b"\xd9\x5d\x03", parts)
    with pytest.raises((MalformedError, SignatureError)):
        check({**shown, "proof": {**shown["proof"], "proofValue": text}}, signer.public_key)
    with pytest.raises(MalformedError):
        bbs_2023.read_derived(b"\xd9\x5d\x0a" + bytes(9))
    assert b64u(b"\xd9\x5d\x03") == "2V0D"


@pytest.mark.parametrize(
    "pointers", [(), ("/credentialSubject/name",), ("/credentialSubject",), ("/credentialSubject/courses/0/title", "/name")]
)
def test_what_is_chosen_is_shown(base: dict[str, Any], signer: LocalBbsSigner, pointers: tuple[str, ...]) -> None:
    """Exactly the mandatory part and the chosen one."""
    shown = show(base, *pointers)
    check(shown, signer.public_key)
    assert reveals(shown) == reveals(disclosing.select(base, ["/issuer", "/validFrom", *pointers]))


def pointers_of(value: Any, start: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, item in items for found in (f"{start}/{name}", *pointers_of(item, f"{start}/{name}"))]


CHOICES = st.lists(st.sampled_from([item for item in pointers_of(credential()) if not item.startswith("/@context")]), max_size=5)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pointers=CHOICES)
def test_any_choice_shows_exactly_what_was_chosen(base: dict[str, Any], signer: LocalBbsSigner, pointers: list[str]) -> None:
    """Any pointers: the derived credential verifies and says the mandatory part and the chosen, no more."""
    shown = show(base, *pointers)
    check(shown, signer.public_key)
    assert reveals(shown) == disclosing.select(base, ["/issuer", "/validFrom", *pointers])
    with pytest.raises(SignatureError):
        hash_data(shown, read_proof(shown))
