"""bbs-2023 with holder binding and pseudonyms: the official vectors to the octet, what a change does, and what links to what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("py_arkworks_bls12381")

from credentials import bbs_2023, bbs_blind, bls12381, disclosing
from credentials.bbs import BbsPublicKey, key_gen
from credentials.bbs_2023 import FEATURES, Feature
from credentials.bbs_blind import LocalBlindSigner, Secrets
from credentials.bls12381 import SHA_256
from credentials.data_integrity import read_proof
from tests.credentials.disclosure_cases import changes, credential, mutants
from tests.vectors import vector_json
from weid.codec import b64u, unb64u
from weid.errors import DisclosureError, KeyMaterialError, MalformedError, SignatureError, WeidError

ROOT = "vc-di-bbs/TestVectors"
FOLDERS = {
    "anonymous_holder_binding": "HolderBinding", "pseudonym": "Pseudonym", "holder_binding_pseudonym": "PseudonymHB",
}  # fmt: skip
MISLABELLED = "pseudonym"
"""Its vectors begin as those of holder binding with pseudonyms do (8, 9 for 6, 7); all other octets are right."""
INTERFACES = {False: b"BLIND_H2G_HM2S_", True: b"H2G_HM2S_PSEUDONYM_"}


def numbers(seed: bytes, tag: bytes, count: int) -> Callable[[int], bytes]:
    """The draft's mocked scalars (8.1), with this separation tag."""
    data = SHA_256.expand(seed, tag, 48 * count)
    parts = iter([data[start : start + 48] for start in range(0, len(data), 48)])
    return lambda length: next(parts)


def fresh(start: int = 0) -> Callable[[int], bytes]:
    """Different octets at every call, the same in every run."""
    count = iter(range(start, start + 10_000))
    return lambda length: SHA_256.expand(next(count).to_bytes(4, "big"), b"test", length)


