"""Credentials in JWT, SD-JWT and COSE: read strictly, refused by name, and no change that still verifies (VC-JOSE-COSE)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import cose, jws
from credentials.cose import read_cose, read_cose_text, sign_cose
from credentials.envelope import Enveloped, Inner, enclose, inner, open_url
from credentials.jose import issue_sd_jwt, read_jwt, read_sd_jwt_document, sign_jwt
from credentials.opening import open_inner, read_envelope
from credentials.sd_jwt import bind, confirmed_key, present, verify_binding
from tests.credentials.world import Seeded, make_signer
from tests.vectors import vector
from weid.canon import jcs
from weid.codec import b64, b64u
from weid.errors import IssueError, MalformedError, SignatureError, UnknownSuiteError, WeidError
from weid.keys import PublicKey
from weid.suites import SUITES

KID = "https://issuer.example/keys#1"
ISSUER = make_signer("p256", "assert", "issuer", KID)
HOLDER = make_signer("ed25519", "present", "holder", "did:example:holder#1")
V2 = "https://www.w3.org/ns/credentials/v2"
VC: dict[str, Any] = {
    "@context": [V2], "id": "urn:uuid:1", "type": ["VerifiableCredential", "Card"], "issuer": {"id": "https://issuer.example"},
    "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": {"id": "did:example:holder", "name": "李雷", "level": 3},
}  # fmt: skip
JWT, COSE = sign_jwt(VC, ISSUER), sign_cose(VC, ISSUER)
VP: dict[str, Any] = {
    "@context": [V2], "type": "VerifiablePresentation", "holder": "did:example:holder",
    "verifiableCredential": [enclose("vc+jwt", JWT.encode()), enclose("vc+cose", COSE)],
}  # fmt: skip


def jwt(payload: dict[str, Any], *, signer: Any = ISSUER, **header: Any) -> str:
    """A JWT whose signer signed whatever the test thinks of; None leaves a header member out."""
    members = {"typ": "vc+jwt", "cty": "vc", "kid": KID, **header}
    return jws.sign({name: item for name, item in members.items() if item is not None}, jcs(payload), signer)


def cose1(
    header: Any = None, payload: Any = None, *, unprotected: Any = None, signer: Any = ISSUER, encode: Callable[[Any], bytes] = partial(cbor2.dumps, canonical=True), **change: Any
) -> bytes:  # fmt: skip
    """A COSE_Sign1 with any header and payload, really signed; None as the value of a label leaves it out."""
    labels = {1: -7, 3: "application/vc", 4: KID.encode(), 16: "application/vc+cose", **(header or {})}
    protected = encode({label: item for label, item in labels.items() if item is not None})
    body = jcs(VC if payload is None else payload) if not isinstance(payload, bytes) else payload
    signature = signer.sign("cose", cose._sig_structure(protected, body))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected or {}, body, signature]), **change)


# --- all three -------------------------------------------------------------------------------------------------------

FORMS: dict[str, tuple[Callable[..., Any], Callable[[Any], Enveloped]]] = {
    "jwt": (sign_jwt, read_jwt),
    "cose": (sign_cose, read_cose),
    "sd-jwt": (
        lambda document, signer, **more: issue_sd_jwt(document, [], signer, random=Seeded("x"), **more),
        lambda text: read_sd_jwt_document(text)[0],
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SUITES)
def test_round_trip(form: str, name: str) -> None:
    """Every suite, in every envelope: the document, what the header says, and a signature under the right role alone."""
    sign, read = FORMS[form]
    for kind, role, document in (("vc", "assert", VC), ("vp", "present", VP)):
        signer = make_signer(name, role, "signer", "did:example:holder#1")
        value = read(sign(document, signer, kind=kind))
        assert (value.form, value.kind, value.suite, value.document) == (f"{kind}+{form}", kind, name, document)
        assert (value.kid, value.method, dict(value.claims)) == ("did:example:holder#1", "did:example:holder#1", {})
        assert value.controller == ("https://issuer.example" if kind == "vc" else "did:example:holder")
        value.verify(signer.public_key)
        for key in (
            make_signer(name, role, "thief").public_key,
            make_signer("p256" if name != "p256" else "p384", role, "x").public_key,
        ):
            with pytest.raises(SignatureError):
                value.verify(key)


@pytest.mark.parametrize("form", FORMS)
def test_issuers_do_not_present_and_holders_do_not_issue(form: str) -> None:
    """A wallet's key signs no credential, and a signer for one format gives nothing for the other (R1)."""
    sign, read = FORMS[form]
    value = read(sign(VC, HOLDER))
    value.verify(HOLDER.public_key)  # the bytes are right: whether the key may assert is in its record, not in the bytes
    for role in ("login", "log-op", "status", "log"):
        with pytest.raises(SignatureError) as caught:
            sign(VC, make_signer("p256", role, "x", KID))
        assert caught.value.code == "wrong-role"
    with pytest.raises(SignatureError) as caught:
        ISSUER.sign("data-integrity", value.signed)
    assert caught.value.code == "foreign-payload"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "kind, change, code",
    [
        ("vc", {"vc": {}}, "vc-claim"),
        ("vc", {"vp": "x"}, "vc-claim"),
        ("vc", {"@context": ["https://www.w3.org/2018/credentials/v1"]}, "unsupported"),
        ("vc", {"@context": ["https://other.example", V2]}, "unsupported"),
        ("vc", {"@context": None}, "unsupported"),
        ("vc", {"type": "Card"}, "wrong-document"),
        ("vc", {"type": ["VerifiablePresentation"]}, "wrong-document"),
        ("vc", {"issuer": None}, "wrong-document"),
        ("vc", {"issuer": {"name": "x"}}, "wrong-document"),
        ("vc", {"issuer": ""}, "wrong-document"),
        ("vc", {"credentialSubject": "x"}, "wrong-document"),
        ("vp", {"type": "VerifiableCredential"}, "wrong-document"),
        ("vp", {"vp": {}}, "vc-claim"),
        ("vp", {"verifiableCredential": [VC]}, "not-enveloped"),
        ("vp", {"verifiableCredential": "data:application/vc+jwt,x"}, "not-enveloped"),
        ("vp", {"verifiableCredential": [{**enclose("vc+jwt", b"a.b.c"), "id": "not-a-credential"}]}, "not-enveloped"),
        ("vp", {"verifiableCredential": [{**enclose("vc+jwt", b"a.b.c"), "type": "EnvelopedVerifiablePresentation"}]}, "not-enveloped"),
        ("vp", {"verifiableCredential": [{**enclose("vc+jwt", b"a.b.c"), "type": None}]}, "not-enveloped"),
        ("vp", {"verifiableCredential": [enclose("vc+jwt", b"a.b.c")] * 65}, "too-large"),
    ],
)  # fmt: skip
def test_documents_that_are_refused(form: str, kind: str, change: dict[str, Any], code: str) -> None:
    """By whoever signs, and by whoever reads what somebody else signed all the same."""
    document = {**(VC if kind == "vc" else VP), **change}
    sign, read = FORMS[form]
    with pytest.raises(MalformedError) as refused:
        sign(document, ISSUER, kind=kind)
    assert refused.value.code == code
    typ = f"{kind}+{form}"
    if form == "cose":
        text: Any = cose1({3: f"application/{kind}", 16: f"application/{typ}"}, document)
    else:
        text = jwt(document, typ=typ, cty=kind) + ("~" if form == "sd-jwt" else "")
    with pytest.raises(MalformedError) as caught:
        read(text)
    assert caught.value.code == code


