"""W3C Data Integrity proofs over the whole document: canonical JSON (JCS) and canonical RDF (RDFC-1.0).

Hash data = H(canonical proof configuration) ‖ H(canonical document), and the key's suite signs that. Beside the W3C
suites stands this project's own for SM2 with SM3, built the same way in both forms (R3): `sm2-sm3-jcs-2026` and
`sm2-sm3-rdfc-2026`. `mldsa44-*-2024` are the W3C CCG's quantum-safe suites, for certificates that must outlive
elliptic curves. Selective disclosure has modules of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from credentials.data_model import V2, moment, texts
from weid import signing
from weid.canon import JSON, jcs
from weid.codec import b64u, multibase, unb64u, unmultibase
from weid.errors import MalformedError, SignatureError, UnknownSuiteError
from weid.hashes import Hash
from weid.keys import PublicKey, Signer
from weid.suites import suite

__all__ = [
    "BBS", "CRYPTOSUITES", "CRYPTOSUITE_OF", "MAX_PROOFS", "Cryptosuite", "Proof", "hash_data", "options_of", "proof_options",
    "read_proof", "read_proofs", "sign", "verify", "with_context", "with_proof",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cryptosuite:
    """One way to secure a document: for keys of these suites, over JCS or RDF, proofs in multibase `z` or `u`."""

    name: str
    suites: tuple[str, ...]
    rdf: bool
    base: str = "z"
    disclosing: bool = False  # a holder may show a part: credentials.ecdsa_sd, credentials.bbs_2023


BBS: Final = "bbs-2023"
"""The one cryptosuite whose keys are of no suite: they sign vectors of messages (credentials.bbs)."""

_ECDSA: Final = ("p256", "p384")
_TABLE: Final = (
    Cryptosuite("eddsa-jcs-2022", ("ed25519",), rdf=False),
    Cryptosuite("ecdsa-jcs-2019", _ECDSA, rdf=False),
    Cryptosuite("sm2-sm3-jcs-2026", ("sm2",), rdf=False),
    Cryptosuite("mldsa44-jcs-2024", ("ml-dsa-44",), rdf=False, base="u"),
    Cryptosuite("eddsa-rdfc-2022", ("ed25519",), rdf=True),
    Cryptosuite("ecdsa-rdfc-2019", _ECDSA, rdf=True),
    Cryptosuite("sm2-sm3-rdfc-2026", ("sm2",), rdf=True),
    Cryptosuite("mldsa44-rdfc-2024", ("ml-dsa-44",), rdf=True, base="u"),
    Cryptosuite("ecdsa-sd-2023", ("p256",), rdf=True, base="u", disclosing=True),
    Cryptosuite(BBS, (), rdf=True, base="u", disclosing=True),  # its keys are of no suite: credentials.bbs
)
CRYPTOSUITES: Final[Mapping[str, Cryptosuite]] = MappingProxyType({row.name: row for row in _TABLE})
CRYPTOSUITE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: row.name for row in reversed(_TABLE) if not row.rdf for name in row.suites}
)
"""The cryptosuite that keys of a suite write when nothing else is asked for."""

MAX_PROOFS: Final = 8
_DEFINING: Final = (V2, "https://w3id.org/security/data-integrity/v2")
PURPOSES: Final = ("assertionMethod", "authentication")
_MEMBERS: Final = frozenset(
    {"type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue", "created", "expires", "@context"}
    | {"id", "challenge", "domain", "nonce", "previousProof"}
)


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof, read; `options` are all its members but proofValue, `signature` the bytes of that."""

    cryptosuite: str
    method: str
    purpose: str
    created: str | None
    expires: str | None
    options: Mapping[str, JSON]
    signature: bytes
    id: str | None = None
    previous: tuple[str, ...] = ()

    @property
    def kind(self) -> Cryptosuite:
        """Its cryptosuite; UnknownSuiteError for one we do not have."""
        found = CRYPTOSUITES.get(self.cryptosuite)
        if found is None:
            raise UnknownSuiteError(f"unknown cryptosuite {self.cryptosuite!r}")
        return found

    def option(self, name: str) -> str | None:
        """A member that is text, such as `challenge`; None where it is missing or something else."""
        value = self.options.get(name)
        return value if isinstance(value, str) else None


def read_proof(document: Mapping[str, JSON]) -> Proof:
    """The one proof of a secured document; MalformedError for none or several, or as `read_proofs`."""
    found = read_proofs(document)
    if len(found) != 1:
        raise MalformedError("not one Data Integrity proof", code="unsupported")
    return found[0]