class Official:
    """One folder of official values, and the inputs that all share."""

    def __init__(self, name: str) -> None:
        self.feature = FEATURES[name]
        self.folder = f"{ROOT}/{FOLDERS[name]}"
        keys, derive = vector_json(f"{ROOT}/BBSKeyMaterial.json"), vector_json(f"{ROOT}/BBSDeriveMaterial.json")
        self.base, self.revealed = (self.labelled(self[name]) for name in ("addSignedSDBase", "derivedRevealDocument"))
        self.hmac_key = bytes.fromhex(keys["hmacKeyString"])
        method = self.base["proof"]["verificationMethod"]
        self.signer = LocalBlindSigner(bytes.fromhex(keys["privateKeyHex"]), method, "assert")
        self.header, self.seed = bytes.fromhex(derive["presentationHeaderHex"]), bytes.fromhex(derive["pseudoRandSeedHex"])
        self.mandatory, self.selective = self.shared("licenseMandatory"), self.shared("licenseSelective")
        self.entropy = bytes.fromhex(self.shared("signerNymEntropy")["signerNymEntropyHex"]) if self.feature.nym else None
        self.domain = self.shared("verifierInfo")["verifierId"] if self.feature.nym else None
        holder, nym = self.shared("holderSecret")["holderSecretHex"], self.shared("proverNym")["proverNymHex"]
        self.commitment = bytes.fromhex(self["commitmentInfo"]["commitmentWithProof"])
        self.secrets = Secrets(
            bytes.fromhex(self["commitmentInfo"]["secretProverBlind"]),
            bytes.fromhex(holder) if self.feature.holder else None,
            bytes.fromhex(nym) if self.feature.nym else None,
        )

    def __getitem__(self, name: str) -> Any:
        return vector_json(f"{self.folder}/{name}.json")

    def labelled(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the number of its feature where the vectors have another's."""
        data = bytearray(unb64u(document["proof"]["proofValue"][1:]))
        if self.feature.name == MISLABELLED:
            assert data[2] in (8, 9)
            data[2] -= 2
        return {**document, "proof": {**document["proof"], "proofValue": f"u{b64u(bytes(data))}"}}

    def shared(self, name: str) -> Any:
        return vector_json(f"{ROOT}/FeatureInputs/{name}.json")

    @property
    def api(self) -> bytes:
        return replace(SHA_256, interface=INTERFACES[self.feature.nym]).api


def key_in(document: dict[str, Any]) -> BbsPublicKey:
    return BbsPublicKey.from_multikey(document["proof"]["verificationMethod"].split("#")[1])


@pytest.fixture(params=list(FOLDERS))
def official(request: pytest.FixtureRequest) -> Official:
    return Official(request.param)


def test_official_commitment(official: Official) -> None:
    """The holder's commitment with the vectors' blinding opens to the vectors' secrets, and so does one of ours."""
    suite = bbs_blind._suite(official.feature.nym)
    opened = bbs_blind._opened(official.commitment, official.feature.secrets, suite)
    scalars = [bls12381.read_secret(official.secrets.blind), *bbs_blind._committed(official.secrets, suite)]
    assert opened == bls12381.weighted_sum(bbs_blind._blind_bases(official.feature.secrets, suite), scalars)
    made, secrets = bbs_blind.commit(holder=official.secrets.holder, nym=official.secrets.nym, random=fresh())
    assert len(made) == len(official.commitment)
    assert (secrets.holder, secrets.nym) == (official.secrets.holder, official.secrets.nym)


def test_official_base_proof(official: Official) -> None:
    """Blind issuing is deterministic: the vector's document, commitment and entropy give its base proof to the octet."""
    unsigned = {name: item for name, item in official.base.items() if name != "proof"}
    assert unsigned == official.shared("license")
    found = disclosing.statements_of(unsigned, disclosing.shuffled_labels(official.hmac_key), {"mandatory": official.mandatory})
    assert list(found.lines) == official["addBaseDocHMACCanon"]
    made = bbs_2023.sign_committed(
        unsigned, official.signer, official.feature, official.commitment, created=official.base["proof"]["created"],
        mandatory=official.mandatory, random=lambda count: official.hmac_key, entropy=official.entropy,
    )  # fmt: skip
    value, raw = bbs_2023.read_base(read_proof(made).signature), official["addRawBaseSignatureInfo"]
    assert value.header.hex() == raw["bbsHeader"]
    assert value.signature.hex() == raw["bbsSignature"]
    assert value.feature.name == raw["featureOption"]
    assert made == official.base


def test_official_pseudonym_secret(official: Official) -> None:
    """The holder's and the signer's parts make the vectors' secret."""
    if not official.feature.nym:
        return
    hidden = bbs_blind._hidden(official.secrets, official.entropy, bbs_blind._suite(True))
    assert int.from_bytes(hidden[-1].to_be_bytes(), "big") == int(official["nymSecret"]["nymSecretHex"], 16)


def test_official_derivation(official: Official) -> None:
    """With the vectors' randomness the whole derived document to the octet, pseudonym included."""
    disclosed = official["derivedDisclosureData"]
    count = 5 + (len(bytes.fromhex(disclosed["bbsProof"])) - 272) // 32
    made = bbs_2023.derive(
        official.base, read_proof(official.base), official.selective, random=numbers(official.seed, official.api, count),
        presentation_header=official.header, secrets=official.secrets, domain=official.domain, carry_domain=False,
    )  # fmt: skip
    value = bbs_2023.read_derived(read_proof(made).signature)
    assert value.count == disclosed["lengthBBSMessages"]
    assert (value.pseudonym or b"").hex() == disclosed.get("pseudonym", "")
    assert value.proof.hex() == disclosed["bbsProof"]
    assert made == official.revealed


def test_official_verification(official: Official) -> None:
    """What is read, and that it holds: for the vectors' domain, and for no other."""
    proof, key = read_proof(official.revealed), key_in(official.base)
    value = bbs_2023.read_derived(proof.signature)
    assert value.to_text() == official.revealed["proof"]["proofValue"]
    assert disclosing.relabelled(official.revealed, value.labels) == official["verifyNQuads"]
    bbs_2023.verify(official.revealed, proof, key, "assert", domain=official.domain)
    bbs_2023.verify(official.revealed, proof, key, "assert", domain=official.domain, presentation_header=official.header)
    if official.feature.nym:
        with pytest.raises(MalformedError) as caught:
            bbs_2023.verify(official.revealed, proof, key, "assert")
        assert caught.value.code == "no-domain"
        with pytest.raises(SignatureError):
            bbs_2023.verify(official.revealed, proof, key, "assert", domain="https://other.example/")


def test_a_pseudonym_alone_is_no_holder_binding() -> None:
    """The vectors' own label says that a holder's secret was signed, and none was: refused."""
    document = Official(MISLABELLED)["derivedRevealDocument"]
    with pytest.raises(SignatureError, match="hide"):
        bbs_2023.verify(document, read_proof(document), key_in(document), "assert", domain="https://car.rental.verifier.example/")


def test_every_octet_of_the_vectors_counts(official: Official) -> None:
    """Sampled octets of the official proof values, cut, changed or added, never verify."""
    for changed in mutants(official.revealed, step=7):
        with pytest.raises((SignatureError, MalformedError)):
            bbs_2023.verify(changed, read_proof(changed), key_in(official.base), "assert", domain=official.domain)


HOLDER, NYM = b"a secret of the holder", (7).to_bytes(32, "big")
DOMAIN = "https://gate.example/"


@pytest.fixture(scope="module")
def signer() -> LocalBlindSigner:
    return LocalBlindSigner(key_gen(bytes(range(32))), "did:example:i#bbs", "assert")


@pytest.fixture(params=list(FOLDERS))
def feature(request: pytest.FixtureRequest) -> Feature:
    return FEATURES[request.param]


def issued(
    signer: LocalBlindSigner, feature: Feature, *, nym: bytes = NYM, start: int = 0, **more: Any
) -> tuple[dict[str, Any], Secrets]:
    """(base proof, the secrets it was issued to)."""
    commitment, secrets = bbs_blind.commit(
        holder=HOLDER if feature.holder else None, nym=nym if feature.nym else None, random=fresh(start)
    )
    made = bbs_2023.sign_committed(
        credential(), signer, feature, commitment, created=None, mandatory=["/issuer"], random=fresh(start + 100), **more
    )
    return made, secrets


def show(
    base: dict[str, Any], secrets: Secrets, feature: Feature, *, start: int = 500, domain: str = DOMAIN, **more: Any
) -> dict[str, Any]:
    chosen = domain if feature.nym else None
    return bbs_2023.derive(
        base, read_proof(base), ["/credentialSubject/name"], random=fresh(start), secrets=secrets, domain=chosen, **more
    )


def check(document: dict[str, Any], signer: LocalBlindSigner, **more: Any) -> None:
    bbs_2023.verify(document, read_proof(document), signer.public_key, "assert", **more)


def test_every_change_fails(signer: LocalBlindSigner, feature: Feature) -> None:
    """Each claim, each proof option and sampled octets of the proof value: nothing that was changed verifies."""
    shown = show(*issued(signer, feature), feature, presentation_header=b"nonce")
    check(shown, signer)
    for changed in [*list(changes(shown))[::3], *mutants(shown, step=11)]:
        with pytest.raises((SignatureError, MalformedError)):
            check(changed, signer)


def test_a_stolen_credential_shows_nothing(signer: LocalBlindSigner, feature: Feature) -> None:
    """Without the secrets, with others, with another blinding, or as if no secrets had been asked for."""
    base, secrets = issued(signer, feature)
    with pytest.raises(DisclosureError):
        bbs_2023.derive(base, read_proof(base), [], random=fresh())
    others = [replace(secrets, blind=(3).to_bytes(32, "big"))]
    if feature.holder:
        others.append(replace(secrets, holder=b"another"))
    if feature.nym:
        others.append(replace(secrets, nym=(9).to_bytes(32, "big")))
    for other in others:
        with pytest.raises(SignatureError):
            show(base, other, feature)


def test_pseudonyms_link_within_a_domain_alone(signer: LocalBlindSigner) -> None:
    """One domain: the same for every showing. Another domain, or another holder: another. Re-issue with the same entropy keeps it."""
    feature = FEATURES["pseudonym"]

    def of(made: tuple[dict[str, Any], Secrets], domain: str, start: int) -> bytes | None:
        return bbs_2023.read_derived(read_proof(show(*made, feature, domain=domain, start=start)).signature).pseudonym

    entropy = (11).to_bytes(32, "big")
    first, again = issued(signer, feature, entropy=entropy), issued(signer, feature, entropy=entropy, start=2000)
    other = issued(signer, feature, entropy=entropy, nym=(8).to_bytes(32, "big"))
    assert of(first, DOMAIN, 500) == of(first, DOMAIN, 900) == of(again, DOMAIN, 700)
    assert len({of(first, DOMAIN, 500), of(first, "https://bank.example/", 500), of(other, DOMAIN, 500)}) == 3


def test_a_pseudonym_is_for_its_domain(signer: LocalBlindSigner) -> None:
    """A verifier that has a domain takes no pseudonym for another, whether the proof says its domain or not."""
    feature = FEATURES["holder_binding_pseudonym"]
    made = issued(signer, feature)
    said, unsaid = show(*made, feature), show(*made, feature, carry_domain=False)
    check(said, signer)
    for shown in (said, unsaid):
        check(shown, signer, domain=DOMAIN)
        with pytest.raises(SignatureError):
            check(shown, signer, domain="https://bank.example/")
    value = bbs_2023.read_derived(read_proof(said).signature)
    forged = replace(value, domain="https://bank.example/").to_text()
    with pytest.raises(SignatureError):
        check({**said, "proof": {**said["proof"], "proofValue": forged}}, signer)
    borrowed = bbs_2023.read_derived(read_proof(show(*issued(signer, feature, start=3000), feature)).signature)
    forged = replace(value, pseudonym=borrowed.pseudonym).to_text()
    with pytest.raises(SignatureError):
        check({**said, "proof": {**said["proof"], "proofValue": forged}}, signer)


def test_only_proven_commitments_are_signed(signer: LocalBlindSigner, feature: Feature) -> None:
    """Each octet of a commitment counts; one for another feature, or made for another interface, is refused."""
    commitment, _ = bbs_blind.commit(holder=HOLDER if feature.holder else None, nym=NYM if feature.nym else None, random=fresh())

    def sign(data: bytes, wanted: Feature = feature) -> None:
        bbs_2023.sign_committed(credential(), signer, wanted, data, created=None, mandatory=["/issuer"], random=fresh())

    sign(commitment)
    changed = [commitment[:at] + bytes([commitment[at] ^ 1]) + commitment[at + 1 :] for at in range(0, len(commitment), 5)]
    for data in (*changed, commitment[:-1], commitment + bytes(32), commitment[:112], b""):
        with pytest.raises(SignatureError):
            sign(data)
    for wanted in FEATURES.values():
        if wanted is not feature:
            with pytest.raises(SignatureError):
                sign(commitment, wanted)


def test_roles_and_numbers(signer: LocalBlindSigner) -> None:
    """A key of another role signs no commitments (R1); secrets of a pseudonym are numbers of the group; nothing is no secret."""
    login = LocalBlindSigner(key_gen(bytes(range(32))), "k", "log-op")
    commitment, _ = bbs_blind.commit(holder=HOLDER, random=fresh())
    with pytest.raises(SignatureError):
        login.sign_blind("data-integrity", b"", [], commitment, None)
    with pytest.raises(SignatureError):
        signer.sign_blind("weid/qr-cred/v1", b"", [], commitment, None)
    for bad in (bytes(32), b"\xff" * 32, b"short"):
        with pytest.raises(KeyMaterialError):
            bbs_blind.commit(nym=bad, random=fresh())
    with pytest.raises(KeyMaterialError):
        bbs_blind.commit(random=fresh())


@given(st.binary(max_size=200), st.sampled_from(range(2, 11)))
def test_only_our_errors(data: bytes, number: int) -> None:
    """Whatever follows the header, reading ends in a value that writes itself back, or in one error of the tree."""
    for read in (bbs_2023.read_base, bbs_2023.read_derived):
        try:
            read(b"\xd9\x5d" + bytes([number]) + data)  # type: ignore[operator]
        except WeidError:
            continue
