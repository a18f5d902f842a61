"""BBS signatures: one signature over many messages, and proofs that show some of them (draft-irtf-cfrg-bbs-signatures-09).

A proof is a fresh zero-knowledge proof that its maker has the signature: two proofs share no octets, so nobody can tell
that they come from one credential. BBS keys sign vectors of messages, so they are a kind of their own and no `Suite`; they
sign by the table of signed messages all the same (R1), and only what that table calls foreign.

**Signing is not constant-time** (neither arkworks nor Python is): who can time an issuer's machine closely and often may
learn its key. So a BBS key is made and used only where somebody asks for it. Checking touches no secret at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

from credentials import bls12381 as bls
from credentials.bls12381 import MAX_MESSAGES, SHA_256, SHAKE_256, Bases, Ciphersuite
from weid.codec import multibase, read_uvarint, unmultibase, uvarint
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError
from weid.signing import CONTEXTS, ROLES, require_role
from weid.suites import Random

if TYPE_CHECKING:
    from py_arkworks_bls12381 import G1Point, Scalar

__all__ = [
    "MAX_MESSAGES", "PROOF_FLOOR", "SHA_256", "SHAKE_256", "SIGNATURE_BYTES", "BbsPublicKey", "BbsSigner", "LocalBbsSigner",
    "Statement", "commitment", "hidden_in", "key_gen", "prove", "prove_scalars", "require_places", "to_scalars", "verify",
    "verify_proof", "verify_scalars", "verify_scalars_signed",
]  # fmt: skip

SIGNATURE_BYTES: Final = 80
PROOF_FLOOR: Final = 3 * 48 + 4 * 32
"""The length of a proof that hides nothing; every hidden message adds 32."""

_MULTICODEC: Final = 0xEB
_LONGEST_MULTIKEY: Final = 150


@dataclass(frozen=True, slots=True)
class BbsPublicKey:
    """A BBS public key that is canonical and in its group (R2); KeyMaterialError for anything else."""

    data: bytes

    def __post_init__(self) -> None:
        bls.read_key(self.data)

    @classmethod
    def from_multikey(cls, text: str) -> BbsPublicKey:
        """The key of a 'z…' text (vc-di-bbs 2.1.1); MalformedError, UnknownSuiteError or KeyMaterialError."""
        if not isinstance(text, str) or text[:1] != "z" or len(text) > _LONGEST_MULTIKEY:
            raise MalformedError(f"a BBS multikey starts with z and has at most {_LONGEST_MULTIKEY} characters", code="multikey")
        data = unmultibase(text)
        code, start = read_uvarint(data)
        if code != _MULTICODEC:
            raise UnknownSuiteError(f"multicodec 0x{code:x} is not that of a BBS key")
        return cls(data[start:])

    def multikey(self) -> str:
        """The 'z…' text (Controlled Identifiers 1.0, 2.2.2)."""
        return multibase(uvarint(_MULTICODEC) + self.data)


class BbsSigner(Protocol):
    """Whoever holds a BBS secret, as `weid.keys.Signer` is for the other keys."""

    @property
    def kid(self) -> str:
        """The id of the verification method."""
        ...

    @property
    def public_key(self) -> BbsPublicKey:
        """The key that verifies."""
        ...

    def sign(self, context: str, header: bytes, messages: Sequence[bytes]) -> bytes:
        """The signature; SignatureError for a context that is not in the table, is ours, or is not for this role (R1)."""
        ...


class LocalBbsSigner:
    """A BBS signer with its secret in memory; it asks the table of signed messages before it signs (R1)."""

    __slots__ = ("_kid", "_public_key", "_role", "_secret", "_suite")

    def __init__(self, secret: bytes, kid: str, role: str, suite: Ciphersuite = SHA_256) -> None:
        if role not in ROLES:
            raise KeyMaterialError(f"unknown key role {role!r}", code="unknown-role")
        self._secret, self._kid, self._role, self._suite = bls.read_secret(secret), kid, role, suite
        self._public_key = BbsPublicKey((bls.arkworks().G2Point() * self._secret).to_compressed_bytes())

    @property
    def kid(self) -> str:
        """The id of the verification method."""
        return self._kid

    @property
    def role(self) -> str:
        """The one role of the key."""
        return self._role

    @property
    def public_key(self) -> BbsPublicKey:
        """The key that verifies."""
        return self._public_key

    def sign(self, context: str, header: bytes, messages: Sequence[bytes]) -> bytes:
        """The signature; SignatureError for a context that is not in the table, is ours, or is not for this role (R1)."""
        require_role(self._role, context)
        if CONTEXTS[context].own:
            raise SignatureError("a BBS key signs vectors of messages, none of our own formats", code="wrong-suite")
        return _sign(self._secret, self._public_key, header, messages, self._suite)

    def __repr__(self) -> str:
        return f"LocalBbsSigner(kid={self._kid!r}, role={self._role!r})"


def key_gen(material: bytes, info: bytes = b"", suite: Ciphersuite = SHA_256) -> bytes:
    """The secret that belongs to at least 32 octets of fresh randomness (KeyGen, 3.4.1)."""
    if len(material) < 32 or len(info) > 65535:
        raise KeyMaterialError("a BBS secret needs at least 32 octets of key material")
    return bls.hash_to_scalar(suite, material + len(info).to_bytes(2, "big") + info, b"KEYGEN_DST_").to_be_bytes()


def verify(key: BbsPublicKey, signature: bytes, header: bytes, messages: Sequence[bytes], suite: Ciphersuite = SHA_256) -> None:
    """SignatureError unless `key` signed this header and these messages, in this order (Verify, 3.5.2)."""
    verify_scalars_signed(key, signature, header, to_scalars(messages, suite), bls.bases(len(messages), suite), suite)


def verify_scalars_signed(
    key: BbsPublicKey, signature: bytes, header: bytes, scalars: Sequence[Scalar], bases: Bases, suite: Ciphersuite
) -> None:
    """CoreVerify (3.6.2): SignatureError unless `key` signed this header and these scalars."""
    _, base = commitment(key, header, scalars, bases, suite)
    _require_signature(key, *_read_signature(signature), base)


def prove(
    key: BbsPublicKey,
    signature: bytes,
    header: bytes,
    messages: Sequence[bytes],
    *,
    shown: Sequence[int],
    presentation_header: bytes,
    random: Random,
    suite: Ciphersuite = SHA_256,
) -> bytes:
    """A proof that shows the messages at the ascending places `shown` (ProofGen, 3.5.3); SignatureError for a bad signature.

    `random` is asked for 48 octets at a time. Octets that are guessed or used twice give the hidden messages away.
    """
    statement = Statement(key, header, presentation_header, bls.bases(len(messages), suite), suite)
    return prove_scalars(statement, signature, to_scalars(messages, suite), shown, random)


def verify_proof(
    key: BbsPublicKey,
    proof: bytes,
    header: bytes,
    messages: Sequence[bytes],
    *,
    shown: Sequence[int],
    presentation_header: bytes,
    suite: Ciphersuite = SHA_256,
) -> None:
    """SignatureError unless its maker has a signature by `key` over these messages at the places `shown` (ProofVerify, 3.5.4).

    How many messages are hidden follows from the proof's length.
    """
    count = len(shown) + hidden_in(proof)
    statement = Statement(key, header, presentation_header, bls.bases(count, suite), suite)
    verify_scalars(statement, proof, to_scalars(messages, suite), shown)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a proof is about besides its messages. `nym` are a pseudonym and its base; the last message is then the secret."""

    key: BbsPublicKey
    header: bytes
    presentation_header: bytes
    bases: Bases
    suite: Ciphersuite
    nym: tuple[G1Point, G1Point] | None = None


