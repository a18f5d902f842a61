"""R30: credentials of WeIdentity, by the public vectors and by an issuer of our own making."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.cpt import Legacy, alternatives, keys_in_document, read_cpt
from credentials.policy import Policy
from credentials.report import Outcome, Report
from credentials.verify import verify
from credentials.weidentity import read_weidentity
from credentials.weidentity_proof import claim_hashes, compact, evidence_hash, java_text, prove
from tests.credentials import old
from tests.credentials.old import CPT, DAY, ISSUED, OldIssuer
from tests.credentials.world import NOW, World, at, make_signer
from tests.vectors import vector, vector_json
from weid.codec import b58
from weid.did import address_of
from weid.errors import KeyMaterialError, MalformedError, SchemaError, SignatureError, WeidError
from weid.facts import Facts, NoFacts
from weid.keys import PublicKey
from weid.recovery import recover, verify_digest
from weid.suites import _curve, suite

VECTORS = {
    "hashtree_p1_restdoc_2020": ("P1", "epoch"),
    "original_p1_sdkdoc_20200428": ("P1", "epoch"),
    "original_p3_spec_2020": ("P3", "shanghai"),
    "lite1_2021_ios": ("LITE", "epoch"),
    "selective_p3_tencent_tdid": ("P3", "epoch"),
}
ISSUER = OldIssuer()
KNOWN = Legacy(cpts={2000006: read_cpt(CPT)}, salt_length=5)


def check(value: Any, legacy: Legacy = Legacy(), facts: Facts | None = None, minute: int = NOW, **policy: Any) -> Report:
    return verify(
        json.dumps(value).encode(), facts=facts or NoFacts(), policy=Policy(legacy=legacy, **policy), at=at(minute)
    )  # fmt: skip


def within(value: Any) -> int:
    """A minute at which a credential holds."""
    credential = read_weidentity(json.dumps(value).encode())
    assert credential is not None and credential.valid_from is not None
    return credential.valid_from + 1


# -- public vectors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name: str) -> None:
    """Each published sample is authentic under its own profile, amber, and never decided without a registry."""
    value = vector_json(f"weidentity/{name}.json")
    report = check(value, minute=within(value))
    assert (report.verdict, report.exit_code) == ("legacy-authentic", 3)
    evidence = report.check("proof.signature").evidence
    assert (evidence["profile"], evidence["dates"]) == VECTORS[name]
    assert report.presented is not None and report.presented.form == "weidentity"
    assert "proof.creator" in report.presented.unsigned and report.authentic is not None


@pytest.mark.parametrize("name", VECTORS)
def test_every_changed_claim_of_a_vector_is_refused(name: str) -> None:
    """Any other value of any claim, shown or hidden, any salt, any signed member: never authentic."""
    value = vector_json(f"weidentity/{name}.json")
    minute, count = within(value), 0
    for mutant in mutants(value):
        report = check(mutant, minute=minute)
        assert report.authentic is None and report.exit_code != 0, mutant
        count += 1
    assert count > 15


def mutants(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    signed = {"cptId", "expirationDate", "id", "issuanceDate", "issuer", "type"}
    signed |= {"context"} if value["type"][-1] != "lite1" else set()
    for path in leaf_paths(value["claim"], ("claim",)):
        for other in ("x", 7, None, True, ["x"], {"x": 1}, "0x" + "0" * 64):
            yield changed(value, path, other)
    for path in leaf_paths(value["proof"].get("salt", {}), ("proof", "salt")):
        yield changed(value, path, "AAAAA")
        yield changed(value, path, "0")
    for name in signed:
        yield {**value, name: value[name] + 1 if isinstance(value[name], int) else "did:weid:1:0x" + "0" * 40}
        yield {item: part for item, part in value.items() if item != name}
    yield {**value, "extra": 1}
    yield {**value, "claim": {**value["claim"], "extra": "1"}}


def leaf_paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaf_paths(item, (*path, name))
    else:
        yield path


def changed(value: dict[str, Any], path: tuple[Any, ...], other: Any) -> dict[str, Any]:
    value = copy.deepcopy(value)
    place: Any = value
    for name in path[:-1]:
        place = place[name]
    if place[path[-1]] == other:
        other = f"{other}x"
    place[path[-1]] = other
    return value


def test_address_vectors() -> None:
    """Public keys as decimal numbers lead to the published addresses."""
    for row in vector_json("weidentity/address_derivation_vectors.json"):
        if "address" in row:
            xy = int(row["publicKeyDecimal"]).to_bytes(64, "big")
            assert "0x" + address_of(PublicKey("secp256k1", _curve.compressed(xy))).hex() == row["address"]


@pytest.mark.parametrize("name", ["did_document_1x", "did_document_3x"])
def test_document_vectors(name: str) -> None:
    """Both layouts of DID document give a secp256k1 key; the 1.x one names the address of its DID."""
    document = vector_json(f"weidentity/{name}.json")
    (key,) = keys_in_document(document, document["id"])
    assert key.suite == "secp256k1"
    if name.endswith("1x"):
        assert document["id"].endswith(address_of(key).hex())


def test_published_evidence_hash() -> None:
    """Tencent's sample has one evidence hash, whatever of it is disclosed."""
    credential = read_weidentity(vector("weidentity/selective_p3_tencent_tdid.json").read_bytes())
    assert credential is not None
    assert evidence_hash(credential).startswith("0x737480f2")


