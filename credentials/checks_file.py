"""Checks of credential files: whose key a proof or envelope names, whether it is right, and whether all words mean something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from credentials import checks_document, data_integrity
from credentials.case import Case, Established, Result, failed, passed, skipped, unknown
from credentials.data_integrity import BBS, Proof
from credentials.text import misleads
from credentials.vcdm_file import FileCredential
from weid.canon import JSON
from weid.did import parse_key_id
from weid.document import key_of_method
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError, WeidError
from weid.facts import Facts, Found
from weid.keys import PublicKey
from weid.records import KeyRecord

if TYPE_CHECKING:
    from credentials.bbs import BbsPublicKey

_Key: TypeAlias = "PublicKey | BbsPublicKey"

__all__ = ["inline", "key_named", "names_signed", "proof_refused", "self_certified", "signature", "terms", "unreadable"]


def self_certified(case: Case, file: FileCredential) -> Result:
    """A did:key or did:jwk vouches for itself alone (R5): it may be the issuer's own, or somebody else's."""
    try:
        _own_key(file)
    except WeidError:
        return failed("bad-signature", {"reason": "the proof names no usable key"})
    if file.method.partition("#")[0] == file.issuer:
        return passed("self-issued", {"issuer": file.issuer})
    if not case.policy.require_accreditation:
        return passed("method-only", {"issuer": file.issuer})
    return failed("issuer-not-key-owner", {"issuer": file.issuer})


def signature(case: Case, file: FileCredential) -> Result:
    """The envelope, or every proof of a set or chain, is right; one by a key that is not here is UNKNOWN."""
    record: KeyRecord | None = None
    if file.self_certified:
        issuer, key, found = file.issuer, _own_key(file), None
    elif checks_document.by_document(file.method):
        named = checks_document.key_by_document(file.method, case.facts, "assert", bbs=file.bbs)
        if named is None:
            return skipped("needs-issuer.document")
        issuer, key, found = file.issuer, named, None
    else:
        found = case.find_issuers()[0]
        record = found.record.key_number(case.key_number)
        if record is None:
            return skipped("needs-issuer.document")
        issuer, key = found.record.did, record.key
    refused = _refused(case, file, key)
    if refused is not None:
        return refused
    plain = key if isinstance(key, PublicKey) else None
    case.establish(Established(issuer, found, record, plain, None, None, None))
    return passed()


def terms(case: Case, file: FileCredential) -> Result:
    """Every type and term of a foreign document means something by its contexts, whatever secures it (VCDM 2.0, 4.1)."""
    case.claims = file.claims
    if case.policy.require_accreditation and misleads(dict(case.claims)):
        return failed("unsafe-text")
    from credentials.jsonld.quads import quads_of  # only for files: a code's check starts sooner without

    try:
        quads_of(file.document)
    except MalformedError as error:
        return unreadable(error)
    return skipped("none")


def proof_refused(
    document: Mapping[str, JSON], proof: Proof, key: _Key, role: str, *, domain: str | None = None
) -> Result | None:
    """Why a proof does not count, or None if `key`, in `role`, made it over this document."""
    try:
        _verify(document, proof, key, role, domain)
    except UnknownSuiteError:
        return unknown("suite-unavailable")  # BBS is an extra: what is not installed says nothing about the proof
    except (SignatureError, KeyMaterialError):
        return failed("bad-signature")
    except MalformedError as error:
        if error.code == "base-proof":
            return failed("base-proof")
        if error.code == "no-domain":
            return unknown("pseudonym-domain-missing")
        return failed("bad-signature", {"reason": str(error)}) if error.code == "bad-proof-value" else unreadable(error)
    return None


def key_named(method: str, facts: Facts, role: str) -> PublicKey | None:
    """The key of a verification method: one that spells itself, or of a DID in the trust data in that role; else None.

    A key that ended has none, nor has one of a DID that was deactivated, which is final (R5): nothing dates what it signs here.
    """
    if method.startswith(("did:key:", "did:jwk:")):
        return key_of_method(method)
    if checks_document.by_document(method):
        key = checks_document.key_by_document(method, facts, role)
        return key if isinstance(key, PublicKey) else None
    try:
        did, number = parse_key_id(method)
    except MalformedError:
        return None
    answer = facts.fact("did", str(did))
    if not isinstance(answer, Found) or answer.record.deactivated is not None:
        return None
    record = answer.record.key_number(number)
    return record.key if record is not None and record.role == role and record.end is None else None


def names_signed(case: Case, file: FileCredential) -> Result:
    """Over RDF the statements are signed, not the words they are written in.

    An inline context is the writer's own: whoever changes it can call one signed value by the name of another. So people
    are not shown the values of such a file as genuine; who asks for the proof alone is told.
    """
    over_rdf = any(proof.kind.rdf for proof in file.proofs)
    if not over_rdf or not inline(dict(file.document)):
        return skipped("none")
    return unknown("unsigned-context") if case.policy.require_accreditation else passed("unsigned-context")


def inline(value: JSON, *known: JSON) -> bool:
    """Whether any node brings a context that is neither a URL's nor one of the `known`."""
    if isinstance(value, list):
        return any(inline(item, *known) for item in value)
    if not isinstance(value, dict):
        return False
    contexts = value.get("@context", [])
    if not all(isinstance(item, str) or item in known for item in (contexts if isinstance(contexts, list) else [contexts])):
        return True
    return any(inline(item, *known) for name, item in value.items() if name != "@context")


