"""Keys and the one table of signed messages (R1): who may sign what, and who believes it."""

from __future__ import annotations

import re
import secrets
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import vector_json
from weid import cbor
from weid.canon import jcs
from weid.codec import b64u, multibase, unb64u, uvarint
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError, WeidError
from weid.hashes import SHA256, SM3
from weid.keys import JWS_ALGORITHMS, ROLES, LocalSigner, PublicKey, Signer
from weid.signing import CONTEXTS, DID_ROLES, LOG_ROLES, OWN_ROLES, framed, message, verify
from weid.suites import SUITES, suite

EXPECTED = {
    "weid/qr-cred/v1": {"assert"},
    "weid/qr-pres/v1": {"present"},
    "weid/op/v1": {"log-op"},
    "weid/key-proof/v1": set(DID_ROLES),
    "weid/login/v1": {"login"},
    "weid/check-report/v1": {"verifier"},
    "weid/batch-report/v1": {"assert"},
    "weid/trail/v1": {"log-op"},
    "data-integrity": {"assert", "present", "status"},
    "jose": {"assert", "present"},
    "cose": {"assert", "present"},
    "weid/key-change/v1": {"log", "state", "log-op", "twin"},
    "weid/kept-state/v1": {"state"},
    "c2sp/note": {"log", "state", "mirror", "twin"},
    "c2sp/cosignature": {"witness"},
}
PAYLOAD = b"payload"
SHAPED = {"jose": b"eyJhbGciOiJFZERTQSJ9.e30", "cose": b"\x84\x6aSignature1\x43\xa1\x01\x27\x40\x41x"}


def payload_of(context: str) -> bytes:
    """Bytes that the context takes; any bytes will do where a format has no shape of its own."""
    return SHAPED.get(context, PAYLOAD)


def new_signer(role: str = "assert", name: str = "ed25519") -> LocalSigner:
    return LocalSigner(suite(name).generate(secrets.token_bytes), name, "did:weid:1:0x00#key-1", role)


# --- the table ---------------------------------------------------------------------------------


def test_table_is_what_the_specification_says() -> None:
    """No context appears or widens unnoticed; roles of logs never sign what DID keys sign (R1)."""
    assert {name: set(row.roles) for name, row in CONTEXTS.items()} == EXPECTED
    assert set(ROLES) == set().union(*EXPECTED.values())
    assert not set(DID_ROLES) & set(LOG_ROLES) and not set(OWN_ROLES) & set(DID_ROLES + LOG_ROLES)
    for name, roles in EXPECTED.items():
        # the operator's three keys pass themselves on in one frame of our own; nothing foreign crosses the line
        assert any(roles <= set(group) for group in (DID_ROLES, LOG_ROLES, OWN_ROLES)) or name == "weid/key-change/v1"


@pytest.mark.parametrize("context", EXPECTED)
@pytest.mark.parametrize("role", ROLES)
def test_signers_sign_only_their_contexts(role: str, context: str) -> None:
    """A signer of every role is refused every context that is not its own (R1)."""
    signer: Signer = new_signer(role)
    if role in EXPECTED[context]:
        payload = payload_of(context)
        verify(signer.public_key, role, context, payload, signer.sign(context, payload))
    else:
        with pytest.raises(SignatureError) as caught:
            signer.sign(context, payload_of(context))
        assert caught.value.code == "wrong-role"


@pytest.mark.parametrize("role", ROLES)
def test_verifiers_refuse_every_foreign_signature(role: str) -> None:
    """What a role signed in one context is believed in no other context (R1).

    Own messages are kept apart by their bytes, whatever role a verifier asks for. Foreign messages
    are bare bytes, kept apart by the key's one role, and within it by their shape.
    """
    signer = new_signer(role)
    for context in (name for name, roles in EXPECTED.items() if role in roles):
        payload = payload_of(context)
        signature = signer.sign(context, payload)
        roles = ROLES if CONTEXTS[context].own else (role,)
        believed = {
            (asked, other)
            for asked in roles
            for other in EXPECTED
            if _believes(signer.public_key, asked, other, payload, signature)
        }
        assert believed == {(asked, context) for asked in roles if asked in EXPECTED[context]}