def read_proofs(document: Mapping[str, JSON]) -> tuple[Proof, ...]:
    """The proofs of a secured document, a set or a chain (VC Data Integrity 4.2, 4.3).

    MalformedError for none, too many, one with members this reader does not understand, two with one id, or a
    previous proof that is not there or comes round to itself.
    """
    value = document.get("proof")
    given = value if isinstance(value, list) else [value]
    if not 0 < len(given) <= MAX_PROOFS:
        raise MalformedError(f"a secured document has 1 to {MAX_PROOFS} proofs", code="unsupported")
    found = tuple(_proof(item) for item in given)
    names = [proof.id for proof in found if proof.id is not None]
    if len(set(names)) != len(names):
        raise MalformedError("two proofs with one id", code="bad-proof-chain")
    for proof in found:
        if not set(proof.previous) <= set(names):
            raise MalformedError("a previous proof is not there", code="bad-proof-chain")
    _require_order(found)
    return found


def hash_data(document: Mapping[str, JSON], proof: Proof, hash: Hash | None = None) -> bytes:
    """H(canonical proof configuration) ‖ H(canonical document without its proofs, but with previous ones).

    `hash` is that of the key's suite; it may be left out where the cryptosuite has one alone. SignatureError where a
    proof carries `@context` that the document's contexts do not begin with.
    """
    kind = proof.kind
    if kind.disclosing:
        raise SignatureError("a disclosed part has no hash of the whole document", code="wrong-suite")
    chosen = suite(kind.suites[0]).hash if hash is None else hash
    unsecured = {name: item for name, item in document.items() if name != "proof"}
    if proof.previous:
        unsecured["proof"] = _previous(document, proof)
    options = options_of(document, proof)
    if "@context" in proof.options and not kind.rdf:
        unsecured["@context"] = proof.options["@context"]
    return chosen(_canonical(options, kind, chosen)) + chosen(_canonical(unsecured, kind, chosen))


def options_of(document: Mapping[str, JSON], proof: Proof) -> dict[str, JSON]:
    """The proof configuration that is hashed: in RDF its terms are read by the document's own contexts."""
    if not proof.kind.rdf:
        if "@context" in proof.options:
            signed, whole = _listed(proof.options["@context"]), _listed(document.get("@context"))
            if whole[: len(signed)] != signed:
                raise SignatureError("the document's contexts do not begin with those of its proof")
        return dict(proof.options)
    return {**proof.options, "@context": document.get("@context")}


def verify(document: Mapping[str, JSON], proof: Proof, key: PublicKey, role: str) -> None:
    """SignatureError unless `key`, acting in `role`, made this proof over this document."""
    if key.suite not in proof.kind.suites or proof.kind.disclosing:
        raise SignatureError("the key is not one for this cryptosuite", code="wrong-suite")
    signing.verify(key, role, "data-integrity", hash_data(document, proof, suite(key.suite).hash), proof.signature)


def sign(
    document: Mapping[str, JSON],
    signer: Signer,
    *,
    created: str | None,
    method: str | None = None,
    purpose: str = "assertionMethod",
    cryptosuite: str | None = None,
    more: Mapping[str, JSON] | None = None,
) -> dict[str, JSON]:
    """The document with one more proof, made by `signer`; `method` is its verification method, by default its kid.

    `more` are further members, such as `id`, `previousProof`, `challenge` or `domain`. UnknownSuiteError for a
    cryptosuite that is not for this key.
    """
    name = signer.public_key.suite
    kind = CRYPTOSUITES.get(CRYPTOSUITE_OF.get(name, "") if cryptosuite is None else cryptosuite)
    if kind is None or name not in kind.suites or kind.disclosing:
        raise UnknownSuiteError(f"no cryptosuite {cryptosuite or ''} for a key of {name}")
    options = proof_options(kind.name, method or signer.kid, created=created, purpose=purpose, more=more)
    contexts = _listed(document.get("@context", []))
    if contexts and not kind.rdf and all(isinstance(item, str) for item in contexts):
        # An inline context is covered by the document's own hash; repeated here, a verifier that compares objects by
        # identity (@digitalbazaar/eddsa-jcs-2022-cryptosuite 1.0.0) would refuse a right proof.
        options["@context"] = document["@context"]
    draft = _proof({**options, "proofValue": kind.base})
    signature = signer.sign("data-integrity", hash_data(document, draft, suite(name).hash))
    return with_proof(document, {**options, "proofValue": multibase(signature) if kind.base == "z" else f"u{b64u(signature)}"})