@pytest.mark.parametrize("form", FORMS)
def test_unknown_kinds_and_members(form: str) -> None:
    """An envelope is of a credential or a presentation, and claims about the signature are none of the document."""
    sign, _ = FORMS[form]
    with pytest.raises(IssueError) as caught:
        sign(VC, ISSUER, kind="jwt")
    assert caught.value.code == "wrong-document"
    if form != "cose":
        for document, claims in (({**VC, "iss": "x"}, {}), (VC, {"name": "x"})):
            with pytest.raises(IssueError) as repeated:
                sign(document, ISSUER, claims=claims)
            assert repeated.value.code == "claim-repeated"


# --- JWT ---------------------------------------------------------------------------------------------------------------


def test_claims_stand_beside_the_document() -> None:
    """`iat` in words and a past `exp` are for policy to judge; members about the signature are none of the document."""
    text = sign_jwt(
        VC, ISSUER, claims={"iss": "https://issuer.example", "iat": "2010-01-01T19:23:24Z", "exp": 1734397450, "jti": "x"}
    )
    value = read_jwt(text)
    assert value.document == VC
    assert dict(value.claims) == {"iss": "https://issuer.example", "iat": "2010-01-01T19:23:24Z", "exp": 1734397450, "jti": "x"}
    assert jws.time_code(value.claims, datetime(2026, 1, 1, tzinfo=UTC)) == "expired"
    value.verify(ISSUER.public_key)


