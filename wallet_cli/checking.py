"""The verifier's side of a case: policies from the pack, the pipeline, and what it was expected to say."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from credentials.compact import read_compact
from credentials.policy import Policy
from credentials.presentation import Challenge
from credentials.report import Outcome, Report
from credentials.requests import policy_for, read_request
from credentials.schema import Schema, read_schema
from credentials.typed import read_code
from credentials.verify import verify as run
from wallet_cli.wallet import Held
from wallet_cli.world import Verifier, World
from weid.errors import MalformedError
from weid.facts import Facts, NoFacts

LIFE = 10  # minutes a challenge of a case may be answered


class Different(Exception):
    """What came out otherwise than expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Shown:
    """Under which facts and policy a verifier last checked for a request."""

    facts: Facts
    policy: Policy


def challenge(here: World, verifier: str, request: str) -> Challenge:
    """A fresh challenge for the first schema of a request."""
    terms = read_request(here.pack, request)
    name = terms.schemas[0]
    schema = read_schema(here.pack.files[f"schemas/{name}.json"], here.schemas[name])
    return Challenge(
        verifier, here.verifiers[verifier].title, terms.purpose, schema.digest, schema.mask(frozenset(terms.ask)),
        secrets.token_bytes(16), here.minute + LIFE,
    )  # fmt: skip


def schema_of_thing(here: World, item: Held) -> Schema:
    """The schema of a held credential."""
    hint = read_compact(item.compact).schema_hint
    digest = next(digest for digest in here.schemas.values() if digest.startswith(hint))
    return read_schema(item.schema, digest)


def carried(thing: Any) -> bytes:
    """The bytes a code carries: of an issued certificate, or of what was shown."""
    return thing if isinstance(thing, bytes) else bytes(thing.compact)


def verify(here: World, step: Mapping[str, Any], data: bytes) -> str:
    """Check, compare with what was expected, and say the verdict."""
    verifier = here.verifiers[step["by"]]
    policy = _policy(here, verifier, step)
    facts: Facts = NoFacts() if step.get("trust") == "none" else here.facts(verifier.name)
    here.things[f"shown:{step['request']}"] = Shown(facts, policy)
    report = run(data, facts=facts, policy=policy, at=here.clock)
    here.things["report"] = report
    problems = _differences(step.get("expect", {}), report)
    if problems:
        raise Different(problems)
    return f"{step['by']} checks: {report.verdict}"


def last_policy(here: World, request: str) -> Shown:
    """How the request was last checked; MalformedError when it never was."""
    shown = here.things.get(f"shown:{request}")
    if not isinstance(shown, Shown):
        raise MalformedError(f"nobody has checked for {request} yet")
    return shown


def type_fields(here: World, step: Mapping[str, Any]) -> str:
    """The typed-field check, by the code printed on a certificate of the case (or `code` as given)."""
    from verifier_app.offers import Typed
    from verifier_app.typed_check import check_typed

    name = str(step["schema"])
    digest = here.schemas[name]
    document = here.pack.files[f"schemas/{name}.json"]
    schema = read_schema(document, digest)
    lookup: Any = here.pack.section("lookup")
    fields = tuple(map(str, lookup["typed"][name]))
    typed = step["code"] if "code" in step else here.things[step["code-of"]].code
    try:
        code = read_code(typed)
    except MalformedError:
        answer = "no-code"
    else:
        kind = Typed(name, fields, schema.title, digest)
        memory = here.verifiers[step["by"]].memory
        answer = check_typed(
            here.facts(step["by"]), schema, kind, step["fields"], code, at=here.minute, oldest=43_200,
            revoked=memory.revoked,
        ).answer  # fmt: skip
    wanted = step.get("expect", {}).get("answer")
    if wanted not in (None, answer):
        raise Different([f"answer {answer}, expected {wanted}"])
    return f"{step['by']} types the fields: {answer}"


def _policy(here: World, verifier: Verifier, step: Mapping[str, Any]) -> Policy:
    asked = here.things[step["challenge"]] if "challenge" in step else None
    memory = verifier.memory
    policy = policy_for(here.pack, step["request"], challenge=asked, seen=memory, seen_revocations=memory.revoked)
    if "suites" in step:
        policy = replace(policy, suites=frozenset(step["suites"]))
    return policy


def _differences(expect: Mapping[str, Any], report: Report) -> list[str]:
    problems = []
    if "verdict" in expect and expect["verdict"] != report.verdict:
        why = ", ".join(f"{check.id} {check.code}" for check in report if check.outcome not in _QUIET)
        problems.append(f"verdict {report.verdict}, expected {expect['verdict']} ({why})")
    if "exit" in expect and expect["exit"] != report.exit_code:
        problems.append(f"exit code {report.exit_code}, expected {expect['exit']}")
    for name, wanted in expect.get("checks", {}).items():
        found = next((check for check in report if check.id == name), None)
        said = "no such check" if found is None else f"{found.outcome.value} {found.code}"
        if said != wanted and said.split()[0] != wanted:
            problems.append(f"{name}: {said}, expected {wanted}")
    claims = report.authentic or {}
    problems += [
        f"{name} is {claims.get(name)!r}, expected {value!r}"
        for name, value in expect.get("claims", {}).items()
        if claims.get(name) != value
    ]
    hidden = () if report.presented is None else report.presented.hidden
    problems += [f"{name} is not hidden" for name in expect.get("hidden", []) if name not in hidden]
    return problems


_QUIET = (Outcome.PASSED, Outcome.SKIPPED)
