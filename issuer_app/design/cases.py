"""The story and the cases that every designed pack begins with: the golden path and the bad ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from issuer_app.design.breaking import broken_by
from issuer_app.design.plan import Plan
from issuer_app.design.samples import changed, claims_of, found_by

__all__ = ["CLOCK", "cases_of", "co_signers", "story_of"]

Words = Callable[[str], dict[str, Any]]
Steps = list[tuple[str, dict[str, Any]]]
CLOCK: Final = "2026-03-01T08:00:00Z"
_YEAR: Final = 365


def co_signers(plan: Plan) -> tuple[str, ...]:
    """The parties that sign beside the issuer. Institutions that are named are real ones: nobody can play them."""
    return tuple(f"signer-{number}" for number in range(2, plan.together.needed + 1)) if plan.together.way == "any" else ()


def cases_of(plan: Plan, words: Words) -> dict[str, Any]:
    """`cases/NAME.json` by name."""
    golden = [step for _, step in _golden(plan)]
    made = {"golden": golden, "unreviewed": [_issue(plan) | {"expect": {"error": "not-accredited"}}]}
    if plan.together.way != "named":  # there it is refused for its issuer before anything else
        made["revoked"] = [
            *golden, {"do": "revoke", "by": "issuer", "what": "certificate", "reason": "fraud"}, _carry(),
            *_checked(plan, {"verdict": "revoked", "exit": 1}, "again"),
        ]  # fmt: skip
    forged = next((field for field in plan.fields if field.privacy == "public"), None) or next(iter(plan.fields), None)
    if forged is not None:
        alter = {"do": "alter", "what": "certificate", "claim": forged.name, "value": changed(forged), "as": "forged"}
        check = {"do": "verify", "by": "checker", "what": "forged", "request": "check"}
        steps = [step for _, step in _signed(plan)]
        made["altered"] = [*steps, _carry(), alter, check | {"expect": {"verdict": "tampered", "exit": 1}}]
    titles = {name: words(name) for name in made}
    if co_signers(plan):
        steps = [step for _, step in _until_issued(plan)]
        refused = {"verdict": "issuer-not-authorised", "exit": 1, "checks": {"issuer.joint": "FAILED not-cosigned"}}
        made["unsigned"] = [*steps, {"do": "wait", "minutes": 5}, _carry(), *_checked(plan, refused, "alone")]
        titles["unsigned"] = words("unsigned")
    for number, claims in broken_by(plan, CLOCK):
        steps = [step for _, step in _signed(plan, claims)]
        made[f"broken-{number}"] = [*steps, _carry(), *_checked(plan, {"verdict": "rule-failed", "exit": 1}, "broken")]
        titles[f"broken-{number}"] = words("broken")
    return {name: {"title": titles[name], "clock": CLOCK, "steps": steps} for name, steps in made.items()}


def story_of(plan: Plan, words: Words) -> list[dict[str, Any]]:
    """The steps of `story.json`."""
    early = _issue(plan) | {"as": "early", "expect": {"error": "not-accredited"}}
    steps = _golden(plan)
    told = [steps[0], ("say-early", early), *steps[1:]]
    return [{"say": words(say), **step} for say, step in told]


def _golden(plan: Plan) -> Steps:
    named = plan.together.way == "named"
    good = {"verdict": "valid" if plan.bind == "key" else "valid-bearer", "exit": 0}
    if named:
        good = {"verdict": "issuer-not-authorised", "exit": 1}
    told = [*_signed(plan), ("say-carry", _carry())]
    last = "say-named" if named else "say-verify"
    told += zip(("say-ask", "say-present", last) if plan.bind == "key" else (last,), _checked(plan, good, "shown"), strict=True)
    fields = _typed(plan)
    if fields:
        typed = {"do": "type", "by": "checker", "schema": plan.name, "fields": fields, "code-of": "certificate"}
        told.append(("say-type", typed | {"expect": {"answer": "match"}}))
    return told


def _signed(plan: Plan, claims: dict[str, Any] | None = None) -> Steps:
    """Issued, and signed by everybody who has to."""
    words = [("say-cosign", {"do": "cosign", "by": name, "what": "certificate"}) for name in co_signers(plan)]
    return [*_until_issued(plan, claims), *words]


def _until_issued(plan: Plan, claims: dict[str, Any] | None = None) -> Steps:
    told: Steps = []
    for name in ("issuer", *co_signers(plan)):
        told.append(("say-apply", {"do": "apply", "by": name, "schemas": [plan.name]}))
        told.append(("say-approve", {"do": "approve", "by": "reviewer", "party": name, "schema": plan.name, "days": _YEAR}))
    return [*told, ("say-issue", _issue(plan, claims))]


def _issue(plan: Plan, claims: dict[str, Any] | None = None) -> dict[str, Any]:
    to = "holder" if plan.bind == "key" else None
    held = claims_of(plan) if claims is None else claims
    found = found_by(plan) if plan.finding.required else {}
    step = {"do": "issue", "by": "issuer", "schema": plan.name, "to": to, "claims": held, "as": "certificate"}
    return step | ({"lookup": found} if found else {})


def _carry() -> dict[str, Any]:
    return {"do": "carry", "registry": "main", "to": "checker"}


def _checked(plan: Plan, expect: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The steps of one check: a bound certificate is asked for and answered from the holder's wallet."""
    verify = {"do": "verify", "by": "checker", "request": "check", "expect": expect}
    if plan.bind != "key":
        return [verify | {"what": "certificate"}]
    show = [field.name for field in plan.fields]
    return [
        {"do": "ask", "by": "checker", "request": "check", "as": f"{name}-asked"},
        {"do": "present", "holder": "holder", "what": "certificate", "challenge": f"{name}-asked", "show": show, "as": name},
        verify | {"what": name, "challenge": f"{name}-asked"},
    ]


def _typed(plan: Plan) -> dict[str, Any]:
    claims = claims_of(plan)
    return {name: str(claims[name]) for name in plan.typed}
