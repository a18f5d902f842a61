"""The one verification pipeline: bytes in, a report out, never an exception for bad input (design §2, R26).

One numbered table of checks. A check runs when those it needs passed; independent ones all run, so a report can say
"expired *and* unknown issuer".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from credentials import (
    checks_content,
    checks_holder,
    checks_issuer,
    checks_joint,
    checks_status,
    checks_weidentity,
    presentation,
    verdicts,
)
from credentials.accreditation_path import path_of
from credentials.case import Case, Result, failed, passed, same_registry, skipped, unknown
from credentials.compact import BIND_CHAIN, BIND_DOCUMENT, BIND_KEY, BIND_NONE
from credentials.guarded import Guarded, calmly, unusable
from credentials.policy import Policy
from credentials.report import Check, Link, Outcome, Presented, Report, TrustAge
from credentials.schema import Schema, read_schema
from credentials.weidentity import hidden_leaves
from weid.codec import minutes, rfc3339
from weid.errors import WeidError
from weid.facts import Facts, Source
from weid.pack import LANGUAGES

__all__ = ["CHECK_IDS", "verify"]

_BINDS: Final = {BIND_NONE: "none", BIND_KEY: "key", BIND_CHAIN: "chain", BIND_DOCUMENT: "document"}
_ANYTHING: Final = Policy()
_PASSED, _SKIPPED = Outcome.PASSED, Outcome.SKIPPED
_PROOF_ONLY: Final = "Only the proof was checked: nobody was asked whether the issuer may issue this."
_NO_WITNESSES: Final = "No witnesses watch this registry: that its time and history are one is its operator's word."
_RELAY: Final = "A code of this kind can be relayed or copied while it is fresh."


@dataclass(frozen=True, slots=True)
class _Step:
    id: str
    run: Callable[[Case], Result]
    needs: tuple[str, ...] = ()


def _policy_type(case: Case) -> Result:
    """The kind of credential is one this checker accepts."""
    policy = case.policy
    if policy.schemas is None and policy.types is None:
        return passed()
    if case.foreign or case.legacy is not None:
        types = frozenset(() if case.file is None else case.file.types)
        if case.legacy is not None:
            types = frozenset({f"cpt:{case.legacy.cpt}"})
        fits = policy.schemas is None and policy.types is not None and bool(types & policy.types)
        return passed() if fits else failed("type-not-accepted")
    candidates = [schema for _, schema in case.find_schemas()]
    if not candidates:
        return skipped("needs-schema")
    fits = any(
        (policy.schemas is None or schema.digest in policy.schemas) and (policy.types is None or schema.type in policy.types)
        for schema in candidates
    )
    return passed() if fits else failed("type-not-accepted")


def _accepted_schema(case: Case) -> Result:
    """With several candidates by hint, the one that verified is the one that must be accepted."""
    policy, established = case.policy, case.established
    found = None if established is None else established.schema
    if found is not None and policy.schemas is not None and found.digest not in policy.schemas:
        return failed("type-not-accepted")
    if found is not None and policy.types is not None and found.type not in policy.types:
        return failed("type-not-accepted")
    return checks_content.schema(case)


def _policy_suite(case: Case) -> Result:
    """The signature algorithm is one this checker accepts."""
    accepted = case.policy.suites
    if accepted is None or case.suite in accepted:
        return passed()
    return failed("suite-not-accepted", {"suite": case.suite})


def _specimen(case: Case) -> Result:
    """Not a specimen; the flag is signed (R12)."""
    own = None if case.file is None else case.file.own
    flagged = case.compact.specimen if case.compact is not None else own is not None and own.specimen
    return failed("specimen") if flagged else passed()


_STEPS: Final = (
    _Step("format", checks_content.format),
    _Step("policy.type", _policy_type, ("format",)),
    _Step("policy.suite", _policy_suite, ("format",)),
    _Step("facts.conflict", checks_status.conflict),
    _Step("facts.freshness", checks_status.freshness, ("format",)),
    _Step("validity", checks_content.validity, ("format",)),
    _Step("issuer.document", checks_content.issuer_document, ("format",)),
    _Step("proof.signature", checks_content.signature, ("format", "issuer.document")),
    _Step("disclosure.digests", checks_content.digests, ("proof.signature",)),
    _Step("disclosure.mandatory", checks_content.mandatory, ("proof.signature", "disclosure.digests")),
    _Step("schema", _accepted_schema, ("format",)),
    _Step("issuer.accreditation", checks_issuer.accreditation, ("proof.signature", "disclosure.digests")),
    _Step("issuer.time", checks_issuer.time, ("proof.signature", "disclosure.digests")),
    _Step("issuer.joint", checks_joint.joint, ("proof.signature", "disclosure.digests")),
    _Step("status", checks_status.status, ("proof.signature", "disclosure.digests")),
    _Step("holder.binding", checks_holder.binding, ("format",)),
    _Step("challenge", checks_holder.challenge, ("format",)),
    _Step("replay", checks_holder.replay, ("proof.signature", "holder.binding", "challenge")),
    _Step("clock", checks_holder.clock, ("format",)),
    _Step("specimen", _specimen, ("format",)),
)
_BROKEN: Final = failed("internal-error")
CHECK_IDS: Final = tuple(step.id for step in _STEPS)
"""Every check id in order; one `rules.<id>` for each rule of the policy follows."""


def verify(data: bytes, *, facts: Facts, policy: Policy | None = None, at: datetime) -> Report:
    """What can be said about a QR text, compact bytes, a presentation or a credential file at the moment `at`.

    Codes and files of other systems (docs/spec/foreign-formats.md) are judged by the same checks and their own trust data.

    Never raises for bad data or broken facts: facts that cannot be asked make a check UNKNOWN, a defect of ours FAILED.
    No network, no state except `policy.seen`. ValueError only for an `at` without a time zone.
    """
    case = Case(data, Guarded(facts), policy or _ANYTHING, minutes(at), at.second)
    blocked: set[str] = set()
    checks = [_run(step, case, blocked) for step in _STEPS]
    checks += _rules(case, blocked)
    if case.policy.required:
        checks = [_required(check, case.policy) for check in checks]
    presented = None if "format" in blocked else _presented(case)
    answered = case.file is not None and case.file.token is not None and case.file.token.binding is not None
    bearer = case.presentation is None and not answered
    ages = tuple(TrustAge(what, label, as_of, case.at - as_of) for what, (label, as_of) in case.ages.items())
    return Report(
        tuple(checks), verdicts.decide(checks, bearer=bearer), presented, ages, case.at, _notes(case), _path(case, presented)
    )


def _path(case: Case, presented: Presented | None) -> tuple[Link, ...]:
    """Who gave the right; trust data that break down when asked again leave it out, and decide nothing."""
    if presented is None or not case.policy.require_accreditation:
        return ()
    try:
        return calmly(lambda: path_of(case), ())
    except WeidError:
        return ()


def _run(step: _Step, case: Case, blocked: set[str]) -> Check:
    """One check; `blocked` are the ids whose dependants are skipped, and grows by this one when it is not in order."""
    for need in step.needs:
        if need in blocked:
            blocked.add(step.id)
            return _plain(step.id, Outcome.SKIPPED, f"needs-{need}")
    try:
        outcome, code, evidence = calmly(_done, _BROKEN, step, case)
    except WeidError as error:
        known = error.code if error.code in verdicts.VERDICT_OF else "malformed"
        outcome, code, evidence = unusable(error) or failed(known, {"reason": str(error)})
    # what does not apply stops nobody; what failed, is unknown, or waits for another check does
    if outcome is not _PASSED and (outcome is not _SKIPPED or code.startswith("needs-")):
        blocked.add(step.id)
    return Check(step.id, outcome, code, evidence) if evidence else _plain(step.id, outcome, code)


def _done(step: _Step, case: Case) -> Result:
    """Do a check: a credential of another system has ways of its own for most."""
    if case.other is None:
        return step.run(case)
    from credentials.foreign.checks import CHECKS  # only where needed: a code of ours is checked sooner without

    return CHECKS.get(step.id, step.run)(case)


def _suite(case: Case) -> str:
    """The suite for the report; trust data that break down when asked again leave it open."""
    try:
        return calmly(lambda: case.suite, "")
    except WeidError:
        return ""


@lru_cache(maxsize=1024)
def _plain(check_id: str, outcome: Outcome, code: str) -> Check:
    return Check(check_id, outcome, code)  # most checks of most credentials are the same few values


def _required(check: Check, policy: Policy) -> Check:
    """A required check skipped for any reason but a failed parent is UNKNOWN (R26)."""
    skipped_itself = check.outcome is Outcome.SKIPPED and not check.code.startswith("needs-")
    if skipped_itself and check.id in policy.required:
        return Check(check.id, Outcome.UNKNOWN, check.code, check.evidence)
    return check


def _rules(case: Case, blocked: set[str]) -> list[Check]:
    checks = []
    for rule in case.policy.rules:
        check_id = f"rules.{rule.id}"
        need = next((need for need in ("proof.signature", "disclosure.digests", "schema") if need in blocked), None)
        if need is not None or case.claims is None:
            checks.append(_plain(check_id, Outcome.SKIPPED, f"needs-{need or 'schema'}"))
            continue
        hidden, claims = _hidden(case), case.claims
        try:
            kept = rule.judge(claims, hidden, rfc3339(case.at))
        except WeidError as error:
            checks.append(Check(check_id, Outcome.UNKNOWN, "rule-broken", {"reason": str(error)}))
            continue
        description = {"description": dict(rule.description)}
        result = unknown("rule-hidden", description) if kept is None else passed("ok", description)  # type: ignore[arg-type]
        checks.append(Check(check_id, *(failed("rule-failed", description) if kept is False else result)))  # type: ignore[arg-type]
    return checks


def _hidden(case: Case) -> frozenset[str]:
    established, value = case.established, case.compact
    if case.legacy is not None:
        return frozenset(re.split(r"[.\[]", path)[0] for path in hidden_leaves(case.legacy))
    if established is None or established.schema is None or value is None or value.whole:
        return frozenset()
    return frozenset(name for index, name in enumerate(established.schema.names) if not value.mask >> index & 1)


def _notes(case: Case) -> tuple[str, ...]:
    notes = [] if case.policy.require_accreditation else [_PROOF_ONLY]
    if case.presentation is not None and case.presentation.mode != presentation.CHALLENGE:
        notes.append(_RELAY)
    if case.root is not None and case.root.witnessed is None:
        notes.append(_NO_WITNESSES)  # rules: without witnesses the report says so
    if case.legacy is not None and case.legacy_proof is not None:
        notes += checks_weidentity.notes(case.legacy, case.legacy_proof)
    if case.other is not None:
        from credentials.foreign.presenting import notes as others

        notes += others(case.other)
    return tuple(notes)


def _presented(case: Case) -> Presented:
    if case.other is not None:
        from credentials.foreign.presenting import presented

        return presented(case, case.other)
    established, file, legacy = case.established, case.file, case.legacy
    schema = None if established is None else established.schema
    found = None if established is None else established.found
    start, end = case.period
    value, own = case.compact, None if file is None else file.own
    cid = None if established is None else established.cid
    named = legacy or file
    issuer = established.issuer if established is not None else "" if named is None else named.issuer
    shown = case.presentation
    claims = case.claims if case.claims is not None else {}
    return Presented(
        form="weidentity" if legacy is not None else "compact" if file is None else "file",
        mode=None if shown is None else presentation.MODES[shown.mode],
        id=named.id if named is not None else None if cid is None else f"{issuer}/credentials/{cid.hex()}",
        cid=cid,
        issuer=issuer,
        issuer_names={} if found is None else _names(case, issuer, found.source),
        registry="" if found is None else found.source.label,
        recognised=found is not None and case.root is not None and found.source.genesis != case.root.genesis,
        schema=None if schema is None else schema.digest,
        type=_type(case, schema),
        title={} if schema is None else schema.title,
        claims=MappingProxyType(dict(claims)),
        hidden=tuple(sorted(_hidden(case))) if legacy is None else hidden_leaves(legacy),
        labels={} if schema is None else _labels(schema.document, schema.digest),
        texts={} if schema is None else _texts(schema, claims),
        issued=case.issued,
        valid_from=start,
        valid_until=end,
        status=None if established is None else established.list_id,
        index=value.index if value is not None else None if own is None else own.index,
        suite=_suite(case) if legacy is None or established is None or established.key is None else established.key.suite,
        specimen=value.specimen if value is not None else own is not None and own.specimen,
        bind=_BINDS[case.bind_kind],
        host=case.host,
        unsigned=() if case.legacy_proof is None else case.legacy_proof.unsigned,
    )


def _type(case: Case, schema: Schema | None) -> str:
    if schema is not None:
        return schema.type
    if case.legacy is not None:
        return f"CPT {case.legacy.cpt}"
    return "" if case.file is None else case.file.types[-1]


def _names(case: Case, issuer: str, source: Source) -> Mapping[str, str]:
    """Names come from the registry that vouches for the DID, never from another one (R23)."""
    answer = case.issuer_record
    return dict(answer.record.names) if answer is not None and same_registry(answer.source, source) else {}


@lru_cache(maxsize=512)
def _labels(document: bytes, digest: bytes) -> Mapping[str, Mapping[str, str]]:
    return MappingProxyType({claim.name: claim.label for claim in read_schema(document, digest).claims})


def _texts(schema: Schema, claims: Mapping[str, object]) -> Mapping[str, Mapping[str, str]]:
    return {
        claim.name: {language: claim.shown(claims[claim.name], language) for language in LANGUAGES}  # type: ignore[arg-type]
        for claim in schema.claims
        if claim.kind in ("enum", "boolean") and claim.name in claims
    }
