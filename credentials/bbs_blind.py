"""BBS over secrets that the signer never sees, and pseudonyms made of them.

Blind signatures are those of draft-irtf-cfrg-bbs-blind-signatures as of January 2025, pseudonyms those of
draft-irtf-cfrg-bbs-per-verifier-linkability as of March 2025: the states that the official vectors of vc-di-bbs were made
with. Later drafts sign other octets; nothing here reads those.

A holder commits to its secrets and proves that it knows them; the signer signs the commitment with its own messages. A
proof can then be made only by who has the signature *and* the secrets, so a stolen credential shows nothing. A pseudonym
is the same for every showing in one domain, and without relation to that of another domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from credentials import bbs
from credentials import bls12381 as bls
from credentials.bbs import BbsPublicKey, BbsSigner, LocalBbsSigner, Statement
from credentials.bls12381 import SHA_256, Bases, Ciphersuite
from weid.errors import KeyMaterialError, MalformedError, SignatureError
from weid.signing import require_role
from weid.suites import Random

if TYPE_CHECKING:
    from py_arkworks_bls12381 import G1Point, Scalar

__all__ = [
    "MAX_DOMAIN", "BlindSigner", "LocalBlindSigner", "Secrets", "commit", "fresh_number", "prove", "pseudonym_in",
    "secrets_committed", "verify_proof", "verify_signature",
]  # fmt: skip

MAX_DOMAIN: Final = 1024
SCALAR_BYTES: Final = 32
_BLIND: Final = b"BLIND_H2G_HM2S_"
_PSEUDONYM: Final = b"H2G_HM2S_PSEUDONYM_"
_MAX_SECRETS: Final = 2
_COMMITMENT_FLOOR: Final = 48 + 2 * SCALAR_BYTES


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the holder keeps: the blinding of its commitment, the secret it is bound to, its part of the pseudonym's secret."""

    blind: bytes = field(repr=False)
    holder: bytes | None = field(default=None, repr=False)
    nym: bytes | None = field(default=None, repr=False)

    @property
    def count(self) -> int:
        """How many secrets are committed to, the blinding aside."""
        return (self.holder is not None) + (self.nym is not None)


class BlindSigner(BbsSigner, Protocol):
    """A BBS signer that also signs commitments."""

    def sign_blind(
        self, context: str, header: bytes, messages: Sequence[bytes], commitment: bytes, entropy: bytes | None
    ) -> bytes:
        """The signature; SignatureError for a commitment whose maker does not know what is in it, or as `sign`."""
        ...


class LocalBlindSigner(LocalBbsSigner):
    """A BBS signer in memory that also signs commitments; it asks the table of signed messages before it signs (R1)."""

    __slots__ = ()

    def sign_blind(
        self, context: str, header: bytes, messages: Sequence[bytes], commitment: bytes, entropy: bytes | None
    ) -> bytes:
        """BlindSign, and with the signer's `entropy` BlindSignWithNym; as `BlindSigner.sign_blind`."""
        require_role(self._role, context)
        if context != "data-integrity":
            raise SignatureError("a BBS key signs vectors of messages, none of our own formats", code="wrong-suite")
        suite, count = _suite(entropy is not None), secrets_committed(commitment)
        point = _opened(commitment, count, suite)
        bases, scalars = _bases(len(messages), count, suite), bbs.to_scalars(messages, suite)
        # the commitment stands for the blinding and the secrets: their places are the last ones
        _, base = bbs.commitment(self._public_key, header, scalars, bases, suite, signed=len(scalars) + count + 1)
        base = base + point
        if entropy is not None:
            base = base + bases.points[len(scalars) + count + 1] * _scalar(entropy)
        e = bls.hash_to_scalar(suite, self._secret.to_be_bytes() + bls.octets([base]), b"H2S_")
        return (base * (self._secret + e).inverse()).to_compressed_bytes() + e.to_be_bytes()