def test_vectors_with_their_cpt() -> None:
    """With the CPT and the length of salts, what the 2020 sample says has one reading only."""
    value = vector_json("weidentity/original_p3_spec_2020.json")
    cpt = read_cpt(vector_json("weidentity/id_card_cpt.json"))
    report = check(value, Legacy(cpts={2000006: cpt}, salt_length=5), minute=within(value))
    assert [report.check(name).code for name in ("schema", "disclosure.digests")] == ["ok", "ok"]
    assert report.verdict == "legacy-authentic"


# -- an issuer of our own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["P1", "P2", "P3"])
@pytest.mark.parametrize("worded", [None, old.CHINA, 0])
def test_profiles_and_dates(profile: str, worded: int | None) -> None:
    """Every profile, with dates as numbers, as texts in Chinese time, and as texts in UTC."""
    value = old.original(ISSUER, profile)
    value = value if worded is None else old.worded(value, worded)
    report = check(value)
    assert report.verdict == "legacy-authentic"
    assert report.check("proof.signature").evidence["profile"] == profile
    assert report.authentic == old.CLAIM


@pytest.mark.parametrize("profile", ["P1", "P2", "P3"])
def test_every_change_is_refused(profile: str) -> None:
    """Every profile: any other value of any claim, salt or signed member is never authentic."""
    for mutant in mutants(old.original(ISSUER, profile)):
        assert check(mutant).authentic is None


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("form", ["text", "object"])
def test_lite(dated: bool, form: str) -> None:
    """The lite form, in both spellings; what it does not sign is named."""
    value = old.lite(ISSUER, dated=dated)
    if form == "object":
        value |= {"type": ["VerifiableCredential", "lite1"], "context": "any", "proof": {
            "type": "Secp256k1", "signatureValue": value["proof"]}}  # fmt: skip
    report = check(value)
    assert report.verdict == "legacy-authentic" and report.authentic == old.CLAIM
    assert report.presented is not None and ("issuanceDate" in report.presented.unsigned) is not dated
    for path in leaf_paths(value["claim"], ("claim",)):
        assert check(changed(value, path, "other")).verdict == "tampered"


def test_selective() -> None:
    """Hidden values are hidden, the rest is authentic, and the reader is told that hiding here is weak."""
    report = check(old.hide(old.original(ISSUER), "age", "name"))
    assert report.verdict == "legacy-authentic" and report.presented is not None
    assert report.presented.hidden == ("name", "age")
    assert report.authentic == {name: item for name, item in old.CLAIM.items() if name not in ("age", "name")}
    assert any("can be guessed" in note for note in report.notes)


