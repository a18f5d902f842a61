"""BBS: the vectors of the IRTF draft in both ciphersuites, the spellings that are refused, and who may sign what."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("py_arkworks_bls12381")

from credentials import bbs, bls12381
from credentials.bbs import BbsPublicKey, LocalBbsSigner, key_gen, prove, verify, verify_proof
from credentials.bls12381 import SHA_256, SHAKE_256, Ciphersuite
from weid.codec import multibase
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError
from weid.signing import CONTEXTS, ROLES

IRTF = json.loads((Path(__file__).parent / "data" / "bbs-irtf.json").read_text(encoding="utf-8"))
SUITES = {"bls12-381-sha-256": SHA_256, "bls12-381-shake-256": SHAKE_256}
MESSAGES = [bytes.fromhex(item) for item in IRTF["messages"]]
HEADER = b"header"


def seeded(suite: Ciphersuite, seed: bytes, count: int) -> Callable[[int], bytes]:
    """The draft's mocked random scalars (8.1), as a source of randomness."""
    data = suite.expand(seed, suite.api + b"MOCK_RANDOM_SCALARS_DST_", 48 * count)
    parts = iter([data[start : start + 48] for start in range(0, len(data), 48)])
    return lambda length: next(parts)


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(suite, case, IRTF[name]["seed"], id=f"{name}: {case['case']}")
        for name, suite in SUITES.items()
        for case in IRTF[name][kind]
    ]


def messages_of(case: dict[str, Any]) -> list[bytes]:
    return [MESSAGES[item] if isinstance(item, int) else bytes.fromhex(item) for item in case["messages"]]


@pytest.mark.parametrize("name", SUITES)
def test_keys_generators_and_scalars(name: str) -> None:
    """Key generation, the fixed point, the generators, message scalars and mocked randomness are the draft's."""
    suite, known = SUITES[name], IRTF[name]
    secret = key_gen(bytes.fromhex(known["keyMaterial"]), bytes.fromhex(known["keyInfo"]), suite)
    assert secret.hex() == known["secretKey"]
    assert LocalBbsSigner(secret, "k", "assert", suite).public_key.data.hex() == known["publicKey"]
    bases = bls12381.bases(10, suite)
    assert bls12381.octets([bases.fixed]).hex() == known["P1"]
    assert [bls12381.octets([point]).hex() for point in bases.points[:11]] == [known["Q1"], *known["generators"]]
    scalars = [bls12381.hash_to_scalar(suite, item, b"MAP_MSG_TO_SCALAR_AS_HASH_") for item in MESSAGES]
    assert [item.to_be_bytes().hex() for item in scalars] == known["scalars"]
    random = seeded(suite, bytes.fromhex(known["seed"]), 10)
    assert [bls12381.random_scalar(random).to_be_bytes().hex() for _ in range(10)] == known["mockedScalars"]


@pytest.mark.parametrize("suite, case, seed", cases("signatures"))
def test_signatures(suite: Ciphersuite, case: dict[str, Any], seed: str) -> None:
    """Valid ones verify and are made again to the octet; all others are refused."""
    key, header = BbsPublicKey(bytes.fromhex(case["publicKey"])), bytes.fromhex(case["header"])
    signature, messages = bytes.fromhex(case["signature"]), messages_of(case)
    if not case["valid"]:
        with pytest.raises(SignatureError):
            verify(key, signature, header, messages, suite)
        return
    verify(key, signature, header, messages, suite)
    name = next(name for name, known in SUITES.items() if known is suite)
    signer = LocalBbsSigner(bytes.fromhex(IRTF[name]["secretKey"]), "k", "assert", suite)
    assert signer.sign("data-integrity", header, messages) == signature


