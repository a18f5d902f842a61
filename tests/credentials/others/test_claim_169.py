"""MOSIP claim 169 under the one pipeline: keys by id, by issuer, out of a DID document; words for its numbers."""

from __future__ import annotations

import random
import zlib

import pytest

from tests.credentials.others.makers import ALPHABET, Signer, b45, claim_169, ed_signer, jwk_of, signer
from tests.credentials.others.world import codes, judged, kept
from weid.anchors import AnchorList

ISSUER = "https://id.example"


def keys(made: Signer, *, kid: str | None = None, issuer: str = ISSUER) -> AnchorList:
    return kept("claim-169", {**jwk_of(made), **({} if kid is None else {"kid": kid})}, issuer=issuer)


@pytest.fixture(scope="module", params=["p256", "ed25519"])
def held(request: pytest.FixtureRequest) -> Signer:
    return signer() if request.param == "p256" else ed_signer()


def test_an_identity_is_valid_for_its_bearer_with_words_for_its_numbers(held: Signer) -> None:
    report = judged(claim_169(held, kid=b"key-1"), keys(held, kid="key-1"))
    assert (report.verdict, codes(report)) == ("valid-bearer", {})
    assert report.check("status").code == "none"
    shown = report.presented
    assert shown is not None and report.authentic is not None
    assert shown.claims["fullName"] == "Ana Silva" and shown.claims["photo"] == {"bytes": 9}
    assert shown.texts["gender"]["pt"] == "Feminino" and "9 " in shown.texts["photo"]["en"]
    assert shown.labels["fullName"]["zh-Hant"] == "姓名"
    assert shown.claims["field 75"] == "unknown"
    assert any("cannot show" in note for note in report.notes)


@pytest.mark.parametrize("kid", [b"", b"another"])
def test_a_key_without_an_id_is_found_by_its_issuer(held: Signer, kid: bytes) -> None:
    assert judged(claim_169(held, kid=kid), keys(held)).verdict == "valid-bearer"
    assert judged(claim_169(held, kid=kid), keys(held, issuer="https://other.example")).verdict == "issuer-unknown"


def test_a_key_out_of_a_did_document_is_found_by_its_fragment(held: Signer) -> None:
    did = "did:web:id.example"
    method = {"id": f"{did}#key-7", "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk_of(held)}
    lists = kept("claim-169", {"id": did, "verificationMethod": [method]})
    for kid in (b"key-7", f"{did}#key-7".encode()):
        report = judged(claim_169(held, kid=kid), lists)
        assert report.verdict == "valid-bearer" and report.presented is not None
        assert report.presented.issuer == did


def test_without_a_key_the_issuer_is_unknown_and_with_another_it_is_tampered(held: Signer) -> None:
    text = claim_169(held, kid=b"key-1")
    assert judged(text).verdict == "issuer-unknown"
    assert judged(text, keys(ed_signer() if held.alg == -8 else signer(), kid="key-1")).verdict == "tampered"
    wrong_kind = keys(signer() if held.alg == -8 else ed_signer(), kid="key-1")
    assert codes(judged(text, wrong_kind)) == {"proof.signature": "key-not-in-trust-data"}


def test_any_changed_letter_never_verifies(held: Signer) -> None:
    text, lists, chance = claim_169(held, kid=b"key-1"), keys(held, kid="key-1"), random.Random(5)
    for place in range(len(text)):
        letter = chance.choice([letter for letter in ALPHABET if letter != text[place]])
        assert not judged(text[:place] + letter + text[place + 1 :], lists).verdict.startswith("valid"), place


def test_an_encrypted_code_is_for_its_addressee_alone() -> None:
    report = judged(b45(zlib.compress(b"\xd0\x83\x40\xa0\x40")))
    assert (report.verdict, report.check("format").code) == ("unsupported", "unsupported")
