"""The verifying half of the W3C CCG's VC-API (vcalm): credentials, presentations and challenges, as one blueprint.

The same `verify` as every page here, so there is no second opinion. Whatever is not established is a 400 with problem
details, never a 5xx: a text, null or list where an object belongs is bad input like any other.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from credentials.policy import Policy, Seen
from credentials.report import Check, Outcome, Report
from credentials.verify import verify
from credentials.verify_presentation import PresentationReport, verify_presentation
from weid.canon import JSON, jcs, parse_json
from weid.codec import minutes
from weid.errors import WeidError
from weid.facts import Facts

__all__ = ["VerifierApi", "blueprint"]

MAX_BODY: Final = 1 << 20
CHALLENGE_MINUTES: Final = 15
_MODEL: Final = "https://www.w3.org/TR/vc-data-model#"
_TYPES: Final[Mapping[str, str]] = MappingProxyType({
    "format": f"{_MODEL}MALFORMED_VALUE_ERROR",
    "schema": f"{_MODEL}MALFORMED_VALUE_ERROR",
    "proof.signature": f"{_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR",
    "validity": f"{_MODEL}RANGE_ERROR",
    "status": "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR",
})  # fmt: skip
_CHECKS: Final = frozenset({"proof", "accreditation", "status", "credentialStatus", "credentialSchema"})
# Not knowing a status list or a schema matters to those who ask about it; a list that says "revoked" matters to everybody.
_ASKED_BY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "status": frozenset({"status", "credentialStatus", "accreditation"}),
        "schema": frozenset({"credentialSchema", "accreditation"}),
    }
)


@dataclass(frozen=True, slots=True)
class VerifierApi:
    """What the blueprint asks: trust data, the demands that are not the caller's, a clock and a memory of challenges."""

    facts: Callable[[], Facts]
    clock: Callable[[], datetime]
    seen: Seen
    policy: Callable[[], Policy] = Policy


def blueprint(api: VerifierApi, *, name: str = "vc-api", prefix: str = "/vc-api") -> Blueprint:
    """The routes below `prefix`. Whoever registers it caps rates and, where it is not for everybody, access."""
    routes = Blueprint(name, __name__, url_prefix=prefix)

    @routes.post("/credentials/verify")
    def credentials() -> Response:
        body = _body()
        item, options = body.get("verifiableCredential"), _options(body)
        if not _securable(item) or options is None:
            return _bad("a body has verifiableCredential, and options as an object")
        policy = _policy(api.policy(), options)
        if policy is None:
            return _bad("an option that is not understood")
        return _answer(_verified(item, api, policy), options)

    @routes.post("/presentations/verify")
    def presentations() -> Response:
        body = _body()
        item, options = body.get("verifiablePresentation"), _options(body)
        if not _securable(item) or options is None:
            return _bad("a body has verifiablePresentation, and options as an object")
        policy = _policy(api.policy(), options)
        if policy is None:
            return _bad("an option that is not understood")
        report = verify_presentation(_bytes(item), facts=api.facts(), policy=policy, at=api.clock())
        if not _against(report, options) and not _unused(api, policy):
            return _problem([("challenge", "replayed", "This challenge was answered before.")], {"verified": False})
        return _answer(report, options)

    @routes.errorhandler(WeidError)
    def unusable(error: WeidError) -> Response:
        # our own trust data cannot be used (a clock behind them, say): that says nothing about what was sent
        response = _problem([("facts.freshness", error.code, str(error))], {"verified": False})
        response.status_code = 503
        return response

    @routes.post("/challenges")
    def challenges() -> Response:
        response = jsonify({"challenge": f"urn:weid:challenge:{secrets.token_urlsafe(24)}"})
        response.status_code = 201
        return response

    return routes


def _unused(api: VerifierApi, policy: Policy) -> bool:
    """A challenge that was made here answers one presentation; another's challenge is another's to remember."""
    asked = policy.proof_challenge
    if asked is None or not asked.startswith("urn:weid:challenge:"):
        return True
    return api.seen.claim(f"vc-api|{asked}", minutes(api.clock()) + CHALLENGE_MINUTES)