@pytest.mark.parametrize("suite, case, seed", cases("proofs"))
def test_proofs(suite: Ciphersuite, case: dict[str, Any], seed: str) -> None:
    """Valid ones verify and are made again to the octet with the draft's randomness; all others are refused."""
    key, header = BbsPublicKey(bytes.fromhex(case["publicKey"])), bytes.fromhex(case["header"])
    proof, messages, shown = bytes.fromhex(case["proof"]), messages_of(case), case["shown"]
    ph = bytes.fromhex(case["presentationHeader"])
    disclosed = [messages[place] for place in shown if place < len(messages)]
    if not case["valid"]:
        with pytest.raises(SignatureError):
            verify_proof(key, proof, header, disclosed, shown=shown, presentation_header=ph, suite=suite)
        return
    verify_proof(key, proof, header, disclosed, shown=shown, presentation_header=ph, suite=suite)
    random = seeded(suite, bytes.fromhex(seed), 5 + len(messages) - len(shown))
    again = prove(
        key, bytes.fromhex(case["signature"]), header, messages, shown=shown, presentation_header=ph, random=random, suite=suite
    )
    assert again == proof


@pytest.fixture(scope="module")
def signer() -> LocalBbsSigner:
    return LocalBbsSigner(key_gen(bytes(range(32))), "did:example:i#bbs", "assert")


def fresh(start: int = 0) -> Callable[[int], bytes]:
    """Different octets at every call, the same in every run."""
    count = iter(range(start, start + 10_000))
    return lambda length: SHAKE_256.expand(next(count).to_bytes(4, "big"), b"test", length)


def test_every_octet_of_a_proof_counts(signer: LocalBbsSigner) -> None:
    """A bit flipped in any octet, a cut, an addition: nothing of it verifies."""
    messages = MESSAGES[:4]
    signature = signer.sign("data-integrity", HEADER, messages)
    given: dict[str, Any] = {"shown": [1, 3], "presentation_header": b"ph"}
    proof = prove(signer.public_key, signature, HEADER, messages, random=fresh(), **given)
    shown = [messages[1], messages[3]]
    verify_proof(signer.public_key, proof, HEADER, shown, **given)
    mutants = [proof[:at] + bytes([proof[at] ^ (1 << at % 8)]) + proof[at + 1 :] for at in range(len(proof))]
    mutants += [proof[:-1], proof[:-32], proof + bytes(32), b"", proof[:144] + proof[176:], proof + proof[-32:]]
    for mutant in mutants:
        with pytest.raises(SignatureError):
            verify_proof(signer.public_key, mutant, HEADER, shown, **given)
    for changed in ({"shown": [0, 3]}, {"shown": [3, 1]}, {"shown": [1, 1]}, {"shown": [-1, 3]}, {"presentation_header": b""}):
        with pytest.raises(SignatureError):
            verify_proof(signer.public_key, proof, HEADER, shown, **{**given, **changed})
    for header, told in ((b"other", shown), (HEADER, shown[::-1]), (HEADER, shown[:1]), (HEADER, [*shown, b""])):
        with pytest.raises(SignatureError):
            verify_proof(signer.public_key, proof, header, told, **given)


def test_proofs_share_no_octets(signer: LocalBbsSigner) -> None:
    """Two proofs of one signature, showing the same, agree in no point and no number."""
    signature = signer.sign("data-integrity", HEADER, MESSAGES)
    made = [
        prove(signer.public_key, signature, HEADER, MESSAGES, shown=[2], presentation_header=b"", random=fresh(start))
        for start in (0, 5000)
    ]
    assert len(made[0]) == len(made[1]) == bbs.PROOF_FLOOR + 9 * 32
    cuts = [0, 48, 96, *range(144, len(made[0]) + 1, 32)]
    parts = [{data[a:b] for a, b in pairwise(cuts)} for data in made]
    assert not parts[0] & parts[1]
    assert signature[:48] not in made[0]
    assert signature[48:] not in made[0]


INFINITY = b"\xc0" + bytes(47)


