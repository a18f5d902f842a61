"""Credentials that say something about other credentials: a status list, a schema. They come along; nobody fetches them.

A companion is read by the same decoders as any credential, and its proofs are verified by the same functions. What it
may speak about follows from who signed it, which the check that asked for it judges.
"""

from __future__ import annotations

from collections.abc import Mapping

from credentials import checks_document, checks_file
from credentials.bitstring_list import MESSAGE_WORDS
from credentials.case import Case
from credentials.data_model import Digest, moment
from credentials.report import Outcome
from credentials.vcdm_file import FileCredential
from weid.canon import JSON
from weid.codec import minutes
from weid.errors import KeyMaterialError, MalformedError, SignatureError
from weid.facts import Facts

__all__ = ["digest_fits", "read_companion", "signed_at", "uncounted", "unproven"]


def read_companion(data: bytes, case: Case) -> FileCredential:
    """The foreign credential in bytes that were handed in, of any securing form; MalformedError for anything else."""
    inner = Case(data, case.facts, case.policy, case.at)
    inner.parse()
    if inner.file is None or inner.file.own is not None or inner.file.claims_alone:
        raise MalformedError("not a W3C credential", code="not-a-credential")
    return inner.file


def unproven(file: FileCredential, facts: Facts, role: str) -> str | None:
    """Why it does not count as its issuer's word, or None if every proof is right and one is by the issuer's key.

    `role` is what a did:weid's key must be for: `status` for lists, `assert` for the rest (R1). A did:key has no roles.
    A companion with a status of its own does not count: following it would go round without end. Nor does one of which
    whoever brings it may have left a part out, or called one by another name: over RDF the words are not signed, so an
    end of its period under a name of an inline context would be no end to its reader.
    """
    if file.has_status:
        return "it has a status of its own"
    if (file.token is not None and _hides(file.token.payload)) or any(proof.kind.disclosing for proof in file.proofs):
        return "a part of it may be hidden"  # such as the end of its period
    if any(proof.kind.rdf for proof in file.proofs) and checks_file.inline(dict(file.document), dict(MESSAGE_WORDS)):
        return "its words are its bringer's own"
    if file.method.partition("#")[0] != file.issuer:
        return "no proof names a key of its issuer"
    if file.enveloped is not None:
        key = checks_file.key_named(file.method, facts, role)
        if key is None:
            return "its issuer's key is not here"
        try:
            file.enveloped.verify(key)
        except (SignatureError, KeyMaterialError):
            return "its signature is wrong"
        return None
    for proof in file.proofs:
        if proof.purpose != "assertionMethod":
            return "a proof for another purpose"
        key = checks_file.key_named(proof.method, facts, role)
        if key is None:
            return "the key of a proof is not here"
        refused = checks_file.proof_refused(file.document, proof, key, role)
        if refused is not None:
            return "a proof is wrong" if refused[0] is Outcome.FAILED else "it uses an unknown vocabulary"
    return None


def uncounted(file: FileCredential, case: Case, role: str) -> str | None:
    """As `unproven`; nor does it count by a document that is older than the checker's trust data may be (R22)."""
    reason = unproven(file, case.facts, role)
    age = None if reason is not None else checks_document.note_age(case, file.method, *(proof.method for proof in file.proofs))
    return "its issuer's document is too old" if age is not None and age > case.policy.trust_reject else reason


def signed_at(file: FileCredential) -> int | None:
    """The latest date its signer put on it, in minutes: `validFrom`, `created` of the proof, `iat`; None without any."""
    created = None if file.enveloped is not None else moment(file.proof.created)
    claims: Mapping[str, object] = {} if file.enveloped is None else file.enveloped.claims
    said = claims.get("iat")
    found = [file.valid_from, None if created is None else minutes(created[0])]
    found.append(
        int(said // 60) if isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said < 1 << 38 else None
    )
    return max((item for item in found if item is not None), default=None)


def digest_fits(data: bytes, digests: list[Digest]) -> bool:
    """Whether bytes that were handed in have every digest that was said of them."""
    import hashlib

    return all(hashlib.new(name, data).digest() == value for name, value in digests)


def _hides(value: JSON | Mapping[str, JSON]) -> bool:
    """Whether an SD-JWT's payload has the digest of anything that a holder may disclose or not (RFC 9901 4.2)."""
    if isinstance(value, Mapping):
        return "_sd" in value or "..." in value or any(map(_hides, value.values()))
    return isinstance(value, list) and any(map(_hides, value))
