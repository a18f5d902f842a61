"""The `status` check of W3C credentials: every entry's list at hand, proven, current, and what it says (R9, R22).

Lists are never fetched: a look-up would tell the issuer who shows what where, and an offline checker has none. The
caller hands them in (`Policy.status_lists`); what is missing or not good enough is UNKNOWN with its own code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from credentials.bitstring import ENTRY_TYPE, Entry, StatusBits, read_entry, read_list, value_at
from credentials.case import Case, Result, failed, passed, unknown
from credentials.companion import read_companion, signed_at, uncounted
from credentials.data_model import texts
from credentials.report import Outcome
from credentials.status import slot_key
from credentials.vcdm_file import FileCredential
from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import MalformedError, WeidError

__all__ = ["listed_status"]

MAX_ENTRIES: Final = 16
CLOCK_SLACK: Final = 10  # minutes a checker's clock may lag behind the list's signer, as for the registry's (R21)
_MEANS: Final = {"revocation": "revoked", "suspension": "suspended"}
_RANK: Final = {"revoked": 0, "suspended": 1, "status-entry-malformed": 2}
_PASSING: Final = ("status-message", "status-renewal", "status-refresh-due", "good-standing")


def listed_status(case: Case, file: FileCredential) -> Result:
    """The worst of all entries: revoked before suspended, any unknown before good standing."""
    value = file.document.get("credentialStatus")
    entries = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
    if len(entries) > MAX_ENTRIES:
        return unknown("status-type-unknown", {"reason": f"more than {MAX_ENTRIES} entries"})
    results = [_entry(case, file, item) for item in entries]
    worst = min(results, key=_order)
    if worst[0] is not Outcome.PASSED:
        return worst
    return worst[0], worst[1], {"entries": [dict(evidence) for _, _, evidence in results]}


def _order(result: Result) -> tuple[int, int]:
    outcome, code, _ = result
    if outcome is Outcome.FAILED:
        return 0, _RANK[code]
    return (1, 0) if outcome is Outcome.UNKNOWN else (2, _PASSING.index(code))


def _entry(case: Case, file: FileCredential, value: Mapping[str, JSON]) -> Result:
    if ENTRY_TYPE not in texts(value.get("type")):
        return unknown("status-type-unknown", {"types": list(texts(value.get("type")))})
    try:
        entry = read_entry(value)
    except MalformedError as error:
        return failed("status-entry-malformed", {"reason": str(error)})
    evidence: dict[str, JSON] = {"list": entry.url, "purpose": entry.purpose, "index": str(entry.index)}
    if entry.purpose == "revocation" and slot_key(entry.url, entry.index) in case.policy.seen_revocations:
        return failed("revoked", {**evidence, "source": "seen before"})
    data = case.policy.status_list(entry.url, file.issuer)
    if data is None:
        return unknown("status-unknown", evidence)
    try:
        held = read_companion(data, case)
        bits = read_list(held.document)
        refused = _refused(case, file, held, entry, bits)
        return _said(case, entry, value_at(bits.bits, entry.index, entry.size), held, bits, evidence) if refused is None else (
            refused[0], refused[1], {**evidence, **refused[2]})  # fmt: skip
    except WeidError as error:
        return _unreadable(error, {**evidence, "reason": str(error)})


def _unreadable(error: WeidError, evidence: Mapping[str, JSON]) -> Result:
    if error.code == "status-list-short":
        return unknown("status-list-short", evidence)
    return unknown("status-index", evidence) if error.code == "status-index" else unknown("status-list-malformed", evidence)


def _refused(case: Case, file: FileCredential, held: FileCredential, entry: Entry, bits: StatusBits) -> Result | None:
    """Why a list that can be read does not count for this entry."""
    reason = uncounted(held, case, "status")
    if reason is not None:
        return unknown("status-list-unproven", {"reason": reason})
    if held.issuer != file.issuer and held.issuer not in case.policy.status_issuers:
        # else anybody could sign a list that says all is well (REC 3.1 leaves trust in its issuer to the verifier)
        return unknown("status-list-issuer", {"issuer": held.issuer})
    if held.id is not None and held.id != entry.url:
        return unknown("status-list-malformed", {"reason": "the list is another one", "id": held.id})
    if entry.purpose not in bits.purposes:
        return unknown("status-purpose", {"purposes": [*sorted(bits.purposes)]})
    if bits.size is not None and bits.size != entry.size:
        return unknown("status-list-malformed", {"reason": "the list has values of another size"})
    return _too_old(case, held)


def _too_old(case: Case, held: FileCredential) -> Result | None:
    known = signed_at(held)
    if held.valid_from is not None and case.at < held.valid_from:
        return unknown("status-list-early", {"from": rfc3339(held.valid_from)})
    if held.valid_until is not None and case.at >= held.valid_until:
        return unknown("status-stale", {"until": rfc3339(held.valid_until)})
    if known is None:
        return unknown("status-list-undated")
    if case.at + CLOCK_SLACK < known:
        return unknown("status-list-early", {"from": rfc3339(known)})
    age = case.at - known
    return unknown("status-stale", {"asOf": rfc3339(known), "ageMinutes": age}) if age > case.policy.status_reject else None


def _said(case: Case, entry: Entry, value: int, held: FileCredential, bits: StatusBits, evidence: dict[str, JSON]) -> Result:
    known = signed_at(held) or case.at
    before = case.ages.get("status")
    case.ages["status"] = (entry.url, known) if before is None or known < before[1] else before  # the oldest one decides
    evidence = {**evidence, "asOf": rfc3339(known), **_words(entry, value)}
    if entry.purpose in _MEANS and value:
        return failed("revoked", evidence) if entry.purpose == "revocation" else failed("suspended", evidence)
    if entry.purpose == "message":
        return passed("status-message", evidence)
    if entry.purpose == "refresh" and value:
        return passed("status-renewal", evidence)
    if entry.purpose not in (*_MEANS, "refresh") and value:
        return unknown("status-purpose-unknown", evidence)
    # the list still counts (REC 2.2: ttl does not override validity), but its issuer has probably a newer one
    due = bits.ttl is not None and (case.at - known) * 60_000 > bits.ttl
    return passed("status-refresh-due", evidence) if due else passed("good-standing", evidence)


def _words(entry: Entry, value: int) -> dict[str, JSON]:
    """The value as the issuer committed to it when it issued: for software, not for people to read (REC 2.1)."""
    said: Sequence[str] = entry.messages or ("unset", "set")
    found: dict[str, JSON] = {"value": hex(value), "message": said[value]}
    return {**found, "references": list(entry.references)} if entry.references else found
