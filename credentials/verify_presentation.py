"""W3C presentations: the holder's proof, and every credential inside through the one pipeline.

A presentation is as good as the worst of its own checks and of its credentials. Never raises for bad input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from credentials import jws
from credentials.case import Result, failed, passed, skipped, unknown
from credentials.checks_file import key_named, proof_refused, unreadable
from credentials.data_integrity import Proof, read_proofs
from credentials.data_model import check_envelope, check_presentation, moment, texts
from credentials.envelope import JWT, Enveloped, open_url
from credentials.guarded import Guarded, calmly, unusable
from credentials.jsonld.quads import quads_of
from credentials.opening import open_inner, read_envelope
from credentials.policy import Policy
from credentials.report import Check, Outcome, Report
from credentials.verify import verify
from weid.canon import JSON, jcs, parse_json
from weid.codec import minutes
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError, WeidError
from weid.facts import Facts

__all__ = ["MAX_CREDENTIALS", "PresentationReport", "verify_presentation"]

MAX_CREDENTIALS: Final = 64
_ENVELOPED: Final = "EnvelopedVerifiablePresentation"
_CODES: Final = ("not-a-credential", "unsupported", "too-large", "bad-proof-chain", "bad-proof-purpose")


@dataclass(frozen=True, slots=True)
class PresentationReport:
    """The answer for a presentation: its own checks, and one Report for each credential in it, in order."""

    checks: tuple[Check, ...]
    credentials: tuple[Report, ...]
    holder: str | None
    at: int

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    @property
    def outcome(self) -> Outcome:
        """The worst of FAILED > UNKNOWN > PASSED, over everything in it."""
        found = {check.outcome for check in self.checks} | {report.outcome for report in self.credentials}
        if Outcome.FAILED in found:
            return Outcome.FAILED
        return Outcome.UNKNOWN if Outcome.UNKNOWN in found else Outcome.PASSED

    @property
    def exit_code(self) -> int:
        """0 valid, 1 no, 3 cannot say (R26)."""
        return {Outcome.PASSED: 0, Outcome.FAILED: 1}.get(self.outcome, 3)

    def to_json(self) -> dict[str, JSON]:
        """The report for programs."""
        return {
            "outcome": self.outcome.value,
            "exitCode": self.exit_code,
            "holder": self.holder,
            "checks": [
                {"id": check.id, "outcome": check.outcome.value, "code": check.code, "sentence": check.sentence(),
                 "evidence": dict(check.evidence)}
                for check in self.checks
            ],
            "credentials": [report.to_json() for report in self.credentials],
        }  # fmt: skip


def verify_presentation(data: bytes, *, facts: Facts, policy: Policy | None = None, at: datetime) -> PresentationReport:
    """What can be said about a W3C presentation in JSON at the moment `at`.

    `policy.proof_challenge` and `policy.proof_domain` are what the holder's proof must carry; the rest of the policy
    is for the credentials.
    """
    wanted, now, asked = policy or Policy(), minutes(at), Guarded(facts)
    try:
        document, proofs, envelope = _read(data)
    except WeidError as error:
        code = error.code if error.code in _CODES or error.code.startswith("vcdm-") else "malformed"
        return PresentationReport((_said("format", failed(code, {"reason": str(error), "rule": error.code})),), (), None, now)
    holder = _holder(document)
    steps: tuple[tuple[str, Callable[[], Result]], ...] = (
        ("validity", lambda: _validity(proofs, envelope, at)),
        ("schema", lambda: _terms(document, envelope)),
        ("proof.signature", lambda: _signatures(document, proofs, asked) if envelope is None else _sealed(envelope, asked)),
        ("holder.binding", lambda: _bound(holder, _owners(proofs, envelope))),
        ("challenge", lambda: _asked(_answers(proofs, envelope), wanted)),
    )
    checks = [_said("format", passed()), *(_said(name, _answered(step)) for name, step in steps)]
    inner = replace(wanted, proof_challenge=None, proof_domain=None)
    reports = tuple(verify(jcs(item), facts=facts, policy=inner, at=at) for item in _credentials(document))
    return PresentationReport(tuple(checks), reports, holder, now)


def _answered(step: Callable[[], Result]) -> Result:
    """What a check says; trust data that cannot be asked say nothing about the presentation."""
    try:
        return calmly(step, failed("internal-error"))
    except WeidError as error:
        return unusable(error) or failed("malformed", {"reason": str(error)})


def _said(name: str, result: Result) -> Check:
    return Check(name, *result)


def _read(data: bytes) -> tuple[Mapping[str, JSON], tuple[Proof, ...], Enveloped | None]:
    """(document, its proofs, or the envelope that signs it)."""
    if data[:1] == b"\xd2" or data.lstrip(b" \t\r\n").startswith(b"eyJ"):
        return _opened(read_envelope(data))
    document = parse_json(data)
    if isinstance(document, dict) and _ENVELOPED in texts(document.get("type")):
        return _opened(open_inner(open_url(check_envelope(document, _ENVELOPED))))
    if not isinstance(document, dict) or "VerifiablePresentation" not in texts(document.get("type")):
        raise MalformedError("not a presentation", code="not-a-credential")
    _check(document)
    return document, read_proofs(document), None


def _opened(value: Enveloped) -> tuple[Mapping[str, JSON], tuple[Proof, ...], Enveloped]:
    if value.kind != "vp":
        raise MalformedError("not a presentation", code="not-a-credential")
    _check(value.document)
    return value.document, (), value


def _check(document: Mapping[str, JSON]) -> None:
    check_presentation(document)
    if len(_credentials(document)) > MAX_CREDENTIALS:
        raise MalformedError(f"more than {MAX_CREDENTIALS} credentials", code="too-large")


def _credentials(document: Mapping[str, JSON]) -> list[JSON]:
    value = document.get("verifiableCredential", [])
    return value if isinstance(value, list) else [value]


def _holder(document: Mapping[str, JSON]) -> str | None:
    value = document.get("holder")
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def _validity(proofs: tuple[Proof, ...], envelope: Enveloped | None, at: datetime) -> Result:
    now = minutes(at)
    if envelope is not None:
        try:
            code = jws.time_code(envelope.claims, at)
        except MalformedError as error:
            return failed("malformed", {"reason": str(error)})
        return passed() if code is None else failed(code)
    for proof in proofs:
        end = None if proof.expires is None else moment(proof.expires)
        if proof.expires is not None and end is None:
            return failed("malformed", {"reason": "the end that a proof names is not a date with time and zone"})
        if end is not None and now >= minutes(end[0]):
            return failed("expired", {"until": proof.expires})
    return passed("no-end") if all(proof.expires is None for proof in proofs) else passed()


def _terms(document: Mapping[str, JSON], envelope: Enveloped | None) -> Result:
    """Of a JWT of 1.1 without its credentials: there they are texts, not nodes, and each is checked by itself."""
    texts_inside = envelope is not None and envelope.media == JWT
    try:
        quads_of({name: item for name, item in document.items() if not (texts_inside and name == "verifiableCredential")})
    except MalformedError as error:
        return unreadable(error)
    return passed()


def _signatures(document: Mapping[str, JSON], proofs: tuple[Proof, ...], facts: Facts) -> Result:
    missing = False
    for proof in proofs:
        if proof.purpose != "authentication":
            return failed("bad-proof-purpose")
        try:
            key = key_named(proof.method, facts, "present")
        except (MalformedError, KeyMaterialError, UnknownSuiteError):
            return failed("bad-signature", {"reason": "the proof names no usable key"})
        missing = missing or key is None
        refused = None if key is None else proof_refused(document, proof, key, "present")
        if refused is not None:
            return refused
    return unknown("proof-unresolved") if missing else passed()


def _sealed(envelope: Enveloped, facts: Facts) -> Result:
    """The envelope is right by the key that it names."""
    try:
        key = key_named(envelope.method or "", facts, "present")
        if key is None:
            return unknown("proof-unresolved")
        envelope.verify(key)
    except (MalformedError, KeyMaterialError, SignatureError, UnknownSuiteError):
        return failed("bad-signature")
    return passed()


def _owners(proofs: tuple[Proof, ...], envelope: Enveloped | None) -> set[str]:
    methods = [proof.method for proof in proofs] if envelope is None else [envelope.method or ""]
    return {method.partition("#")[0] for method in methods}


def _answers(proofs: tuple[Proof, ...], envelope: Enveloped | None) -> list[Mapping[str, JSON]]:
    """The challenge and domain that each signature covers; in an envelope they are `nonce` and `aud`."""
    if envelope is None:
        return [proof.options for proof in proofs]
    said = {"challenge": envelope.claims.get("nonce"), "domain": envelope.claims.get("aud")}
    return [{name: value for name, value in said.items() if value is not None}]


def _bound(holder: str | None, owners: set[str]) -> Result:
    """Whoever is named as the holder made one of the proofs."""
    if holder is None:
        return skipped("none")
    return passed() if holder in owners else failed("holder-key-mismatch", {"holder": holder})


def _asked(answers: list[Mapping[str, JSON]], policy: Policy) -> Result:
    """The proofs answer this checker's question: the same challenge, and a domain that is its own."""
    if policy.proof_challenge is None and policy.proof_domain is None:
        return skipped("not-needed")
    for said in answers:
        if policy.proof_challenge is not None and said.get("challenge") != policy.proof_challenge:
            return failed("challenge-mismatch" if "challenge" in said else "challenge-missing")
        named = said.get("domain")
        if policy.proof_domain is not None and policy.proof_domain not in (named if isinstance(named, list) else [named]):
            return failed("challenge-mismatch", {"domain": named})
    return passed()
