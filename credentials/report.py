"""What a verification says: every check with its outcome, one verdict, the signed values, how old our knowledge is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from credentials import wording
from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import VerificationFailed

__all__ = ["Check", "Link", "Outcome", "Presented", "Report", "TrustAge"]

_NOTHING: Final[Mapping[str, JSON]] = MappingProxyType({})


class Outcome(StrEnum):
    """How a check ended. UNKNOWN is an answer: the evidence is missing, not the credential wrong."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check: a stable id, how it ended, a stable code and what it saw."""

    id: str
    outcome: Outcome
    code: str
    evidence: Mapping[str, JSON] = field(default_factory=lambda: _NOTHING)

    def sentence(self, language: str = "en") -> str:
        """One sentence for people; never holds text that was not signed (R28)."""
        return wording.sentence(self.code, language)


@dataclass(frozen=True, slots=True)
class Presented:
    """What the credential says; only `Report.authentic` vouches for it. Times are UTC minutes."""

    form: str  # compact | file | weidentity, or the name of another system's format
    mode: str | None  # challenge | gate | chain
    id: str | None
    cid: bytes | None
    issuer: str
    issuer_names: Mapping[str, str]
    registry: str
    recognised: bool  # the issuer's registry is a foreign one
    schema: bytes | None
    type: str
    title: Mapping[str, str]
    claims: Mapping[str, JSON]
    hidden: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]
    texts: Mapping[str, Mapping[str, str]]  # shown values in words, where the schema has words for them
    issued: int | None
    valid_from: int | None
    valid_until: int | None
    status: str | None
    index: int | None
    suite: str
    specimen: bool
    bind: str
    host: str
    unsigned: tuple[str, ...] = ()  # members that an old format's signature leaves out (R30)

    def to_json(self) -> dict[str, JSON]:
        """Plain JSON: bytes as hex, minutes as RFC 3339."""
        return {
            "form": self.form,
            "mode": self.mode,
            "id": self.id,
            "cid": None if self.cid is None else self.cid.hex(),
            "issuer": {"id": self.issuer, "names": dict(self.issuer_names), "registry": self.registry,
                       "recognised": self.recognised},
            "schema": None if self.schema is None else self.schema.hex(),
            "type": self.type,
            "title": dict(self.title),
            "claims": dict(self.claims),
            "hidden": list(self.hidden),
            "labels": {name: dict(words) for name, words in self.labels.items()},
            "texts": {name: dict(words) for name, words in self.texts.items()},
            "issued": _time(self.issued),
            "validFrom": _time(self.valid_from),
            "validUntil": _time(self.valid_until),
            "status": None if self.status is None else {"list": self.status, "index": self.index},
            "suite": self.suite,
            "specimen": self.specimen,
            "bind": self.bind,
            **({"unsigned": list(self.unsigned)} if self.unsigned else {}),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrustAge:
    """How old one source we relied on is, in minutes."""

    what: str  # root | issuer | status | recognition | document
    label: str
    as_of: int
    age: int

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"what": self.what, "label": self.label, "asOf": _time(self.as_of), "ageMinutes": self.age}


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the path. `role`: member (of the committee), vote (of it), reviewer, delegate, issuer, or gone where the
    trust data no longer hold how it was given; `id` is the DID, or the proposal's id in hex for a vote.

    Level and period are of the delegation or right; members, votes and reviewers give by office and have none.
    """

    role: str
    id: str
    names: Mapping[str, str]
    level: int | None = None
    since: int | None = None
    until: int | None = None
    ended: int | None = None

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON; what a link has not is left out."""
        times = {"since": self.since, "until": self.until, "ended": self.ended}
        level: dict[str, JSON] = {} if self.level is None else {"level": self.level}
        known = {name: rfc3339(time) for name, time in times.items() if time is not None}
        return {"role": self.role, "id": self.id, "names": dict(self.names), **level, **known}


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer. Iterating gives the checks in their order."""

    checks: tuple[Check, ...]
    verdict: str
    presented: Presented | None
    ages: tuple[TrustAge, ...]
    at: int
    notes: tuple[str, ...] = ()
    path: tuple[Link, ...] = ()  # who gave the issuer its right; told, not a check

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def check(self, check_id: str) -> Check:
        """The check of that id; KeyError when the pipeline has no such check."""
        for check in self.checks:
            if check.id == check_id:
                return check
        raise KeyError(check_id)

    @property
    def outcome(self) -> Outcome:
        """The worst of FAILED > UNKNOWN > PASSED."""
        found = {check.outcome for check in self.checks}
        if Outcome.FAILED in found:
            return Outcome.FAILED
        return Outcome.UNKNOWN if Outcome.UNKNOWN in found else Outcome.PASSED

    @property
    def exit_code(self) -> int:
        """0 valid, 1 no, 3 cannot say; a trust conflict and a missing root are 3 (R26)."""
        if self.verdict == "trust-conflict" or any(check.code == "no-trust-root" for check in self.checks):
            return 3
        return {Outcome.PASSED: 0, Outcome.FAILED: 1}.get(self.outcome, 3)

    @property
    def authentic(self) -> Mapping[str, JSON] | None:
        """The signed values of a genuine credential, even one that expired or was revoked; else None."""
        needed = ("format", "issuer.document", "proof.signature", "disclosure.digests")
        passed = {check.id for check in self.checks if check.outcome is Outcome.PASSED or check.code == "none"}
        rootless = any(check.code == "no-trust-root" for check in self.checks)
        if self.presented is None or rootless or "facts.conflict" not in passed or not passed.issuperset(needed):
            return None
        return self.presented.claims

    def require(self) -> Presented:
        """The presented credential when everything passed; VerificationFailed otherwise."""
        if self.outcome is not Outcome.PASSED or self.presented is None:
            raise VerificationFailed(f"{self.verdict}: {wording.verdict(self.verdict).sentence}", report=self)
        return self.presented

    def to_json(self) -> dict[str, JSON]:
        """The report for programs; the same in the library, the command and the HTTP service."""
        authentic = self.authentic is not None
        return {
            "verdict": self.verdict,
            "outcome": self.outcome.value,
            "exitCode": self.exit_code,
            "at": rfc3339(self.at),
            "authentic": authentic,
            "checks": [
                {"id": check.id, "outcome": check.outcome.value, "code": check.code, "sentence": check.sentence(),
                 "evidence": dict(check.evidence)}
                for check in self.checks
            ],
            "credential": self.presented.to_json() if self.presented is not None and authentic else None,
            "accreditation": [link.to_json() for link in self.path] if authentic else [],
            "ages": [age.to_json() for age in self.ages],
            "established": [check.id for check in self.checks if check.outcome is Outcome.PASSED],
            "notEstablished": [check.id for check in self.checks if check.outcome is not Outcome.PASSED],
            "notes": list(self.notes),
        }  # fmt: skip


def _time(count: int | None) -> str | None:
    return None if count is None else rfc3339(count)
