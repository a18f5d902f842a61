"""From a pack's request ("entry at the border") to the Policy that checks it, and the challenge that asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials.policy import Policy, Seen
from credentials.presentation import Challenge
from credentials.rules import Rule
from credentials.schema import schema_digest
from weid.canon import JSON
from weid.errors import MalformedError
from weid.hashes import hash_named
from weid.pack import Pack, labels

__all__ = ["MODES", "Request", "policy_for", "read_request", "request_names", "schema_digests"]

MODES: Final = ("bearer", "challenge", "chain", "gate")


@dataclass(frozen=True, slots=True)
class Request:
    """What a verifier asks for: kinds of certificate by schema name, claims, mode, rules, and ages in minutes."""

    name: str
    titles: Mapping[str, str]
    purpose: str
    schemas: tuple[str, ...]
    ask: tuple[str, ...]
    mode: str
    rules: tuple[Rule, ...]
    trust_warn: int
    trust_reject: int
    status_warn: int
    status_reject: int


def request_names(pack: Pack) -> tuple[str, ...]:
    """The names of a pack's requests."""
    return tuple(sorted(_requests(pack)))


def read_request(pack: Pack, name: str) -> Request:
    """One request of `present.json` with its rules; MalformedError names the member that is wrong."""
    value = _requests(pack).get(name)
    place = f"present.json: {name}"
    if not isinstance(value, dict):
        raise MalformedError(f"{place}: the pack has no such request; it has {', '.join(request_names(pack))}")
    purpose, mode = value.get("purpose"), value.get("mode")
    if not isinstance(purpose, str) or not isinstance(mode, str) or mode not in MODES:
        raise MalformedError(f"{place}: needs a purpose and a mode of {', '.join(MODES)}")
    trust, status = _ages(value.get("trustAge"), place), _ages(value.get("statusAge"), place)
    schemas, rules = _texts(value.get("schemas"), place), _rules(pack, _texts(value.get("rules"), place))
    for rule in rules:
        _check_absence(pack, schemas, rule, place)
    return Request(
        name, labels(value.get("names"), f"{place}: names"), purpose, schemas,
        _texts(value.get("ask"), place), mode, rules, *trust, *status,
    )  # fmt: skip


def policy_for(pack: Pack, name: str, *, challenge: Challenge | None = None, seen: Seen | None = None,
               seen_revocations: frozenset[str] = frozenset(), gate: str | None = None) -> Policy:  # fmt: skip
    """The policy of a request; MalformedError names what is wrong with the pack."""
    request = read_request(pack, name)
    digests = schema_digests(pack, frozenset(request.schemas))
    unknown = [schema for schema in request.schemas if schema not in digests]
    if unknown:
        raise MalformedError(f"present.json: {name}: nobody in trust.json issues {unknown[0]}")
    return Policy(
        schemas=frozenset(digests[schema] for schema in request.schemas),
        purpose=request.purpose,
        trust_warn=request.trust_warn,
        trust_reject=request.trust_reject,
        status_warn=request.status_warn,
        status_reject=request.status_reject,
        required=frozenset({"challenge"} if request.mode == "challenge" else ()),
        require_binding=request.mode,
        challenge=challenge,
        gate=gate,
        seen=seen,
        seen_revocations=seen_revocations,
        rules=request.rules,
    )


def schema_digests(pack: Pack, wanted: frozenset[str] | None = None) -> Mapping[str, bytes]:
    """Schema name to digest, by the hash of the registry whose parties issue it (R19); all, or those wanted."""
    trust = pack.section("trust")
    registries, parties = trust.get("registries", {}), trust.get("parties", {})
    if not isinstance(registries, dict) or not isinstance(parties, dict):
        raise MalformedError("trust.json: registries and parties must be objects")
    documents = {path: pack.files[f"schemas/{path}.json"] for path in pack.folder("schemas")}
    digests: dict[str, bytes] = {}
    for name, party in parties.items():
        registry = registries.get(str(party.get("registry"))) if isinstance(party, dict) else None
        if not isinstance(party, dict) or not isinstance(registry, dict):
            raise MalformedError(f"trust.json: {name}: needs a registry of this pack")
        hash = hash_named("sm3" if registry.get("profile") == "gm" else "sha256")
        for kind in ("issues", "wants"):
            for schema in _texts(party.get(kind, []), f"trust.json: {name}"):
                if schema not in documents:
                    raise MalformedError(f"trust.json: {name}: the pack has no schema {schema}")
                if wanted is None or schema in wanted:
                    digests[schema] = schema_digest(documents[schema], hash)
    return digests


def _requests(pack: Pack) -> Mapping[str, JSON]:
    value = pack.section("present").get("requests", {})
    if not isinstance(value, dict):
        raise MalformedError("present.json: requests must be an object")
    return value


def _rules(pack: Pack, names: tuple[str, ...]) -> tuple[Rule, ...]:
    table = pack.section("rules").get("rules", {})
    if not isinstance(table, dict):
        raise MalformedError("rules.json: rules must be an object")
    found = []
    for name in names:
        value = table.get(name)
        if not isinstance(value, dict):
            raise MalformedError(f"rules.json: no rule {name}")
        found.append(Rule.from_json({**value, "id": name}))
    return tuple(found)


def _check_absence(pack: Pack, schemas: tuple[str, ...], rule: Rule, place: str) -> None:
    """MalformedError for a rule over a claim that can be missing, unless the rule says what that means (R12)."""
    claims = [_claims(pack, schema, place) for schema in schemas]
    every = frozenset(name for known, _ in claims for name in known)
    if rule.names() - every:
        raise MalformedError(f"{place}: rule {rule.id}: no schema asked for has the claim {min(rule.names() - every)}")
    sure = frozenset(every).intersection(*(always for _, always in claims))
    unsaid = rule.reads(every) - sure - set(rule.absent)
    if unsaid:
        raise MalformedError(
            f"{place}: rule {rule.id} reads {min(unsaid)}, which may be hidden or missing: say in `absent` what that means",
            code="absence-unsaid",
        )


def _claims(pack: Pack, schema: str, place: str) -> tuple[frozenset[str], frozenset[str]]:
    """(all claims of a schema, those that every credential must show)."""
    document = pack.section(f"schemas/{schema}")
    properties, required = document.get("properties"), document.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise MalformedError(f"{place}: the pack has no schema {schema}")
    public = {name for name, claim in properties.items() if isinstance(claim, dict) and claim.get("x-class") == "public"}
    return frozenset(properties), frozenset(public.intersection(str(name) for name in required))


def _texts(value: JSON, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MalformedError(f"{place}: needs lists of names")
    return tuple(str(item) for item in value)


def _ages(value: JSON, place: str) -> tuple[int, int]:
    warn, reject = (value.get("warn"), value.get("reject")) if isinstance(value, dict) else (None, None)
    if type(warn) is not int or type(reject) is not int or not 0 < warn <= reject:
        raise MalformedError(f"{place}: ages need warn and reject in minutes, warn first")
    return warn, reject
