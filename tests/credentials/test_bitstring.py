"""W3C Bitstring Status List 1.0: entries, lists, values, and the `status` check of foreign credentials."""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import jose
from credentials.bitstring import Entry, StatusBits, read_entry, read_list, value_at
from credentials.bitstring_list import BitstringStatusList
from credentials.data_integrity import sign
from credentials.policy import Policy
from credentials.report import Check, Outcome, Report
from credentials.status import MIN_BITS, decode_bitstring, pack_bits, slot_key
from credentials.verify import verify
from tests.credentials.test_foreign import document, key_signer
from tests.credentials.world import NOW, Seeded, World, at, make_signer
from weid.codec import rfc3339
from weid.did import did_key
from weid.errors import IssueError, MalformedError, StatusFullError, WeidError
from weid.facts import NoFacts
from weid.keys import LocalSigner

URL = "https://issuer.example/status/3"
ISSUER = key_signer().kid.split("#")[0]
# the encodedList that the recommendation prints in its examples: 131,072 zeros
OFFICIAL = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
MESSAGES = ("pending_review", "accepted", "rejected", "undefined")
ENTRY: dict[str, Any] = {
    "id": f"{URL}#94567", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "94567",
    "statusListCredential": URL,
}  # fmt: skip
MESSAGE: dict[str, Any] = {
    **ENTRY, "statusPurpose": "message", "statusSize": 2, "statusReference": "https://issuer.example/dictionary",
    "statusMessage": [{"status": hex(value), "message": text} for value, text in enumerate(MESSAGES)],
}  # fmt: skip


def made(purpose: str = "revocation", value: int = 0, **more: Any) -> tuple[BitstringStatusList, int]:
    """A list with one index given out, and that index."""
    listed, (index,) = BitstringStatusList(URL, purpose, **more).allocate(random=Seeded("list"))
    return listed.set(index, value) if value else listed, index


def published(listed: BitstringStatusList, **change: Any) -> bytes:
    signer = change.pop("signer", key_signer())
    issuer = change.pop("issuer", signer.kid.split("#")[0])
    signed = change.pop("signed", NOW - 60)
    value = listed.document(issuer, issued=change.pop("issued", NOW - 60), until=change.pop("until", NOW + 600))
    subject = {**value["credentialSubject"], **change.pop("subject", {})}  # type: ignore[dict-item]
    value = {**value, "credentialSubject": {name: item for name, item in subject.items() if item is not ...}, **change}
    value = {name: item for name, item in value.items() if item is not ...}
    created = None if signed is None else at(signed).isoformat().replace("+00:00", "Z")
    return json.dumps(sign(value, signer, created=created)).encode()


def check(entry: Any, lists: dict[str, bytes], **policy: Any) -> Report:
    value = document(credentialStatus=entry)
    asked = Policy(require_accreditation=False, status_lists=lists, **policy)
    return verify(json.dumps(value).encode(), facts=World().facts(), policy=asked, at=at())


def result(entry: Any, data: bytes, **policy: Any) -> Check:
    return check(entry, {URL: data}, **policy).check("status")


# -- entries ----------------------------------------------------------------------------------------------------------


def test_the_recommendations_examples_are_read() -> None:
    """A simple entry and one with messages, as the recommendation prints them."""
    assert read_entry(ENTRY) == Entry("revocation", URL, 94567)
    assert read_entry(MESSAGE) == Entry("message", URL, 94567, 2, MESSAGES, ("https://issuer.example/dictionary",))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "StatusList2021Entry"}, {"type": ["BitstringStatusListEntry", "Other"]}, {"type": ...},
        {"statusPurpose": ...}, {"statusPurpose": 1}, {"statusPurpose": ""}, {"statusPurpose": ["revocation"]},
        {"statusListIndex": 94567}, {"statusListIndex": "-1"}, {"statusListIndex": "+1"}, {"statusListIndex": "01"},
        {"statusListIndex": "0x1"}, {"statusListIndex": ""}, {"statusListIndex": "1.0"}, {"statusListIndex": "\u0661"},
        {"statusListIndex": "9" * 79}, {"statusListIndex": True}, {"statusListIndex": "1\n"},
        {"statusListCredential": ...}, {"statusListCredential": "status"}, {"statusListCredential": [URL]},
        {"statusListCredential": {"id": URL}}, {"id": URL}, {"id": "x"}, {"id": None},
        {"statusSize": 0}, {"statusSize": 33}, {"statusSize": "1"}, {"statusSize": True}, {"statusSize": 1.0},
        {"statusSize": 2}, {"statusSize": None}, {"statusMessage": []}, {"statusMessage": None},
        {"statusReference": []}, {"statusReference": "x"}, {"statusReference": [URL, 1]}, {"statusReference": [URL] * 17},
    ],
)  # fmt: skip
def test_an_entry_that_breaks_the_data_model_is_refused(change: dict[str, Any]) -> None:
    """One broken MUST each; the check says FAILED, whatever list is at hand."""
    entry = {name: item for name, item in {**ENTRY, **change}.items() if item is not ...}
    with pytest.raises(MalformedError) as error:
        read_entry(entry)
    assert error.value.code == "status-entry-malformed"


