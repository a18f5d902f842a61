"""bbs-2023: a credential of which its holder shows a part, unlinkably (vc-di-bbs 3.3, 3.4).

One BBS signature covers the header H(proof configuration) ‖ H(mandatory statements) and, as messages, every statement that
may be hidden. A derived proof is made anew for each showing and shares no octets with any other. What is *shown* may still
link: so mandatory statements and proof options should be the same for everybody, and holders get no ids.

A base proof holds the signature itself: it is for the holder alone and never verified here. The optional features bind a
credential to secrets that its holder commits to before it is issued (credentials.bbs_blind), and give pseudonyms.

Text and vectors of vc-di-bbs differ in two places, and both are read: the text carries a pseudonym's domain in the derived
proof and the vectors leave it to the verifier; the text writes the signer's entropy as octets, the vectors as a bignum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from credentials import bbs, bbs_blind, disclosing
from credentials.bbs import BbsPublicKey, BbsSigner
from credentials.bbs_blind import BlindSigner, Secrets
from credentials.bls12381 import PUBLIC_BYTES
from credentials.data_integrity import BBS, Proof, options_of, proof_options, with_proof
from weid.canon import JSON
from weid.errors import DisclosureError, MalformedError, SignatureError
from weid.signing import require_role
from weid.suites import Random

__all__ = [
    "BASELINE", "CRYPTOSUITE", "FEATURES", "BaseValue", "DerivedValue", "Feature", "derive", "read_base", "read_derived", "sign",
    "sign_committed", "verify",
]  # fmt: skip

CRYPTOSUITE: Final = BBS
_HEADER_BYTES: Final = 64
_MAX_PRESENTATION_HEADER: Final = 1024
_POINT_BYTES: Final = 48


@dataclass(frozen=True, slots=True)
class Feature:
    """What a proof offers besides disclosure, by its name in vc-di-bbs, and the number of its base proof; derived is one more."""

    name: str
    number: int
    holder: bool = False
    nym: bool = False

    @property
    def secrets(self) -> int:
        """How many secrets of the holder are signed."""
        return self.holder + self.nym

    @property
    def base(self) -> bytes:
        """How its base proof values begin."""
        return b"\xd9\x5d" + bytes([self.number])

    @property
    def derived(self) -> bytes:
        """How its derived proof values begin."""
        return b"\xd9\x5d" + bytes([self.number + 1])


BASELINE: Final = Feature("baseline", 2)
_TABLE: Final = (
    BASELINE, Feature("anonymous_holder_binding", 4, holder=True), Feature("pseudonym", 6, nym=True),
    Feature("holder_binding_pseudonym", 8, holder=True, nym=True),
)  # fmt: skip
FEATURES: Final[Mapping[str, Feature]] = MappingProxyType({feature.name: feature for feature in _TABLE})


@dataclass(frozen=True, slots=True)
class BaseValue:
    """The proof value between issuer and holder (vc-di-bbs 3.3.1); `entropy` is the signer's part of a pseudonym's secret."""

    signature: bytes
    header: bytes
    public_key: bytes
    hmac_key: bytes
    mandatory: tuple[str, ...]
    feature: Feature = BASELINE
    entropy: bytes | None = None

    def to_text(self) -> str:
        """Its multibase text."""
        parts: list[object] = [self.signature, self.header, self.public_key, self.hmac_key, list(self.mandatory)]
        if self.entropy is not None:
            parts.append(int.from_bytes(self.entropy, "big"))
        return disclosing.write_value(self.feature.base, parts)


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """The proof value a verifier sees (vc-di-bbs 3.3.6); `labels`: N of `c14nN` → the token that was signed.

    `count` is the number of messages that are no secrets, `domain` what a pseudonym is for where the proof says it.
    """

    proof: bytes
    labels: Mapping[int, str]
    mandatory: tuple[int, ...]
    selective: tuple[int, ...]
    presentation_header: bytes
    feature: Feature = BASELINE
    domain: str | None = None
    pseudonym: bytes | None = None
    count: int | None = None

    def to_text(self) -> str:
        """Its multibase text."""
        labels = disclosing.label_numbers(self.labels)
        parts = [self.proof, labels, list(self.mandatory), list(self.selective), self.presentation_header]
        more = (self.domain, self.pseudonym, self.count)
        return disclosing.write_value(self.feature.derived, [*parts, *(item for item in more if item is not None)])


def read_base(data: bytes) -> BaseValue:
    """The octets of a base proof value, strictly; MalformedError."""
    feature = next((item for item in _TABLE if data.startswith(item.base)), BASELINE)
    parts = disclosing.read_value(data, feature.base, 6 if feature.nym else 5)
    signature, header, key, hmac_key, pointers, *more = parts
    return BaseValue(
        disclosing.read_octets(signature, bbs.SIGNATURE_BYTES), disclosing.read_octets(header, _HEADER_BYTES),
        disclosing.read_octets(key, PUBLIC_BYTES), disclosing.read_octets(hmac_key, disclosing.HMAC_BYTES),
        disclosing.read_pointers(pointers), feature, disclosing.read_number(more[0]) if more else None,
    )  # fmt: skip


def read_derived(data: bytes) -> DerivedValue:
    """The octets of a derived proof value, strictly; MalformedError, `base-proof` for one that is not for verifiers."""
    if any(data.startswith(feature.base) for feature in _TABLE):
        raise MalformedError("a base proof is between issuer and holder: derive one to show", code="base-proof")
    feature = next((item for item in _TABLE if data.startswith(item.derived)), BASELINE)
    lengths = (7, 8) if feature.nym else (6 if feature.holder else 5,)
    parts = disclosing.read_value(data, feature.derived, *lengths)
    proof, labels, mandatory, selective, header, *more = parts
    if not isinstance(labels, dict) or not all(type(item) is int for pair in labels.items() for item in pair):
        raise MalformedError("labels of blank nodes are a map of numbers", code="bad-proof-value")
    if not isinstance(proof, bytes) or not isinstance(header, bytes) or len(header) > _MAX_PRESENTATION_HEADER:
        raise MalformedError("a BBS proof and its presentation header are octets", code="bad-proof-value")
    named = {place: f"_:b{number}" for place, number in labels.items()}
    return DerivedValue(
        proof,
        named,
        disclosing.read_indexes(mandatory),
        disclosing.read_indexes(selective),
        header,
        feature,
        *_more(feature, more),
    )


def _more(feature: Feature, parts: Sequence[object]) -> tuple[str | None, bytes | None, int | None]:
    """(domain, pseudonym, number of messages) of a proof with a feature."""
    if not parts:
        return None, None, None
    domain = parts[0] if len(parts) == 3 else None
    if type(parts[-1]) is not int or not (domain is None or isinstance(domain, str)):
        raise MalformedError("a domain is text, and a number of messages a number", code="bad-proof-value")
    return domain, disclosing.read_octets(parts[-2], _POINT_BYTES) if feature.nym else None, parts[-1]


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
    draft = _drafted(document, method or signer.kid, created, purpose, more, mandatory, random)
    signature = signer.sign("data-integrity", draft.header, draft.messages)
    value = BaseValue(signature, draft.header, signer.public_key.data, draft.hmac_key, tuple(mandatory))
    return with_proof(document, {**draft.options, "proofValue": value.to_text()})


def sign_committed(
    document: Mapping[str, JSON],
    signer: BlindSigner,
    feature: Feature,
    commitment: bytes,
    *,
    created: str | None,
    mandatory: Sequence[str],
    random: Random,
    entropy: bytes | None = None,
    method: str | None = None,
    more: Mapping[str, JSON] | None = None,
) -> dict[str, JSON]:
    """The document with a base proof that only who knows the secrets in `commitment` can show (vc-di-bbs 3.4.5).

    `entropy`, by default fresh, is a number that makes the pseudonym's secret; the same one serves a credential that is
    issued again. SignatureError for a commitment that is not proven or is not one for this feature.
    """
    if feature.secrets != bbs_blind.secrets_committed(commitment):
        raise SignatureError("the commitment is not one for this feature")
    draft = _drafted(document, method or signer.kid, created, "assertionMethod", more, mandatory, random)
    given = (entropy or bbs_blind.fresh_number(random)) if feature.nym else None
    signature = signer.sign_blind("data-integrity", draft.header, draft.messages, commitment, given)
    value = BaseValue(signature, draft.header, signer.public_key.data, draft.hmac_key, tuple(mandatory), feature, given)
    return with_proof(document, {**draft.options, "proofValue": value.to_text()})


@dataclass(frozen=True, slots=True)
class _Draft:
    options: dict[str, JSON]
    hmac_key: bytes
    header: bytes
    messages: list[bytes]


def _drafted(
    document: Mapping[str, JSON], method: str, created: str | None, purpose: str, more: Mapping[str, JSON] | None,
    mandatory: Sequence[str], random: Random,
) -> _Draft:  # fmt: skip
    options = proof_options(CRYPTOSUITE, method, created=created, purpose=purpose, more=more)
    hmac_key = random(disclosing.HMAC_BYTES)
    statements = disclosing.statements_of(document, disclosing.shuffled_labels(hmac_key), {"mandatory": mandatory})
    shown, others = disclosing.parted(statements.lines, statements.groups["mandatory"].indexes)
    return _Draft(options, hmac_key, _header({**options, "@context": document.get("@context")}, shown), _messages(others))


def derive(
    document: Mapping[str, JSON],
    proof: Proof,
    pointers: Sequence[str],
    *,
    random: Random,
    presentation_header: bytes = b"",
    secrets: Secrets | None = None,
    domain: str | None = None,
    carry_domain: bool = True,
) -> dict[str, JSON]:
    """What the holder shows: the mandatory part, what the pointers choose, and a proof of both (vc-di-bbs 3.4.6).

    `presentation_header` is what a verifier wants bound to this showing, such as its challenge. `secrets` are those that
    the credential was issued to, `domain` is what its pseudonym is for; `carry_domain` writes that into the proof.
    DisclosureError for a pointer that leads to nothing, or secrets that are missing or not asked for; SignatureError where
    the base proof does not hold.
    """
    base = read_base(proof.signature)
    wanted = [*base.mandatory, *pointers]
    if not wanted:
        raise DisclosureError("nothing is chosen, and nothing is mandatory")
    if len(presentation_header) > _MAX_PRESENTATION_HEADER:
        raise DisclosureError(f"a presentation header has at most {_MAX_PRESENTATION_HEADER} octets")
    _require_secrets(base.feature, secrets, domain)
    groups = {"mandatory": base.mandatory, "combined": wanted}
    statements = disclosing.statements_of(document, disclosing.shuffled_labels(base.hmac_key), groups)
    mandatory, combined = statements.groups["mandatory"].indexes, statements.groups["combined"].indexes
    shown, others = disclosing.parted(statements.lines, mandatory)
    if base.header != _header(options_of(document, proof), shown):
        raise SignatureError("the base proof is not over this document")
    hidden = sorted(set(range(len(statements.lines))) - set(mandatory))
    selective = tuple(disclosing.positions(combined, hidden))
    made, pseudonym = _proven(base, _messages(others), selective, presentation_header, secrets, domain, random)
    labels = disclosing.verifier_labels(statements, "combined")
    value = DerivedValue(
        made, labels, tuple(disclosing.positions(mandatory, combined)), selective, presentation_header, base.feature,
        domain if carry_domain else None, pseudonym, None if base.feature is BASELINE else len(others),
    )  # fmt: skip
    return {**disclosing.select(document, wanted), "proof": {**proof.options, "proofValue": value.to_text()}}


def _require_secrets(feature: Feature, secrets: Secrets | None, domain: str | None) -> None:
    given = (False, False) if secrets is None else (secrets.holder is not None, secrets.nym is not None)
    if given != (feature.holder, feature.nym):
        raise DisclosureError("the credential was issued to other secrets than are given", code="wrong-secrets")
    if (domain is None) == feature.nym:
        raise DisclosureError("a pseudonym, and nothing else, has a domain", code="no-domain")


def _proven(
    base: BaseValue, messages: Sequence[bytes], shown: Sequence[int], presentation_header: bytes, secrets: Secrets | None,
    domain: str | None, random: Random,
) -> tuple[bytes, bytes | None]:  # fmt: skip
    key = BbsPublicKey(base.public_key)
    if secrets is None:
        made = bbs.prove(
            key, base.signature, base.header, messages, shown=shown, presentation_header=presentation_header, random=random
        )
        return made, None
    return bbs_blind.prove(
        key, base.signature, base.header, messages, secrets, entropy=base.entropy,
        domain=None if domain is None else domain.encode("utf-8"), shown=shown, presentation_header=presentation_header,
        random=random,
    )  # fmt: skip


def verify(
    document: Mapping[str, JSON],
    proof: Proof,
    key: BbsPublicKey,
    role: str,
    *,
    presentation_header: bytes | None = None,
    domain: str | None = None,
) -> None:
    """SignatureError unless `key`, in `role`, made the base proof of what this derived one shows (vc-di-bbs 3.4.7).

    `presentation_header`, where given, is the only one accepted: a verifier that gave a challenge passes it here. So is
    `domain`, that of a pseudonym. MalformedError, `base-proof` among them, for a proof value that is not read, or a
    pseudonym (`no-domain`) that neither the proof nor the caller gives a domain.
    """
    if proof.cryptosuite != CRYPTOSUITE or not isinstance(key, BbsPublicKey):
        raise SignatureError("the key is not one for this cryptosuite", code="wrong-suite")
    if proof.previous:
        raise MalformedError(f"{CRYPTOSUITE} has no chains", code="unsupported")
    require_role(role, "data-integrity")
    value = read_derived(proof.signature)
    if presentation_header is not None and presentation_header != value.presentation_header:
        raise SignatureError("the proof was made for another showing", code="wrong-presentation-header")
    nym = _nym(value, domain)
    lines = disclosing.relabelled(document, value.labels)
    mandatory, others = disclosing.parted(lines, value.mandatory)
    header, messages = _header(options_of(document, proof), mandatory), _messages(others)
    if value.count is None:
        bbs.verify_proof(key, value.proof, header, messages, shown=value.selective, presentation_header=value.presentation_header)
    else:
        bbs_blind.verify_proof(
            key, value.proof, header, messages, count=value.count, secrets=value.feature.secrets, nym=nym,
            shown=value.selective, presentation_header=value.presentation_header,
        )  # fmt: skip


def _nym(value: DerivedValue, domain: str | None) -> tuple[bytes, bytes] | None:
    """(pseudonym, domain), of which the latter is the verifier's where it has one."""
    if value.pseudonym is None:
        return None
    if domain is not None and value.domain not in (None, domain):
        raise SignatureError("the pseudonym is one for another domain", code="wrong-domain")
    chosen = value.domain if domain is None else domain
    if chosen is None:
        raise MalformedError("the proof does not say what its pseudonym is for", code="no-domain")
    return value.pseudonym, chosen.encode("utf-8")


def _header(options: Mapping[str, Any], mandatory: Sequence[str]) -> bytes:
    return disclosing.canonical_hash(options) + disclosing.lines_hash(mandatory)


def _messages(lines: Sequence[str]) -> list[bytes]:
    return [line.encode("utf-8") for line in lines]