def test_a_rule_does_not_read_a_hidden_value() -> None:
    """A rule about a hidden value is unknown, not broken (R12)."""
    from credentials.rules import rules_from_json

    words = dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "x")
    rules = rules_from_json([{"id": "adult", "description": words, "logic": {">=": [{"var": "payload.age"}, 18]}}])
    value = old.original(ISSUER)
    assert check(value, KNOWN, rules=rules).check("rules.adult").outcome is Outcome.PASSED
    assert check(old.hide(value, "age"), KNOWN, rules=rules).check("rules.adult").code == "rule-hidden"


@pytest.mark.parametrize("profile", ["P1", "P2", "P3"])
def test_multi_signature(profile: str) -> None:
    """A second signature covers the credentials inside and nothing of its own envelope, and the report says so."""
    second = OldIssuer("second")
    inner = [old.original(ISSUER, profile), old.original(second, profile, id="0aaaaaaa-88c3-4122-afb6-87e21d2ae656")]
    value = old.multi(second, inner, profile)
    report = check(value)
    assert report.verdict == "legacy-authentic" and report.presented is not None
    assert {"expirationDate", "issuer", "id", "proof.salt"} <= set(report.presented.unsigned)
    assert check(old.multi(second, [old.hide(item, "age") for item in inner], profile)).verdict == "legacy-authentic"
    for place in range(2):
        for path in (("claim", "name"), ("proof", "created"), ("proof", "creator"), ("id",)):
            assert check(changed(value, ("claim", "credentialList", place, *path), "x")).authentic is None
    assert check(changed(value, ("issuer",), ISSUER.did)).verdict == "tampered"


def test_an_unsigned_envelope_does_not_lengthen_a_period() -> None:
    """The outer dates of a multi-signature are unsigned, so the dates inside decide."""
    value = old.multi(ISSUER, [old.original(ISSUER, expirationDate=ISSUED + 50 * DAY)])
    assert check({**value, "expirationDate": ISSUED + 9000 * DAY}).verdict == "expired"


def test_two_credentials_of_one_id_are_refused() -> None:
    """The signer hashed a map by id, so the second of two would be unsigned."""
    inner = old.original(ISSUER)
    value = old.multi(ISSUER, [inner])
    value["claim"]["credentialList"].append(changed(inner, ("claim", "name"), "Eve"))
    assert check(value).verdict == "not-a-credential"


def test_sm2_needs_its_key() -> None:
    """No key is recovered from SM2: with none at hand there is no answer, with the key there is one."""
    issuer = OldIssuer("sm", suite_name="sm2")
    value = old.original(issuer)
    assert (check(value).verdict, check(value).exit_code) == ("undecided", 3)
    legacy = Legacy(keys={issuer.did: (issuer.key,)})
    report = check(value, legacy)
    assert report.verdict == "legacy-authentic" and report.presented is not None and report.presented.suite == "sm2"
    assert check(changed(value, ("claim", "name"), "Eve"), legacy).verdict == "tampered"


def test_the_label_of_a_proof_chooses_nothing() -> None:
    """The algorithm comes from the key (R2): the unsigned label of a proof cannot turn one into another."""
    issuer = OldIssuer("sm", suite_name="sm2")
    mislabelled = changed(old.original(issuer), ("proof", "type"), "Secp256k1")
    assert check(mislabelled, Legacy(keys={issuer.did: (issuer.key,)})).verdict == "legacy-authentic"
    assert check(mislabelled).authentic is None
    asked = frozenset({"sm2"})
    assert check(old.original(ISSUER), suites=asked).check("policy.suite").code == "suite-not-accepted"
    lying = changed(old.original(ISSUER), ("proof", "type"), "SM2")
    legacy = Legacy(keys={ISSUER.did: (ISSUER.key,)})
    assert check(lying, legacy, suites=asked).check("proof.signature").code == "suite-not-accepted"


# -- what a holder could shift ----------------------------------------------------------------------------------------


