"""The checks of the pipeline for credentials of other systems: the same ids, the same verdicts, their own trust data.

No anchor is never "tampered": whoever holds no list of a system's keys learns that its issuer is not in the trust data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from credentials.case import Case, Established, Result, failed, passed, skipped, unknown
from credentials.foreign import dcc
from credentials.foreign.keys import Certificate, ForeignKey, key_of_anchor
from credentials.foreign.value import CLAIM_169, EU_DCC, SMART, Listed, OtherCredential
from credentials.text import misleads
from weid.anchors import ANCHOR, REVOCATIONS, Anchor, Held, Revocations
from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import KeyMaterialError, SignatureError, WeidError
from weid.facts import Found

__all__ = ["CHECKS"]

MAX_CANDIDATES: Final = 16
CLOCK_SLACK: Final = 10  # minutes this clock may lag behind the time a list was taken


def _other(case: Case) -> OtherCredential:
    if case.other is None:
        raise KeyMaterialError("not a credential of another system")
    return case.other


def _anchor(found: Found) -> Anchor:
    held: Held = found.record
    if not isinstance(held.item, Anchor):
        raise KeyMaterialError("not an anchor")
    return held.item


def candidates(case: Case) -> tuple[Found, ...]:
    """The anchors that may have signed it, those of the newest list first."""
    other = _other(case)
    found = case.facts.find(ANCHOR, f"{other.format}|{other.hint}")
    if other.format == SMART:
        found = tuple(item for item in found if _anchor(item).kid == other.kid)
    if other.format == CLAIM_169 and not found and other.kid:
        named = case.facts.find(ANCHOR, f"{other.format}|iss|{other.issuer}") if other.issuer else ()
        found = tuple(item for item in named if not _anchor(item).kid)  # a key that came without an id of its own
    return tuple(sorted(found, key=lambda item: -item.as_of))


def policy_type(case: Case) -> Result:
    """The kind of credential is one this checker accepts: by the system's name, or the kind's."""
    policy, other = case.policy, _other(case)
    if policy.schemas is None and policy.types is None:
        return passed()
    fits = policy.schemas is None and policy.types is not None and bool({other.format, other.type} & policy.types)
    return passed() if fits else failed("type-not-accepted")


def freshness(case: Case) -> Result:
    """The newest list that has the issuer's key is young enough, by the ages it was imported with."""
    found = candidates(case)
    if not found:
        return skipped("not-needed")
    newest = found[0]
    case.ages["issuer"] = (newest.source.label, newest.as_of)
    return _age(case, newest, "trust-stale", "trust-ageing")


def validity(case: Case) -> Result:
    """from ≤ at < until, in the seconds that were signed."""
    other, now = _other(case), case.at * 60 + case.second
    if other.valid_from is not None and now < other.valid_from:
        return failed("not-yet-valid", {"from": _time(other.valid_from)})
    if other.valid_until is None:
        return passed("no-end")
    return passed() if now < other.valid_until else failed("expired", {"until": _time(other.valid_until)})


def issuer_document(case: Case) -> Result:
    """A key for it is in the imported lists, or its issuer's address names the key, or there is a ledger and no key."""
    other, found = _other(case), candidates(case)
    evidence: dict[str, JSON] = {"issuer": other.issuer, "key": other.kid}
    if other.address or other.root:
        return passed("foreign-key-by-address" if other.address else "foreign-store", evidence)
    if len(found) > MAX_CANDIDATES:
        return unknown("ambiguous", {"candidates": len(found)})
    if found:
        return passed("foreign-anchor", {**evidence, "list": found[0].source.label})
    if other.format == SMART and case.facts.find(ANCHOR, f"{other.format}|{other.hint}"):
        return unknown("key-not-in-trust-data", evidence)
    return unknown("issuer-not-in-trust-data", evidence)