def commit(*, holder: bytes | None = None, nym: bytes | None = None, random: Random) -> tuple[bytes, Secrets]:
    """(commitment with the proof that its maker knows what is in it, the holder's secrets) (Commit, CommitWithNym).

    `holder` is any octets, `nym` a number from 1 to r - 1 in 32 octets; KeyMaterialError for another, or for neither.
    """
    suite = _suite(nym is not None)
    scalars = _committed(Secrets(b"", holder, nym), suite)
    if not scalars:
        raise KeyMaterialError("nothing to commit to")
    blind, *blinds = (bls.random_scalar(random) for _ in range(len(scalars) + 2))
    points = _blind_bases(len(scalars), suite)
    made = bls.weighted_sum(points, [blind, *scalars])
    challenge = _challenge(made, bls.weighted_sum(points, blinds), points, suite)
    answers = [mask + scalar * challenge for mask, scalar in zip(blinds, [blind, *scalars], strict=True)]
    octets = bls.octets([made]) + b"".join(scalar.to_be_bytes() for scalar in (*answers, challenge))
    return octets, Secrets(blind.to_be_bytes(), holder, nym)


def fresh_number(random: Random) -> bytes:
    """A signer's entropy: a number from 0 to r - 1 in 32 octets, never 0 but by a chance of 2^-255."""
    return bls.random_scalar(random).to_be_bytes()


def secrets_committed(commitment: bytes) -> int:
    """How many secrets are in a commitment; SignatureError for a length that none has."""
    count, rest = divmod(len(commitment) - _COMMITMENT_FLOOR, SCALAR_BYTES)
    if rest or not 1 <= count <= _MAX_SECRETS:
        raise SignatureError("a commitment has no such length")
    return count


def verify_signature(
    key: BbsPublicKey, signature: bytes, header: bytes, messages: Sequence[bytes], secrets: Secrets, entropy: bytes | None
) -> None:
    """SignatureError unless `key` signed these messages and the holder's secrets (VerifyBlindSign, VerifyFinalizeWithNym)."""
    suite = _suite(secrets.nym is not None)
    scalars = [*bbs.to_scalars(messages, suite), *_hidden(secrets, entropy, suite)]
    bbs.verify_scalars_signed(key, signature, header, scalars, _bases(len(messages), secrets.count, suite), suite)


def prove(
    key: BbsPublicKey,
    signature: bytes,
    header: bytes,
    messages: Sequence[bytes],
    secrets: Secrets,
    *,
    entropy: bytes | None,
    domain: bytes | None,
    shown: Sequence[int],
    presentation_header: bytes,
    random: Random,
) -> tuple[bytes, bytes | None]:
    """(proof, pseudonym for `domain`) (BlindProofGen, ProofGenWithNym); SignatureError for a bad signature."""
    suite = _suite(secrets.nym is not None)
    bbs.require_places(shown, len(messages))
    scalars = [*bbs.to_scalars(messages, suite), *_hidden(secrets, entropy, suite)]
    nym = None
    if secrets.nym is not None:
        origin = _origin(domain, suite)
        nym = (origin * scalars[-1], origin)
    bases = _bases(len(messages), secrets.count, suite)
    statement = Statement(key, header, presentation_header, bases, suite, nym)
    proof = bbs.prove_scalars(statement, signature, scalars, shown, random)
    return proof, None if nym is None else bls.octets(nym[:1])


def verify_proof(
    key: BbsPublicKey,
    proof: bytes,
    header: bytes,
    messages: Sequence[bytes],
    *,
    count: int,
    secrets: int,
    nym: tuple[bytes, bytes] | None,
    shown: Sequence[int],
    presentation_header: bytes,
) -> None:
    """SignatureError unless its maker has a signature by `key` over `count` messages and so many secrets, and knows these.

    `nym` are (pseudonym, domain): it is then made of the last of the secrets that were signed (ProofVerifyWithNym).
    """
    suite = _suite(nym is not None)
    if len(shown) + bbs.hidden_in(proof) != count + 1 + secrets:
        raise SignatureError("the BBS proof does not hide what it says")
    bbs.require_places(shown, count)
    points = None if nym is None else (pseudonym_in(nym[0]), _origin(nym[1], suite))
    statement = Statement(key, header, presentation_header, _bases(count, secrets, suite), suite, points)
    bbs.verify_scalars(statement, proof, bbs.to_scalars(messages, suite), shown)