def shifted(value: dict[str, Any], name: str, by: int) -> dict[str, Any]:
    """The forgery: move the border between value and salt; the hash, and so the signature, stays."""
    whole = str(value["claim"][name]) + value["proof"]["salt"][name]
    cut = len(str(value["claim"][name])) + by
    return changed(changed(value, ("claim", name), whole[:cut]), ("proof", "salt", name), whole[cut:])


@pytest.mark.parametrize("name, by", [("credits", -1), ("credits", 1), ("name", 1), ("name", 4), ("name", -3)])
def test_the_boundary_shift_is_refused(name: str, by: int) -> None:
    """ "120" becomes "12" under the issuer's signature: refused by the length of the salts, known or compared."""
    forged = shifted(old.original(ISSUER), name, by)
    credential = read_weidentity(json.dumps(forged).encode())
    assert credential is not None and prove(credential, None) is not None  # the signature itself does not notice
    for legacy in (KNOWN, Legacy()):
        report = check(forged, legacy)
        assert (report.verdict, report.exit_code, report.authentic) == ("tampered", 1, None)
        assert report.check("disclosure.digests").code == "legacy-salt-shifted"


def test_a_shift_of_everything_shown_is_refused() -> None:
    """With one value shown nothing is there to compare: the values are not shown unless the length is known."""
    value = old.original(ISSUER, claim={"credits": "120"}, salt={"credits": "oJMO3"})
    forged = shifted(value, "credits", -1)
    report = check(forged)
    assert (report.verdict, report.exit_code, report.authentic) == ("undecided", 3, None)
    assert check(forged, Legacy(salt_length=5)).verdict == "tampered"
    assert check(forged, Legacy(salt_length=6)).verdict == "legacy-authentic"  # whoever says six is believed


def test_a_changed_type_is_refused_with_the_cpt() -> None:
    """18 becomes "18" under the issuer's signature: named as ambiguous without the CPT, refused with it."""
    value = old.original(ISSUER)
    forged = changed(value, ("claim", "age"), "18")
    open_, closed = check(forged), check(forged, KNOWN)
    assert open_.check("disclosure.digests").evidence["ambiguous"] == ["credits", "age", "marks[0].a", "marks[1].a"]
    assert closed.check("schema").code == "schema-mismatch" and closed.exit_code == 1
    assert check(value, KNOWN).check("disclosure.digests").evidence["ambiguous"] == []


def test_a_list_that_could_be_another_list_is_named() -> None:
    """["a, b"] and ["a", "b"] hash alike; even a CPT leaves that open, so the report names the value."""
    value = old.original(ISSUER, claim={"tags": ["a", "b"]}, salt={"tags": "abcde"})
    assert check(changed(value, ("claim", "tags"), ["a, b"])).authentic == {"tags": ["a, b"]}
    cpt = read_cpt({"properties": {"tags": {"type": "array", "items": {"type": "string"}}}})
    report = check(value, Legacy(cpts={2000006: cpt}, salt_length=5))
    assert report.check("disclosure.digests").evidence["ambiguous"] == ["tags"]
    enum = read_cpt({"properties": {"tags": {"type": "array", "items": {"enum": ["a", "b"]}}}})
    assert check(value, Legacy(cpts={2000006: enum})).check("disclosure.digests").code == "ok"


@pytest.mark.parametrize(
    "claim, salt",
    [
        ({"a": "x"}, {}),
        ({"a": "x"}, {"a": "abcde", "b": "abcde"}),
        ({"a": {"b": "x"}}, {"a": "abcde"}),
        ({"a": "x"}, {"a": {"b": "abcde"}}),
        ({"a": "x"}, {"a": ""}),
        ({"a": "x"}, {"a": "ab de"}),
        ({"a": "x"}, {"a": 5}),
        ({"a": "x"}, {"a": "0"}),
        ({"a": ["x"]}, {"a": ["abcde"]}),
        ({"a": [{"b": "x"}]}, {"a": []}),
    ],
)
def test_claims_and_salts_have_one_shape(claim: Any, salt: Any) -> None:
    """Values without salts stood unhashed under the signature; here they are no credential."""
    value = changed(old.original(ISSUER), ("id",), "x")
    value["claim"], value["proof"]["salt"] = claim, salt
    assert check(value).verdict == "not-a-credential"


