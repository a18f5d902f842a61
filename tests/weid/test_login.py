"""Challenges and answers of signing in: read strictly, bound to origin, purpose, nonce and time, signed by role login alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from weid.did import did_key
from weid.errors import MalformedError, SignatureError, WeidError
from weid.keys import LocalSigner, PublicKey
from weid.login import LoginAnswer, LoginChallenge, answer, check_answer, read_answer, read_challenge, read_origin
from weid.suites import suite

ASKED = LoginChallenge("https://desk.example", "Academy", "sign-in", bytes(range(16)), 1000, 1005)


def signer(role: str = "login", name: str = "ed25519") -> LocalSigner:
    secret = b"\x07" * 32
    return LocalSigner(secret, name, str(did_key(PublicKey(name, suite(name).public(secret)))), role)


@pytest.mark.parametrize("name", ["ed25519", "p256", "secp256k1", "sm2"])
def test_an_answer_is_checked(name: str) -> None:
    """Every own suite; both travel as text and back."""
    key = signer(name=name)
    made = answer(read_challenge(ASKED.to_bytes() + b"\n"), key, key.kid, origin="https://desk.example", at=1002)
    assert check_answer(read_answer(made.to_bytes()), ASKED) == key.kid


@pytest.mark.parametrize("change", [
    {"origin": "https://desk.example.evil"}, {"name": "academy"}, {"purpose": "link"}, {"nonce": bytes(16)}, {"issued": 999},
    {"expires": 1006},
])  # fmt: skip
def test_every_part_of_the_challenge_is_signed(change: dict[str, object]) -> None:
    """An answer to another challenge, in any member, is none to ours; nor is one in another's name."""
    key = signer()
    other = replace(ASKED, **change)  # type: ignore[arg-type]
    made = answer(other, key, key.kid, origin=other.origin, at=1002)
    with pytest.raises(SignatureError) as caught:
        check_answer(replace(made, nonce=ASKED.nonce), ASKED)
    assert caught.value.code == "wrong-answer"
    right = answer(ASKED, key, key.kid, origin=ASKED.origin, at=1002)
    for wrong in (replace(right, did=signer(name="p256").kid), replace(right, did="did:weid:1:0x" + "0" * 40),
                  replace(right, signature=bytes(64)), replace(right, signature=right.signature[:-1])):  # fmt: skip
        with pytest.raises(SignatureError):
            check_answer(wrong, ASKED)


@pytest.mark.parametrize("role", ["assert", "present", "status", "log-op", "log"])
def test_no_other_key_signs_in(role: str) -> None:
    """R1: keys of credentials, presentations, lists and logs answer no challenge."""
    with pytest.raises(SignatureError) as caught:
        answer(ASKED, signer(role), "did:key:z", origin=ASKED.origin, at=1002)
    assert caught.value.code == "wrong-role"


@pytest.mark.parametrize("at, code", [(994, "login-early"), (995, None), (1009, None), (1010, "login-expired")])
def test_clocks_within_five_minutes(at: int, code: str | None) -> None:
    """Half-open on both sides, give or take the tolerance."""
    key = signer()
    if code is None:
        assert answer(ASKED, key, key.kid, origin=ASKED.origin, at=at)
        return
    with pytest.raises(WeidError) as caught:
        answer(ASKED, key, key.kid, origin=ASKED.origin, at=at)
    assert caught.value.code == code


def test_origins() -> None:
    """As browsers write them; plain HTTP on this machine alone."""
    for good in ("https://desk.example", "https://desk.example:8443", "http://localhost:8420", "http://127.0.0.1", "http://[::1]:1",
                 "https://[2001:db8::1]"):  # fmt: skip
        assert read_origin(good) == good
    for wrong in ("http://desk.example", "https://desk.example/", "https://Desk.example", "https://desk.example:0", "ftp://a", "desk",
                  "https://a@b", "https://a b", "https://a\n", "https://a/b", "https://", "null", "https://a?b", "https://é.example",
                  "http://localhost.evil", "https://" + "a" * 300):  # fmt: skip
        with pytest.raises(MalformedError):
            read_origin(wrong)


def test_strict_reading() -> None:
    """Another member, a missing one, a wrong type or a long lifetime: no challenge; likewise answers."""
    good = json.loads(ASKED.to_bytes())
    wrong = [
        {**good, "more": 1}, {key: value for key, value in good.items() if key != "nonce"}, {**good, "expires": 1100},
        {**good, "expires": 1000}, {**good, "issued": "1000"}, {**good, "issued": True}, {**good, "nonce": "00"},
        {**good, "name": ""}, {**good, "name": "a\u202eb"}, {**good, "purpose": "pay"}, {**good, "type": "weid-login-answer"}, [],
    ]  # fmt: skip
    for value in wrong:
        with pytest.raises(MalformedError):
            read_challenge(json.dumps(value).encode())
    held = json.loads(LoginAnswer(bytes(16), "did:key:z", bytes(64)).to_bytes())
    for value in ({**held, "signature": 1}, {**held, "did": None}, {**held, "nonce": "0"}, {**held, "x": 1}):
        with pytest.raises(MalformedError):
            read_answer(json.dumps(value).encode())
    for data in (b"", b"{", b"\xff", b" " * 5000, b'{"type":"weid-login-challenge","type":"x"}'):
        with pytest.raises(MalformedError):
            read_challenge(data)