def pseudonym_in(data: bytes) -> G1Point:
    """A pseudonym: a point in its one spelling, neither the identity nor the base point; SignatureError."""
    point = bls.read_point(data)
    if point == bls.arkworks().G1Point():
        raise SignatureError("no pseudonym is the base point")
    return point


def _suite(nym: bool) -> Ciphersuite:
    return replace(SHA_256, interface=_PSEUDONYM if nym else _BLIND)


def _bases(count: int, secrets: int, suite: Ciphersuite) -> Bases:
    """Q1 and generators of the messages, then Q2 and generators of the secrets."""
    plain, blind = bls.bases(count, suite), bls.bases(secrets, _blind_suite(suite))
    points = plain.points[: count + 1] + blind.points[: secrets + 1]
    return Bases(plain.fixed, points, plain.octets[: 48 * (count + 1)] + blind.octets[: 48 * (secrets + 1)])


def _blind_bases(secrets: int, suite: Ciphersuite) -> tuple[G1Point, ...]:
    return bls.bases(secrets, _blind_suite(suite)).points[: secrets + 1]


def _blind_suite(suite: Ciphersuite) -> Ciphersuite:
    return replace(suite, id=b"BLIND_" + suite.id)


def _committed(secrets: Secrets, suite: Ciphersuite) -> list[Scalar]:
    holder = [] if secrets.holder is None else bbs.to_scalars([secrets.holder], suite)
    return holder if secrets.nym is None else [*holder, _scalar(secrets.nym)]


def _hidden(secrets: Secrets, entropy: bytes | None, suite: Ciphersuite) -> list[Scalar]:
    """The blinding and the secrets as they were signed: the signer's entropy is added to the pseudonym's."""
    if (secrets.nym is None) != (entropy is None):
        raise SignatureError("a pseudonym is made of a secret of the holder and entropy of the signer")
    found = [_scalar(secrets.blind), *_committed(secrets, suite)]
    return found if entropy is None else [*found[:-1], found[-1] + _scalar(entropy)]


def _scalar(data: bytes) -> Scalar:
    """KeyMaterialError unless a number from 1 to r - 1 in 32 octets."""
    return bls.read_secret(data)


def _origin(domain: bytes | None, suite: Ciphersuite) -> G1Point:
    """The point that a domain stands for; each has one, and none knows another's logarithm to it."""
    if not domain or len(domain) > MAX_DOMAIN:
        raise MalformedError(f"a pseudonym has a domain of 1 to {MAX_DOMAIN} octets", code="no-domain")
    return suite.to_curve(domain, suite.api)


def _opened(commitment: bytes, count: int, suite: Ciphersuite) -> G1Point:
    """The point of a commitment whose maker knows what is in it (CoreCommitVerify); SignatureError."""
    point, points = bls.read_point(commitment[:48]), _blind_bases(count, suite)
    numbers = [bls.read_scalar(commitment[start : start + 32]) for start in range(48, len(commitment), SCALAR_BYTES)]
    *answers, challenge = numbers
    masked = bls.weighted_sum([*points, point], [*answers, -challenge])
    if _challenge(point, masked, points, suite) != challenge:
        raise SignatureError("the commitment is not proven")
    return point


def _challenge(point: G1Point, masked: G1Point, points: Sequence[G1Point], suite: Ciphersuite) -> Scalar:
    data = (len(points) - 1).to_bytes(8, "big") + bls.octets([*points, point, masked])
    return bls.hash_to_scalar(suite, data, b"H2S_")