@pytest.mark.parametrize(
    "payload, header, code",
    [
        (VC, {"typ": None}, "wrong-typ"), (VC, {"typ": "JWT"}, "wrong-typ"), (VC, {"typ": "vc+sd-jwt"}, "wrong-typ"),
        (VC, {"typ": "vc+ld+jwt"}, "wrong-typ"), (VC, {"typ": "bad+typ", "cty": "bad+cty"}, "wrong-typ"),
        (VC, {"typ": "vp+jwt", "cty": "vp"}, "wrong-document"), (VC, {"cty": "vp"}, "wrong-cty"), (VC, {"cty": "json"}, "wrong-cty"),
        ({**VC, "iss": "https://other.example"}, {}, "issuer-mismatch"), ({**VC, "iss": 1}, {}, "issuer-mismatch"),
        ({**VC, "iss": None}, {}, "issuer-mismatch"), (VC, {"iss": "https://other.example"}, "issuer-mismatch"),
        ({**VC, "iss": "https://issuer.example"}, {"iss": "https://other.example"}, "claim-repeated"),
        ({**VC, "exp": 2}, {"exp": 1}, "claim-repeated"),
        (VC, {"kid": None}, "kid-missing"), ({**VC, "issuer": "did:example:1", "iss": "did:example:1"}, {"kid": None}, "kid-missing"),
    ],
)  # fmt: skip
def test_jwts_that_are_refused(payload: dict[str, Any], header: dict[str, Any], code: str) -> None:
    """One reason each; the signature would be right."""
    with pytest.raises(MalformedError) as caught:
        read_jwt(jwt(payload, **header))
    assert caught.value.code == code


def test_jwts_that_are_taken() -> None:
    """Without `cty`, with the long media type, with `iss` in the header, and with `iss` alone where the issuer is no DID."""
    for header in ({"cty": None}, {"typ": "application/vc+jwt", "cty": "application/vc"}, {"iss": "https://issuer.example"}):
        read_jwt(jwt(VC, **header)).verify(ISSUER.public_key)
    value = read_jwt(jwt({**VC, "iss": "https://issuer.example"}, kid=None))
    assert (value.kid, value.method) == (None, None)
    assert read_jwt(jwt(VC, kid="#1")).method == "https://issuer.example#1"
    assert read_jwt(jwt(VC, kid="thumbprint")).method is None


def test_no_changed_character_of_a_jwt_verifies() -> None:
    """Every third place, two other characters each."""
    for place in range(0, len(JWT), 3):
        for letter in "A_":
            if letter == JWT[place]:
                continue
            try:
                read_jwt(JWT[:place] + letter + JWT[place + 1 :]).verify(ISSUER.public_key)
            except WeidError:
                continue
            pytest.fail(f"changed at {place}")


@pytest.mark.parametrize("member", [name for name in VC if name != "@context"])
def test_no_changed_member_verifies(member: str) -> None:
    """Any other value of a member under the old signature."""
    head, _, signature = JWT.split(".")
    changed = {
        **VC,
        member: ["VerifiableCredential"] if member == "type" else {"id": "x"} if isinstance(VC[member], dict) else "x",
    }
    value = read_jwt(f"{head}.{b64u(jcs(changed))}.{signature}")
    with pytest.raises(SignatureError):
        value.verify(ISSUER.public_key)


# --- SD-JWT --------------------------------------------------------------------------------------------------------------