def hidden_in(proof: bytes) -> int:
    """How many messages a proof of this length hides; SignatureError for a length that no proof has."""
    if not PROOF_FLOOR <= len(proof) <= PROOF_FLOOR + 32 * MAX_MESSAGES or (len(proof) - PROOF_FLOOR) % 32:
        raise SignatureError("a BBS proof has no such length")
    return (len(proof) - PROOF_FLOOR) // 32


def prove_scalars(
    statement: Statement, signature: bytes, scalars: Sequence[Scalar], shown: Sequence[int], random: Random
) -> bytes:
    """CoreProofGen (3.6.3) over messages that are scalars already; SignatureError for a bad signature."""
    require_places(shown, len(scalars))
    bases, suite, (point, e) = statement.bases, statement.suite, _read_signature(signature)
    domain, base = commitment(statement.key, statement.header, scalars, bases, suite)
    _require_signature(statement.key, point, e, base)
    hidden = sorted(set(range(len(scalars))) - set(shown))
    r1, r2, e_blind, r1_blind, r3_blind, *blinds = (bls.random_scalar(random) for _ in range(5 + len(hidden)))
    d = base * r2
    a_bar = point * (r1 * r2)
    b_bar = d * r1 - a_bar * e
    t1 = bls.weighted_sum([a_bar, d], [e_blind, r1_blind])
    t2 = bls.weighted_sum([d, *(bases.points[place + 1] for place in hidden)], [r3_blind, *blinds])
    points = [a_bar, b_bar, d, t1, t2]
    if statement.nym is not None:
        pseudonym, origin = statement.nym
        points += [pseudonym, origin, origin * blinds[-1]]
    challenge = _challenge(points, domain, [(place, scalars[place]) for place in shown], statement.presentation_header, suite)
    answers = [e_blind + e * challenge, r1_blind - r1 * challenge, r3_blind - r2.inverse() * challenge]
    answers += [blind + scalars[place] * challenge for blind, place in zip(blinds, hidden, strict=True)]
    return bls.octets([a_bar, b_bar, d]) + b"".join(scalar.to_be_bytes() for scalar in (*answers, challenge))


