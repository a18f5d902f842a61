"""SD-JWT and JWS with other software, both ways: the package sd-jwt (of the RFC's authors) and joserfc."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from credentials import jws
from credentials.sd_jwt import bind, confirmed_key, issue, present, read_sd_jwt, verify, verify_binding
from tests.credentials.world import Seeded
from weid.canon import jcs
from weid.codec import b64u
from weid.keys import LocalSigner, PublicKey
from weid.suites import suite

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
AUDIENCE, NONCE = "https://verifier.example", "n-0S6_WzA2Mj"
SECRETS = {name: suite(name).generate(Seeded(f"peer/{name}")) for name in ("p256", "p384", "p521", "secp256k1", "ed25519")}
ALGORITHMS = {"p256": "ES256", "p384": "ES384", "p521": "ES512", "secp256k1": "ES256K", "ed25519": "EdDSA"}
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.example", "sub": "user_42", "given_name": "太郎", "address": {"region": "港区", "country": "JP"},
    "nationalities": ["US", "DE"], "evidence": [{"method": "pipp", "time": "2012-04-22T11:30Z"}],
}  # fmt: skip
HIDE = [("given_name",), ("address",), ("address", "region"), ("nationalities", 0), ("nationalities", 1), ("evidence", 0),
        ("evidence", 0, "time")]  # fmt: skip
THEIRS: dict[Any, Any] = {
    "iss": "https://issuer.example", "sub": "user_42", SDObj("given_name"): "太郎",
    SDObj("address"): {SDObj("region"): "港区", "country": "JP"}, "nationalities": [SDObj("US"), SDObj("DE")],
    "evidence": [SDObj({"method": "pipp", SDObj("time"): "2012-04-22T11:30Z"})],
}  # fmt: skip


def signer(name: str, role: str = "assert") -> LocalSigner:
    return LocalSigner(SECRETS[name], name, "kid", role)


def private(name: str) -> dict[str, str]:
    """The private JWK, for the peers: they sign with a key in their hands."""
    return {**signer(name).public_key.jwk(), "d": b64u(SECRETS[name])}


def theirs(name: str) -> JWK:
    return JWK(**private(name), **({"alg": "ES256K"} if name == "secp256k1" else {}))


def public(name: str) -> JWK:
    return JWK(**signer(name).public_key.jwk())


@pytest.mark.parametrize("decoys", [False, True])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_they_issue_and_we_verify(name: str, decoys: bool) -> None:
    """Nested, array and recursive disclosures, decoys and `cnf`, as the package sd-jwt makes them."""
    text = SDJWTIssuer(
        THEIRS, theirs(name), public("p256"), sign_alg=ALGORITHMS[name], add_decoy_claims=decoys,
        extra_header_parameters={"typ": "dc+sd-jwt", "kid": "1"},
    ).sd_jwt_issuance  # fmt: skip
    token = read_sd_jwt(text)
    verified = verify(token, signer(name).public_key)
    assert verified.claims == {**CLAIMS, "cnf": {"jwk": signer("p256").public_key.jwk()}}
    assert set(verified.disclosed) == set(HIDE)
    assert token.jws.kid == "1"
    cut = present(text, [("nationalities", 1)])
    assert verify(read_sd_jwt(cut), signer(name).public_key).claims["nationalities"] == ["DE"]


@pytest.mark.parametrize("decoys", [0, 3])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_we_issue_and_they_verify(name: str, decoys: int) -> None:
    """The same from us to them, in full and cut down to nothing."""
    text = issue(CLAIMS, HIDE, signer=signer(name), random=Seeded("x"), decoys=decoys, holder=signer("p256").public_key)
    told = SDJWTVerifier(text, lambda issuer, header: public(name)).get_verified_payload()
    assert told == {**CLAIMS, "cnf": {"jwk": signer("p256").public_key.jwk()}}
    bare = SDJWTVerifier(present(text, []), lambda issuer, header: public(name)).get_verified_payload()
    assert set(bare) == {"iss", "sub", "nationalities", "evidence", "cnf"}
    assert (bare["nationalities"], bare["evidence"]) == ([], [])


def test_they_present_and_we_verify() -> None:
    """Their holder chooses and binds a credential of ours."""
    text = issue(CLAIMS, HIDE, signer=signer("ed25519"), random=Seeded("x"), holder=signer("p256").public_key)
    holder = SDJWTHolder(text)
    holder.create_presentation({"address": {"region": True}, "nationalities": [False, True]}, NONCE, AUDIENCE, theirs("p256"))
    token = read_sd_jwt(holder.sd_jwt_presentation)
    claims = verify(token, signer("ed25519").public_key).claims
    assert claims["address"] == {"region": "港区", "country": "JP"}
    assert (claims["nationalities"], "given_name" in claims) == (["DE"], False)
    assert verify_binding(token, confirmed_key(claims), audience=AUDIENCE, nonce=NONCE).nonce == NONCE


def test_we_present_and_they_verify() -> None:
    """Our holder chooses and binds a credential of theirs; a wrong nonce is refused by them too."""
    text = SDJWTIssuer(THEIRS, theirs("p256"), public("p256")).sd_jwt_issuance
    cut = present(text, [("address", "region"), ("evidence", 0)])
    bound = bind(cut, signer("p256", "present"), audience=AUDIENCE, nonce=NONCE, at=AT)
    told = SDJWTVerifier(bound, lambda issuer, header: public("p256"), AUDIENCE, NONCE).get_verified_payload()
    assert told["address"] == {"region": "港区", "country": "JP"}
    assert told["evidence"] == [{"method": "pipp"}]
    with pytest.raises(ValueError, match="nonce"):
        SDJWTVerifier(bound, lambda issuer, header: public("p256"), AUDIENCE, "other")


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_jws_both_ways(name: str) -> None:
    """joserfc verifies what we sign, and we what it signs."""
    payload = jcs(CLAIMS)
    algorithm = ALGORITHMS[name]
    kind = joserfc_jwk.OKPKey if name == "ed25519" else joserfc_jwk.ECKey
    ours = jws.sign({"typ": "JWT", "kid": "1"}, payload, signer(name))
    read = joserfc_jws.deserialize_compact(ours, kind.import_key(dict(signer(name).public_key.jwk())), algorithms=[algorithm])
    assert (read.payload, read.headers()["kid"]) == (payload, "1")
    made = joserfc_jws.serialize_compact(
        {"alg": algorithm, "kid": "2"}, payload, kind.import_key(private(name)), algorithms=[algorithm]
    )
    token = jws.read_jws(made)
    jws.verify(token, signer(name).public_key, "assert")
    assert (token.claims(), token.kid) == (json.loads(payload), "2")


def test_the_full_name_of_ed25519() -> None:
    """joserfc signs as `Ed25519` (RFC 9864); we read that as the suite it is."""
    made = joserfc_jws.serialize_compact(
        {"alg": "Ed25519"}, b"{}", joserfc_jwk.OKPKey.import_key(private("ed25519")), algorithms=["Ed25519"]
    )
    jws.verify(jws.read_jws(made), signer("ed25519").public_key, "assert")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_jwks_both_ways(name: str) -> None:
    """A key that another library prints is the key that we print."""
    kind = joserfc_jwk.OKPKey if name == "ed25519" else joserfc_jwk.ECKey
    printed = kind.import_key(private(name)).as_dict(private=False)
    key = PublicKey.from_jwk(printed)
    assert key == signer(name).public_key
    assert json.loads(public(name).export_public()).items() >= key.jwk().items()