def test_hiding_members_of_a_credential() -> None:
    """The document with what is shown; the holder binds it with the key the issuer named."""
    text = issue_sd_jwt(
        VC, [("credentialSubject", "name"), ("credentialSubject", "level"), ("validFrom",)], ISSUER, random=Seeded("x"),
        holder=HOLDER.public_key, claims={"iss": "https://issuer.example"}, decoys=1,
    )  # fmt: skip
    cut = present(text, [("credentialSubject", "name")])
    bound = bind(cut, HOLDER, audience="https://verifier.example", nonce="n", at=datetime(2026, 1, 1, tzinfo=UTC))
    value, token = read_sd_jwt_document(bound)
    value.verify(ISSUER.public_key)
    assert value.document == {
        name: item
        for name, item in {**VC, "credentialSubject": {"id": "did:example:holder", "name": "李雷"}}.items()
        if name != "validFrom"
    }
    assert verify_binding(token, confirmed_key(value.claims), audience="https://verifier.example", nonce="n").nonce == "n"
    assert read_sd_jwt_document(text)[0].document == VC


@pytest.mark.parametrize(
    "path", [("@context",), ("type",), ("type", 1), ("issuer",), ("issuer", "id"), ("credentialStatus",), ("cnf",)]
)
def test_members_that_are_always_shown(path: tuple[str | int, ...]) -> None:
    """`claim-always-shown`: without them nobody could check the rest (3.2.1)."""
    with pytest.raises(IssueError) as caught:
        issue_sd_jwt({**VC, "credentialStatus": {}}, [path], ISSUER, random=Seeded("x"), claims={"cnf": {}})
    assert caught.value.code == "claim-always-shown"


def test_sd_jwts_of_other_types() -> None:
    """`dc+sd-jwt` has its own profile; a plain JWT is no SD-JWT; `cty` must agree."""
    for typ, cty, code in (("dc+sd-jwt", None, "wrong-typ"), ("vc+jwt", "vc", "wrong-typ"), ("vc+sd-jwt", "vp", "wrong-cty")):
        with pytest.raises(MalformedError) as caught:
            read_sd_jwt_document(jwt(VC, typ=typ, cty=cty) + "~")
        assert caught.value.code == code
    with pytest.raises(MalformedError):
        read_sd_jwt_document(JWT)


# --- envelopes in presentations --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["vc+jwt", "vp+jwt", "vc+sd-jwt", "vp+sd-jwt", "vc+cose", "vp+cose"])
def test_envelopes(form: str) -> None:
    """An envelope carries exactly its bytes, and says in its type what it is one of."""
    data = b"\x00\xff" * 9 if form.endswith("cose") else b"a.b.c~d~"
    made = enclose(form, data)
    assert made["type"] == ("EnvelopedVerifiableCredential" if form[:2] == "vc" else "EnvelopedVerifiablePresentation")
    assert str(made["id"]).startswith(f"data:application/{form}{';base64' if form.endswith('cose') else ''},")
    assert open_url(made["id"]) == Inner(form, data)
    assert inner({"verifiableCredential": made}) == inner({"verifiableCredential": [made]}) == (Inner(form, data),)


def test_what_a_presentation_carries() -> None:
    """The inner credentials come out unopened, in order, and verify by themselves."""
    signed = read_jwt(sign_jwt(VP, HOLDER, kind="vp"))
    first, second = inner(signed.document)
    read_jwt(first.data.decode()).verify(ISSUER.public_key)
    read_cose(second.data).verify(ISSUER.public_key)
    assert inner({}) == ()


@pytest.mark.parametrize(
    "url",
    [
        None, 1, "", "data:", "a.b.c", "https://x.example/,a", "data:application/vc+jwt", "data:application/vc+jwt,", "data:text/plain,a",
        "data:application/vc+jwt;base64,YQ==", "data:application/vc+cose,YQ==", "data:application/vc+cose;base64,", "data:application/vc,a.b.c", "data:application/jwt;base64,YQ==",
        "data:application/vc+jwt;charset=utf-8,a.b.c", "DATA:application/vc+jwt,a", "data:application/vc+jwt,a%2Eb", "data:application/vc+jwt,é",
        "data:application/vc+cose;base64;x,YQ==", "data:application/vc+cose;base64,Y-_=", "data:application/vc+cose;base64,YR==",
        "data:application/vc+cose;base64,Y", "data:application/vc+jwt;,a",
    ],
)  # fmt: skip
def test_urls_that_are_no_envelopes(url: Any) -> None:
    """One spelling for each form (RFC 2397, VC-JOSE-COSE 3.3.1)."""
    with pytest.raises(MalformedError):
        open_url(url)