def verify_scalars(statement: Statement, proof: bytes, scalars: Sequence[Scalar], shown: Sequence[int]) -> None:
    """CoreProofVerify (3.6.4): SignatureError unless the proof holds for these shown messages."""
    (a_bar, b_bar, d), (e, r1, r3, *answers, challenge) = _read_proof(proof)
    count, bases, suite = len(shown) + len(answers), statement.bases, statement.suite
    if len(scalars) != len(shown):
        raise SignatureError("the BBS proof is not one for so many messages")
    require_places(shown, count)
    hidden = sorted(set(range(count)) - set(shown))
    domain = _domain(statement.key, statement.header, count, bases, suite)
    t1 = bls.weighted_sum([b_bar, a_bar, d], [challenge, e, r1])
    known = bases.fixed + bls.weighted_sum([bases.points[0], *(bases.points[place + 1] for place in shown)], [domain, *scalars])
    t2 = bls.weighted_sum([known, d, *(bases.points[place + 1] for place in hidden)], [challenge, r3, *answers])
    points = [a_bar, b_bar, d, t1, t2]
    if statement.nym is not None:
        pseudonym, origin = statement.nym
        points += [pseudonym, origin, origin * answers[-1] - pseudonym * challenge]
    disclosed = list(zip(shown, scalars, strict=True))
    if challenge != _challenge(points, domain, disclosed, statement.presentation_header, suite):
        raise SignatureError("the BBS proof does not verify")
    ark = bls.arkworks()
    if not ark.GT.pairing_check([a_bar, b_bar], [bls.read_key(statement.key.data), -ark.G2Point()]):
        raise SignatureError("the BBS proof does not verify")


