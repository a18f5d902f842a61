"""Lists of other systems' keys: every public shape gives the same anchors, the one file form reads back, old ones do not replace."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.foreign.imports import KINDS, import_list
from registry.node.folder import TrustFolder
from tests.credentials.others.makers import DOSE, NOW, TEST, Signer, dcc, jwk_of, signer
from tests.credentials.others.world import codes, judged, kept, signers
from weid.anchors import FORMATS, WithAnchors, read_anchors
from weid.canon import parse_json
from weid.codec import minutes
from weid.errors import MalformedError, RollbackError, WeidError
from weid.facts import NoFacts


@pytest.fixture(scope="module")
def held() -> Signer:
    return signer()


def shapes(made: Signer) -> dict[str, Any]:
    """One signer as the lists of states and of the gateway give it."""
    kid, der = base64.b64encode(made.kid).decode(), base64.b64encode(made.der).decode()
    spki = base64.b64encode(made.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    entry = {"certificateType": "DSC", "country": "UT", "kid": kid, "rawData": der}
    other = {"certificateType": "CSCA", "country": "UT", "kid": kid, "rawData": "AAAA"}
    swedish = {"dsc_trust_list": {"UT": {"keys": [{**jwk_of(made), "kid": kid}], "eku": {kid: ["1.3.6.1.4.1.1847.2021.1.2"]}}}}
    payload = base64.urlsafe_b64encode(json.dumps(swedish).encode()).rstrip(b"=")
    return {
        "gateway": [other, entry], "german": b"c2lnbmF0dXJl\n" + json.dumps({"certificates": [entry]}).encode(),
        "map of certificates": {kid: der}, "swedish": b"eyJhbGciOiJFUzI1NiJ9." + payload + b".AAAA",
        "dutch": {"eu_keys": {kid: [{"subjectPk": spki, "keyUsage": ["v"]}]}},
        "swiss": {"certs": [{"keyId": kid, "use": "sig", "alg": "ES256", "crv": "P-256", **jwk_of(made)}]},
        "austrian": cbor2.dumps({"c": [{"i": made.kid, "c": made.der}]}), "der": made.der,
        "pem": x509.load_der_x509_certificate(made.der).public_bytes(Encoding.PEM),
    }  # fmt: skip


@pytest.mark.parametrize("shape", list(shapes(signer())))
def test_each_public_shape_lets_the_same_codes_count(held: Signer, shape: str) -> None:
    lists = kept("dcc", shapes(held)[shape], no_revocations=True)
    assert [anchor.kid for anchor in lists.anchors] == [held.kid.hex()]
    assert judged(dcc(held), lists).verdict == "valid-bearer"
    named = shape in ("dutch", "swedish")  # these say what a key may sign
    assert codes(judged(dcc(held, TEST), lists)) == ({"issuer.accreditation": "foreign-key-usage"} if named else {})


def test_what_cannot_be_read_is_named_and_the_rest_is_taken(held: Signer) -> None:
    value = {
        "a2tra2tra2s=": base64.b64encode(b"junk").decode(),
        base64.b64encode(held.kid).decode(): base64.b64encode(held.der).decode(),
    }
    made = import_list("dcc", json.dumps(value).encode(), name="x", taken=0, warn=1, reject=1)
    assert (len(made.list.anchors), len(made.left_out)) == (1, 1)
    with pytest.raises(MalformedError):
        import_list("dcc", b'{"a2tra2tra2s=": "anVuaw=="}', name="x", taken=0, warn=1, reject=1)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"[1]", b'{"a": 1}', b"null", b'{"keys": 3}', b"eyJ.x.y", b"\xa1\x61", b"\x30\x03"]
)
def test_no_list_is_told_by_name_and_nothing_else_escapes(kind: str, data: bytes) -> None:
    with pytest.raises(WeidError) as caught:
        import_list(kind, data, name="x", taken=0, warn=1, reject=1, issuer="https://a.example")
    assert caught.value.code in ("bad-anchors", "malformed", "too-large", "cbor", "base64url", "jwk", "hcert")


def test_a_file_reads_back_as_it_was_written(held: Signer) -> None:
    made = signers(held)
    assert read_anchors(made.to_bytes()) == made
    assert made.format in FORMATS and made.taken == minutes(NOW)


@pytest.mark.parametrize("change", [
    {"format": "other"}, {"warnAfter": 99999999}, {"warnAfter": 100, "rejectAfter": 10}, {"anchors": [{}]}, {"more": 1}, {"taken": 1},
    {"anchors": [{"issuer": "x", "certificate": "!"}]}, {"revocations": {}}, {"name": "x" * 600}, {"anchors": [{"issuer": "x", "k": 1}]},
])  # fmt: skip
def test_a_file_that_is_none_is_refused(held: Signer, change: dict[str, Any]) -> None:
    value = parse_json(signers(held).to_bytes())
    assert isinstance(value, dict)
    with pytest.raises(MalformedError):
        read_anchors(json.dumps({**value, **change}).encode())


def test_a_trust_folder_keeps_lists_and_an_older_one_never_replaces(held: Signer, tmp_path: Path) -> None:
    folder = TrustFolder(tmp_path)
    folder.anchors.keep(signers(held))
    with pytest.raises(RollbackError):
        folder.anchors.keep(signers(held, taken=minutes(NOW) - 1))
    facts = folder.facts(at=minutes(NOW))
    assert len(facts.find("anchor", f"eu-dcc|kid|{held.kid.hex()}")) == 1
    assert folder.anchors.remove("eu-dcc", "a list") and not folder.anchors.remove("eu-dcc", "a list")
    assert folder.facts(at=minutes(NOW)).find("anchor", f"eu-dcc|kid|{held.kid.hex()}") == ()


def test_a_damaged_file_answers_nothing(held: Signer, tmp_path: Path) -> None:
    folder = TrustFolder(tmp_path)
    folder.anchors.keep(signers(held))
    (path,) = (tmp_path / "anchors").iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    (tmp_path / "anchors" / "other").touch()
    assert folder.anchors.load() == ()


def test_anchors_say_nothing_about_registries(held: Signer) -> None:
    facts = WithAnchors(NoFacts(), [signers(held)])
    assert facts.fact("did", "did:weid:1:0x00").__class__.__name__ == "Unknown"
    assert facts.fact("anchor", "eu-dcc|all|").__class__.__name__ == "Unknown"
    assert facts.find("did", "") == ()


STARTS = st.sampled_from([b"HC1:", b"shc:/", b"6BF", b"NCF", b"eyJ6aXAiOiJERUYi", b'{"version":"https://schema.openattestation.com/2.0/',
                          b'{"verifiableCredential":["eyJ', b"HC1:6BF"])  # fmt: skip
TAILS = st.one_of(
    st.binary(max_size=300), st.text(alphabet="0123456789ABCDEF $%*+-./:", max_size=300).map(str.encode),
    st.text(alphabet="0123456789", max_size=300).map(str.encode),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(start=STARTS, tail=TAILS)
def test_whatever_follows_the_start_of_a_code_gives_a_report(start: bytes, tail: bytes) -> None:
    report = judged(start + tail)
    assert report.verdict in ("not-a-credential", "unsupported")
    assert report.check("format").code != "internal-error"


@pytest.mark.long
@settings(max_examples=5000, deadline=None)
@given(start=STARTS, tail=TAILS)
def test_whatever_follows_the_start_of_a_code_gives_a_report_longer(start: bytes, tail: bytes) -> None:
    report = judged(start + tail)
    assert report.check("format").code != "internal-error"


CBOR = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.binary(max_size=8), st.text(max_size=8), st.datetimes()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.integers(-300, 300), st.text(max_size=4)), inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(content=CBOR, outer=st.booleans())
def test_whatever_a_signer_signs_gives_a_report(held: Signer, content: Any, outer: bool) -> None:
    """Content is the issuer's word; a broken one must not break the check."""
    from datetime import UTC
    from zlib import compress

    from tests.credentials.others.makers import b45

    value = content if outer else {**DOSE, "v": [content], "dob": content}
    payload = cbor2.dumps({1: "UT", 4: content if outer else 2**32, -260: {1: value}}, timezone=UTC)
    protected = cbor2.dumps({1: -7, 4: held.kid})
    signature = held.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    report = judged("HC1:" + b45(compress(cbor2.dumps([protected, {}, payload, signature]))), signers(held))
    assert all(check.code != "internal-error" for check in report)
    report.to_json()


def test_that_nothing_was_revoked_is_said_for_the_issuers_of_one_list_alone(held: Signer) -> None:
    other = signer()
    entry = {"kid": base64.b64encode(other.kid).decode(), "country": "XX", "rawData": base64.b64encode(other.der).decode()}
    silent = kept("dcc", [entry], name="another list")
    assert judged(dcc(held), signers(held), silent).verdict == "valid-bearer"
    assert codes(judged(dcc(other), signers(held), silent)) == {"status": "status-unknown"}


def test_a_list_without_countries_leaves_the_issuer_to_the_signed_code(held: Signer) -> None:
    shown = judged(dcc(held), kept("dcc", shapes(held)["swiss"], no_revocations=True)).presented
    assert shown is not None and (shown.issuer, shown.issuer_names["en"], shown.registry) == ("UT", "UT", "a list")