def test_formats_of_one_role_have_different_shapes() -> None:
    """Foreign bytes carry no context: of those that share a role at most one has no shape of its own (R1)."""
    for role in ROLES:
        foreign = {row.name for row in CONTEXTS.values() if not row.own and role in row.roles}
        assert len(foreign - set(SHAPED)) <= 1


FOREIGN = sorted(name for name, row in CONTEXTS.items() if not row.own)


@pytest.mark.parametrize("shape", SHAPED)
@pytest.mark.parametrize("context", FOREIGN)
def test_a_foreign_payload_cannot_pose_as_another_formats(context: str, shape: str) -> None:
    """Asked for a proof over the bytes of a JWS or COSE_Sign1 under another name, signers and verifiers refuse (R1)."""
    payload = SHAPED[shape]
    if context == shape:
        assert message(context, payload) == payload
        return
    signer = new_signer(CONTEXTS[context].roles[0])
    for attempt in (
        partial(signer.sign, context, payload),
        partial(verify, signer.public_key, signer.role, context, payload, bytes(64)),
    ):
        with pytest.raises(SignatureError) as caught:
            attempt()
        assert caught.value.code == "foreign-payload"


@pytest.mark.parametrize("payload", [b"", b".", b"e30", b"e30.e30.e30", b"e30=.e30", b"e30.e30\n", b" e30.e30", b"e+0.e30"])
def test_what_is_no_signing_input_is_not_signed_as_one(payload: bytes) -> None:
    """Header, dot, payload, in base64url without padding: nothing else is a JWS (RFC 7515 5.1)."""
    for context in SHAPED:
        with pytest.raises(SignatureError):
            message(context, payload)