def signature(case: Case) -> Result:
    """A key of the lists signed it; for a store, the list says that it issued the root."""
    other = _other(case)
    if other.broken:
        return failed("bad-disclosure", {"reason": other.broken})
    if other.root:
        return _issued_by_store(case, other)
    if other.address:
        return _by_address(case, other)
    tried = unread = False
    for found in candidates(case):
        key = _key(found)
        unread = unread or key is None
        if key is None or key.suite != other.suite:
            continue
        tried = True
        try:
            other.verify(key)
        except (SignatureError, KeyMaterialError):
            continue
        _establish(case, _anchor(found).issuer, found, key)
        return passed()
    if unread or not tried:
        return unknown("foreign-key-unusable" if unread else "key-not-in-trust-data", {"key": other.kid})
    return failed("bad-signature")


def _by_address(case: Case, other: OtherCredential) -> Result:
    try:
        other.verify(ForeignKey(None))
    except (SignatureError, KeyMaterialError):
        return failed("bad-signature")
    found = candidates(case)
    _establish(case, other.issuer, found[0] if found else None, None)
    return passed()


def _issued_by_store(case: Case, other: OtherCredential) -> Result:
    lists = candidates(case)
    if not lists:
        return unknown("issuer-not-in-trust-data", {"issuer": other.issuer})
    for found in lists:
        if other.root in _anchor(found).issued:
            _establish(case, other.issuer, found, None)
            return passed("foreign-issued", {"list": found.source.label})
    return unknown("foreign-issue-unknown", {"store": other.issuer})


def digests(case: Case) -> Result:
    """The values lead to what was signed; where values are hidden, how many."""
    other = _other(case)
    hidden: dict[str, JSON] = {"hidden": other.hidden} if other.hidden else {}
    if other.ambiguous:
        return passed("foreign-types-unsigned", {**hidden, "ambiguous": [*other.ambiguous]})
    return passed("ok", hidden)


def schema(case: Case) -> Result:
    """Nothing that people will read can mislead them, and it keeps its own system's schema where there is one here."""
    other = _other(case)
    case.claims = other.claims
    flat: JSON = _without_line_feeds(dict(other.claims))
    if misleads(flat):
        return failed("unsafe-text")
    misfit = other.misfit()
    return failed("schema-mismatch", {"reason": misfit}) if misfit else skipped("none")


def accreditation(case: Case) -> Result:
    """Whoever brought the list lets its issuers count, each for the kinds that its certificate or the list names."""
    other, found = _other(case), case.anchor
    if not case.policy.require_accreditation:
        return skipped("not-asked")
    if found is None:
        return unknown("issuer-not-in-trust-data", {"issuer": other.issuer})
    anchor, key = _anchor(found), _key(found)
    about = None if key is None else key.certificate
    evidence: dict[str, JSON] = {"issuer": anchor.issuer, "list": found.source.label}
    if about is not None and not about.may_sign:
        return failed("foreign-key-usage", evidence)
    if other.format == EU_DCC and not _may_sign_kind(other.type.rpartition(".")[2], anchor, about):
        return failed("foreign-key-usage", evidence)
    return passed("foreign-anchor", evidence)


def _may_sign_kind(kind: str, anchor: Anchor, about: Certificate | None) -> bool:
    """A signer signs any kind unless its certificate or list names uses; then those alone (volume 1, extended key usage)."""
    if about is not None and about.uses and not about.uses & dcc.USES[kind]:
        return False
    return not anchor.uses or kind in anchor.uses or bool(anchor.uses & dcc.USES[kind])


def time(case: Case) -> Result:
    """The signer's certificate had begun and not ended when it signed; for DCC it has not ended now either."""
    other, found = _other(case), case.anchor
    key = None if found is None else _key(found)
    about = None if key is None else key.certificate
    if about is None:
        return skipped("not-needed")
    evidence: dict[str, JSON] = {"from": _time(about.start), "end": _time(about.end), "what": "certificate"}
    now = case.at * 60 + case.second
    if other.issued is not None and not about.start <= other.issued <= about.end:
        return failed("foreign-certificate-period", evidence)
    if other.format == EU_DCC and now > about.end:
        return failed("foreign-certificate-period", evidence)
    return passed()


