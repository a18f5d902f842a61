"""The story and the cases that every designed pack begins with: the golden path and three bad ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from issuer_app.design.plan import Plan
from issuer_app.design.samples import changed, claims_of

__all__ = ["cases_of", "story_of"]

Words = Callable[[str], dict[str, Any]]
_CLOCK: Final = "2026-03-01T08:00:00Z"
_YEAR: Final = 365


def cases_of(plan: Plan, words: Words) -> dict[str, Any]:
    """`cases/NAME.json` by name."""
    golden = [step for _, step in _golden(plan)]
    forged = next((field for field in plan.fields if field.privacy == "public"), None) or next(iter(plan.fields), None)
    made = {"golden": golden, "unreviewed": [_issue(plan) | {"expect": {"error": "not-accredited"}}]}
    made["revoked"] = [
        *golden, {"do": "revoke", "by": "issuer", "what": "certificate", "reason": "fraud"}, _carry(),
        *_checked(plan, {"verdict": "revoked", "exit": 1}, "again"),
    ]  # fmt: skip
    if forged is not None:
        alter = {"do": "alter", "what": "certificate", "claim": forged.name, "value": changed(forged), "as": "forged"}
        check = {"do": "verify", "by": "checker", "what": "forged", "request": "check"}
        made["altered"] = [*_until_issued(plan), _carry(), alter, check | {"expect": {"verdict": "tampered", "exit": 1}}]
    return {name: {"title": words(name), "clock": _CLOCK, "steps": steps} for name, steps in made.items()}


def story_of(plan: Plan, words: Words) -> list[dict[str, Any]]:
    """The steps of `story.json`."""
    early = _issue(plan) | {"as": "early", "expect": {"error": "not-accredited"}}
    steps = _golden(plan)
    told = [steps[0], ("say-early", early), *steps[1:]]
    return [{"say": words(say), **step} for say, step in told]


def _golden(plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    good = {"verdict": "valid" if plan.bind == "key" else "valid-bearer", "exit": 0}
    told = list(zip(("say-apply", "say-approve", "say-issue"), _until_issued(plan), strict=True))
    told.append(("say-carry", _carry()))
    says = ("say-ask", "say-present", "say-verify") if plan.bind == "key" else ("say-verify",)
    told += zip(says, _checked(plan, good, "shown"), strict=True)
    fields = _typed(plan)
    if fields:
        typed = {"do": "type", "by": "checker", "schema": plan.name, "fields": fields, "code-of": "certificate"}
        told.append(("say-type", typed | {"expect": {"answer": "match"}}))
    return told


def _until_issued(plan: Plan) -> list[dict[str, Any]]:
    return [
        {"do": "apply", "by": "issuer", "schemas": [plan.name]},
        {"do": "approve", "by": "reviewer", "party": "issuer", "schema": plan.name, "days": _YEAR},
        _issue(plan),
    ]


def _issue(plan: Plan) -> dict[str, Any]:
    to = "holder" if plan.bind == "key" else None
    return {"do": "issue", "by": "issuer", "schema": plan.name, "to": to, "claims": claims_of(plan), "as": "certificate"}


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