# -- authority --------------------------------------------------------------------------------------------------------


def test_key_handed_in() -> None:
    """A DID document from the caller serves the signature; nobody vouches for the issuer."""
    other = OldIssuer("rotated")
    value = old.original(ISSUER)
    value["issuer"] = other.did
    signed = old.original(other)
    assert check(signed, Legacy(keys={other.did: (other.key,)})).check("issuer.document").code == "legacy-key-given"
    assert check(signed, Legacy(keys={other.did: (ISSUER.key,)})).verdict == "tampered"
    report = check(signed, Legacy(keys={other.did: (other.key,)}))
    assert report.check("issuer.accreditation").code == "legacy-authority-unknown"


def test_another_key_of_the_did_is_needed() -> None:
    """A credential that names a later key cannot be called tampered while that key is missing."""
    rotated = OldIssuer("rotated")
    rotated.did = ISSUER.did
    value = changed(old.original(rotated), ("proof", "creator"), f"{ISSUER.did}#keys-1")
    report = check(value)
    assert (report.verdict, report.check("proof.signature").code) == ("undecided", "legacy-key-needed")
    assert check(value, Legacy(keys={ISSUER.did: (rotated.key,)})).verdict == "legacy-authentic"


def test_no_green_even_for_an_approved_issuer() -> None:
    """Everything in order and the issuer approved: still amber, because revocation cannot be known."""
    report = check(old.original(ISSUER), KNOWN, old.known(World(), ISSUER).facts())
    assert (report.verdict, report.exit_code) == ("legacy-authentic", 3)
    assert [item.id for item in report if item.outcome is Outcome.UNKNOWN] == ["status"]
    assert report.presented is not None and report.presented.issuer_names["en"] == "Old school"


@pytest.mark.parametrize("end", ["retired", "compromised"])
def test_an_unsigned_date_does_not_save_an_ended_key(end: str) -> None:
    """A holder can date a multi-signature as it likes, so its date does not place it before the end of a key (R8)."""
    inner = OldIssuer("inner")
    value = old.multi(ISSUER, [old.original(inner)])
    world = old.known(old.known(World(), ISSUER, end=end, ended=NOW - 1000), inner)
    report = check({**value, "issuanceDate": ISSUED - 50 * DAY}, facts=world.facts())
    assert report.check("issuer.time").code == "issue-time-unproven"
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    signed = check(old.original(ISSUER), facts=world.facts()).check("issuer.time")
    assert signed.code == ("ok" if end == "retired" else "issue-time-unproven")


def test_every_signer_of_a_multi_signature_is_judged() -> None:
    """An inner issuer that is unknown, removed or lost a key is no better than an outer one."""
    inner = OldIssuer("inner")
    value = old.multi(ISSUER, [old.original(inner)])
    for world, code in (
        (old.known(World(), ISSUER), "legacy-authority-unknown"),
        (old.known(old.known(World(), ISSUER), inner), "legacy-issuer-approved"),
        (old.known(old.known(World(), ISSUER), inner, "removed"), "issuer-suspended"),
        (old.known(old.known(World(), ISSUER), inner, end="compromised", ended=NOW - 1000), "issue-time-unproven"),
    ):
        assert check(value, facts=world.facts()).check("issuer.accreditation").code == code


def test_multi_signatures_are_capped() -> None:
    """Many credentials, or many levels of them, are refused before any signature is tried."""
    one = old.original(ISSUER)
    many = [{**one, "id": f"a{count}"} for count in range(17)]
    assert check(old.multi(ISSUER, many)).verdict == "not-a-credential"
    half = {**old.multi(ISSUER, many[:16]), "id": "half"}
    other = {**half, "id": "other"}
    assert check({**half, "claim": {"credentialList": [half, other]}}).verdict == "not-a-credential"
    deep = one
    for count in range(6):
        deep = {**half, "id": f"d{count}", "claim": {"credentialList": [deep]}}
    assert check(deep).verdict == "not-a-credential"


