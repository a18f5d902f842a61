"""bbs-2023: a credential of which its holder shows a part, unlinkably (vc-di-bbs 3.3, 3.4).

One BBS signature covers the header H(proof configuration) ‖ H(mandatory statements) and, as messages, every statement that
may be hidden. A derived proof is made anew for each showing and shares no octets with any other. What is *shown* may still
link: so mandatory statements and proof options should be the same for everybody, and holders get no ids.

A base proof holds the signature itself: it is for the holder alone and never verified here. The optional features (holder
binding, pseudonyms) have headers of their own; their drafts still move, and they are refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from credentials import bbs, disclosing
from credentials.bbs import BbsPublicKey, BbsSigner
from credentials.bls12381 import PUBLIC_BYTES
from credentials.data_integrity import BBS, Proof, options_of, proof_options, with_proof
from weid.canon import JSON
from weid.errors import DisclosureError, MalformedError, SignatureError
from weid.signing import require_role
from weid.suites import Random

__all__ = ["CRYPTOSUITE", "BaseValue", "DerivedValue", "derive", "read_base", "read_derived", "sign", "verify"]

CRYPTOSUITE: Final = BBS
_BASE, _DERIVED = b"\xd9\x5d\x02", b"\xd9\x5d\x03"
_FEATURES: Final = {
    4: "anonymous holder binding", 5: "anonymous holder binding", 6: "pseudonyms", 7: "pseudonyms",
    8: "holder binding with pseudonyms", 9: "holder binding with pseudonyms",
}  # fmt: skip
_HEADER_BYTES: Final = 64
_MAX_PRESENTATION_HEADER: Final = 1024


@dataclass(frozen=True, slots=True)
class BaseValue:
    """The proof value between issuer and holder (vc-di-bbs 3.3.1)."""

    signature: bytes
    header: bytes
    public_key: bytes
    hmac_key: bytes
    mandatory: tuple[str, ...]

    def to_text(self) -> str:
        """Its multibase text."""
        parts = [self.signature, self.header, self.public_key, self.hmac_key, list(self.mandatory)]
        return disclosing.write_value(_BASE, parts)


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """The proof value a verifier sees (vc-di-bbs 3.3.6); `labels`: N of `c14nN` → the token that was signed."""

    proof: bytes
    labels: Mapping[int, str]
    mandatory: tuple[int, ...]
    selective: tuple[int, ...]
    presentation_header: bytes

    def to_text(self) -> str:
        """Its multibase text."""
        labels = disclosing.label_numbers(self.labels)
        parts = [self.proof, labels, list(self.mandatory), list(self.selective), self.presentation_header]
        return disclosing.write_value(_DERIVED, parts)


def read_base(data: bytes) -> BaseValue:
    """The octets of a base proof value, strictly; MalformedError."""
    _refuse_features(data)
    signature, header, key, hmac_key, pointers = disclosing.read_value(data, _BASE, 5)
    return BaseValue(
        disclosing.read_octets(signature, bbs.SIGNATURE_BYTES), disclosing.read_octets(header, _HEADER_BYTES),
        disclosing.read_octets(key, PUBLIC_BYTES), disclosing.read_octets(hmac_key, disclosing.HMAC_BYTES),
        disclosing.read_pointers(pointers),
    )  # fmt: skip


def read_derived(data: bytes) -> DerivedValue:
    """The octets of a derived proof value, strictly; MalformedError, `base-proof` for one that is not for verifiers."""
    if data.startswith(_BASE):
        raise MalformedError("a base proof is between issuer and holder: derive one to show", code="base-proof")
    _refuse_features(data)
    proof, labels, mandatory, selective, header = disclosing.read_value(data, _DERIVED, 5)
    if not isinstance(labels, dict) or not all(type(item) is int for pair in labels.items() for item in pair):
        raise MalformedError("labels of blank nodes are a map of numbers", code="bad-proof-value")
    if not isinstance(proof, bytes) or not isinstance(header, bytes) or len(header) > _MAX_PRESENTATION_HEADER:
        raise MalformedError("a BBS proof and its presentation header are octets", code="bad-proof-value")
    named = {place: f"_:b{number}" for place, number in labels.items()}
    return DerivedValue(proof, named, disclosing.read_indexes(mandatory), disclosing.read_indexes(selective), header)


def sign(
    document: Mapping[str, JSON],
    signer: BbsSigner,
    *,
    created: str | None,
    mandatory: Sequence[str],
    random: Random,
    method: str | None = None,
    purpose: str = "assertionMethod",
    more: Mapping[str, JSON] | None = None,
) -> dict[str, JSON]:
    """The document with a base proof; `mandatory` are the JSON pointers of what is shown always (vc-di-bbs 3.4.1).

    `random` gives the HMAC key by which the labels are shuffled.
    """
    options = proof_options(CRYPTOSUITE, method or signer.kid, created=created, purpose=purpose, more=more)
    hmac_key = random(disclosing.HMAC_BYTES)
    statements = disclosing.statements_of(document, disclosing.shuffled_labels(hmac_key), {"mandatory": mandatory})
    shown, others = disclosing.parted(statements.lines, statements.groups["mandatory"].indexes)
    header = _header({**options, "@context": document.get("@context")}, shown)
    signature = signer.sign("data-integrity", header, _messages(others))
    value = BaseValue(signature, header, signer.public_key.data, hmac_key, tuple(mandatory))
    return with_proof(document, {**options, "proofValue": value.to_text()})


def derive(
    document: Mapping[str, JSON], proof: Proof, pointers: Sequence[str], *, random: Random, presentation_header: bytes = b""
) -> dict[str, JSON]:
    """What the holder shows: the mandatory part, what the pointers choose, and a proof of both (vc-di-bbs 3.4.6).

    `presentation_header` is what a verifier wants bound to this showing, such as its challenge. DisclosureError for a
    pointer that leads to nothing; SignatureError where the base proof does not hold.
    """
    base = read_base(proof.signature)
    wanted = [*base.mandatory, *pointers]
    if not wanted:
        raise DisclosureError("nothing is chosen, and nothing is mandatory")
    if len(presentation_header) > _MAX_PRESENTATION_HEADER:
        raise DisclosureError(f"a presentation header has at most {_MAX_PRESENTATION_HEADER} octets")
    groups = {"mandatory": base.mandatory, "combined": wanted}
    statements = disclosing.statements_of(document, disclosing.shuffled_labels(base.hmac_key), groups)
    mandatory, combined = statements.groups["mandatory"].indexes, statements.groups["combined"].indexes
    shown, others = disclosing.parted(statements.lines, mandatory)
    if base.header != _header(options_of(document, proof), shown):
        raise SignatureError("the base proof is not over this document")
    hidden = sorted(set(range(len(statements.lines))) - set(mandatory))
    selective = tuple(disclosing.positions(combined, hidden))
    made = bbs.prove(
        BbsPublicKey(base.public_key), base.signature, base.header, _messages(others), shown=selective,
        presentation_header=presentation_header, random=random,
    )  # fmt: skip
    labels = disclosing.verifier_labels(statements, "combined")
    value = DerivedValue(made, labels, tuple(disclosing.positions(mandatory, combined)), selective, presentation_header)
    return {**disclosing.select(document, wanted), "proof": {**proof.options, "proofValue": value.to_text()}}


def verify(
    document: Mapping[str, JSON], proof: Proof, key: BbsPublicKey, role: str, *, presentation_header: bytes | None = None
) -> None:
    """SignatureError unless `key`, in `role`, made the base proof of what this derived one shows (vc-di-bbs 3.4.7).

    `presentation_header`, where given, is the only one accepted: a verifier that gave a challenge passes it here.
    MalformedError, `base-proof` among them, for a proof value that is not read.
    """
    if proof.cryptosuite != CRYPTOSUITE or not isinstance(key, BbsPublicKey):
        raise SignatureError("the key is not one for this cryptosuite", code="wrong-suite")
    if proof.previous:
        raise MalformedError(f"{CRYPTOSUITE} has no chains", code="unsupported")
    require_role(role, "data-integrity")
    value = read_derived(proof.signature)
    if presentation_header is not None and presentation_header != value.presentation_header:
        raise SignatureError("the proof was made for another showing", code="wrong-presentation-header")
    lines = disclosing.relabelled(document, value.labels)
    mandatory, others = disclosing.parted(lines, value.mandatory)
    bbs.verify_proof(
        key, value.proof, _header(options_of(document, proof), mandatory), _messages(others), shown=value.selective,
        presentation_header=value.presentation_header,
    )  # fmt: skip


def _header(options: Mapping[str, Any], mandatory: Sequence[str]) -> bytes:
    return disclosing.canonical_hash(options) + disclosing.lines_hash(mandatory)


def _messages(lines: Sequence[str]) -> list[bytes]:
    return [line.encode("utf-8") for line in lines]


def _refuse_features(data: bytes) -> None:
    feature = _FEATURES.get(data[2]) if data[:2] == b"\xd9\x5d" and len(data) > 2 else None
    if feature is not None:
        raise MalformedError(f"a proof with {feature} is not read", code="unsupported")