@pytest.mark.parametrize(
    "messages",
    [
        MESSAGE["statusMessage"][:3], MESSAGE["statusMessage"] + MESSAGE["statusMessage"][:1],
        [*MESSAGE["statusMessage"][:3], MESSAGE["statusMessage"][0]],
        [*MESSAGE["statusMessage"][:3], {"status": "0x4", "message": "x"}],
        [*MESSAGE["statusMessage"][:3], {"status": "3", "message": "x"}],
        [*MESSAGE["statusMessage"][:3], {"status": 3, "message": "x"}],
        [*MESSAGE["statusMessage"][:3], {"status": "0x3"}],
        [*MESSAGE["statusMessage"][:3], {"status": "0x3", "message": 1}],
        [*MESSAGE["statusMessage"][:3], {"status": "0x3", "message": "x" * 1025}],
        [*MESSAGE["statusMessage"][:3], "0x3"], {}, "x",
    ],
)  # fmt: skip
def test_every_value_has_one_message(messages: Any) -> None:
    """Too few, too many, twice, beyond the values, or not as the recommendation writes them."""
    with pytest.raises(MalformedError):
        read_entry({**MESSAGE, "statusMessage": messages})


def test_messages_may_come_in_any_order_with_more_beside() -> None:
    """They are told apart by their status."""
    given_ = [{**item, "severity": "low"} for item in reversed(MESSAGE["statusMessage"])]
    assert read_entry({**MESSAGE, "statusMessage": given_}).messages == MESSAGES


# -- lists and values -------------------------------------------------------------------------------------------------


def test_the_recommendations_list_is_131072_zeros() -> None:
    """The encodedList of its examples."""
    bits = decode_bitstring(OFFICIAL)
    assert (len(bits), any(bits)) == (16384, False)
    assert value_at(bits, 94567, 1) == 0
    assert value_at(bits, 131071, 1) == 0