@pytest.mark.parametrize(
    "point", [INFINITY, b"\xe0" + bytes(47), b"\xc0" + bytes(46) + b"\x01", bytes(48), b"\x40" + bytes(47), b"\xff" * 48]
)
def test_points_in_other_spellings(signer: LocalBbsSigner, point: bytes) -> None:
    """The identity in every spelling, uncompressed flags, coordinates beyond the field: the acceptance set is ours (R2)."""
    signature = signer.sign("data-integrity", HEADER, MESSAGES[:2])
    with pytest.raises(SignatureError):
        verify(signer.public_key, point + signature[48:], HEADER, MESSAGES[:2])
    with pytest.raises(KeyMaterialError):
        BbsPublicKey(point + bytes(48))


def test_points_outside_the_group() -> None:
    """A point of the curve that is not in the subgroup of prime order is refused."""
    found = 0
    for x in range(1, 60):
        try:
            bls12381.read_point(b"\x80" + bytes(46) + bytes([x]))
        except SignatureError:
            found += 1
    assert found == 59  # small x are on the curve for about half of all x, and in the subgroup for none


@pytest.mark.parametrize("number", [0, bls12381.ORDER, bls12381.ORDER + 1, 2**256 - 1])
def test_numbers_in_other_spellings(signer: LocalBbsSigner, number: int) -> None:
    """Zero and anything from r on are refused: one number, one spelling."""
    octets = number.to_bytes(32, "big")
    signature = signer.sign("data-integrity", HEADER, MESSAGES[:2])
    with pytest.raises(SignatureError):
        verify(signer.public_key, signature[:48] + octets, HEADER, MESSAGES[:2])
    with pytest.raises(KeyMaterialError):
        LocalBbsSigner(octets, "k", "assert")


def test_too_many_messages(signer: LocalBbsSigner) -> None:
    """A proof that claims more than a credential holds is refused before any arithmetic."""
    with pytest.raises(SignatureError):
        verify_proof(
            signer.public_key, bytes(bbs.PROOF_FLOOR + 32 * (bbs.MAX_MESSAGES + 1)), HEADER, [], shown=[], presentation_header=b""
        )
    with pytest.raises(SignatureError):
        signer.sign("data-integrity", HEADER, [b""] * (bbs.MAX_MESSAGES + 1))


@pytest.mark.parametrize("role", ROLES)
def test_signs_by_role(role: str) -> None:
    """R1: every role in every context; a BBS key signs foreign messages of its role and none of ours."""
    signer = LocalBbsSigner(key_gen(bytes(32)), "k", role)
    for name, context in CONTEXTS.items():
        if role in context.roles and not context.own:
            assert len(signer.sign(name, b"", [b"m"])) == bbs.SIGNATURE_BYTES
        else:
            with pytest.raises(SignatureError) as caught:
                signer.sign(name, b"", [b"m"])
            assert caught.value.code in ("wrong-role", "wrong-suite")
    with pytest.raises(SignatureError) as caught:
        signer.sign("anything", b"", [])
    assert caught.value.code == "unknown-context"


def test_multikey(signer: LocalBbsSigner) -> None:
    """A BBS multikey is read back; the multikey of another suite is not one."""
    text = signer.public_key.multikey()
    assert text.startswith("zUC7")
    assert BbsPublicKey.from_multikey(text) == signer.public_key
    for wrong, error in (
        ("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", UnknownSuiteError), ("u" + text[1:], MalformedError),
        (multibase(b"\xeb\x01" + signer.public_key.data[:-1]), KeyMaterialError), (text + "1" * 60, MalformedError),
    ):  # fmt: skip
        with pytest.raises(error):
            BbsPublicKey.from_multikey(wrong)
    assert "secret" not in repr(signer)
    with pytest.raises(KeyMaterialError):
        LocalBbsSigner(bytes(31) + b"\x01", "k", "nobody")
    with pytest.raises(KeyMaterialError):
        key_gen(bytes(31))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is not installed the error says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "py_arkworks_bls12381":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnknownSuiteError, match="weid\\[bbs\\]") as caught:
        LocalBbsSigner(bytes(31) + b"\x01", "k", "assert")
    assert caught.value.code == "bbs-not-installed"