@given(st.binary(min_size=64, max_size=96))
def test_hash_data_is_never_a_jws(payload: bytes) -> None:
    """Hash data of Data Integrity passes as such, unless all of it is base64url with one dot."""
    if not re.fullmatch(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", payload):
        assert message("data-integrity", payload) == payload


def _believes(key: PublicKey, role: str, context: str, payload: bytes, signature: bytes) -> bool:
    try:
        verify(key, role, context, payload, signature)
    except SignatureError:
        return False
    return True


@pytest.mark.parametrize("context", ["", "weid/qr-cred/v2", "WEID/OP/V1", "JOSE"])
def test_unknown_contexts_are_refused(context: str) -> None:
    """By signers, verifiers and the message builder alike (R1)."""
    signer = new_signer()
    for attempt in (
        lambda: signer.sign(context, PAYLOAD),
        lambda: message(context, PAYLOAD),
        lambda: verify(signer.public_key, "assert", context, PAYLOAD, bytes(64)),
    ):
        with pytest.raises(SignatureError) as caught:
            attempt()
        assert caught.value.code == "unknown-context"


def test_own_messages_are_framed_and_foreign_ones_are_not() -> None:
    """len8 ‖ context ‖ payload for ours; the bytes themselves for W3C and C2SP."""
    assert message("weid/op/v1", b"x") == b"\x0aweid/op/v1x"
    assert message("data-integrity", b"x") == message("c2sp/note", b"x") == b"x"


@pytest.mark.parametrize("context", [name for name in EXPECTED if name.startswith("weid/")])
def test_a_foreign_payload_cannot_pose_as_ours(context: str) -> None:
    """An assert key asked for a W3C proof over the bytes of one of our own messages refuses."""
    with pytest.raises(SignatureError) as caught:
        new_signer().sign("data-integrity", framed(context, PAYLOAD))
    assert caught.value.code == "foreign-payload"


@given(st.sampled_from(sorted(EXPECTED)), st.binary(), st.sampled_from(sorted(EXPECTED)), st.binary())
def test_framing_is_injective(context: str, payload: bytes, other: str, other_payload: bytes) -> None:
    """Two framed messages are equal only if context and payload are."""
    same = framed(context, payload) == framed(other, other_payload)
    assert same == ((context, payload) == (other, other_payload))


@pytest.mark.parametrize("name", ["p256", "secp256k1"])
def test_high_s_is_for_foreign_formats_only(name: str) -> None:
    """The twin signature verifies as a Data Integrity proof and nowhere else (R2)."""
    signer = new_signer("assert", name)
    order = suite(name).curve.n  # type: ignore[attr-defined]
    for context, accepted in (("data-integrity", True), ("weid/qr-cred/v1", False)):
        signature = signer.sign(context, PAYLOAD)
        twin = signature[:32] + (order - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
        verify(signer.public_key, "assert", context, PAYLOAD, signature)
        assert _believes(signer.public_key, "assert", context, PAYLOAD, twin) is accepted


def test_the_keys_suite_decides() -> None:
    """A P-256 key is never tried as another suite, though the bytes would fit (R2)."""
    signer = new_signer("assert", "p256")
    signature = signer.sign("weid/qr-cred/v1", PAYLOAD)
    for name in ("sm2", "secp256k1"):
        try:
            key = PublicKey(name, signer.public_key.data)
        except KeyMaterialError:
            continue  # the x of this key is on no point of the other curve
        assert not _believes(key, "assert", "weid/qr-cred/v1", PAYLOAD, signature)


# --- signers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITES)
def test_signer_keeps_its_secret_to_itself(name: str) -> None:
    """Neither the text form nor any public attribute shows the secret or signs bare bytes."""
    secret = suite(name).generate(secrets.token_bytes)
    signer = LocalSigner(secret, name, "kid", "login")
    assert secret.hex() not in repr(signer)
    assert repr(secret) not in repr(signer)
    public = [item for item in dir(signer) if not item.startswith("_")]
    assert public == ["from_jwk", "kid", "public_key", "role", "sign"]
    with pytest.raises(AttributeError):
        signer.role = "assert"  # type: ignore[misc]


def test_signer_refuses_unknown_roles_and_suites() -> None:
    """A signer that exists can sign."""
    with pytest.raises(KeyMaterialError):
        new_signer("admin")
    with pytest.raises(UnknownSuiteError):
        LocalSigner(bytes(32), "rsa", "kid", "login")
    with pytest.raises(KeyMaterialError):
        LocalSigner(bytes(32), "p256", "kid", "login")


# --- public keys -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITES)
def test_multikey_round_trip(name: str) -> None:
    """A key and its multikey text are one to one; its hash is of the suite and the key."""
    key = new_signer("assert", name).public_key
    assert PublicKey.from_multikey(key.multikey()) == key
    chosen = suite(name)
    hashed = (SM3 if name == "sm2" else SHA256)(framed("weid/key/v1", cbor.encode([chosen.code, key.data])))
    assert key.hash32() == hashed
    assert key.thumbprint() == hashed[:16]


def test_w3c_multikeys() -> None:
    """The P-256 key of the W3C vectors is RFC 6979's; the JWK carries its X and Y."""
    key = PublicKey.from_multikey(vector_json("vc-di-ecdsa/TestVectors/p256KeyPair.json")["publicKeyMultibase"])
    assert key.suite == "p256"
    jwk = key.jwk()
    assert (jwk["kty"], jwk["crv"]) == ("EC", "P-256")
    assert unb64u(jwk["x"]).hex() == "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    assert unb64u(jwk["y"]).hex() == "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"


def test_ed25519_jwk() -> None:
    """RFC 8037 A.2."""
    key = PublicKey("ed25519", bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    assert key.jwk() == {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    with pytest.raises(KeyMaterialError):
        key.xy()


@pytest.mark.parametrize("name", SUITES)
def test_jwk_round_trip(name: str) -> None:
    """A key and its JWK are one to one; members a JWK may add are allowed when they agree (RFC 7517 4)."""
    key = new_signer("assert", name).public_key
    assert PublicKey.from_jwk(key.jwk()) == key
    more = {"kid": "1", "use": "sig", "key_ops": ["verify"], "alg": JWS_ALGORITHMS[name][-1], "x5t": "?"}
    assert PublicKey.from_jwk({**more, **key.jwk()}) == key


def test_jwk_names() -> None:
    """Types, curves and members as registered (RFC 7518 6.2.1, 8037 2, 8812 3, 9964 3)."""
    shapes = {name: new_signer("assert", name).public_key.jwk() for name in SUITES}
    assert {name: (jwk["kty"], jwk.get("crv"), jwk.get("alg")) for name, jwk in shapes.items()} == {
        "ed25519": ("OKP", "Ed25519", None),
        "p256": ("EC", "P-256", None),
        "sm2": ("EC", "SM2", None),
        "secp256k1": ("EC", "secp256k1", None),
        "p384": ("EC", "P-384", None),
        "ml-dsa-44": ("AKP", None, "ML-DSA-44"),
        "p521": ("EC", "P-521", None),
    }
    assert [len(unb64u(shapes["p384"][name])) for name in ("x", "y")] == [48, 48]
    assert len(unb64u(shapes["ml-dsa-44"]["pub"])) == 1312


def test_the_jwk_of_rfc_9964() -> None:
    """The thumbprint of the zero seed's JWK is the one RFC 9964 gives its example: seed, key and members agree."""
    key = PublicKey("ml-dsa-44", suite("ml-dsa-44").public(bytes(32)))
    assert b64u(SHA256(jcs(dict(key.jwk())))) == "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize(
    "change,code",
    [
        ({"d": "AA"}, "private-jwk"), ({"priv": "AA"}, "private-jwk"), ({"k": "AA"}, "private-jwk"),
        ({"use": "enc"}, "jwk-use"), ({"key_ops": ["sign"]}, "jwk-use"), ({"key_ops": "verify"}, "jwk-use"),
        ({"alg": "RS256"}, "*"), ({"alg": None}, "*"), ({"kty": "oct"}, "unknown-suite"), ({"kty": None}, "unknown-suite"),
        ({"crv": "P-224", "kty": "EC"}, "unknown-suite"), ({"crv": "Ed25519", "kty": "EC"}, "unknown-suite"),
    ],
)  # fmt: skip
def test_jwks_that_are_refused(name: str, change: dict[str, object], code: str) -> None:
    """Private parts, other uses and other algorithms never become a key."""
    jwk = {**new_signer("assert", name).public_key.jwk(), **change}
    with pytest.raises(WeidError) as caught:
        PublicKey.from_jwk(jwk)  # type: ignore[arg-type]
    assert code in ("*", caught.value.code)


@pytest.mark.parametrize("name", SUITES)
def test_jwk_members_have_one_spelling(name: str) -> None:
    """Short, long, padded, zero, missing and wrongly typed coordinates, and points off the curve (R2, RFC 7518 6.2.1.2)."""
    jwk = new_signer("assert", name).public_key.jwk()
    for member in {"x", "y", "pub"} & set(jwk):
        data = unb64u(jwk[member])
        changed: list[object] = [
            b64u(data[:-1]),
            b64u(b"\0" + data),
            b64u(data + b"\0"),
            jwk[member] + "=",
            "",
            None,
            7,
            "A" * 9000,
        ]
        if name != "ml-dsa-44":
            changed += [b64u(bytes(len(data))), b64u(b"\xff" * len(data))]
        else:
            changed += [b64u(bytes(len(data)))]
        if name not in ("ed25519", "ml-dsa-44"):
            changed += [b64u(data[:-1] + bytes([data[-1] ^ 2])), b64u(data[:-1] + bytes([data[-1] ^ 1]))]
        for value in changed:
            with pytest.raises(WeidError):
                PublicKey.from_jwk({**jwk, member: value})  # type: ignore[dict-item]
        with pytest.raises(MalformedError):
            PublicKey.from_jwk({other: item for other, item in jwk.items() if other != member})
    for wrong in (None, [], "jwk"):
        with pytest.raises(MalformedError):
            PublicKey.from_jwk(wrong)  # type: ignore[arg-type]


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "pub", "alg", "use"]), st.sampled_from(
    ["EC", "OKP", "AKP", "P-256", "P-384", "Ed25519", "ML-DSA-44", "AAAA", "", None, 3, b64u(bytes(32)), b64u(b"\1" * 48)])))  # fmt: skip
