"""Compact JWS: one strict reader, every refusal by its code, and no change that still verifies (RFC 7515, RFC 8725)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import jws
from credentials.jws import media_type, read_jws, require_type, sign, verify
from tests.credentials.world import make_signer
from weid.codec import b64u
from weid.errors import MalformedError, SignatureError, UnknownSuiteError, WeidError
from weid.keys import JWS_ALGORITHMS, PublicKey
from weid.suites import SUITES

PAYLOAD = b'{"a":1}'


def token(header: dict[str, Any], payload: bytes = PAYLOAD, signature: bytes = bytes(64)) -> str:
    """A JWS of any header, signed by nobody."""
    return f"{b64u(json.dumps(header).encode())}.{b64u(payload)}.{b64u(signature)}"


@pytest.mark.parametrize("name", SUITES)
def test_round_trip(name: str) -> None:
    """Every suite signs under its own `alg`; what is read is what was signed."""
    signer = make_signer(name, "assert", "issuer")
    made = read_jws(sign({"typ": "x+jwt", "kid": "key-1"}, PAYLOAD, signer))
    assert made.header == {"alg": JWS_ALGORITHMS[name][0], "typ": "x+jwt", "kid": "key-1"}
    assert (made.suite, made.type, made.kid, made.claims()) == (name, "x+jwt", "key-1", {"a": 1})
    verify(made, signer.public_key, "assert")


def test_the_names_of_ed25519() -> None:
    """`EdDSA` and its fully specified name are one algorithm (RFC 9864 2.2)."""
    assert read_jws(token({"alg": "EdDSA"})).suite == read_jws(token({"alg": "Ed25519"})).suite == "ed25519"


def test_algorithms_are_a_closed_list() -> None:
    """No MAC, no RSA, no alg without a suite; SM2 goes by a name of ours."""
    expected = {"EdDSA", "Ed25519", "ES256", "ES384", "ES512", "ES256K", "ML-DSA-44", "urn:weid:alg:sm2-sm3"}
    assert set(jws.ALGORITHMS) == expected


@pytest.mark.parametrize(
    "header, error, code",
    [
        ({"alg": "none"}, MalformedError, "alg-none"),
        ({"alg": "NonE"}, MalformedError, "alg-none"),
        ({"alg": "HS256"}, UnknownSuiteError, "unknown-alg"),
        ({"alg": "RS256"}, UnknownSuiteError, "unknown-alg"),
        ({"alg": "es256"}, UnknownSuiteError, "unknown-alg"),
        ({"alg": ""}, UnknownSuiteError, "unknown-alg"),
        ({"alg": None}, MalformedError, "jws"),
        ({"alg": ["ES256"]}, MalformedError, "jws"),
        ({}, MalformedError, "jws"),
        ({"alg": "ES256", "crit": ["exp"], "exp": 1}, MalformedError, "crit"),
        ({"alg": "ES256", "crit": []}, MalformedError, "crit"),
        ({"alg": "ES256", "b64": False}, MalformedError, "crit"),
        ({"alg": "ES256", "typ": 1}, MalformedError, "jws"),
        ({"alg": "ES256", "cty": []}, MalformedError, "jws"),
        ({"alg": "ES256", "kid": {}}, MalformedError, "jws"),
        ({"alg": "ES256", "iss": 1}, MalformedError, "jws"),
        ([], MalformedError, "jws"),
    ],
)
def test_headers_that_are_refused(header: Any, error: type[WeidError], code: str) -> None:
    """Each before any key is looked at."""
    with pytest.raises(error) as caught:
        read_jws(token(header))
    assert caught.value.code == code


def test_signers_refuse_the_same_headers() -> None:
    """What we would not read we do not write."""
    with pytest.raises(MalformedError) as caught:
        sign({"crit": ["b64"]}, PAYLOAD, make_signer("p256", "assert", "issuer"))
    assert caught.value.code == "crit"


GOOD = sign({}, PAYLOAD, make_signer("ed25519", "assert", "issuer"))


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "a.b", GOOD + ".", GOOD + ".x", GOOD.replace(".", "", 1), GOOD + "=", GOOD + "\n", " " + GOOD,
        GOOD.rsplit(".", 1)[0] + ".", "." + GOOD.split(".", 1)[1], GOOD + "é", None, GOOD.encode(),
        token({"alg": "ES256"}).replace("eyJ", "eyJ\n", 1), b64u(b'{"alg":"ES256","alg":"none"}') + ".e30.AA",
        b64u(b"{" * 40) + ".e30.AA", b64u(b"\xff") + ".e30.AA", "A" * 16_388 + ".e30.AA", "A" * (1 << 22),
    ],
)  # fmt: skip
def test_texts_that_are_no_jws(text: Any) -> None:
    """Three parts of strict base64url and a JSON object as header, under the caps; a member named twice is refused."""
    with pytest.raises(MalformedError):
        read_jws(text)


def test_claims_are_an_object() -> None:
    """A payload that is no JSON object has no claims."""
    for payload in (b"[]", b"1", b"", b"{", b'{"a":1,"a":2}', b'{"a":NaN}'):
        with pytest.raises(MalformedError):
            read_jws(token({"alg": "ES256"}, payload)).claims()


def test_another_suites_key_never_verifies() -> None:
    """`wrong-suite`: `alg` must be the key's, whatever the length of the signature (R2)."""
    signers = {name: make_signer(name, "assert", "issuer") for name in SUITES}
    for name, signer in signers.items():
        made = read_jws(sign({}, PAYLOAD, signer))
        for other in signers.values():
            if other.public_key.suite != name:
                with pytest.raises(SignatureError) as caught:
                    verify(made, other.public_key, "assert")
                assert caught.value.code == "wrong-suite"