def test_policy_types() -> None:
    """A checker that accepts only its own kinds does not accept an old one; it may name CPTs."""
    value = old.original(ISSUER)
    assert check(value, types=frozenset({"EntryPassCredential"})).verdict == "unsupported"
    assert check(value, types=frozenset({"cpt:2000006"})).verdict == "legacy-authentic"
    assert check(value, schemas=frozenset({b"x"})).verdict == "unsupported"


def test_misleading_text() -> None:
    """Text that an old issuer signed is still not shown when it can lie (R28)."""
    value = old.original(ISSUER, claim={"name": "a\u202eb"}, salt={"name": "abcde"})
    assert check(value).check("schema").code == "unsafe-text"


# -- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [old.CHINA, 0])
def test_both_readings_of_a_date_must_hold(written: int) -> None:
    """Whichever zone the text was written in, the period is what both readings have in common (R30)."""
    value = old.worded(old.original(ISSUER), written)
    start, end = (ISSUED + written) // 60, (ISSUED + 300 * DAY + written - old.CHINA) // 60
    assert check(value, minute=start - 1).verdict == "not-yet-valid"
    assert check(value, minute=start).verdict == "legacy-authentic"
    assert check(value, minute=end - 1).verdict == "legacy-authentic"
    assert check(value, minute=end).verdict == "expired"
    assert check(value, minute=end).authentic is not None


@pytest.mark.parametrize("date", ["2020-02-30T00:00:00Z", "2020-02-01", -1, 10**15, 1.5, True, [1], ""])
def test_no_date(date: Any) -> None:
    """Anything but a count of seconds or one spelling of a time is no credential."""
    assert check({**old.original(ISSUER), "issuanceDate": date}).verdict == "not-a-credential"


# -- values in Java and JSON ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "null"), (True, "true"), (1, "1"), ("x", "x"), (1.0, "1.0"), (0.1, "0.1"), (100.5, "100.5"),
        (0.001, "0.001"), (0.0001, "1.0E-4"), (1234567.0, "1234567.0"), (1e7, "1.0E7"), (1.5e10, "1.5E10"),
        (-2.5e-7, "-2.5E-7"), (0.0, "0.0"), (-0.0, "-0.0"), (1e21, "1.0E21"), (1.2345e-3, "0.0012345"),
        ([1, "a", None], "[1, a, null]"), ({"b": 1, "a": [True]}, "{b=1, a=[true]}"), ([], "[]"),
    ],
)  # fmt: skip
def test_java_text(value: Any, text: str) -> None:
    """String.valueOf for everything that JSON can hold."""
    assert java_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_java_doubles_read_back(value: float) -> None:
    """Whatever double it is, its Java spelling means the same number."""
    assert float(java_text(value)) == value


def test_compact_json() -> None:
    """Names in UTF-16 order, text unescaped but for quotes and controls."""
    value = {"\ufffd": 1, "\U0001f600": 2, "a": 'é"\\\n\x01/', "b": [1.0, None, True]}
    assert compact(value) == '{"a":"é\\"\\\\\\n\\u0001/","b":[1.0,null,true],"\U0001f600":2,"\ufffd":1}'


@settings(max_examples=200)
@given(st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
       | st.text() | st.lists(st.text(max_size=4), max_size=3))  # fmt: skip
def test_alternatives_print_alike(value: Any) -> None:
    """Every alternative has the same letters in Java and is another value in JSON."""
    for other in alternatives(value):
        assert java_text(other) == java_text(value)
        assert (type(other), other) != (type(value), value)


# -- keys and CPTs handed in ------------------------------------------------------------------------------------------


