"""Sealed files and key files: what opens them, what they show, and that any change closes them."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weid.canon import jcs, parse_json
from weid.codec import b64u
from weid.errors import KeyMaterialError, MalformedError, UnknownSuiteError, WeidError
from weid.keyfile import key_notes, open_key, read_header, seal, seal_key, unseal
from weid.sealed import PROFILES, Passphrase
from weid.signing import verify
from weid.suites import SUITES, suite

CHEAP = {"intl": 10, "gm": 1_000}
PASSPHRASE = "correct horse 电池 staple"
KID = "did:weid:1:0x753dd024e4d3223b71e409547736097acc1b2021#key-1"


def stream(count: int) -> bytes:
    """A fixed source, so that examples repeat."""
    return bytes(range(count))


def sealed(profile: str = "intl", data: bytes = b"data") -> bytes:
    return seal(data, PASSPHRASE, kind="note", random=stream, meta={"for": "me"}, profile=profile, cost=CHEAP[profile])


def key_file(name: str = "ed25519", profile: str = "intl", role: str = "assert") -> bytes:
    secret = suite(name).generate(secrets.token_bytes)
    return seal_key(secret, name, KID, role, PASSPHRASE, random=secrets.token_bytes, profile=profile, cost=CHEAP[profile])


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SUITES)
def test_key_file_round_trip(name: str, profile: str) -> None:
    """A key file gives back a signer of the same key, id and role, and lists them while locked."""
    data = key_file(name, profile)
    signer = open_key(data, PASSPHRASE)
    assert (signer.kid, signer.role, signer.public_key.suite) == (KID, "assert", name)
    verify(signer.public_key, "assert", "data-integrity", b"x", signer.sign("data-integrity", b"x"))
    assert key_notes(data) == {
        "kid": KID,
        "public": signer.public_key.multikey(),
        "role": "assert",
        "suite": name,
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_secret_is_not_in_the_file(profile: str) -> None:
    """Neither raw, nor in hex, nor in base64url."""
    secret = secrets.token_bytes(32)
    data = seal_key(secret, "ed25519", KID, "login", PASSPHRASE, random=secrets.token_bytes, profile=profile, cost=CHEAP[profile])
    for spelling in (secret, secret.hex().encode(), b64u(secret)[:40].encode()):
        assert spelling not in data


@pytest.mark.parametrize("profile", PROFILES)
def test_wrong_passphrase(profile: str) -> None:
    """Says so by its code, and never names the passphrase."""
    for wrong in ("", "wrong", PASSPHRASE + " "):
        with pytest.raises(KeyMaterialError) as caught:
            unseal(sealed(profile), wrong, kind="note")
        assert caught.value.code == "wrong-passphrase"
        assert PASSPHRASE not in str(caught.value)


@pytest.mark.parametrize("profile", PROFILES)
def test_one_passphrase_is_stretched_once_for_a_folder(profile: str) -> None:
    """Files sealed in one run share the salt, never the nonce; each opens alone, and a wrong passphrase opens none."""
    held = Passphrase(PASSPHRASE)
    first, second = (
        seal(b"x", held, kind="note", random=secrets.token_bytes, profile=profile, cost=CHEAP[profile]) for _ in range(2)
    )
    assert read_header(first).salt == read_header(second).salt
    assert read_header(first).nonce != read_header(second).nonce
    dearer = seal(b"x", held, kind="note", random=secrets.token_bytes, profile=profile, cost=CHEAP[profile] + 1)
    assert read_header(dearer).salt != read_header(first).salt
    alone = seal(b"x", PASSPHRASE, kind="note", random=secrets.token_bytes, profile=profile, cost=CHEAP[profile])
    assert read_header(alone).salt != read_header(first).salt
    for data in (first, second, dearer, alone):
        assert unseal(data, PASSPHRASE, kind="note") == unseal(data, held, kind="note") == b"x"
        with pytest.raises(KeyMaterialError):
            unseal(data, Passphrase("wrong"), kind="note")
    assert PASSPHRASE not in repr(held)


def test_passphrase_is_text_in_one_form() -> None:
    """Composed and decomposed letters are one passphrase; a lone surrogate is none; nor is nothing."""
    data = seal(b"x", "caf\u00e9", kind="note", random=stream, cost=10)
    assert unseal(data, "cafe\u0301", kind="note") == b"x"
    for wrong in ("\ud800", ""):
        with pytest.raises(KeyMaterialError) as caught:
            seal(b"x", wrong, kind="note", random=stream, cost=10)
        assert caught.value.code == "passphrase"
    with pytest.raises(KeyMaterialError):
        unseal(data, "\ud800", kind="note")


@pytest.mark.parametrize("profile", PROFILES)
def test_usual_cost_is_strong(profile: str) -> None:
    """Without a `cost`, scrypt takes 128 MiB and PBKDF2 600,000 rounds."""
    data = seal(b"x", PASSPHRASE, kind="note", random=stream, profile=profile)
    assert read_header(data).cost == {"intl": 17, "gm": 600_000}[profile]
    assert unseal(data, PASSPHRASE, kind="note") == b"x"


@pytest.mark.parametrize("profile,cost", [("intl", 9), ("intl", 19), ("intl", 60), ("gm", 999), ("gm", 10**12)])
def test_hostile_cost_is_refused_before_any_work(profile: str, cost: int) -> None:
    """A file cannot make its reader burn memory or hours, nor be sealed too weakly."""
    value = parse_json(sealed(profile))
    assert isinstance(value, dict)
    with pytest.raises(MalformedError) as caught:
        unseal(jcs({**value, "cost": cost}), PASSPHRASE, kind="note")
    assert caught.value.code == "sealed-cost"
    with pytest.raises(MalformedError):
        seal(b"x", PASSPHRASE, kind="note", random=stream, profile=profile, cost=cost)


@pytest.mark.parametrize(
    "member,other",
    [
        ("kind", "other"),
        ("profile", "rot13"),
        ("cost", 11),
        ("cost", True),
        ("cost", "10"),
        ("salt", b64u(bytes(16))),
        ("salt", b64u(bytes(15))),
        ("nonce", b64u(bytes(12))),
        ("nonce", "AA="),
        ("meta", {"for": "you"}),
        ("meta", {}),
        ("meta", {"for": 1}),
        ("meta", []),
        ("box", ""),
        ("box", b64u(bytes(40))),
        ("form", "weid/sealed/v2"),
        ("extra", 1),
    ],
)
def test_every_member_is_authenticated(member: str, other: object) -> None:
    """Changing, adding or retyping any member of the header closes the file."""
    value = parse_json(sealed())
    assert isinstance(value, dict)
    with pytest.raises(WeidError):
        unseal(jcs({**value, member: other}), PASSPHRASE, kind="note")  # type: ignore[dict-item]
    smaller = {name: item for name, item in value.items() if name != member}
    if smaller != value:
        with pytest.raises(MalformedError):
            unseal(jcs(smaller), PASSPHRASE, kind="note")


def test_one_spelling() -> None:
    """White space, another member order and escapes are not what `seal` prints (R27)."""
    data = sealed()
    for other in (data + b"\n", b" " + data, data.replace(b":", b": ", 1), data.replace(b"note", b"n\\u006fte")):
        with pytest.raises(MalformedError):
            unseal(other, PASSPHRASE, kind="note")


def test_kind_is_asked_for() -> None:
    """A wallet backup is not a key file, whatever its passphrase."""
    with pytest.raises(MalformedError):
        unseal(sealed(), PASSPHRASE, kind="key")
    with pytest.raises(MalformedError):
        open_key(sealed(), PASSPHRASE)


def test_key_file_that_lies_about_its_key() -> None:
    """Whoever knows the passphrase still cannot give a key another name or an impossible role."""
    notes = key_notes(key_file())
    secret = secrets.token_bytes(32)
    for meta in (notes, {**notes, "role": "admin"}, {**notes, "suite": "rsa"}, {"kid": KID}):
        data = seal(secret, PASSPHRASE, kind="key", random=stream, meta=meta, cost=10)
        with pytest.raises(WeidError):
            open_key(data, PASSPHRASE)


def test_unusable_keys_are_not_sealed() -> None:
    """Sealing checks what opening would check."""
    with pytest.raises(KeyMaterialError):
        seal_key(bytes(32), "p256", KID, "assert", PASSPHRASE, random=stream, cost=10)
    with pytest.raises(UnknownSuiteError):
        seal_key(bytes(32), "ed25519", KID, "assert", PASSPHRASE, random=stream, profile="none", cost=10)
    with pytest.raises(KeyMaterialError):
        seal_key(b"\1" * 32, "ed25519", KID, "assert", PASSPHRASE, random=lambda count: b"", cost=10)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 400), cut=st.integers(0, 2), new=st.binary(max_size=2))
def test_any_edit_closes_the_file(profile: str, at: int, cut: int, new: bytes) -> None:
    """Only WeidErrors escape, and only the untouched file opens."""
    data = sealed(profile)
    edited = data[:at] + new + data[at + cut :]
    if edited == data:
        return
    with pytest.raises(WeidError):
        unseal(edited, PASSPHRASE, kind="note")


@given(st.binary(max_size=200))
def test_noise_is_malformed(data: bytes) -> None:
    """Arbitrary bytes are refused by every reader."""
    for read in (read_header, key_notes, lambda noise: open_key(noise, PASSPHRASE)):
        with pytest.raises(WeidError):
            read(data)


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300), meta=st.dictionaries(st.text("abc语"), st.text("xyz言"), max_size=3))
def test_round_trip_of_anything(data: bytes, meta: dict[str, str]) -> None:
    """Data and notes come back as they went in."""
    done = seal(data, PASSPHRASE, kind="wallet", random=secrets.token_bytes, meta=meta, cost=10)
    assert unseal(done, PASSPHRASE, kind="wallet") == data
    assert read_header(done).meta == meta


@pytest.mark.parametrize(("profile", "cost"), [("intl", 17), ("gm", 600_000)])
def test_a_key_costs_its_thief_much(profile: str, cost: int) -> None:
    """What is used when nobody asks for less: scrypt with N = 2^17, PBKDF2 with 600,000 rounds of SM3."""
    sealed = seal(b"x", PASSPHRASE, kind="note", random=secrets.token_bytes, profile=profile)
    assert read_header(sealed).cost == cost
