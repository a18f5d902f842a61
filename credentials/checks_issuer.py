"""Checks of the issuer's right: accreditation, recognition of its registry, and time of issue (R8, R23)."""

from __future__ import annotations

from credentials import checks_document
from credentials.case import Case, Ends, Established, Result, failed, passed, same_registry, skipped, unknown
from credentials.schema import SHORT_LIFETIME
from credentials.weidentity import WeIdentityCredential
from weid.canon import JSON
from weid.codec import rfc3339
from weid.facts import Absent, Found
from weid.issuance import KIND as ISSUANCE
from weid.issuance import issuance_key
from weid.records import AccreditationRecord, IssuerRecord, RecognitionRecord, RegisterRecord

__all__ = ["accreditation", "time"]


def accreditation(case: Case) -> Result:
    """The issuer had the right for this schema when it issued, in a registry that is ours or recognised."""
    if not case.policy.require_accreditation:
        return skipped("not-asked")
    if case.legacy is not None:
        return _legacy(case, case.legacy)
    established = case.established
    if established is not None and established.found is None and case.file is not None:
        if checks_document.trusted(case, established.issuer):
            return passed("trusted-issuer", {"issuer": established.issuer})
        if checks_document.by_document(case.file.method):
            return unknown("accreditation-unknown", {"issuer": established.issuer})
    if established is None or established.found is None or established.schema is None:
        return unknown("accreditation-unknown") if _unregistered(established) else failed("not-accredited")
    refused = _recognition(case, established)
    if refused is not None:
        return refused
    answer = case.facts.fact("accreditation", f"{established.issuer}|{established.schema.digest.hex()}")
    if isinstance(answer, Absent):
        return failed("not-accredited", {"issuer": established.issuer})
    if not isinstance(answer, Found):
        return unknown("accreditation-unknown", {"issuer": established.issuer})
    if not _same_source(established, answer):
        return failed("not-accredited", {"issuer": established.issuer, "registry": answer.source.label})
    record: AccreditationRecord = answer.record
    issued = case.issued
    if issued is None or record.at(issued) is None:
        return failed("not-accredited", {"issuer": established.issuer, "by": record.by})
    return passed("ok", {"by": record.by, "level": record.level, "registry": answer.source.label})


def _legacy(case: Case, credential: WeIdentityCredential) -> Result:
    """An old credential: UNKNOWN unless every signer is in the trust data, then by its standing there (R30)."""
    established = case.established
    if established is None or established.found is None:
        return unknown("legacy-authority-unknown", {"issuer": credential.issuer})
    refused = _recognition(case, established)
    if refused is not None:
        return refused
    for did in sorted({item.issuer for item in credential.everyone()}):
        answer = case.facts.fact("issuer", did)
        if did != established.issuer and _ended(case, did):
            return unknown("issue-time-unproven", {"issuer": did})
        if isinstance(answer, Found) and _same_source(established, answer):
            if answer.record.state != "approved":
                return failed("issuer-suspended" if answer.record.state in ("suspended", "removed") else "not-accredited")
        elif did == established.issuer and isinstance(answer, Absent):
            return failed("not-accredited", {"issuer": did})
        else:
            return unknown("legacy-authority-unknown", {"issuer": did})
    return passed("legacy-issuer-approved", {"issuer": established.issuer, "cpt": credential.cpt})


def _ended(case: Case, did: str) -> bool:
    """Whether another signer of an old credential closed its DID or lost a key: then nothing dates what it signed."""
    answer = case.facts.fact("did", did)
    if not isinstance(answer, Found):
        return False
    return answer.record.deactivated is not None or any(key.end == "compromised" for key in answer.record.keys)


def time(case: Case) -> Result:
    """Where a key or right ended, the credential is proven older than that end (R8)."""
    established, issued = case.established, case.issued
    if established is None or established.found is None:
        return skipped("not-needed")
    short = _lifetime(case) <= SHORT_LIFETIME
    record = established.key_record
    if record is not None and record.end == "compromised" and short:
        return failed("key-compromised", {"since": _time(record.ended)})
    rotated = record.ended if record is not None and record.end == "retired" else None
    if case.legacy is not None and issued is None and (rotated is not None or _ends(case, established)):
        return unknown("issue-time-unproven")  # the old signature leaves its date out
    if rotated is not None and (issued is None or issued >= rotated):
        # normal rotation: the issuer's own date decides, nobody else holds the key
        return failed("issued-after-end", {"end": _time(rotated), "what": "key"})
    ends = _ends(case, established)
    if not ends:
        return passed()
    first = min(ends, key=lambda end: end.at)
    evidence: dict[str, JSON] = {"end": rfc3339(first.at), "what": first.what}
    if issued is None or issued >= first.at:
        return failed("issued-after-end", evidence)
    return _proven(case, established, first, evidence)