def status(case: Case) -> Result:
    """Not revoked by any list that is here; without a list that speaks for the issuer nobody knows."""
    other, found = _other(case), case.anchor
    anchor = None if found is None else _anchor(found)
    lists = case.facts.find(REVOCATIONS, other.format)
    for item in lists:
        if any(_names(_revocations(item), listed, other) for listed in other.listed):
            return failed("revoked", {"source": "issuer", "list": item.source.label})
    if not other.has_status(anchor):
        return skipped("none")
    names = {listed.scope for listed in other.listed} | ({anchor.issuer} if anchor is not None else {other.issuer})
    speaking = [item for item in lists if _revocations(item).speaks_for(*names)]
    if not speaking:
        return unknown("status-unknown", {"issuer": other.issuer})
    newest = max(speaking, key=lambda item: item.as_of)
    case.ages["status"] = (newest.source.label, newest.as_of)
    if anchor is not None and anchor.counter is not None:
        held = max(_revocations(item).counters.get(name, 0) for item in speaking for name in names)
        if held < anchor.counter:
            return unknown("status-stale", {"counter": held, "announced": anchor.counter})
    outcome = _age(case, newest, "status-stale", "good-standing")
    return passed("good-standing", outcome[2]) if outcome[1] == "ok" else outcome


def binding(case: Case) -> Result:
    """Nothing in these codes proves that whoever shows one is the person it names."""
    return passed("bearer") if case.policy.require_binding == "bearer" else failed("binding-required")


CHECKS: Final[Mapping[str, Callable[[Case], Result]]] = MappingProxyType({
    "policy.type": policy_type, "facts.freshness": freshness, "validity": validity, "issuer.document": issuer_document,
    "proof.signature": signature, "disclosure.digests": digests, "disclosure.mandatory": lambda case: skipped("none"),
    "schema": schema, "issuer.accreditation": accreditation, "issuer.time": time, "status": status, "holder.binding": binding,
})  # fmt: skip
"""Check id → how it is done for another system's credential; the others are done as always."""


def _establish(case: Case, issuer: str, found: Found | None, key: ForeignKey | None) -> None:
    case.anchor = found
    case.establish(Established(issuer, None, None, None if key is None else key.key, None, None, None))


def _key(found: Found) -> ForeignKey | None:
    try:
        return key_of_anchor(_anchor(found))
    except WeidError:
        return None


def _age(case: Case, found: Found, stale: str, ageing: str) -> Result:
    held: Held = found.record
    age = case.at - found.as_of
    evidence: dict[str, JSON] = {"asOf": rfc3339(found.as_of), "ageMinutes": age, "list": found.source.label}
    if age < -CLOCK_SLACK:
        return unknown("clock-behind-trust", {"trust": rfc3339(found.as_of)})
    if age > held.reject:
        return unknown(stale, evidence)
    return passed(ageing, evidence) if age > held.warn else passed("ok", evidence)


def _revocations(found: Found) -> Revocations:
    held: Held = found.record
    return held.item if isinstance(held.item, Revocations) else Revocations()


def _names(revoked: Revocations, listed: Listed, other: OtherCredential) -> bool:
    """Whether a list has this entry; one with a time after it is for what was issued before (SMART, Revocation)."""
    entries = revoked.lists.get((listed.scope, listed.method), frozenset()) | revoked.lists.get(("*", listed.method), frozenset())
    if listed.entry in entries:
        return True
    if other.format != SMART or other.issued is None:
        return False
    until = (entry.rpartition(".") for entry in entries if entry.startswith(f"{listed.entry}."))
    return any(name == listed.entry and stamp.isdecimal() and other.issued < int(stamp) for name, _, stamp in until)


def _without_line_feeds(value: JSON) -> JSON:
    """Addresses of other systems have lines; a line feed moves nothing where it is shown."""
    if isinstance(value, str):
        return value.replace("\r\n", " ").replace("\n", " ")
    if isinstance(value, dict):
        return {name: _without_line_feeds(item) for name, item in value.items()}
    return [_without_line_feeds(item) for item in value] if isinstance(value, list) else value


def _time(seconds: int) -> str:
    return rfc3339(seconds // 60)
