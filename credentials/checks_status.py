"""Checks of our knowledge: conflict, age of the trust data, and the status of the credential (R9, R21, R22)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from credentials import checks_bitstring, checks_document, checks_sd_jwt_vc
from credentials.case import Case, Established, Result, failed, passed, same_registry, skipped, unknown
from credentials.replacement import replacement_of
from credentials.schema import SHORT_LIFETIME
from credentials.status import slot_key
from weid.canon import JSON
from weid.codec import rfc3339
from weid.facts import Absent, Found
from weid.records import OverrideRecord, StatusRecord

__all__ = ["conflict", "freshness", "status"]

CLOCK_SLACK: Final = 10  # minutes a device's clock may lag behind authenticated log time (R21)


def conflict(case: Case) -> Result:
    """The trust data do not contradict what was seen before; judged before every other verdict (R21)."""
    answer = case.facts.fact("trust", "conflict")
    if isinstance(answer, Found):
        return failed("trust-conflict", {"reason": answer.record.code})
    return passed()


def freshness(case: Case) -> Result:
    """A root is pinned, and the oldest source used is young enough (R21, R22)."""
    answer = case.facts.fact("trust", "root")
    methods = () if case.file is None else (case.file.method, *(proof.method for proof in case.file.proofs))
    document = checks_document.note_age(case, *methods)
    if not isinstance(answer, Found) and document is not None and checks_document.relies_on_documents_alone(case):
        return _fresh(case)
    if not isinstance(answer, Found):
        # a did:key proof asked for alone rests on no registry
        alone = checks_document.relies_on_documents_alone(case)
        # and neither does an old credential whose issuer no registry here knows: its address names its key (R30)
        alone = alone or (case.legacy is not None and not case.find_issuers())
        return skipped("not-needed") if alone else unknown("no-trust-root")
    case.root = answer.record
    case.ages["root"] = (answer.source.label, answer.record.log_time)
    for found in case.find_issuers():
        if found.source.genesis != answer.record.genesis:
            case.ages["issuer"] = (found.source.label, found.as_of)
            recognised = case.facts.fact("recognition", found.source.genesis.hex())
            if isinstance(recognised, Found):
                case.ages["recognition"] = (recognised.source.label, recognised.as_of)
    return _fresh(case)


def _fresh(case: Case) -> Result:
    """The oldest source that is used decides."""
    oldest = min(as_of for _, as_of in case.ages.values())
    newest = max(as_of for _, as_of in case.ages.values())
    if case.at + CLOCK_SLACK < newest:
        return unknown("clock-behind-trust", {"trust": rfc3339(newest)})
    age = case.at - oldest
    if age > case.policy.trust_reject:
        return unknown("trust-stale", {"asOf": rfc3339(oldest), "ageMinutes": age})
    return passed("trust-ageing", {"ageMinutes": age}) if age > case.policy.trust_warn else passed()


def status(case: Case) -> Result:
    """Not revoked, not suspended, and known recently enough; the worse of list and auditor's word counts (R9)."""
    value, established = case.compact, case.established
    if case.legacy is not None:
        return unknown("legacy-status-unknown")  # its revocations were a chain query, and prove nothing offline
    if case.foreign:
        has = case.file is not None and case.file.has_status
        if has and case.file is not None and case.file.claims_alone:
            return checks_sd_jwt_vc.status(case, case.file)
        return checks_bitstring.listed_status(case, case.file) if has and case.file is not None else skipped("none")
    if value is None or established is None or established.schema is None:
        return skipped("needs-schema")
    if established.list_id is None or value.index is None:
        short = value.valid_until - value.valid_from <= SHORT_LIFETIME
        return passed("short-lived") if short else failed("status-missing")
    key = slot_key(established.list_id, value.index)
    answer = case.facts.fact("status", established.list_id)
    override = case.facts.fact("override", key)
    worst = _worst(case, key, answer, override, value.index)
    if worst is not None:
        return _replaced(case, established, worst)
    if isinstance(answer, Absent):
        late = value.issued >= answer.as_of
        return unknown("status-unknown") if late else failed("status-not-published", {"list": established.list_id})
    if not isinstance(answer, Found) or not isinstance(override, Found | Absent):
        return unknown("status-unknown", {"list": established.list_id})
    if established.found is None or not same_registry(answer.source, established.found.source):
        return unknown("status-unknown", {"list": established.list_id})
    return _age(case, answer.record, established.schema.digest, value.issued)


@lru_cache(maxsize=256)
def _time(count: int) -> str:
    return rfc3339(count)  # one list is asked about many credentials


def _worst(case: Case, key: str, answer: object, override: object, index: int) -> Result | None:
    """The answer when anything says revoked or suspended; revoked is worse."""
    said: list[tuple[str, dict[str, JSON]]] = []
    if isinstance(answer, Found):
        record: StatusRecord = answer.record
        entry = record.entry(index)
        if entry is not None:
            evidence: dict[str, JSON] = {"reason": entry.reason, "at": rfc3339(entry.at), "source": "issuer"}
            said.append((entry.state, evidence))
    if isinstance(override, Found):
        word: OverrideRecord = override.record
        if word.state in ("revoked", "suspended"):
            said.append((word.state, {"reason": word.reason, "at": rfc3339(word.at), "source": "auditor", "by": word.author}))
    if key in case.policy.seen_revocations:  # last: a list that still says it also says why
        said.append(("revoked", {"source": "seen before"}))
    if not said:
        return None
    state, evidence = min(said, key=lambda item: item[0])  # "revoked" sorts before "suspended"
    return failed(state, evidence)


def _replaced(case: Case, established: Established, worst: Result) -> Result:
    """Of a certificate that its issuer replaced, which one came in its place, where the trust data say so."""
    found, value = established.found, case.compact
    outcome, code, said = worst
    if said.get("reason") != "superseded" or found is None or established.cid is None or value is None:
        return worst
    new = replacement_of(case.facts, established.cid, source=found.source, issuer=established.issuer, hash=value.hash)
    return worst if new is None else (outcome, code, {**said, "replacedBy": new})


def _age(case: Case, record: StatusRecord, digest: bytes, issued: int) -> Result:
    if digest not in record.schemas:
        return unknown("status-schema", {"list": record.list_id})
    known = max(record.this_update, issued)  # issued after the snapshot: age counts from issue
    case.ages["status"] = (record.list_id, known)
    age = case.at - known
    evidence: dict[str, JSON] = {"asOf": _time(record.this_update), "ageMinutes": age}
    if age > case.policy.status_reject or (case.at >= record.next_update and issued < record.this_update):
        return unknown("status-stale", evidence)
    return passed("issued-after-status" if issued > record.this_update else "good-standing", evidence)
