"""EU Digital COVID Certificates under the one pipeline: whose key, which kinds, how old, revoked by which list."""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from datetime import timedelta

import cbor2
import pytest

from credentials.wording import check_codes
from tests.credentials.others import makers
from tests.credentials.others.makers import ALPHABET, DOSE, NOW, OIDS, SECONDS, TEST, Signer, b45, cose, cwt, dcc, signer
from tests.credentials.others.world import codes, judged, kept, signers
from weid.codec import minutes
from weid.pack import LANGUAGES


@pytest.fixture(scope="module")
def held() -> Signer:
    return signer()


@pytest.mark.parametrize("kind", ["p256", "rsa"])
@pytest.mark.parametrize("content", [DOSE, TEST])
def test_a_code_by_a_signer_in_the_list_is_valid_for_its_bearer(kind: str, content: dict[str, object]) -> None:
    made = signer(kind)
    report = judged(dcc(made, content), signers(made))
    assert (report.verdict, report.exit_code, codes(report)) == ("valid-bearer", 0, {})
    assert report.authentic is not None
    assert report.authentic["nam.fn"] == "Silva" and report.authentic["dob"] == "1990-02-03"


def test_the_report_names_every_field_in_four_languages(held: Signer) -> None:
    shown = judged(dcc(held), signers(held)).presented
    assert shown is not None
    assert set(shown.claims) == set(shown.labels)
    assert all(set(words) == set(LANGUAGES) and all(words.values()) for words in (*shown.labels.values(), *shown.texts.values()))
    assert shown.texts["v.mp"]["en"] == "Comirnaty"
    assert shown.form == "eu-dcc" and shown.type == "eu-dcc.v" and set(shown.title) == set(LANGUAGES)
    assert (shown.issuer, shown.registry, shown.valid_until) == ("UT", "a list", (SECONDS + 86400) // 60)


@pytest.mark.parametrize("more", [{"tagged": False}, {"loose": True}, {"level": 1}])
def test_the_spellings_that_issuers_use_are_read(held: Signer, more: dict[str, bool]) -> None:
    assert judged(dcc(held, **more), signers(held)).verdict == "valid-bearer"


def test_without_a_list_the_issuer_is_unknown_and_nothing_is_called_tampered(held: Signer) -> None:
    for lists in ((), (signers(signer()),)):
        report = judged(dcc(held), *lists)
        assert (report.verdict, report.exit_code) == ("issuer-unknown", 3)
        assert codes(report) == {"issuer.document": "issuer-not-in-trust-data"}


def test_a_key_id_that_two_certificates_share_is_tried_with_both(held: Signer) -> None:
    other = signer()
    both = [
        {"kid": base64.b64encode(held.kid).decode(), "country": "UT", "rawData": base64.b64encode(item.der).decode()}
        for item in (other, held)
    ]
    assert judged(dcc(held), kept("dcc", both, no_revocations=True)).verdict == "valid-bearer"


def test_a_signature_by_another_key_under_a_known_id_is_tampered(held: Signer) -> None:
    thief = Signer(signer().key, held.der)
    report = judged(dcc(thief), signers(held))
    assert (report.verdict, report.exit_code, report.authentic) == ("tampered", 1, None)


def test_the_period_of_the_token_counts_to_the_second(held: Signer) -> None:
    text = dcc(held, issued=SECONDS - 100, until=SECONDS + 30)
    assert judged(text, signers(held)).verdict == "valid-bearer"
    assert judged(text, signers(held), at=NOW + timedelta(seconds=29)).verdict == "valid-bearer"
    assert judged(text, signers(held), at=NOW + timedelta(seconds=30)).verdict == "expired"
    assert judged(text, signers(held), at=NOW - timedelta(seconds=101)).verdict == "not-yet-valid"


@pytest.mark.parametrize(("uses", "content", "fits"), [
    ((OIDS["v"],), DOSE, True), ((OIDS["t"],), DOSE, False), ((OIDS["t"],), TEST, True), ((OIDS["t"], OIDS["v"]), DOSE, True),
    (("1.3.6.1.4.1.0.1847.2021.1.2",), DOSE, True), (("2.23.136.1.1.14.2",), DOSE, False),
])  # fmt: skip
def test_a_certificate_signs_the_kinds_that_it_names(uses: tuple[str, ...], content: dict[str, object], fits: bool) -> None:
    made = signer(uses=uses)
    report = judged(dcc(made, content), signers(made))
    assert report.verdict == ("valid-bearer" if fits else "issuer-not-authorised")
    assert codes(report) == ({} if fits else {"issuer.accreditation": "foreign-key-usage"})


def test_a_certificate_that_may_not_sign_lets_nothing_count() -> None:
    made = signer(may_sign=False)
    assert codes(judged(dcc(made), signers(made))) == {"issuer.accreditation": "foreign-key-usage"}


@pytest.mark.parametrize("days", [(-400, -1), (1, 400)])
def test_the_signers_certificate_must_be_in_its_period(days: tuple[int, int]) -> None:
    made = signer(days=days)
    report = judged(dcc(made), signers(made))
    assert (report.verdict, codes(report)) == ("issuer-key-ended", {"issuer.time": "foreign-certificate-period"})


def test_the_list_ages_by_the_terms_it_was_imported_with(held: Signer) -> None:
    old = signers(held, taken=minutes(NOW) - 8 * 1440)
    report = judged(dcc(held), old)
    assert (report.verdict, report.check("facts.freshness").code) == ("valid-bearer", "trust-ageing")
    assert {age.label for age in report.ages} == {"a list"}
    report = judged(dcc(held), signers(held, taken=minutes(NOW) - 31 * 1440))
    assert (report.verdict, report.exit_code) == ("stale", 3)
    assert judged(dcc(held), signers(held, taken=minutes(NOW) + 60)).verdict == "clock-differs"


def test_without_revocation_data_nobody_knows_and_an_empty_list_says_none(held: Signer) -> None:
    report = judged(dcc(held), signers(held, no_revocations=False))
    assert (report.verdict, codes(report)) == ("undecided", {"status": "status-unknown"})
    empty = kept("dcc-revocations", {"complete": True, "batches": []}, name="revoked")
    assert judged(dcc(held), signers(held, no_revocations=False), empty).verdict == "valid-bearer"


@pytest.mark.parametrize("kind", ["SIGNATURE", "UCI", "COUNTRYCODEUCI"])
@pytest.mark.parametrize("unknown_kid", [False, True])
def test_a_hash_in_a_batch_revokes(held: Signer, kind: str, unknown_kid: bool) -> None:
    text = dcc(held)
    token = cbor2.loads(zlib.decompress(_unb45(text[4:]))).value
    number = DOSE["v"][0]["ci"]  # type: ignore[index]
    preimage = {"SIGNATURE": token[3][:32], "UCI": number.encode(), "COUNTRYCODEUCI": f"UT{number}".encode()}[kind]
    entry = base64.b64encode(hashlib.sha256(preimage).digest()[:16]).decode()
    kid = "UNKNOWN_KID" if unknown_kid else base64.b64encode(held.kid).decode()
    batch = {"country": "UT", "kid": kid, "hashType": kind, "entries": [{"hash": entry}]}
    report = judged(text, signers(held), kept("dcc-revocations", batch, name="revoked"))
    assert (report.verdict, report.exit_code) == ("revoked", 1)
    assert report.authentic is not None
    fresh = dcc(held, {**DOSE, "v": [{**DOSE["v"][0], "ci": "URN:UVCI:01:UT:OTHER"}]})  # type: ignore[index,dict-item]
    assert judged(fresh, signers(held), kept("dcc-revocations", batch, name="revoked")).verdict == "valid-bearer"


def test_any_changed_letter_never_verifies(held: Signer) -> None:
    text, lists, chance = dcc(held, loose=True), signers(held), random.Random(7)
    told = set()
    for place in range(len(text)):
        for letter in {chance.choice(ALPHABET) for _ in range(2)} - {text[place]}:
            report = judged(text[:place] + letter + text[place + 1 :], lists)
            assert not report.verdict.startswith("valid"), (place, letter)
            told.add(report.verdict)
    for other in (text[:-1], text + "0", text + "000", text[:50] + text[53:], text + " "):
        report = judged(other, lists)
        assert not report.verdict.startswith("valid") or other.strip() == text
    assert "not-a-credential" in told


@pytest.mark.parametrize(
    "bits", [pytest.param(range(3, 4), id="one bit"), pytest.param(range(8), id="all", marks=pytest.mark.long)]
)
def test_any_changed_bit_inside_the_token_never_verifies(held: Signer, bits: range) -> None:
    whole, lists = cose(held, cwt(DOSE)), signers(held)
    for place in range(len(whole)):
        for bit in bits:
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            report = judged("HC1:" + b45(zlib.compress(bytes(changed))), lists)
            assert not report.verdict.startswith("valid"), (place, bit)


def test_bits_after_the_deflate_stream_are_refused() -> None:
    """A code may have no second spelling: the bits that deflate leaves over are zero. zlib itself does not look at them."""
    from credentials.foreign.inflate import inflate
    from weid.errors import MalformedError

    found = 0
    for size in range(1, 40):
        whole = zlib.compress(b"letters and digits 0123456789"[:size] * 3, 9)
        assert zlib.decompress(whole) == inflate(whole, raw=False, cap=1000)
        packed = bytearray(whole)
        packed[-5] ^= 0x80
        if whole[-5] & 0x80 or not _inflates_alike(bytes(packed), whole):
            continue  # the stream ends on a byte's border
        found += 1
        with pytest.raises(MalformedError, match="after the end"):
            inflate(bytes(packed), raw=False, cap=1000)
    assert found > 10


@pytest.mark.parametrize("text", [
    "HC1:", "HC1:A", "HC1::::", "HC1:" + b45(zlib.compress(b"\x00" * 100_000)), "HC1:" + b45(b"\x78\x9cjunk"),
    "HC1:" + b45(zlib.compress(b"\x81" * 5000)), "HC1:" + b45(zlib.compress(b"\xd2\x84\x40\xa0\x40\x40")),
    "HC1:" + b45(zlib.compress(b"\xd2\x9b" + b"\xff" * 8)), "HC1:" + "0" * 20_000,
])  # fmt: skip
def test_what_is_no_certificate_is_told_so(text: str) -> None:
    report = judged(text)
    assert report.verdict in ("not-a-credential", "unsupported")
    assert report.check("format").code in check_codes()


@pytest.mark.parametrize("content", [
    {}, {"nam": {}}, {**DOSE, "t": TEST["t"]}, {**DOSE, "v": []}, {**DOSE, "v": [7]}, {**DOSE, "nam": 3}, {**DOSE, "dob": [1]},
])  # fmt: skip
def test_content_that_is_none_is_malformed(held: Signer, content: dict[str, object]) -> None:
    assert judged(dcc(held, content), signers(held)).verdict == "not-a-credential"


def test_the_published_schema_and_misleading_text_are_told(held: Signer) -> None:
    wrong = {**DOSE, "v": [{**DOSE["v"][0], "dn": "2"}]}  # type: ignore[index,dict-item]
    assert codes(judged(dcc(held, wrong), signers(held))) == {"schema": "schema-mismatch"}
    misleading = {**DOSE, "nam": {**DOSE["nam"], "fn": "Silva\u202egnis"}}  # type: ignore[dict-item]
    assert codes(judged(dcc(held, misleading), signers(held))) == {"schema": "unsafe-text"}


def test_a_policy_may_ask_for_the_kind_the_suite_or_the_holder(held: Signer) -> None:
    text, lists = dcc(held), signers(held)
    assert judged(text, lists, types=frozenset({"eu-dcc"})).verdict == "valid-bearer"
    assert judged(text, lists, types=frozenset({"eu-dcc.v"}), suites=frozenset({"p256"})).verdict == "valid-bearer"
    assert codes(judged(text, lists, types=frozenset({"eu-dcc.t"}))) == {"policy.type": "type-not-accepted"}
    assert codes(judged(text, lists, suites=frozenset({"ed25519"}))) == {"policy.suite": "suite-not-accepted"}
    assert judged(text, lists, require_binding="challenge").verdict == "not-bound"
    alone = judged(text, lists, require_accreditation=False)
    assert alone.check("issuer.accreditation").code == "not-asked"


def test_a_changed_certificate_never_verifies_under_its_makers_name() -> None:
    """Keys of 2,048 bits sign in PSS with salts of 32 bytes alone."""
    made = signer("rsa")
    assert judged(dcc(made), signers(made)).presented.suite == "rsa-pss"  # type: ignore[union-attr]
    whole = bytearray(cose(made, cwt(DOSE)))
    whole[-1] ^= 1
    assert judged("HC1:" + b45(zlib.compress(bytes(whole))), signers(made)).verdict == "tampered"


def _inflates_alike(one: bytes, other: bytes) -> bool:
    try:
        return zlib.decompress(one) == zlib.decompress(other)
    except zlib.error:
        return False


def _unb45(text: str) -> bytes:
    out = b""
    for place in range(0, len(text), 3):
        group = text[place : place + 3]
        number = sum(makers.ALPHABET.index(letter) * 45**power for power, letter in enumerate(group))
        out += number.to_bytes(len(group) - 1, "big")
    return out


@pytest.mark.parametrize(
    ("text", "data"), [("BB8", b"AB"), ("%69 VD92EX0", b"Hello!!"), ("UJCLQE7W581", b"base-45"), ("QED8WEX0", b"ietf!")]
)
def test_base45_reads_the_examples_of_its_rfc(text: str, data: bytes) -> None:
    from credentials.foreign.base45 import unb45

    assert unb45(text) == data == _unb45(text)
    assert b45(data) == text


@pytest.mark.parametrize("text", ["GGW", "ZZ", "A", "BB8A", "bb8", ":::", "BB8\n"])
def test_base45_has_no_second_spelling(text: str) -> None:
    from credentials.foreign.base45 import unb45
    from weid.errors import MalformedError

    with pytest.raises(MalformedError):
        unb45(text)