def _proven(case: Case, established: Established, end: Ends, evidence: dict[str, JSON]) -> Result:
    value = case.compact
    if established.list_id is None or established.cid is None or value is None or value.index is None:
        return unknown("issue-time-unproven", evidence)
    carried = case.facts.fact(ISSUANCE, issuance_key(established.list_id, value.index, established.cid))
    if isinstance(carried, Found) and _same_source(established, carried) and carried.record.published < end.at:
        return passed("issued-before-end", evidence)
    answer = case.facts.fact("register", established.list_id)
    if not isinstance(answer, Found) or not _same_source(established, answer):
        return unknown("issue-time-unproven", evidence)
    register: RegisterRecord = answer.record
    leaves, whole = register.before(end.at)  # a thief could have added to anything published later
    if any(leaf.index == value.index and leaf.cid == established.cid for leaf in leaves):
        return passed("issued-before-end", evidence)
    return failed("not-in-register", evidence) if whole else unknown("issue-time-unproven", evidence)


def _ends(case: Case, established: Established) -> list[Ends]:
    """Every end that asks for proof of time; none while everything is in good standing."""
    ends = []
    key = established.key_record
    if key is not None and key.end == "compromised" and key.ended is not None:
        ends.append(Ends(key.ended, "key"))
    if established.found is not None and established.found.record.deactivated is not None:
        ends.append(Ends(established.found.record.deactivated, "issuer"))
    if not case.policy.require_accreditation:
        return ends
    if case.recognition is not None and case.recognition.mode == "cease" and case.recognition.withdrawn is not None:
        ends.append(Ends(case.recognition.withdrawn, "recognition"))
    return ends + _ended_rights(case, established)


def _ended_rights(case: Case, established: Established) -> list[Ends]:
    ends = []
    if case.issuer_record is not None:
        record: IssuerRecord = case.issuer_record.record
        if record.state in ("suspended", "removed") and record.decided is not None:
            ends.append(Ends(record.decided, "issuer"))
    if established.schema is None or case.issued is None:
        return ends
    answer = case.facts.fact("accreditation", f"{established.issuer}|{established.schema.digest.hex()}")
    lapsed = answer.record.lapse(case.issued, case.at) if isinstance(answer, Found) else None
    return ends if lapsed is None else [*ends, Ends(lapsed, "right")]


def _recognition(case: Case, established: Established) -> Result | None:
    """None when the issuer's registry is ours or recognised here for this purpose, schema and period."""
    root, found = case.root, established.found
    if root is None or found is None:
        return unknown("no-trust-root")
    if (found.source.origin, found.source.genesis) == (root.origin, root.genesis):
        return None
    evidence: dict[str, JSON] = {"registry": found.source.label}
    if found.record.did.startswith(f"did:weid:{root.chain}:"):
        # a log speaks only for its own segment (R5): a foreign one may not rename a home issuer's keys
        return failed("not-recognised", evidence)
    answer = case.facts.fact("recognition", found.source.genesis.hex())
    if isinstance(answer, Absent):
        return failed("not-recognised", evidence)
    if not isinstance(answer, Found):
        return unknown("recognition-unknown", evidence)
    record: RecognitionRecord = answer.record
    case.recognition = record
    code = _refusal(case, established, record)
    return None if code is None else failed(code, evidence)


def _refusal(case: Case, established: Established, record: RecognitionRecord) -> str | None:
    found = established.found
    if found is None or record.origin != found.source.origin:
        return "not-recognised"
    if record.withdrawn is not None and record.mode != "cease":
        return "recognition-distrusted"
    if not record.since <= case.at < record.until:
        return "recognition-ended"
    if record.purposes and case.policy.purpose not in record.purposes:
        return "recognition-purpose"
    if record.schemas and (established.schema is None or established.schema.digest not in record.schemas):
        return "recognition-schema"
    return None


def _same_source(established: Established, answer: Found) -> bool:
    """Whether a record comes from the registry that vouches for the DID: none lends another's issuer a right."""
    return established.found is not None and same_registry(answer.source, established.found.source)


def _unregistered(established: Established | None) -> bool:
    return established is None or established.found is not None


def _lifetime(case: Case) -> int:
    start, end = case.period
    return SHORT_LIFETIME + 1 if start is None or end is None else end - start


def _time(count: int | None) -> str | None:
    return None if count is None else rfc3339(count)