def test_only_our_errors_escape_jwks(jwk: dict[str, object]) -> None:
    """Any object is a key that prints as the same members, or a WeidError."""
    try:
        key = PublicKey.from_jwk(jwk)  # type: ignore[arg-type]
    except WeidError:
        return
    assert key.jwk().items() <= jwk.items()


@pytest.mark.parametrize("name", ["p384", "p521", "ml-dsa-44"])
def test_own_formats_refuse_suites_that_do_not_fit(name: str) -> None:
    """Neither a signer nor a verifier takes them in a context of ours; in a foreign one both do (R2)."""
    for context, row in CONTEXTS.items():
        signer = new_signer(row.roles[0], name)
        if not row.own:
            payload = payload_of(context)
            verify(signer.public_key, signer.role, context, payload, signer.sign(context, payload))
            continue
        for attempt in (
            partial(signer.sign, context, PAYLOAD),
            partial(verify, signer.public_key, signer.role, context, PAYLOAD, bytes(64)),
        ):
            with pytest.raises(SignatureError, match=f"^{name} signs no compact codes") as caught:
                attempt()
            assert caught.value.code == "wrong-suite"


def test_sm2_multikey_prefix() -> None:
    """SM2 keys carry the multicodec 0x1206 as the varint 86 24."""
    key = new_signer("assert", "sm2").public_key
    assert key.multicodec_bytes[:2] == b"\x86\x24"
    assert key.multikey().startswith("zEP")