def unreadable(error: MalformedError) -> Result:
    """A document whose terms do not all stand for something: missing here (UNKNOWN), or not JSON-LD at all."""
    if error.code == "unknown-context":
        return unknown("unknown-context", {"reason": str(error)})
    lost = error.code in ("undefined-term", "relative-iri")
    return failed("data-loss" if lost else "bad-jsonld", {"reason": str(error), "rule": error.code})


def _refused(case: Case, file: FileCredential, key: _Key) -> Result | None:
    if file.enveloped is not None:
        try:
            file.enveloped.verify(_plain(key))
        except (SignatureError, KeyMaterialError):
            return failed("bad-signature")
        return None
    keys = [(proof, key if proof is file.proof else _other(proof, case.facts)) for proof in file.proofs]
    for proof, known in keys:
        if proof.purpose != "assertionMethod":
            return failed("bad-signature", {"reason": "a proof for another purpose"})
        refused = None if known is None else proof_refused(file.document, proof, known, "assert", domain=case.policy.proof_domain)
        if refused is not None:
            return refused
    # somebody else signed too, and we cannot say whether they did
    return unknown("proof-unresolved") if any(known is None for _, known in keys) else None


def _other(proof: Proof, facts: Facts) -> _Key | None:
    """The key of a further proof, BBS keys among them where a document was handed in."""
    if proof.cryptosuite == BBS and checks_document.by_document(proof.method):
        return checks_document.key_by_document(proof.method, facts, "assert", bbs=True)
    return key_named(proof.method, facts, "assert")


def _own_key(file: FileCredential) -> _Key:
    """The key that a method spells; BBS keys are no suite's, so the cryptosuite says how to read it."""
    if file.bbs:
        from credentials.bbs import BbsPublicKey

        did, _, fragment = file.method.partition("#")
        if did != f"did:key:{fragment}":
            raise MalformedError("not the verification method of a did:key")
        return BbsPublicKey.from_multikey(fragment)
    return key_of_method(file.method)


def _plain(key: _Key) -> PublicKey:
    if not isinstance(key, PublicKey):
        raise SignatureError("a BBS key signs no whole documents", code="wrong-suite")
    return key


def _verify(document: Mapping[str, JSON], proof: Proof, key: _Key, role: str, domain: str | None) -> None:
    if proof.cryptosuite == BBS:
        from credentials import bbs_2023

        if isinstance(key, PublicKey):
            raise SignatureError("the key is not one for this cryptosuite", code="wrong-suite")
        # A pseudonym is one for a verifier: made for another's domain, or a fresh one a showing, it would tell nothing.
        bbs_2023.verify(document, proof, key, role, domain=domain)
    elif proof.kind.disclosing:
        from credentials import ecdsa_sd

        ecdsa_sd.verify(document, proof, _plain(key), role)
    else:
        data_integrity.verify(document, proof, _plain(key), role)
