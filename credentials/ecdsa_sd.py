"""ecdsa-sd-2023: a credential of which its holder shows a part, signed with P-256 (vc-di-ecdsa 3.5, 3.6).

The issuer makes a *base* proof: a key pair for this one credential signs every statement that may be hidden, and the
issuer's key signs H(proof configuration) ‖ that public key ‖ H(mandatory statements). A *derived* proof repeats the
signatures of what is shown. So it is linkable: two showings carry the same signatures. credentials.bbs_2023 is not.

A base proof holds the key that hides the labels of blank nodes: it is for the holder alone and never verified here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from credentials import disclosing
from credentials.data_integrity import Proof, options_of, proof_options, with_proof
from weid import signing
from weid.canon import JSON
from weid.codec import b64u, unb64u, uvarint
from weid.errors import DisclosureError, KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError
from weid.keys import PublicKey, Signer
from weid.suites import Random, suite

__all__ = ["CRYPTOSUITE", "BaseValue", "DerivedValue", "derive", "read_base", "read_derived", "sign", "verify"]

CRYPTOSUITE: Final = "ecdsa-sd-2023"
_BASE, _DERIVED = b"\xd9\x5d\x00", b"\xd9\x5d\x01"
_SUITE: Final = suite("p256")
_PREFIX: Final = uvarint(_SUITE.multicodec)
_KEY_BYTES: Final = len(_PREFIX) + 33
_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class BaseValue:
    """The proof value between issuer and holder (vc-di-ecdsa 3.5.2)."""

    signature: bytes
    public_key: bytes
    hmac_key: bytes
    signatures: tuple[bytes, ...]
    mandatory: tuple[str, ...]

    def to_text(self) -> str:
        """Its multibase text."""
        parts = [self.signature, self.public_key, self.hmac_key, list(self.signatures), list(self.mandatory)]
        return disclosing.write_value(_BASE, parts)


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """The proof value a verifier sees (vc-di-ecdsa 3.5.7); `labels`: N of `c14nN` → the token that was signed."""

    signature: bytes
    public_key: bytes
    signatures: tuple[bytes, ...]
    labels: Mapping[int, str]
    mandatory: tuple[int, ...]

    def to_text(self) -> str:
        """Its multibase text."""
        labels = {place: _unlabel(label) for place, label in self.labels.items()}
        return disclosing.write_value(
            _DERIVED, [self.signature, self.public_key, list(self.signatures), labels, list(self.mandatory)]
        )


def read_base(data: bytes) -> BaseValue:
    """The octets of a base proof value, strictly; MalformedError."""
    signature, key, hmac_key, signatures, pointers = disclosing.read_value(data, _BASE, 5)
    return BaseValue(
        disclosing.read_octets(signature, _SIGNATURE_BYTES), disclosing.read_octets(key, _KEY_BYTES),
        disclosing.read_octets(hmac_key, disclosing.HMAC_BYTES), _signatures(signatures), disclosing.read_pointers(pointers),
    )  # fmt: skip


def read_derived(data: bytes) -> DerivedValue:
    """The octets of a derived proof value, strictly; MalformedError, `base-proof` for one that is not for verifiers."""
    if data.startswith(_BASE):
        raise MalformedError("a base proof is between issuer and holder: derive one to show", code="base-proof")
    signature, key, signatures, labels, mandatory = disclosing.read_value(data, _DERIVED, 5)
    if not isinstance(labels, dict) or not all(type(place) is int for place in labels):
        raise MalformedError("labels of blank nodes are a map of numbers", code="bad-proof-value")
    named = {place: f"_:u{b64u(disclosing.read_octets(label, disclosing.HMAC_BYTES))}" for place, label in labels.items()}
    return DerivedValue(
        disclosing.read_octets(signature, _SIGNATURE_BYTES), disclosing.read_octets(key, _KEY_BYTES),
        _signatures(signatures), named, disclosing.read_indexes(mandatory),
    )  # fmt: skip


def sign(
    document: Mapping[str, JSON],
    signer: Signer,
    *,
    created: str | None,
    mandatory: Sequence[str],
    random: Random,
    method: str | None = None,
    purpose: str = "assertionMethod",
    more: Mapping[str, JSON] | None = None,
) -> dict[str, JSON]:
    """The document with a base proof; `mandatory` are the JSON pointers of what is shown always (vc-di-ecdsa 3.6.1).

    `random` gives the HMAC key and then the secret of the credential's own key pair, which is forgotten here.
    """
    if signer.public_key.suite != "p256":
        raise UnknownSuiteError(f"{CRYPTOSUITE} signs with a key of p256")
    options = proof_options(CRYPTOSUITE, method or signer.kid, created=created, purpose=purpose, more=more)
    hmac_key = random(disclosing.HMAC_BYTES)
    groups = {"mandatory": mandatory}
    statements = disclosing.statements_of(document, disclosing.hmac_labels(hmac_key), groups)
    shown, others = disclosing.parted(statements.lines, statements.groups["mandatory"].indexes)
    secret = _SUITE.generate(random)
    public = _PREFIX + _SUITE.public(secret)
    config = disclosing.canonical_hash({**options, "@context": document.get("@context")})
    signature = signer.sign("data-integrity", _base_message(config, public, shown))
    signatures = tuple(_SUITE.sign(secret, line.encode("utf-8")) for line in others)
    value = BaseValue(signature, public, hmac_key, signatures, tuple(mandatory))
    return with_proof(document, {**options, "proofValue": value.to_text()})


def derive(document: Mapping[str, JSON], proof: Proof, pointers: Sequence[str]) -> dict[str, JSON]:
    """What the holder shows: the mandatory part, what the pointers choose, and a proof of both (vc-di-ecdsa 3.6.6).

    DisclosureError for a pointer that leads to nothing, or where nothing at all would be shown.
    """
    base = read_base(proof.signature)
    wanted = [*base.mandatory, *pointers]
    if not wanted:
        raise DisclosureError("nothing is chosen, and nothing is mandatory")
    statements = disclosing.statements_of(
        document, disclosing.hmac_labels(base.hmac_key), {"mandatory": base.mandatory, "combined": wanted}
    )
    mandatory, combined = statements.groups["mandatory"].indexes, statements.groups["combined"].indexes
    hidden = sorted(set(range(len(statements.lines))) - set(mandatory))
    if len(hidden) != len(base.signatures):
        raise MalformedError("the proof has not one signature for every statement", code="bad-proof-value")
    value = DerivedValue(
        base.signature,
        base.public_key,
        tuple(base.signatures[place] for place in disclosing.positions(combined, hidden)),
        disclosing.verifier_labels(statements, "combined"),
        tuple(disclosing.positions(mandatory, combined)),
    )
    shown = disclosing.select(document, wanted)
    return {**shown, "proof": {**proof.options, "proofValue": value.to_text()}}


def verify(document: Mapping[str, JSON], proof: Proof, key: PublicKey, role: str) -> None:
    """SignatureError unless `key`, in `role`, made the base proof of what this derived one shows (vc-di-ecdsa 3.6.7).

    MalformedError, `base-proof` among them, for a proof value that is not read.
    """
    if proof.cryptosuite != CRYPTOSUITE or key.suite != "p256":
        raise SignatureError("the key is not one for this cryptosuite", code="wrong-suite")
    if proof.previous:
        raise MalformedError(f"{CRYPTOSUITE} has no chains", code="unsupported")
    value = read_derived(proof.signature)
    lines = disclosing.relabelled(document, value.labels)
    mandatory, others = disclosing.parted(lines, value.mandatory)
    if len(others) != len(value.signatures):
        raise SignatureError("the proof has not one signature for every statement that is shown")
    config = disclosing.canonical_hash(options_of(document, proof))
    message = _base_message(config, value.public_key, mandatory)
    signing.verify(key, role, "data-integrity", message, value.signature)
    _require_statements(value.public_key, others, value.signatures)


def _base_message(config: bytes, public_key: bytes, mandatory: Sequence[str]) -> bytes:
    """What the issuer's key signs (serializeSignData, vc-di-ecdsa 3.5.1); 99 octets, so never another suite's hash data."""
    return config + public_key + disclosing.lines_hash(mandatory)


def _require_statements(public_key: bytes, lines: Sequence[str], signatures: Sequence[bytes]) -> None:
    """SignatureError unless the credential's own key signed each line.

    The one place that asks a suite directly and not the table of signed messages (R1): this key is nobody's verification
    method and has no role. It comes from beside the signatures, so it is worth nothing until the issuer's signature,
    checked before through the table, has said that it is this credential's.
    """
    if not public_key.startswith(_PREFIX):
        raise SignatureError("the key of the statements is not one of p256", code="wrong-suite")
    try:
        key = PublicKey("p256", public_key[len(_PREFIX) :])
    except KeyMaterialError as error:
        raise SignatureError("the key of the statements is not usable") from error
    for line, signature in zip(lines, signatures, strict=True):
        _SUITE.verify(key.data, line.encode("utf-8"), signature)


def _signatures(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise MalformedError("signatures are a list", code="bad-proof-value")
    return tuple(disclosing.read_octets(item, _SIGNATURE_BYTES) for item in value)


def _unlabel(label: str) -> bytes:
    return unb64u(label.removeprefix("_:u"))
