"""SMART Health Cards under the one pipeline: keys by thumbprint, revocation lists by number, codes in several pieces."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from credentials.foreign.imports import import_list
from credentials.foreign.reading import is_code, items_in
from tests.credentials.others.makers import ISSUER, NOW, SECONDS, CardIssuer, chunks, shc
from tests.credentials.others.world import codes, judged, kept
from weid.anchors import AnchorList
from weid.errors import MalformedError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="module")
def issuer() -> CardIssuer:
    return CardIssuer()


def keys(issuer: CardIssuer, **more: Any) -> AnchorList:
    return kept("shc", {"keys": [issuer.jwk(**more)]}, issuer=ISSUER)


def crl(issuer: CardIssuer, *rids: str, counter: int = 1, method: str = "rid") -> AnchorList:
    value = {"kid": issuer.key.kid, "method": method, "ctr": counter, "rids": list(rids)}
    return kept("shc-revocations", value, issuer=ISSUER, name="revoked")


def test_a_card_is_valid_for_its_bearer_and_shows_every_resource(issuer: CardIssuer) -> None:
    report = judged(shc(issuer.card()), keys(issuer))
    assert (report.verdict, codes(report)) == ("valid-bearer", {})
    assert report.check("status").code == "none"  # its key announces no list
    shown = report.presented
    assert shown is not None and report.authentic is not None
    assert shown.claims["Patient.name"] == "Ana M. Silva"
    assert shown.claims["Immunization.performer"] == "General Hospital"
    assert shown.texts["Immunization.vaccineCode"]["en"] == "Moderna (207)"
    assert set(shown.labels) == set(shown.claims)
    assert (shown.issuer, shown.form) == (ISSUER, "smart-health-card")


def test_a_card_is_read_as_a_code_a_text_and_a_wallets_file(issuer: CardIssuer) -> None:
    card = issuer.card()
    file = json.dumps({"verifiableCredential": [card]})
    assert [judged(item, keys(issuer)).verdict for item in (shc(card), card, file)] == ["valid-bearer"] * 3
    two = json.dumps({"verifiableCredential": [card, issuer.card()]}).encode()
    assert judged(two, keys(issuer)).verdict == "unsupported"
    assert len(items_in([two])) == 2


def test_one_code_of_several_is_refused_and_all_of_them_are_one_card(issuer: CardIssuer) -> None:
    pieces = [piece.encode() for piece in chunks(issuer.card(), 3)]
    assert judged(pieces[0], keys(issuer)).verdict == "unsupported"
    assert all(is_code(piece) for piece in pieces)
    (whole,) = items_in([pieces[2], pieces[0], pieces[1]])
    assert judged(whole, keys(issuer)).verdict == "valid-bearer"
    assert items_in(pieces[:2]) == tuple(pieces[:2])  # one is missing
    assert items_in([pieces[0], pieces[0], pieces[2]]) != (whole,)


def test_another_issuer_or_key_is_not_in_the_trust_data(issuer: CardIssuer) -> None:
    card = shc(issuer.card())
    assert codes(judged(card)) == {"issuer.document": "issuer-not-in-trust-data"}
    report = judged(card, keys(CardIssuer()))
    assert (report.verdict, codes(report)) == ("undecided", {"issuer.document": "key-not-in-trust-data"})


def test_an_issuers_key_speaks_for_its_own_cards_alone(issuer: CardIssuer) -> None:
    other = kept("shc", {"keys": [issuer.jwk()]}, issuer="https://other.example")
    assert judged(shc(issuer.card()), other).verdict == "issuer-unknown"


def test_a_card_ends_and_begins_by_its_claims(issuer: CardIssuer) -> None:
    card = shc(issuer.card(exp=SECONDS + 5.5))
    assert judged(card, keys(issuer)).verdict == "valid-bearer"
    assert judged(card, keys(issuer), at=NOW + timedelta(seconds=5)).verdict == "expired"
    assert judged(card, keys(issuer), at=NOW - timedelta(hours=2)).verdict == "not-yet-valid"


def test_a_list_that_the_key_announces_is_asked_for_by_its_number(issuer: CardIssuer) -> None:
    card, announced = shc(issuer.card(rid="abc-1")), keys(issuer, crlVersion=2)
    assert codes(judged(card, announced)) == {"status": "status-unknown"}
    assert codes(judged(card, announced, crl(issuer, counter=1))) == {"status": "status-stale"}
    assert judged(card, announced, crl(issuer, counter=2)).verdict == "valid-bearer"


@pytest.mark.parametrize(("entry", "verdict"), [
    ("abc-1", "revoked"), (f"abc-1.{SECONDS}", "revoked"), (f"abc-1.{SECONDS - 7200}", "valid-bearer"), ("abc-12", "valid-bearer"),
])  # fmt: skip
def test_a_rid_revokes_with_or_without_a_time(issuer: CardIssuer, entry: str, verdict: str) -> None:
    report = judged(shc(issuer.card(rid="abc-1")), keys(issuer, crlVersion=1), crl(issuer, entry))
    assert report.verdict == verdict


def test_a_card_without_a_rid_is_revoked_by_the_hash_of_its_bundle(issuer: CardIssuer) -> None:
    import hashlib

    from credentials.foreign.smart import read_smart
    from tests.credentials.others.makers import BUNDLE, _b64u

    text = json.dumps(BUNDLE, sort_keys=True, separators=(",", ":"))
    rid = _b64u(hashlib.sha256(_b64u(text.encode()).encode()).digest()[:8])
    card = shc(issuer.card())
    assert read_smart(card).listed[0].entry == rid
    assert judged(card, keys(issuer, crlVersion=1), crl(issuer, rid, method="hash-fhir")).verdict == "revoked"


def test_any_changed_digit_or_letter_never_verifies(issuer: CardIssuer) -> None:
    card, lists, chance = issuer.card(), keys(issuer), random.Random(3)
    for place in range(0, len(card), 2):
        letter = chance.choice([letter for letter in LETTERS if letter != card[place]])
        changed = card[:place] + letter + card[place + 1 :]
        assert not judged(changed, lists).verdict.startswith("valid"), place
    text = shc(card)
    for place in range(5, len(text), 7):
        digit = chance.choice([digit for digit in "0123456789" if digit != text[place]])
        assert not judged(text[:place] + digit + text[place + 1 :], lists).verdict.startswith("valid"), place


@pytest.mark.parametrize("text", ["shc:/", "shc:/1", "shc:/99", "shc:/１２", "shc:/1/2/3/4", "shc:/" + "00" * 40_000])
def test_what_is_no_card_is_told_so(text: str) -> None:
    assert judged(text).verdict in ("not-a-credential", "unsupported")


def test_a_key_whose_id_is_not_its_thumbprint_is_left_out(issuer: CardIssuer) -> None:
    value = {"keys": [issuer.jwk(), issuer.jwk(kid="another"), {"kty": "RSA"}]}
    made = import_list("shc", json.dumps(value).encode(), name="x", taken=0, warn=1, reject=1, issuer=ISSUER)
    assert (len(made.list.anchors), len(made.left_out)) == (1, 2)


def test_the_directorys_snapshot_names_issuers_keys_and_lists(issuer: CardIssuer) -> None:
    info = {"issuer": {"iss": ISSUER, "name": "General Hospital"}, "keys": [issuer.jwk(crlVersion=1)],
            "crls": [{"kid": issuer.key.kid, "method": "rid", "ctr": 1, "rids": ["abc-1"]}]}  # fmt: skip
    lists = kept("shc", {"directory": "x", "time": "2026", "issuerInfo": [info]})
    assert judged(shc(issuer.card(rid="abc-1")), lists).verdict == "revoked"
    report = judged(shc(issuer.card(rid="abc-2")), lists)
    assert report.verdict == "valid-bearer" and report.presented is not None
    assert report.presented.issuer_names["en"] == "General Hospital"


def test_a_bare_set_of_keys_needs_to_be_told_whose_it_is(issuer: CardIssuer) -> None:
    with pytest.raises(MalformedError, match="issuer"):
        kept("shc", {"keys": [issuer.jwk()]})


@pytest.mark.parametrize(("name", "own", "kept_"), [(ISSUER, True, 1), ("https://other.example", True, 0), (ISSUER, False, 0)])
def test_a_certificate_beside_a_key_must_be_of_this_key_and_issuer(issuer: CardIssuer, name: str, own: bool, kept_: int) -> None:
    import base64

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    key = (issuer if own else CardIssuer()).key.private_key
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(5)
        .not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]), critical=False)
        .sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    )  # fmt: skip
    value = {"keys": [issuer.jwk(x5c=[base64.b64encode(made).decode()]), CardIssuer().jwk()]}
    found = import_list("shc", json.dumps(value).encode(), name="x", taken=0, warn=1, reject=1, issuer=ISSUER)
    assert (len(found.list.anchors), len(found.left_out)) == (1 + kept_, 1 - kept_)