def test_documents_of_others() -> None:
    """A document of another DID, without keys or with a key off its curve is refused."""
    document = {"id": ISSUER.did, "publicKey": [{"type": "Secp256k1", "publicKey": str(int.from_bytes(ISSUER.key.xy(), "big"))}]}
    assert keys_in_document(document, ISSUER.did) == (ISSUER.key,)
    for bad in ({**document, "id": "did:weid:1:0x" + "0" * 40}, {**document, "publicKey": []}, [], "x"):
        with pytest.raises(MalformedError):
            keys_in_document(bad, ISSUER.did)
    off = {**document, "publicKey": [{"publicKey": str(int.from_bytes(ISSUER.key.xy(), "big") + 1)}]}
    with pytest.raises((MalformedError, KeyMaterialError)):
        keys_in_document(off, ISSUER.did)
    other = {"id": ISSUER.did, "authentication": [{"publicKeyMultibase": "z" + b58(b"\xed\x01" + bytes(32))}]}
    with pytest.raises(MalformedError):
        keys_in_document(other, ISSUER.did)


@pytest.mark.parametrize(
    "document",
    [
        [], {"type": "object"}, {"properties": {"a": {"type": "nonsense"}}},
        {"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}}, {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
    ],
)  # fmt: skip
def test_unusable_cpts(document: Any) -> None:
    """What is no schema, or wants something fetched, is no CPT."""
    with pytest.raises(SchemaError):
        read_cpt(document)


def test_a_cpt_as_the_chain_answers_it() -> None:
    """The answer of queryCpt is read as well as the bare schema."""
    assert read_cpt({"cptBaseInfo": {}, "cptJsonSchema": CPT}).document == CPT


# -- recovery ---------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2**255), st.binary(min_size=32, max_size=32))
def test_recovery_finds_the_key(number: int, digest: bytes) -> None:
    """The library signs, our arithmetic finds its key, and the library agrees."""
    issuer = replace_secret(number)
    text = digest.hex()
    signature = base64.b64decode(issuer.sign(text, "P3"))
    hashed = old.keccak256(text.encode())
    assert recover(hashed, signature[:64], signature[64]) == issuer.key
    verify_digest(issuer.key, hashed, signature[:64])
    with pytest.raises(SignatureError):
        verify_digest(issuer.key, bytes(32), signature[:64])


def replace_secret(number: int) -> OldIssuer:
    issuer = OldIssuer()
    issuer.secret = number.to_bytes(32, "big")
    issuer.key = PublicKey("secp256k1", suite("secp256k1").public(issuer.secret))
    return issuer


def test_recovery_refuses() -> None:
    """Bad lengths, ranges, parities and other suites: SignatureError or KeyMaterialError, nothing else."""
    n = _curve.SECP256K1.n
    one = (1).to_bytes(32, "big")
    for digest, signature, parity in (
        (bytes(31), one + one, 0), (bytes(32), bytes(64), 0), (bytes(32), one + n.to_bytes(32, "big"), 0),
        (bytes(32), one + one, 2), (bytes(32), one[:31], 0), (bytes(32), (5).to_bytes(32, "big") + one, 0),
    ):  # fmt: skip
        with pytest.raises(SignatureError):
            recover(digest, signature, parity)
    with pytest.raises(KeyMaterialError):
        verify_digest(make_signer("ed25519", "assert", "x").public_key, bytes(32), one + one)


@given(st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)))  # fmt: skip
def test_any_member(value: Any) -> None:
    """Any value of any member: our own error or a credential, never a crash."""
    base = old.original(ISSUER)
    for name in (*base, "salt", "signatureValue", "creator"):
        mutant = {**base, name: value} if name in base else {**base, "proof": {**base["proof"], name: value}}
        try:
            read_weidentity(json.dumps(mutant).encode())
        except WeidError:
            continue


def test_the_example_of_the_page() -> None:
    """The credential that docs/spec/weidentity.md begins with is authentic, and its hashes are the printed ones."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "spec" / "weidentity.md").read_text("utf-8")
    data = page.split("```json\n")[1].split("```")[0].encode()
    credential = read_weidentity(data)
    assert credential is not None and evidence_hash(credential) in page
    assert all(f"{item}" in page for item in claim_hashes(credential.claim, credential.salt).values())
    report = check(json.loads(data), minute=within(json.loads(data)))
    assert report.verdict == "legacy-authentic" and report.authentic == {"name": "Ana Lau", "credits": "120"}
