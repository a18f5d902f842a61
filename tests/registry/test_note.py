"""Signed notes, checkpoints, statements and the genesis file: strict texts, one spelling each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.checkpoint import Checkpoint, parse_checkpoint, print_checkpoint
from registry.genesis import FLOORS, Member, fingerprint, parse_genesis, print_genesis
from registry.note import (
    NoteKey,
    NoteSignature,
    parse_note,
    print_note,
    sign_note,
    verify_note,
    with_signature,
)  # fmt: skip
from registry.statement import Statement, parse_statement, print_statement, statement_digest
from tests.registry.world import World
from weid.canon import jcs, parse_json
from weid.codec import unb64
from weid.did import weid_did
from weid.errors import MalformedError, RegistryError, SignatureError, TrustError, WeidError
from weid.hashes import SHA256, SM3
from weid.keys import LocalSigner, PublicKey
from weid.suites import suite

SIGNERS = {
    "ed25519": LocalSigner(b"\1" * 32, "ed25519", "log", "log"),
    "sm2": LocalSigner(b"\1" * 32, "sm2", "log", "log"),
}


def test_the_published_example_comes_out_byte_for_byte() -> None:
    """The example key and note of the C2SP specification and its Go reference: signed, printed, read, verified."""
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    seed = unb64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    signer = LocalSigner(seed, "ed25519", "PeterNeumann", "log")
    note = sign_note(text, "PeterNeumann", signer)
    key = NoteKey("PeterNeumann", signer.public_key)
    verify_note(parse_note(print_note(note)), key, "log")

    assert print_note(note) == f"{text}\n{line}\n".encode()
    assert key.text() == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.mark.parametrize("suite", sorted(SIGNERS))
def test_notes_sign_and_verify(suite: str) -> None:
    """A note verifies under its name and key, and under no other."""
    signer = SIGNERS[suite]
    note = sign_note("hello\n\nworld\n", "log.example", signer)
    key = NoteKey("log.example", signer.public_key)
    again = parse_note(print_note(note))
    verify_note(again, key, "log")

    assert again == note
    assert key.text().startswith("log.example+")
    stranger = LocalSigner(b"\2" * 32, suite, "k", "log").public_key
    for other in (replace(key, name="other"), NoteKey("log.example", stranger)):
        with pytest.raises(TrustError):
            verify_note(note, other, "log")
    with pytest.raises(SignatureError):
        verify_note(replace(note, text="hello\n"), key, "log")


def test_cosignature_lines_are_kept() -> None:
    """Lines of keys we do not know stay, in order, and do not disturb ours."""
    signer = SIGNERS["ed25519"]
    note = with_signature(sign_note("text\n", "log", signer), NoteSignature("witness", b"1234", b"x" * 72))
    again = parse_note(print_note(note))

    verify_note(again, NoteKey("log", signer.public_key), "log")
    assert again.signatures[1] == NoteSignature("witness", b"1234", b"x" * 72)
    with pytest.raises(TrustError):
        verify_note(replace(note, signatures=note.signatures[:1] * 2), NoteKey("log", signer.public_key), "log")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"\n\n\xe2\x80\x94 a AAAAAAAA\n",
        b"text\n\n- a AAAAAAAAAA==\n",
        b"te\rxt\n\n\xe2\x80\x94 a AAAAAAAA\n",
        b"text\n\n\xe2\x80\x94 a AAAAAA==\n",
        b"text\n\n\xe2\x80\x94 a AAAAAAB=\n",
        b"text\n\n\xe2\x80\x94 a+b AAAAAAAA\n",
        b"text\n\n\xe2\x80\x94 a AAAAAAAA",
        b"\xff\n\n\xe2\x80\x94 a AAAAAAAA\n",
        b"text\n\n\xe2\x80\x94 a  AAAAAAAA\n",
        b"text\n\n" + b"\xe2\x80\x94 a AAAAAAAA\n" * 101,
        b"x" * ((1 << 20) + 1),
    ],
)
def test_malformed_notes_are_refused(data: bytes) -> None:
    """Whatever `print_note` would not print is no note."""
    with pytest.raises(MalformedError):
        parse_note(data)


@given(st.binary(max_size=200))
def test_note_reading_raises_nothing_else(data: bytes) -> None:
    """Any bytes are a note or a MalformedError; a note prints as it was read."""
    try:
        note = parse_note(data)
    except MalformedError:
        return
    assert print_note(note) == data


@given(st.text(max_size=60))
def test_texts_have_one_spelling(text: str) -> None:
    """Checkpoints and statements read exactly what they print."""
    for read, write in ((parse_checkpoint, print_checkpoint), (parse_statement, print_statement)):
        try:
            value = read(text)
        except MalformedError:
            continue
        assert write(value) == text  # type: ignore[operator]


@pytest.mark.parametrize("size", ["01", "-1", "+1", " 1", "1 ", "", "x", "９", str(1 << 63), "1" * 5_000])
def test_checkpoint_sizes_are_plain_decimals(size: str) -> None:
    """Leading zeroes, signs, spaces and other digits are refused."""
    good = print_checkpoint(Checkpoint("log", 7, bytes(32)))
    assert parse_checkpoint(good) == Checkpoint("log", 7, bytes(32))

    with pytest.raises(MalformedError):
        parse_checkpoint(good.replace("\n7\n", f"\n{size}\n"))
    with pytest.raises(MalformedError):
        parse_checkpoint(good + "extension\n")


def test_statements_round_trip() -> None:
    """A statement has eight lines; its digest depends on the profile's hash."""
    statement = Statement("log", b"\1" * 32, 5, b"\2" * 32, b"\3" * 32, b"\4" * 32, 29_900_000)
    text = print_statement(statement)

    assert parse_statement(text) == statement
    assert statement_digest(statement, hash=SHA256) != statement_digest(statement, hash=SM3)
    for bad in (text[:-1], text.replace("04" * 32, "-"), text.upper(), text.replace("v1", "v2"), text + "\n"):
        with pytest.raises(MalformedError):
            parse_statement(bad)