def proof_options(
    cryptosuite: str, method: str, *, created: str | None, purpose: str, more: Mapping[str, JSON] | None = None
) -> dict[str, JSON]:
    """The members of a new proof but its value."""
    options: dict[str, JSON] = {"type": "DataIntegrityProof", "cryptosuite": cryptosuite}
    if created is not None:
        options["created"] = created
    return options | {"verificationMethod": method, "proofPurpose": purpose, **(more or {})}


def with_context(document: Mapping[str, JSON]) -> dict[str, JSON]:
    """The document, with the context that defines proofs where its own do not (VC Data Integrity 2.4.1)."""
    contexts = _listed(document.get("@context", []))
    return dict(document) if set(_DEFINING) & set(texts(contexts)) else {**document, "@context": [*contexts, _DEFINING[-1]]}


def with_proof(document: Mapping[str, JSON], proof: dict[str, JSON]) -> dict[str, JSON]:
    """The document with one more proof."""
    others = _listed(document["proof"]) if "proof" in document else []
    return {**document, "proof": [*others, proof] if others else proof}


def _canonical(value: Mapping[str, JSON], kind: Cryptosuite, hash: Hash) -> bytes:
    if not kind.rdf:
        return jcs(dict(value))
    from credentials.jsonld.quads import quads_of
    from credentials.jsonld.rdfc import canonicalize

    return "".join(canonicalize(quads_of(value), hash=hash)[0]).encode("utf-8")


def _proof(value: JSON) -> Proof:
    if not isinstance(value, dict) or value.get("type") != "DataIntegrityProof":
        raise MalformedError("not a Data Integrity proof", code="unsupported")
    unknown = set(value) - _MEMBERS
    if unknown:
        # an option that this reader does not know may mean something that it does not check
        raise MalformedError(f"the proof member {min(unknown)} is not understood", code="unsupported")
    cryptosuite, method, purpose, written = (
        _text(value, name) for name in ("cryptosuite", "verificationMethod", "proofPurpose", "proofValue")
    )
    if None in (cryptosuite, method, purpose, written):
        raise MalformedError("a proof has a cryptosuite, a verification method, a purpose and a value")
    if "created" in value and moment(value["created"]) is None:
        raise MalformedError("created is not a date with time and zone")
    if purpose not in PURPOSES:
        raise MalformedError("a proof for another purpose", code="bad-proof-purpose")
    options = {name: item for name, item in value.items() if name != "proofValue"}
    return Proof(
        str(cryptosuite), str(method), str(purpose), _text(value, "created"), _text(value, "expires"),
        MappingProxyType(options), _value(str(cryptosuite), str(written)), _text(value, "id"), _names(value.get("previousProof")),
    )  # fmt: skip


def _value(cryptosuite: str, written: str) -> bytes:
    kind = CRYPTOSUITES.get(cryptosuite)
    if kind is not None and written[:1] != kind.base:
        raise MalformedError(f"a proof value of {cryptosuite} begins with {kind.base}")
    return unb64u(written[1:]) if written[:1] == "u" else b"" if written == "z" else unmultibase(written)


def _names(value: JSON) -> tuple[str, ...]:
    if value is None:
        return ()
    names = tuple(item for item in _listed(value) if isinstance(item, str))
    if not names or len(names) != len(_listed(value)):
        raise MalformedError("previousProof names proofs by id", code="bad-proof-chain")
    return names


def _previous(document: Mapping[str, JSON], proof: Proof) -> list[JSON]:
    """The proofs before this one, whole and in the order in which it names them."""
    given = [item for item in _listed(document.get("proof")) if isinstance(item, dict)]
    found: list[JSON] = [item for name in proof.previous for item in given if item.get("id") == name]
    if len(found) != len(proof.previous):
        raise SignatureError("a previous proof is not there", code="bad-proof-chain")
    return found


def _require_order(proofs: Sequence[Proof]) -> None:
    """Chains end: what a proof builds on never builds on it."""
    before = {proof.id: set(proof.previous) for proof in proofs if proof.id is not None}
    while ready := [name for name, names in before.items() if not names & set(before)]:
        for name in ready:
            del before[name]
    if before:
        raise MalformedError("proofs that come before each other", code="bad-proof-chain")


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _text(value: Mapping[str, JSON], name: str) -> str | None:
    text = value.get(name)
    if text is not None and not isinstance(text, str):
        raise MalformedError(f"the proof member {name} is not text")
    return text
