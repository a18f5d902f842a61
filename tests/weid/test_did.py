"""DIDs: WeIdentity's addresses, our own for the rest (R5), and one spelling each."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors import vector_json
from weid.codec import multibase
from weid.did import DID, address_of, did_key, key_id, key_of_did_key, parse_key_id, weid_did
from weid.errors import MalformedError, UnknownSuiteError, WeidError
from weid.hashes import SM3
from weid.keys import PublicKey
from weid.suites import SUITES, suite
from weid.suites._curve import SM2P256, point

ADDRESS = "0x753dd024e4d3223b71e409547736097acc1b2021"
WEID = f"did:weid:101:{ADDRESS}"


def new_key(name: str) -> PublicKey:
    return PublicKey(name, suite(name).public(suite(name).generate(secrets.token_bytes)))


def test_weidentity_addresses() -> None:
    """Public WeIdentity keys (decimals of X ‖ Y on secp256k1) give the addresses they are known by (R5)."""
    vectors = [item for item in vector_json("weidentity/address_derivation_vectors.json") if "address" in item]
    assert vectors
    for item in vectors:
        xy = int(item["publicKeyDecimal"]).to_bytes(64, "big")
        key = PublicKey("secp256k1", bytes([2 + (xy[-1] & 1)]) + xy[:32])
        assert key.xy() == xy
        assert weid_did(1, key) == f"did:weid:1:{item['address']}"


def test_sm2_address_is_sm3_of_the_point() -> None:
    """As WeIdentity under the national algorithms (R5)."""
    key = new_key("sm2")
    assert address_of(key) == SM3(point(SM2P256, key.data))[-20:]


@pytest.mark.parametrize("name,prefix", [("ed25519", b"\xed\x01"), ("p256", b"\x80\x24")])
def test_other_suites_have_an_address_of_their_own(name: str, prefix: bytes) -> None:
    """SHA-256(len8 ‖ "weid/addr/v1" ‖ multicodec key), last 20 bytes (R5)."""
    key = new_key(name)
    expected = hashlib.sha256(b"\x0cweid/addr/v1" + prefix + key.data).digest()[-20:]
    assert address_of(key) == expected


def test_parts_of_a_did_weid() -> None:
    """A DID is its text, and knows its method, chain and address."""
    did = DID(WEID)
    assert did == WEID
    assert f"{did}" == WEID
    assert type(str(did)) is str
    assert (did.method, did.chain, did.address.hex()) == ("weid", 101, ADDRESS[2:])


def test_other_methods_have_no_chain_or_address() -> None:
    """Asking is an error, not a guess."""
    for did in (DID("did:web:example.org"), did_key(new_key("ed25519"))):
        with pytest.raises(MalformedError):
            _ = did.chain
        with pytest.raises(MalformedError):
            _ = did.address


@pytest.mark.parametrize("text", ["did:web:example.org:u:alice", "did:example:a%2Fb", "did:jwk:eyJ9", "did:weid2:x"])
def test_foreign_methods_by_syntax(text: str) -> None:
    """DID Core 1.0, 3.1."""
    assert DID(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did:",
        "did:weid",
        "did:weid:",
        f"did:weid:{ADDRESS}",
        f"did:weid:01:{ADDRESS}",
        f"did:weid:-1:{ADDRESS}",
        f"did:weid:１:{ADDRESS}",
        f"did:weid:1:1:{ADDRESS}",
        f"did:weid:{'9' * 20}:{ADDRESS}",
        f"did:weid:1:{ADDRESS.upper()}",
        f"did:weid:1:{ADDRESS[:-1]}",
        f"did:weid:1:{ADDRESS}0",
        f"did:weid:1:{ADDRESS[:-1]}_",
        f"did:weid:1:{ADDRESS[2:]}",
        f"{WEID}#key-1",
        f"{WEID}/path",
        f"{WEID}?versionId=1",
        f"{WEID}\n",
        f" {WEID}",
        f"DID{WEID[3:]}",
        "did:key:",
        "did:key:z",
        "did:key:z0OIl",
        "did:key:u7QE",
        "did:WEB:example.org",
        "did:web:example.org:",
        "did:web:a%2f",
        "did:web:a%2",
        "did:web:例",
        "did:web:" + "a" * 600,
        None,
        b"did:web:a",
    ],
)
def test_texts_that_are_no_did(text: str) -> None:
    """One spelling: WeIdentity's laxer forms, white space, DID URLs and upper case are refused."""
    with pytest.raises(MalformedError):
        DID(text)


@pytest.mark.parametrize("name", SUITES)
def test_did_key_round_trip(name: str) -> None:
    """A did:key spells its key, SM2 included (0x1206)."""
    key = new_key(name)
    did = did_key(key)
    assert did.method == "key"
    assert key_of_did_key(did) == key


def test_known_did_keys() -> None:
    """Spellings published by the W3C did:key specification and the Data Integrity vectors."""
    assert key_of_did_key("did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp").suite == "ed25519"
    assert key_of_did_key("did:key:zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP").suite == "p256"
    assert key_of_did_key("did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme").suite == "secp256k1"


def test_did_keys_we_cannot_use() -> None:
    """Another method is malformed; an X25519 key is an unknown suite."""
    with pytest.raises(MalformedError):
        key_of_did_key(WEID)
    with pytest.raises(UnknownSuiteError):
        key_of_did_key("did:key:" + multibase(b"\xec\x01" + b"\x09" * 32))


def test_chain_ids_have_one_spelling() -> None:
    """Negative and oversized chain ids make no DID."""
    key = new_key("ed25519")
    assert weid_did(0, key).chain == 0
    for chain_id in (-1, 10**19):
        with pytest.raises(MalformedError):
            weid_did(chain_id, key)


def test_key_ids() -> None:
    """`<did>#key-<number>` and back; every other fragment is refused."""
    assert parse_key_id(key_id(WEID, 7)) == (DID(WEID), 7)
    assert type(parse_key_id(key_id(WEID, 0))[0]) is DID
    for text in (
        WEID,
        f"{WEID}#",
        f"{WEID}#key-",
        f"{WEID}#key-01",
        f"{WEID}#key--1",
        f"{WEID}#key-1\n",
        f"{WEID}#key-1#key-1",
        f"{WEID}#keys-1",
        f"{WEID}?a=b#key-1",
        f"{WEID}#key-{'9' * 12}",
        "#key-1",
        None,
    ):
        with pytest.raises(MalformedError):
            parse_key_id(text)  # type: ignore[arg-type]
    for number in (-1, 10**10):
        with pytest.raises(MalformedError):
            key_id(WEID, number)


NEAR = st.builds(
    lambda text, at, cut, new: text[:at] + new + text[at + cut :],
    st.sampled_from([WEID, f"{WEID}#key-1", "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"]),
    st.integers(0, 70),
    st.integers(0, 3),
    st.text(max_size=3),
)


@given(st.text(max_size=90) | NEAR)
def test_only_our_errors_escape(text: str) -> None:
    """Any text parses to itself, or is a WeidError."""
    for parse in (DID, parse_key_id, key_of_did_key):
        try:
            value = parse(text)
        except WeidError:
            continue
        printed = {
            DID: lambda v: v,
            parse_key_id: lambda v: key_id(*v),
            key_of_did_key: did_key,
        }[parse](value)
        assert printed == text