def test_white_space_around_a_url() -> None:
    """A line feed at its end is no part of it; padding may be left out, as the official fixtures do."""
    assert open_url("data:application/vc+cose;base64,YWI\n") == open_url("data:application/vc+cose;base64,YWI=")
    with pytest.raises(MalformedError) as caught:
        enclose("jwt", b"a")
    assert caught.value.code == "not-enveloped"


def test_any_envelope_from_its_bytes() -> None:
    """What it is follows from the bytes; a presentation's URL must call it the same."""
    sd = issue_sd_jwt(VC, [("validFrom",)], ISSUER, random=Seeded("x"))
    for form, data in (("vc+jwt", JWT.encode()), ("vc+sd-jwt", sd.encode()), ("vc+cose", COSE)):
        value = read_envelope(data)
        assert (value.form, value.document) == (form, VC)
        value.verify(ISSUER.public_key)
        assert open_inner(Inner(form, data)) == value
        for other in {"vc+jwt", "vc+sd-jwt", "vc+cose", "vp+jwt"} - {form}:
            with pytest.raises(MalformedError) as caught:
                open_inner(Inner(other, data))
            assert caught.value.code == "wrong-typ"
    assert read_envelope(b" " + JWT.encode() + b"\r\n").document == VC
    for data in (b"", b"{}", "é".encode(), b"\xff", b"\xd2", json.dumps(VC).encode()):
        with pytest.raises(MalformedError):
            read_envelope(data)


TEXTS = st.text(max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        TEXTS.filter(lambda name: name not in ("_sd", "_sd_alg", "...", "id")),
        TEXTS | st.integers(-9, 9) | st.none() | st.booleans(),
        max_size=4,
    )
)
@pytest.mark.parametrize("form", FORMS)
def test_any_subject_comes_back(form: str, subject: dict[str, Any]) -> None:
    """Signing and reading is the identity on documents, whatever a subject is called."""
    document = {**VC, "credentialSubject": {"id": "did:example:1", **subject}}
    sign, read = FORMS[form]
    value = read(sign(document, HOLDER))
    value.verify(HOLDER.public_key)
    assert value.document == document


# --- COSE ----------------------------------------------------------------------------------------------------------------


def test_what_is_signed() -> None:
    """The Sig_structure of RFC 9052 4.4: context, protected header, no external data, payload."""
    value = read_cose(COSE)
    held = cbor2.loads(COSE).value
    assert cbor2.loads(value.signed) == ["Signature1", held[0], b"", held[2]]
    assert (held[1], json.loads(held[2])) == ({}, VC)
    assert cbor2.loads(held[0]) == {1: -7, 3: "application/vc", 4: KID.encode(), 16: "application/vc+cose"}


def test_cose_as_text() -> None:
    """Standard base64 with or without padding; hex, base64url and white space inside are refused."""
    text = b64(COSE)
    for good in (text, text.rstrip("=")):
        read_cose_text(good).verify(ISSUER.public_key)
    for bad in (
        COSE.hex(),
        b64u(b"\xfb\xff" + COSE),
        text + "\n",
        " " + text,
        text[:9] + "\n" + text[9:],
        "",
        text + "=",
        None,
        COSE,
    ):
        with pytest.raises(MalformedError):
            read_cose_text(bad)  # type: ignore[arg-type]
    with pytest.raises(MalformedError) as caught:
        read_cose_text("A" * (1 << 22))
    assert caught.value.code == "too-large"


def unordered(header: Any) -> bytes:
    return bytes([0xA0 | len(header)]) + b"".join(cbor2.dumps(k) + cbor2.dumps(v) for k, v in reversed(header.items()))


def doubled(header: Any) -> bytes:
    return bytes([0xA1 + len(header)]) + cbor2.dumps(header)[1:] + b"\x10\x60"