# --- genesis (R19) --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["intl", "gm", "both"])
def test_genesis_round_trips(tmp_path: Path, profile: str) -> None:
    """One file, canonical; its digest under the profile's hash is the pin."""
    genesis = World(tmp_path, profile=profile).genesis
    data = print_genesis(genesis)

    assert parse_genesis(data) == genesis
    assert genesis.digest == (SM3 if profile == "gm" else SHA256)(data)
    assert len(fingerprint(genesis.digest).split()) == 8


def test_unknown_profiles_are_named(world: World) -> None:
    """Refused by name, never half run."""
    with pytest.raises(RegistryError) as caught:
        print_genesis(replace(world.genesis, profile="x"))
    assert caught.value.code == "unknown-profile"


def test_two_trees_have_a_twin_key(world: World, tmp_path: Path) -> None:
    """`both` without an SM2 key of its own for the second tree is no profile, nor is one tree with such a key."""
    both = World(tmp_path, name="two", profile="both").genesis
    for genesis in (
        replace(world.genesis, profile="both"), replace(world.genesis, twin=both.twin), replace(both, twin=None),
        replace(both, twin=world.genesis.log), replace(both, state=both.twin), replace(both, profile="intl"),
    ):  # fmt: skip
        with pytest.raises(MalformedError):
            print_genesis(genesis)


def test_genesis_rules(world: World) -> None:
    """Floors that are 0 or unreachable, foreign members, shared keys and empty committees are refused (R24)."""
    genesis, member = world.genesis, world.genesis.committee[0]
    floors: Callable[[int], Any] = lambda n: MappingProxyType({**dict.fromkeys(FLOORS, 1), "role": n})  # noqa: E731
    stranger = World(world.folder, name="stranger").genesis.committee[0]
    wrong: list[dict[str, Any]] = [
        {"floors": floors(0)}, {"floors": floors(2)}, {"floors": MappingProxyType({})}, {"committee": ()},
        {"committee": (member, member)}, {"committee": (replace(member, did=stranger.did),)},
        {"committee": (replace(member, weight=0),)}, {"committee": (replace(member, name=" "),)},
        {"state": genesis.log}, {"operator": genesis.log}, {"origin": "with space"}, {"chain": 0},
        {"first_tick": -1}, {"profile": "gm"}, {"log": LocalSigner(b"\1" * 32, "p256", "k", "log").public_key},
    ]  # fmt: skip
    for change in wrong:
        with pytest.raises(WeidError):
            print_genesis(replace(genesis, **change))
    assert isinstance(member, Member)


@pytest.mark.parametrize("name", ["p384", "p521", "ml-dsa-44"])
@pytest.mark.parametrize("place", ["log", "state", "operator", "committee"])
def test_genesis_keys_sign_64_bytes(world: World, name: str, place: str) -> None:
    """`wrong-suite`: no key of a genesis has a suite that operations and notes cannot carry (R2)."""
    key = PublicKey(name, suite(name).public(b"\0" + b"\1" * (suite(name).secret_bytes - 1)))
    member = Member(str(weid_did(world.genesis.chain, key)), "Member", 1, key)
    change: dict[str, Any] = {place: (member,) if place == "committee" else key}
    with pytest.raises(MalformedError, match=name) as caught:
        print_genesis(replace(world.genesis, **change))
    assert caught.value.code == "wrong-suite"


def test_genesis_files_are_canonical(world: World) -> None:
    """Another order, a space, or a member more, fewer or of another type is refused."""
    data = print_genesis(world.genesis)
    value = parse_json(data)
    assert isinstance(value, dict)
    bad = [data + b"\n", b" " + data, b"[]", b"{}", jcs({**value, "extra": 1})]
    for name in value:
        bad += [jcs({k: v for k, v in value.items() if k != name}), jcs({**value, name: None})]
        bad.append(jcs({**value, name: [[]]}))
    for changed in bad:
        with pytest.raises(WeidError):
            parse_genesis(changed)