@pytest.mark.parametrize(
    ("start", "index", "size", "value"),
    [("80", 0, 1, 1), ("80", 1, 1, 0), ("01", 7, 1, 1), ("0080", 8, 1, 1), ("1b", 0, 2, 0), ("1b", 1, 2, 1), ("1b", 2, 2, 2),
     ("1b", 3, 2, 3), ("053977", 0, 3, 0), ("053977", 1, 3, 1), ("053977", 2, 3, 2), ("053977", 3, 3, 3), ("053977", 4, 3, 4),
     ("053977", 5, 3, 5), ("053977", 6, 3, 6), ("053977", 7, 3, 7), ("00deadbeef00", 0, 8, 0), ("00deadbeef00", 1, 8, 0xDE),
     ("deadbeefcafe0001", 0, 32, 0xDEADBEEF), ("deadbeefcafe0001", 1, 32, 0xCAFE0001)],
)  # fmt: skip
def test_values_by_hand(start: str, index: int, size: int, value: int) -> None:
    """The first index is the left-most bit; values of several bits are read from the left, across bytes."""
    bits = bytes.fromhex(start).ljust(MIN_BITS * size // 8, b"\0")
    assert value_at(bits, index, size) == value


def test_a_list_ends_where_it_ends() -> None:
    """The last index is the right-most bit; the next one, and one of a great many digits, is no index of the list."""
    bits = bytes(MIN_BITS // 8 - 1) + b"\1"
    assert value_at(bits, MIN_BITS - 1, 1) == 1
    for index in (MIN_BITS, 10**70):
        with pytest.raises(MalformedError) as error:
            value_at(bits, index, 1)
        assert error.value.code == "status-index"
    with pytest.raises(MalformedError) as error:
        value_at(bits, 0, 2)  # group privacy: 65,536 values of two bits are too few
    assert error.value.code == "status-list-short"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.dictionaries(st.integers(0, MIN_BITS - 1), st.integers(0, 63), max_size=12))
def test_what_is_set_is_what_is_read(size: int, given_: dict[int, int]) -> None:
    """Round trip of any values through the published list; every other value is 0."""
    values = {index: value % (1 << size) for index, value in given_.items()}
    words = tuple(f"m{value}" for value in range(1 << size))
    listed = BitstringStatusList(URL, "message", size, messages=words, used=frozenset(values))
    for index, value in values.items():
        listed = listed.set(index, value)
    found = read_list(listed.document(ISSUER, issued=NOW, until=NOW + 1))
    assert {index: value_at(found.bits, index, size) for index in values} == values
    assert all(value_at(found.bits, (index + 1) % MIN_BITS, size) == values.get((index + 1) % MIN_BITS, 0) for index in values)
    assert found == StatusBits(frozenset({"message"}), found.bits, None, size)
    for index in values:
        assert read_entry(listed.entry(index)) == Entry("message", URL, index, size, words)


GOOD = gzip.compress(bytes(MIN_BITS // 8), mtime=0)


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ({"encodedList": pack_bits(bytes(1 << 25))}, "status-list-malformed"),  # a bomb: 32 MB from 32 kB
        ({"encodedList": "z" + "1" * 100}, "status-list-malformed"),
        ({"encodedList": pack_bits(bytes(MIN_BITS // 8)) + "=="}, "status-list-malformed"),
        ({"encodedList": pack_bits(bytes(MIN_BITS // 8))[1:]}, "status-list-malformed"),
        ({"encodedList": ...}, "status-list-malformed"), ({"encodedList": 7}, "status-list-malformed"),
        ({"encodedList": "u"}, "status-list-malformed"), ({"encodedList": ""}, "status-list-malformed"),
        ({"encodedList": pack_bits(bytes(MIN_BITS // 8 - 1))}, "status-list-short"),
        ({"type": "StatusList2021"}, "status-list-malformed"), ({"type": ...}, "status-list-malformed"),
        ({"statusPurpose": ...}, "status-list-malformed"), ({"statusPurpose": []}, "status-list-malformed"),
        ({"statusPurpose": [1]}, "status-list-malformed"), ({"ttl": -1}, "status-list-malformed"),
        ({"ttl": "300"}, "status-list-malformed"), ({"ttl": True}, "status-list-malformed"),
        ({"statusPurpose": "suspension"}, "status-purpose"), ({"statusPurpose": ["message", "refresh"]}, "status-purpose"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read_is_unknown(subject: dict[str, Any], code: str) -> None:
    """Signed properly and still no answer: never revoked, never in good standing, never called a forgery."""
    listed, index = made()
    found = result(listed.entry(index), published(listed, subject=subject))
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, code)


def test_gzip_alone_is_read() -> None:
    """Two members, data behind the stream, a stream cut short, zlib and raw deflate are not the gzip of one list."""
    from weid.codec import b64u

    assert decode_bitstring("u" + b64u(GOOD)) == bytes(MIN_BITS // 8)
    import zlib

    raw = bytes(MIN_BITS // 8)
    for data in (GOOD + GOOD, GOOD + b"\0", GOOD[:-1], GOOD[:-8] + bytes(8), zlib.compress(raw), zlib.compress(raw)[2:-4]):
        with pytest.raises(MalformedError):
            decode_bitstring("u" + b64u(data))


# -- the check --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "value", "outcome", "code", "verdict"),
    [
        ("revocation", 0, Outcome.PASSED, "good-standing", "valid-bearer"),
        ("revocation", 1, Outcome.FAILED, "revoked", "revoked"),
        ("suspension", 0, Outcome.PASSED, "good-standing", "valid-bearer"),
        ("suspension", 1, Outcome.FAILED, "suspended", "suspended"),
        ("refresh", 0, Outcome.PASSED, "good-standing", "valid-bearer"),
        ("refresh", 1, Outcome.PASSED, "status-renewal", "valid-bearer"),
        ("message", 0, Outcome.PASSED, "status-message", "valid-bearer"),
        ("message", 1, Outcome.PASSED, "status-message", "valid-bearer"),
        ("delivery", 0, Outcome.PASSED, "good-standing", "valid-bearer"),
        ("delivery", 1, Outcome.UNKNOWN, "status-purpose-unknown", "undecided"),
    ],
)
def test_what_a_value_means(purpose: str, value: int, outcome: Outcome, code: str, verdict: str) -> None:
    """Each purpose, set and unset."""
    listed, index = made(purpose, value)
    report = check(listed.entry(index), {URL: published(listed)})
    assert (report.check("status").outcome, report.check("status").code, report.verdict) == (outcome, code, verdict)


def test_a_message_is_evidence() -> None:
    """The value, its message as issued, and where to read about it; the age of the list stands in the report."""
    listed, index = made("message", 2, size=2, messages=MESSAGES, references=("https://issuer.example/d",))
    report = check(listed.entry(index), {URL: published(listed)})
    (said,) = report.check("status").evidence["entries"]  # type: ignore[misc]
    assert (said["value"], said["message"]) == ("0x2", "rejected")  # type: ignore[call-overload, index]
    assert said["references"] == ["https://issuer.example/d"]  # type: ignore[call-overload, index]
    assert [(age.what, age.age) for age in report.ages if age.what == "status"] == [("status", 60)]


def test_revocation_of_several_bits() -> None:
    """Any value but 0 revokes (3.2)."""
    listed, index = made("revocation", 2, size=2, messages=MESSAGES)
    assert result(listed.entry(index), published(listed)).code == "revoked"


def test_without_the_list_it_is_unknown() -> None:
    """No list, another list, another kind of status: nothing is fetched and nothing assumed."""
    listed, index = made()
    entry = listed.entry(index)
    assert check(entry, {}).check("status").code == "status-unknown"
    assert check(entry, {URL + "0": published(listed)}).verdict == "undecided"
    other = check({"id": "https://x.example/1", "type": "StatusList2021Entry"}, {}).check("status")
    assert (other.outcome, other.code) == (Outcome.UNKNOWN, "status-type-unknown")
    assert check([entry] * 17, {URL: published(listed)}).check("status").outcome is Outcome.UNKNOWN


def test_a_broken_entry_is_no_question_of_trust_data() -> None:
    """It fails even while everything else is at hand."""
    listed, index = made()
    found = check({**listed.entry(index), "statusListIndex": index}, {URL: published(listed)})
    assert (found.check("status").code, found.verdict) == ("status-entry-malformed", "unsupported")


def test_the_worst_of_several_entries_counts() -> None:
    """Revoked before suspended before unknown before good standing, in whatever order they stand."""
    good, one = made("suspension")
    bad, two = made("suspension", 1)
    gone, three = made("revocation", 1)
    lists = {
        URL: published(good), URL + "b": published(replace(bad, url=URL + "b")), URL + "c": published(replace(gone, url=URL + "c")),
    }  # fmt: skip
    entries = [
        good.entry(one), replace(bad, url=URL + "b").entry(two), replace(gone, url=URL + "c").entry(three),
        replace(good, url=URL + "d").entry(one),
    ]  # fmt: skip
    assert check(entries, lists).verdict == "revoked"
    assert check(entries[::-1], lists).verdict == "revoked"
    assert check([entries[0], entries[3], entries[1]], lists).verdict == "suspended"
    assert check([entries[0], entries[3]], lists).verdict == "undecided"
    assert check(entries[:1], lists).verdict == "valid-bearer"


def test_one_list_for_two_purposes() -> None:
    """A list may serve several purposes; each entry has an index of its own."""
    listed, (one, two) = BitstringStatusList(URL, "revocation").allocate(2, random=Seeded("two"))
    data = published(listed.set(two), subject={"statusPurpose": ["revocation", "suspension"]})
    entries = [listed.entry(one), {**listed.entry(two), "statusPurpose": "suspension"}]
    assert check(entries, {URL: data}).verdict == "suspended"


def test_seen_revoked_stays_revoked() -> None:
    """A list that forgets a revocation does not undo it (R9)."""
    listed, index = made()
    seen = frozenset({slot_key(URL, index)})
    assert result(listed.entry(index), published(listed), seen_revocations=seen).code == "revoked"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"until": NOW}, "status-stale"), ({"until": NOW - 1}, "status-stale"),
        ({"issued": NOW + 1}, "status-list-early"), ({"signed": NOW + 11, "validFrom": ...}, "status-list-early"),
        ({"issued": NOW - 10_081, "signed": NOW - 10_081}, "status-stale"),
        ({"validFrom": ..., "signed": None}, "status-list-undated"),
        ({"id": URL + "4"}, "status-list-malformed"), ({"type": ["VerifiableCredential"]}, "status-list-malformed"),
        ({"credentialStatus": ENTRY}, "status-list-unproven"),
        ({"issuer": "did:web:issuer.example"}, "status-list-unproven"),
        ({"credentialSubject": [{"id": "urn:x", "type": "BitstringStatusList"}] * 2}, "status-list-malformed"),
    ],
)  # fmt: skip
def test_a_list_must_be_good_itself(change: dict[str, Any], code: str) -> None:
    """Its period, its age, its name, its issuer: one reason each."""
    listed, index = made()
    found = result(listed.entry(index), published(listed, **change))
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, code)


def test_a_list_of_another_issuer() -> None:
    """Anybody can sign a list that says all is well: only the issuer's counts, or one the policy names (3.1)."""
    listed, index = made()
    signer = make_signer("p256", "assert", "other")
    did = did_key(signer.public_key)
    other = make_signer("p256", "assert", "other", f"{did}#{signer.public_key.multikey()}")
    data = published(listed, signer=other)
    assert result(listed.entry(index), data).code == "status-list-issuer"
    assert result(listed.entry(index), data, status_issuers=frozenset({did})).code == "good-standing"
    # naming the issuer without its key is no help
    assert result(listed.entry(index), published(listed, signer=other, issuer=ISSUER)).code == "status-list-unproven"


def test_ttl_is_a_hint() -> None:
    """Past its ttl a list still counts, and the code says that a newer one is due; the policy's age decides."""
    listed, index = made(ttl=60 * 60_000)
    assert result(listed.entry(index), published(listed, signed=NOW - 60)).code == "good-standing"
    assert result(listed.entry(index), published(listed, issued=NOW - 61, signed=NOW - 61)).code == "status-refresh-due"


def test_a_list_of_a_registered_issuer_is_signed_by_its_status_key() -> None:
    """The one role of a key (R1): a did:weid publishes lists under `status`, and no other key of it will do."""
    world = World()
    signer = make_signer("ed25519", "status", "list", f"{world.issuer.did}#key-3")
    listed, index = made()
    asked = Policy(
        require_accreditation=False, status_issuers=frozenset({world.issuer.did}),
        status_lists={URL: published(listed, signer=signer)},
    )  # fmt: skip
    value = json.dumps(document(credentialStatus=listed.entry(index))).encode()
    assert verify(value, facts=world.facts(), policy=asked, at=at()).check("status").code == "status-list-unproven"
    world.issuer.keys.append(world.issuer.key(3, "status", signer.public_key))
    assert verify(value, facts=world.facts(), policy=asked, at=at()).check("status").code == "good-standing"
    world.issuer.end_key(3, "compromised", NOW - 1)
    assert verify(value, facts=world.facts(), policy=asked, at=at()).check("status").code == "status-list-unproven"


def test_a_did_that_was_deactivated_publishes_no_list() -> None:
    """Its keys are in no role any more (R5): whoever finds one of them could else say that all is well."""
    world = World()
    signer = make_signer("ed25519", "status", "list", f"{world.issuer.did}#key-3")
    world.issuer.keys.append(world.issuer.key(3, "status", signer.public_key))
    listed, index = made()
    asked = Policy(
        require_accreditation=False, status_issuers=frozenset({world.issuer.did}),
        status_lists={URL: published(listed, signer=signer)},
    )  # fmt: skip
    value = json.dumps(document(credentialStatus=listed.entry(index))).encode()
    assert verify(value, facts=world.facts(), policy=asked, at=at()).check("status").code == "good-standing"
    world.issuer.deactivated = NOW - 10
    found = verify(value, facts=world.facts(), policy=asked, at=at()).check("status")
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "status-list-unproven")


def test_an_assertion_key_publishes_no_list() -> None:
    """R1: a did:weid's `assert` key signs credentials; a list under it counts in no securing form."""
    world = World()
    signer = make_signer("ed25519", "assert", "list", f"{world.issuer.did}#key-3")
    world.issuer.keys.append(world.issuer.key(3, "assert", signer.public_key))
    listed, index = made()
    value = json.dumps(document(credentialStatus=listed.entry(index))).encode()
    bare = listed.document(world.issuer.did, issued=NOW - 60, until=NOW + 60)
    for data in (published(listed, signer=signer), jose.sign_jwt(bare, signer).encode()):
        asked = Policy(require_accreditation=False, status_issuers=frozenset({world.issuer.did}), status_lists={URL: data})
        found = verify(value, facts=world.facts(), policy=asked, at=at()).check("status")
        assert (found.code, found.evidence["reason"]) in (
            ("status-list-unproven", "the key of a proof is not here"), ("status-list-unproven", "its issuer's key is not here")
        )  # fmt: skip


def test_lists_in_envelopes() -> None:
    """A list secured as a JWT is the same list."""
    listed, index = made("revocation", 1)
    bare = listed.document(ISSUER, issued=NOW - 60, until=NOW + 60)
    token = jose.sign_jwt(bare, key_signer()).encode()
    assert result(listed.entry(index), token).code == "revoked"
    head, body, end = token.split(b".")
    forged = b".".join([head, body, end[:-4] + b"AAAA"])
    assert result(listed.entry(index), forged).code == "status-list-unproven"


def test_a_list_that_can_hide_a_part() -> None:
    """Selective disclosure would let a holder leave the end of an old list's period out; an SD-JWT without it is fine."""
    listed, index = made("revocation", 1)
    bare = listed.document(ISSUER, issued=NOW - 60, until=NOW + 60)
    whole = jose.issue_sd_jwt(bare, [], key_signer(), random=secrets.token_bytes).encode()
    assert result(listed.entry(index), whole).code == "revoked"
    hiding = jose.issue_sd_jwt(bare, [("validUntil",)], key_signer(), random=secrets.token_bytes).encode()
    for data in (hiding, hiding.split(b"~")[0] + b"~"):
        assert result(listed.entry(index), data).code == "status-list-unproven"


def over_rdf(listed: BitstringStatusList, until: int) -> dict[str, Any]:
    bare = listed.document(ISSUER, issued=NOW - 60, until=until)
    return sign(bare, key_signer(), created=rfc3339(NOW - 60), cryptosuite="eddsa-rdfc-2022")


@pytest.mark.parametrize("where", ["document", "subject", "proof"])
def test_an_end_under_another_name(where: str) -> None:
    """Over RDF an inline context renames `validUntil` and the proof stays right: such a list is nobody's word."""
    listed, index = made()
    value = over_rdf(listed, NOW - 10)
    assert result(listed.entry(index), json.dumps(value).encode()).code == "status-stale"
    name = "https://www.w3.org/2018/credentials#validUntil"
    words = {"end": {"@id": name, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}}
    if where == "document":
        value = {**value, "@context": [*value["@context"], words], "end": value["validUntil"]}
        del value["validUntil"]
    else:
        part = "proof" if where == "proof" else "credentialSubject"
        value[part] = {**value[part], "@context": [*value["@context"], words]}
    found = result(listed.entry(index), json.dumps(value).encode())
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "status-list-unproven")
    assert found.evidence["reason"] == "its words are its bringer's own"


def test_messages_over_rdf() -> None:
    """The one inline context that our own lists bring is known, whole and unchanged."""
    listed, index = made("message", 1, size=2, messages=MESSAGES)
    value = over_rdf(listed, NOW + 600)
    assert result(listed.entry(index), json.dumps(value).encode()).code == "status-message"
    value["@context"][1]["more"] = "https://other.example/more"
    assert result(listed.entry(index), json.dumps(value).encode()).code == "status-list-unproven"


@pytest.mark.parametrize(("iat", "code"), [(1 << 37, "status-list-early"), ((1 << 38) - 1, "status-list-malformed")])
def test_a_list_from_a_far_future(iat: int, code: str) -> None:
    """A date years ahead, and one beyond the calendar."""
    listed, index = made()
    bare = listed.document(ISSUER, issued=NOW - 60, until=NOW + 60)
    token = jose.sign_jwt(bare, key_signer(), claims={"iat": iat}).encode()
    assert result(listed.entry(index), token).code == code


def test_an_enveloped_credential_has_a_status_too() -> None:
    """What secures the credential makes no difference to its status."""
    listed, index = made("suspension", 1)
    value = {name: item for name, item in document(credentialStatus=listed.entry(index)).items() if name != "proof"}
    token = jose.sign_jwt(value, key_signer()).encode()
    asked = Policy(require_accreditation=False, status_lists={URL: published(listed)})
    assert verify(token, facts=NoFacts(), policy=asked, at=at()).verdict == "suspended"


def test_any_changed_byte_of_a_list_is_no_answer() -> None:
    """Sampled over the whole file, with a bit of every byte: a list that was altered never says good standing."""
    listed, index = made()
    data = published(listed)
    entry = listed.entry(index)
    facts, value = NoFacts(), json.dumps(document(credentialStatus=entry)).encode()
    for place in range(0, len(data), 5):
        changed = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        asked = Policy(require_accreditation=False, status_lists={URL: changed})
        found = verify(value, facts=facts, policy=asked, at=at()).check("status")
        assert found.outcome is Outcome.UNKNOWN, (place, found)
        assert found.code != "internal-error"


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=40) | st.just(b"{}") | st.just(b'{"type":"VerifiableCredential"}') | st.just(b"\xd2\x84") | st.just(b"eyJ")
)
def test_any_bytes_as_a_list(data: bytes) -> None:
    """Whatever is handed in: UNKNOWN, and no exception."""
    found = result({**ENTRY, "statusListIndex": "1"}, data)
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "status-list-malformed")


# -- making -----------------------------------------------------------------------------------------------------------


def test_indexes_are_random_and_given_out_once() -> None:
    """Never sequential, never twice (2.1), and a full list says so."""
    listed, first = BitstringStatusList(URL, "revocation").allocate(200, random=Seeded("a"))
    listed, second = listed.allocate(200, random=Seeded("a"))
    assert len({*first, *second}) == 400
    assert sorted(first) != list(first)
    assert max(first) - min(first) > MIN_BITS // 2
    with pytest.raises(StatusFullError):
        listed.allocate(MIN_BITS, random=secrets.token_bytes)


def test_some_statuses_are_final() -> None:
    """Revocation and refresh have no way back, suspension and messages have; only indexes given out have a status."""
    for purpose, final in (("revocation", True), ("refresh", True), ("suspension", False)):
        listed, index = made(purpose, 1)
        assert listed.set(index, 1) == listed
        if final:
            with pytest.raises(IssueError):
                listed.set(index, 0)
        else:
            assert listed.set(index, 0).values[index] == 0
        for act in (lambda held=listed, place=index: held.set(place, 2), lambda held=listed, place=index: held.set(place + 1),
                    lambda held=listed, place=index: held.entry(place + 1)):  # fmt: skip
            with pytest.raises(IssueError):
                act()


@pytest.mark.parametrize(
    "more",
    [{"length": MIN_BITS - 1}, {"size": 0}, {"size": 2}, {"size": 33}, {"messages": ("one",)}, {"ttl": -1}, {"purpose": ""},
     {"references": ("nowhere",)}, {"size": 2, "messages": MESSAGES[:3]}, {"length": 1 << 24, "size": 2, "messages": MESSAGES},
     {"url": "nowhere"}],
)  # fmt: skip
def test_what_could_not_be_read_is_not_made(more: dict[str, Any]) -> None:
    """The maker asks the strict reader before anything is given out or published."""
    listed = replace(BitstringStatusList(URL, "revocation"), **more)
    with pytest.raises(WeidError):
        listed.document(ISSUER, issued=NOW, until=NOW + 1)
    with pytest.raises(WeidError):
        listed.allocate(random=Seeded("x"))


@pytest.mark.parametrize("cryptosuite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_a_made_list_is_a_conforming_credential(cryptosuite: str) -> None:
    """Signed in either form it verifies as a credential: no term without a meaning, messages and sizes included."""
    signer: LocalSigner = key_signer()
    listed, index = made("message", 3, size=2, messages=MESSAGES, ttl=300_000)
    value = listed.credential(signer, issuer=ISSUER, issued=NOW - 60, until=NOW + 60, cryptosuite=cryptosuite)
    report = verify(json.dumps(value).encode(), facts=NoFacts(), policy=Policy(require_accreditation=False), at=at())
    assert report.outcome is Outcome.PASSED
    assert value["credentialSubject"]["statusSize"] == 2  # type: ignore[index, call-overload]
    assert result(listed.entry(index), json.dumps(value).encode()).code == "status-message"