@pytest.mark.parametrize(
    "data, code",
    [
        (b"", "cose"), (COSE[1:], "cose"), (b"\xd1" + COSE[1:], "cose"), (b"\xd8\x12" + COSE[1:], "cose"), (COSE + b"\0", "cose"),
        (COSE[:-1], "cose"), (COSE[:2], "cose"), (b"\xd2\x85" + COSE[2:] + b"\xf6", "cose"), (b"\xd2\x9f" + COSE[2:] + b"\xff", "cose"),
        (b"\xd2" * 40, "cose"), (COSE.hex().encode(), "cose"), (b"\xd2\x84" + b"\x81" * 20, "too-deep"),
        (b"\xd2\x84\x5b" + b"\xff" * 8, "cose"), (b"\xd2\x84" + b"0" * (1 << 20), "too-large"),
        (cose1(encode=unordered), "cose"), (cose1(encode=doubled), "cose"),
        (cose1(encode=lambda header: b"\xbf" + cbor2.dumps(header)[1:] + b"\xff"), "cose"),
        (cose1(encode=lambda header: b"\xb8\x04" + cbor2.dumps(header)[1:]), "cose"),
        (cose1(encode=lambda header: b""), "cose"), (cose1(encode=lambda header: b"\x80"), "cose"),
        (cose1(encode=lambda header: b"\xa1\x01"), "cose"), (cose1(encode=lambda header: cbor2.dumps(header) + b"\0"), "cose"),
        (cose1({99: cbor2.CBORTag(1, 1)}), "cose"), (cose1({99: 1.5}), "cose"), (cose1({99: b"\0" * 9, 98: [[[[[[[[1]]]]]]]]}), "too-deep"),
        (cose1({1: None}), "cose"), (cose1({1: b"x"}), "cose"), (cose1({1: True}), "cose"), (cose1({2: [16]}), "crit"), (cose1({2: []}), "crit"),
        (cose1(unprotected={2: [1]}), "crit"), (cose1({1: None}, unprotected={1: -7}), "cose"), (cose1(unprotected={1: -7}), "cose"),
        (cose1(unprotected={4: b"x"}), "cose"), (cose1({b"x": 1}), "cose"), (cose1({False: 1}), "cose"),
        (cose1({16: None}), "wrong-typ"), (cose1({16: "application/vp+cose"}), "wrong-cty"), (cose1({16: "application/vc+jwt"}), "wrong-typ"),
        (cose1({16: 60}), "wrong-typ"), (cose1({16: "really/bad", 3: "very/bad"}), "wrong-typ"), (cose1({3: "application/vp"}), "wrong-cty"),
        (cose1({3: "very/bad"}), "wrong-cty"), (cose1({3: 50}), "wrong-cty"), (cose1({4: "text"}), "kid"), (cose1({4: b"\xff"}), "kid"),
        (cose1({4: None}), "kid-missing"), (cose1(payload=[1]), "cose"), (cose1(payload=b"{"), "malformed"),
        (cose1(payload=b'{"a":1,"a":2}'), "duplicate-member"), (cose1({15: {1: "https://other.example"}}), "issuer-mismatch"),
        (cose1({15: 1}), "cose"), (cose1({15: {4: b"x"}}), "cose"), (cose1({15: {4: 1}}, {**VC, "exp": 1}), "claim-repeated"),
        (cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x26", {}, None, bytes(64)])), "cose"),
        (cbor2.dumps(cbor2.CBORTag(18, [{1: -7}, {}, b"{}", bytes(64)])), "cose"),
        (cbor2.dumps(cbor2.CBORTag(98, [b"\xa1\x01\x26", {}, b"{}", bytes(64)])), "cose"),
    ],
)  # fmt: skip
def test_cose_that_is_refused(data: bytes, code: str) -> None:
    """One reason each, before any key is looked at; the signatures of most would be right."""
    with pytest.raises(MalformedError) as caught:
        read_cose(data)
    assert caught.value.code == code


@pytest.mark.parametrize("algorithm", [-257, -37, -5, 4, 5, -65535, -65537, 0, -49, "ES256", "none", ""])
def test_cose_algorithms_are_a_closed_list(algorithm: int | str) -> None:
    """`unknown-alg`: no MAC, no RSA, no SHA-1, no text for a number."""
    with pytest.raises(UnknownSuiteError) as caught:
        read_cose(cose1({1: algorithm}))
    assert caught.value.code == "unknown-alg"


def test_the_algorithm_is_the_keys() -> None:
    """`wrong-suite`: a header that claims another suite, with a signature as long; the curve-bound names are the same suites."""
    with pytest.raises(SignatureError) as caught:
        read_cose(cose1({1: -47})).verify(ISSUER.public_key)
    assert caught.value.code == "wrong-suite"
    read_cose(cose1({1: -9})).verify(ISSUER.public_key)
    assert {cose.ALGORITHMS[number] for number in (-8, -19)} == {"ed25519"}
    assert set(cose.ALGORITHMS.values()) == set(SUITES)


def test_cose_that_is_taken() -> None:
    """Without content type, with `kid` outside, with CWT claims and with parameters nobody understands."""
    for data in (
        cose1({3: None}),
        cose1({4: None}, unprotected={4: KID.encode()}),
        cose1({99: [1, None, {"a": b"x"}], "own": "x"}),
    ):
        value = read_cose(data)
        value.verify(ISSUER.public_key)
        assert value.kid == KID
    claims = read_cose(cose1({15: {1: "https://issuer.example", 4: 5, 6: 4, 99: 1}})).claims
    assert dict(claims) == {"iss": "https://issuer.example", "exp": 5, "iat": 4}


def test_no_changed_bit_of_cose_verifies() -> None:
    """All eight bits of every byte, every deletion, and every appended byte."""
    changed = [COSE[:at] + bytes([COSE[at] ^ 1 << bit]) + COSE[at + 1 :] for at in range(len(COSE)) for bit in range(8)]
    changed += [COSE[:at] + COSE[at + 1 :] for at in range(len(COSE))]
    changed += [COSE + bytes([byte]) for byte in range(256)]
    for data in changed:
        try:
            read_cose(data).verify(ISSUER.public_key)
        except WeidError:
            continue
        pytest.fail(data.hex())


# --- the official suite's inputs ----------------------------------------------------------------------------------------

POSITIVE = {
    "credential-jose-minimal": "p256", "credential-issuer-match-signed": "ed25519", "presentation-jose-multiple": "p384",
    "credential-sdjwt-selective": "p384", "credential-sdjwt-nested": "p521", "presentation-sdjwt-selective": "p384",
    "credential-cose-minimal": "p256", "presentation-cose-single": "p384",
}  # fmt: skip
NEGATIVE = {
    "credential-jose-unknown-extensions": "ed25519", "credential-jose-bad-signature": "ed25519",
    "credential-jose-bad-media-type": "ed25519", "presentation-jose-bad-media-type": "ed25519",
    "credential-jose-vc-vp-claims": "ed25519", "presentation-jose-bad-credential": "ed25519",
    "credential-sdjwt-bad-signature": "p384", "credential-sdjwt-bad-media-type": "ed25519",
    "presentation-sdjwt-bad-media-type": "ed25519", "presentation-sdjwt-bad-credential": "p521",
    "credential-cose-minimal-not-base64": "p256", "credential-cose-bad-signature": "ed25519",
    "credential-cose-bad-media-type": "p384", "presentation-cose-bad-media-type": "p384",
    "presentation-cose-bad-credential": "p256",
}  # fmt: skip


def official(name: str, key: str) -> None:
    """Reads and verifies one input of the W3C suite, under its key."""
    folder: Path = vector("vc-jose-cose")
    if not folder.is_dir():
        pytest.skip("the inputs of the VC-JOSE-COSE suite (tests/input) are not in vc-jose-cose/ of the vectors")
    text = (folder / f"{name}.txt").read_text("utf-8").strip()
    method = json.loads((folder / f"vm-{key}.json").read_text("utf-8"))
    reader = FORMS["sd-jwt"][1] if "sdjwt" in name else read_cose_text if "cose" in name else read_jwt
    value = reader(text)
    value.verify(PublicKey.from_jwk(method["publicKeyJwk"]))
    assert value.kind == ("vc" if name.startswith("credential") else "vp")


@pytest.mark.parametrize("name", POSITIVE)
def test_official_inputs_that_verify(name: str) -> None:
    """`iat` in words, `exp` in the past, base64 without padding: genuine all the same."""
    official(name, POSITIVE[name])


@pytest.mark.parametrize("name", NEGATIVE)
def test_official_inputs_that_are_refused(name: str) -> None:
    """Each for its own reason, with an error of ours."""
    with pytest.raises(WeidError):
        official(name, NEGATIVE[name])