def test_an_alg_that_claims_another_suite_never_verifies() -> None:
    """A P-256 signature under the header of secp256k1, and the other way round."""
    signer = make_signer("p256", "assert", "issuer")
    _, payload, signature = sign({}, PAYLOAD, signer).split(".")
    claimed = read_jws(f"{b64u(json.dumps({'alg': 'ES256K'}).encode())}.{payload}.{signature}")
    with pytest.raises(SignatureError):
        verify(claimed, signer.public_key, "assert")


def test_roles_and_keys_are_kept_apart() -> None:
    """A key that shows does not issue, a log key signs no JWS, and another key's signature is refused (R1)."""
    made = read_jws(GOOD)
    signer = make_signer("ed25519", "assert", "issuer")
    verify(made, signer.public_key, "assert")
    with pytest.raises(SignatureError):
        verify(made, make_signer("ed25519", "assert", "other").public_key, "assert")
    for role in ("status", "login", "log-op", "log", "state", "witness"):
        with pytest.raises(SignatureError) as caught:
            verify(made, signer.public_key, role)
        assert caught.value.code == "wrong-role"
        with pytest.raises(SignatureError):
            sign({}, PAYLOAD, make_signer("ed25519", role, "issuer"))


@pytest.mark.parametrize("name", ["ed25519", "p256", "ml-dsa-44"])
def test_no_changed_character_verifies(name: str) -> None:
    """Every place of the token, three other characters each: refused or no longer verified."""
    signer = make_signer(name, "assert", "issuer")
    text = sign({"typ": "x"}, PAYLOAD, signer)
    step = 1 if len(text) < 400 else 37
    for place in range(0, len(text), step):
        for letter in "A_.":
            if letter == text[place]:
                continue
            try:
                verify(read_jws(text[:place] + letter + text[place + 1 :]), signer.public_key, "assert")
            except WeidError:
                continue
            pytest.fail(f"changed at {place}")


def test_key_in_the_header_is_not_looked_at() -> None:
    """A token that brings its own key verifies under the resolved key alone (RFC 8725 3.10)."""
    thief, owner = make_signer("p256", "assert", "thief"), make_signer("p256", "assert", "owner")
    made = read_jws(sign({"jwk": dict(thief.public_key.jwk()), "kid": "owner"}, PAYLOAD, thief))
    with pytest.raises(SignatureError):
        verify(made, owner.public_key, "assert")


def test_types() -> None:
    """A media type is compared without `application/`, in any case; a missing or another one is refused (RFC 7515 4.1.9)."""
    assert media_type("application/VC+JWT") == media_type("vc+jwt") == "vc+jwt"
    assert media_type("text/plain") == "text/plain"
    assert media_type("application/a/b") == "application/a/b"
    require_type(read_jws(token({"alg": "ES256", "typ": "application/vc+jwt"})), ("vc+jwt",))
    for header in ({}, {"typ": "JWT"}, {"typ": ""}, {"typ": "vp+jwt"}):
        with pytest.raises(MalformedError) as caught:
            require_type(read_jws(token({"alg": "ES256", **header})), ("vc+jwt",))
        assert caught.value.code == "wrong-typ"


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(-9, 9) | st.booleans(), max_size=5))
def test_any_claims_come_back(claims: dict[str, Any]) -> None:
    """Signing and reading is the identity on claims."""
    signer = make_signer("ed25519", "present", "holder")
    made = read_jws(sign({}, json.dumps(claims).encode(), signer))
    verify(made, PublicKey.from_multikey(signer.public_key.multikey()), "present")
    assert made.claims() == claims