def _verified(item: JSON, api: VerifierApi, policy: Policy) -> Report:
    return verify(_bytes(item), facts=api.facts(), policy=policy, at=api.clock())


def _securable(item: JSON) -> bool:
    """An object, or a text in a compact form (a JWT, an SD-JWT): JSON inside a text is no map (VC Data Integrity 4.4)."""
    return not (item is None or (isinstance(item, str) and item.lstrip()[:1] in ("{", "[", '"')))


def _bytes(item: JSON) -> bytes:
    """A document as canonical JSON, or a text (a JWT) as it is."""
    return item.encode("utf-8", "replace") if isinstance(item, str) else jcs(item)


def _body() -> dict[str, JSON]:
    request.max_content_length = MAX_BODY
    try:
        value = parse_json(request.get_data(cache=False), max_bytes=MAX_BODY)
    except WeidError:
        return {}
    return value if isinstance(value, dict) else {}


def _options(body: Mapping[str, JSON]) -> dict[str, JSON] | None:
    options = body.get("options", {})
    return options if isinstance(options, dict) else None


def _policy(base: Policy, options: Mapping[str, JSON]) -> Policy | None:
    """The caller's demands beside the operator's. The proof alone is asked for unless `checks` names more."""
    challenge, domain, checks = options.get("challenge"), options.get("domain"), options.get("checks", ["proof"])
    texts = all(item is None or isinstance(item, str) for item in (challenge, domain))
    if not texts or not isinstance(checks, list) or not all(isinstance(item, str) and item in _CHECKS for item in checks):
        return None
    return replace(
        base,
        require_accreditation="accreditation" in checks,
        proof_challenge=challenge if isinstance(challenge, str) else None,
        proof_domain=domain if isinstance(domain, str) else None,
    )


def _answer(report: Report | PresentationReport, options: Mapping[str, JSON]) -> Response:
    """200 unless something that was asked for speaks against it; what was not asked for and is not known is a warning."""
    against = _against(report, options)
    open_ = [
        f"{check.id}: {check.code}" for check in _checks(report) if check.outcome is Outcome.UNKNOWN and check not in against
    ]
    body: dict[str, Any] = {"verified": not against, "warnings": open_, "report": report.to_json()}
    return _problem([(check.id, check.code, _detail(check)) for check in against], body) if against else jsonify(body)


def _against(report: Report | PresentationReport, options: Mapping[str, JSON]) -> list[Check]:
    asked = options.get("checks", ["proof"])
    wanted = frozenset(str(item) for item in asked) if isinstance(asked, list) else frozenset()
    return [
        check
        for check in _checks(report)
        if check.outcome is Outcome.FAILED or (check.outcome is Outcome.UNKNOWN and _asked(check, wanted))
    ]


def _checks(report: Report | PresentationReport) -> list[Check]:
    reports = report.credentials if isinstance(report, PresentationReport) else ()
    return [check for part in (report, *reports) for check in part]


def _asked(check: Check, wanted: frozenset[str]) -> bool:
    # a word that no context explains was not read, whatever was asked for
    return check.code == "unknown-context" or check.id not in _ASKED_BY or bool(wanted & _ASKED_BY[check.id])


def _detail(check: Check) -> str:
    reason = check.evidence.get("reason")
    return f"{check.sentence()} ({reason})" if isinstance(reason, str) else check.sentence()


def _bad(detail: str) -> Response:
    return _problem([("format", "bad-request", detail)], {"verified": False})


def _problem(found: list[tuple[str, str, str]], body: Mapping[str, Any]) -> Response:
    details = [
        {"type": _TYPES.get(check, f"urn:weid:problem:{code}"), "title": code, "detail": detail, "check": check}
        for check, code, detail in found
    ]
    response = jsonify({**body, "problemDetails": details, "errors": [f"{check}: {code}" for check, code, _ in found]})
    response.status_code = 400
    return response