@pytest.mark.parametrize("name", SUITES)
def test_public_key_cannot_be_wrong(name: str) -> None:
    """Construction is the check: cut, longer, zero and foreign keys never become a value (R2)."""
    key = new_signer("assert", name).public_key
    wrong = [b"", key.data[:-1], key.data + b"\0", bytes(len(key.data)), None]
    if name != "ml-dsa-44":  # whose every other 1312 bytes are a key
        wrong.append(b"\xff" * len(key.data))
    for data in wrong:
        with pytest.raises(KeyMaterialError):
            PublicKey(name, data)  # type: ignore[arg-type]
    with pytest.raises(UnknownSuiteError):
        PublicKey("x25519", key.data)


def test_multikey_has_one_spelling() -> None:
    """Other bases, overlong varints, other kinds of key and private keys are refused."""
    key = new_signer().public_key
    overlong = b"\xed\x81\x00" + key.data
    for text in ("", "z", "Z" + key.multikey()[1:], "u" + key.multikey()[1:], key.multikey() + "\n", None, "z" * 900):
        with pytest.raises(WeidError):
            PublicKey.from_multikey(text)  # type: ignore[arg-type]
    with pytest.raises(MalformedError):
        PublicKey.from_multikey(multibase(overlong))
    for code in (0xEC, 0x1300, 0x1203, 0x1211, 0x131A):
        with pytest.raises(UnknownSuiteError):
            PublicKey.from_multikey(multibase(uvarint(code) + key.data))
    for code in (0x1200, 0x1201, 0x1202, 0x1210):
        with pytest.raises(KeyMaterialError):
            PublicKey.from_multikey(multibase(uvarint(code) + key.data))
    with pytest.raises(MalformedError) as caught:
        PublicKey.from_multikey("z" + "2" * 1800)
    assert caught.value.code == "multikey"


@given(st.text(max_size=80) | st.binary(max_size=45).map(multibase))
def test_only_our_errors_escape_multikeys(text: str) -> None:
    """Any text is a key that prints as the same text, or a WeidError."""
    try:
        key = PublicKey.from_multikey(text)
    except WeidError:
        return
    assert key.multikey() == text


@given(st.sampled_from(sorted(SUITES)), st.binary(min_size=32, max_size=32))
def test_near_keys_decode_or_are_refused(name: str, x: bytes) -> None:
    """Random points behind a right prefix: a key that round-trips, or a WeidError."""
    data = x if name == "ed25519" else b"\2" + x
    text = multibase(uvarint(suite(name).multicodec) + data)
    try:
        assert PublicKey.from_multikey(text).multikey() == text
    except KeyMaterialError:
        return