def _sign(secret: Scalar, key: BbsPublicKey, header: bytes, messages: Sequence[bytes], suite: Ciphersuite) -> bytes:
    """Sign (3.5.1): deterministic, so no weak random source can give the key away."""
    scalars = to_scalars(messages, suite)
    domain, base = commitment(key, header, scalars, bls.bases(len(scalars), suite), suite)
    e = bls.hash_to_scalar(suite, b"".join(scalar.to_be_bytes() for scalar in (secret, *scalars, domain)), b"H2S_")
    return (base * (secret + e).inverse()).to_compressed_bytes() + e.to_be_bytes()


def _require_signature(key: BbsPublicKey, point: G1Point, e: Scalar, base: G1Point) -> None:
    ark = bls.arkworks()
    if not ark.GT.pairing_check([point, point * e - base], [bls.read_key(key.data), ark.G2Point()]):
        raise SignatureError("the BBS signature does not verify")


def commitment(
    key: BbsPublicKey, header: bytes, scalars: Sequence[Scalar], bases: Bases, suite: Ciphersuite, signed: int | None = None
) -> tuple[Scalar, G1Point]:
    """(domain, B = P1 + Q1·domain + H1·m1 + …), which a signature is over (3.6.1).

    `signed` is the number of all messages, where the last ones are in a commitment that is added to B.
    """
    domain = _domain(key, header, len(scalars) if signed is None else signed, bases, suite)
    return domain, bases.fixed + bls.weighted_sum(bases.points[: len(scalars) + 1], [domain, *scalars])


def _domain(key: BbsPublicKey, header: bytes, count: int, bases: Bases, suite: Ciphersuite) -> Scalar:
    """The scalar that binds key, number of messages and header (calculate_domain, 4.2.3)."""
    points = bases.octets[: 48 * (count + 1)]
    data = key.data + count.to_bytes(8, "big") + points + suite.api + len(header).to_bytes(8, "big") + header
    return bls.hash_to_scalar(suite, data, b"H2S_")


def _challenge(
    points: Sequence[G1Point], domain: Scalar, shown: Sequence[tuple[int, Scalar]], presentation_header: bytes, suite: Ciphersuite
) -> Scalar:
    """The challenge, a hash of everything the proof is about (ProofChallengeCalculate, 3.7.4)."""
    messages = b"".join(place.to_bytes(8, "big") + scalar.to_be_bytes() for place, scalar in shown)
    data = len(shown).to_bytes(8, "big") + messages + bls.octets(points) + domain.to_be_bytes()
    header = len(presentation_header).to_bytes(8, "big") + presentation_header
    return bls.hash_to_scalar(suite, data + header, b"H2S_")


def to_scalars(messages: Sequence[bytes], suite: Ciphersuite) -> list[Scalar]:
    """messages_to_scalars (4.1.2)."""
    return [bls.hash_to_scalar(suite, message, b"MAP_MSG_TO_SCALAR_AS_HASH_") for message in messages]


def _read_signature(data: bytes) -> tuple[G1Point, Scalar]:
    """octets_to_signature (4.2.4.3)."""
    if len(data) != SIGNATURE_BYTES:
        raise SignatureError(f"a BBS signature has {SIGNATURE_BYTES} octets")
    return bls.read_point(data[:48]), bls.read_scalar(data[48:])


def _read_proof(data: bytes) -> tuple[list[G1Point], list[Scalar]]:
    """octets_to_proof (4.2.4.5)."""
    hidden_in(data)
    points = [bls.read_point(data[start : start + 48]) for start in (0, 48, 96)]
    return points, [bls.read_scalar(data[start : start + 32]) for start in range(144, len(data), 32)]


def require_places(shown: Sequence[int], count: int) -> None:
    if any(not 0 <= place < count for place in shown) or any(before >= after for before, after in pairwise(shown)):
        raise SignatureError("the places of shown messages ascend and stay within their number")
