"""The trusted issuers and recognitions of a registry as a List of Trusted Entities (ETSI TS 119 602, JSON binding).

For software that reads such lists. It says what the trust bundle says and proves nothing by itself: the bundle does. What
has no place in the format (schemas, purposes) stands in service identifiers of our own, `urn:weid:…`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import MalformedError
from weid.facts import Found, RecordFacts
from weid.records import AccreditationRecord, DidRecord, IssuerRecord, Names, Period, RecognitionRecord

__all__ = ["Scheme", "list_of_trusted_entities", "read_scheme"]

GRANTED, SUSPENDED, WITHDRAWN, EXPIRED = (f"urn:weid:status:{word}" for word in ("granted", "suspended", "withdrawn", "expired"))


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a list says of itself: names by language, a two-letter territory, an address on the web, days until the next."""

    operator: Mapping[str, str]
    name: Mapping[str, str]
    territory: str
    uri: str
    days: int = 30


def read_scheme(value: JSON) -> Scheme:
    """The scheme of a JSON object; MalformedError names the member."""
    if not isinstance(value, dict) or set(value) - {"days"} != {"operator", "name", "territory", "uri"}:
        raise MalformedError("a scheme has operator, name, territory and uri", code="bad-scheme")
    operator, name = _named(value["operator"], "operator"), _named(value["name"], "name")
    territory, uri, days = value["territory"], value["uri"], value.get("days", 30)
    if not isinstance(territory, str) or len(territory) != 2 or not territory.isalpha() or not territory.isupper():
        raise MalformedError("territory is a country of two letters, as MO", code="bad-scheme")
    if not isinstance(uri, str) or not uri.startswith("https://"):
        raise MalformedError("uri is an https address", code="bad-scheme")
    if type(days) is not int or not 0 < days <= 183:
        raise MalformedError("days is 1 to 183: a list is issued again within six months", code="bad-scheme")
    return Scheme(operator, name, territory, uri, days)


def _named(value: JSON, member: str) -> dict[str, str]:
    if isinstance(value, dict):
        texts = {language: text for language, text in value.items() if isinstance(text, str) and text}
        if texts and len(texts) == len(value):
            return texts
    raise MalformedError(f"{member} is a name by language", code="bad-scheme")


def list_of_trusted_entities(facts: RecordFacts, scheme: Scheme) -> dict[str, JSON]:
    """The list as of the facts' own log time: every issuer that was ever approved, every registry ever recognised."""
    source = facts.source
    entities = [_issuer(facts, item.record, source.log_time) for item in facts.find("issuer", "")
                if item.record.decided is not None]  # fmt: skip
    entities += [_registry(item.record, source.log_time) for item in facts.find("recognition", "")]
    about: dict[str, JSON] = {
        "LoTEVersionIdentifier": 1, "LoTESequenceNumber": source.size, "LoTEType": "urn:weid:lote:registry",
        "SchemeOperatorName": _values(scheme.operator), "SchemeName": _values(scheme.name),
        "SchemeInformationURI": [{"lang": "en", "uriValue": scheme.uri}], "SchemeTerritory": scheme.territory,
        "StatusDeterminationApproach": "urn:weid:lote:state-of-the-log",
        "SchemeTypeCommunityRules": [{"lang": "en", "uriValue": f"urn:weid:genesis:{source.genesis.hex()}"}],
        "ListIssueDateTime": rfc3339(source.log_time), "NextUpdate": rfc3339(source.log_time + scheme.days * 1_440),
    }  # fmt: skip
    return {"LoTE": {"ListAndSchemeInformation": about, "TrustedEntitiesList": [item for item in entities if item is not None]}}


def _issuer(facts: RecordFacts, issuer: IssuerRecord, now: int) -> JSON:
    found = facts.fact("did", issuer.did)
    if not isinstance(found, Found):
        return None
    rights = [item.record for item in facts.find("accreditation", f"{issuer.did}|")]
    services = [service for right in rights if (service := _right(found.record, issuer, right, now)) is not None]
    return _entity(dict(issuer.names), issuer.did, services) if services else None


def _right(did: DidRecord, issuer: IssuerRecord, right: AccreditationRecord, now: int) -> JSON:
    keys: list[JSON] = [dict(key.key.jwk()) for key in did.keys if key.role == "assert" and key.end is None]
    identity: dict[str, JSON] = {"OtherIds": [did.did]}
    if keys:
        identity["PublicKeyValues"] = keys
    names = _values({language: f"{text}: {right.schema.hex()[:16]}" for language, text in issuer.names})
    periods = sorted(right.periods, key=lambda item: item.since, reverse=True)
    renewed = {(EXPIRED, period.since) for period in periods}
    states = [step for period in periods for step in _steps(period, now) if step not in renewed]
    if not states:
        return None
    (status, start), *earlier = states
    kind = f"urn:weid:service:issue:{right.schema.hex()}"
    return _service(names, identity, kind, status, start, earlier)


def _steps(period: Period, now: int) -> list[tuple[str, int]]:
    """The states of one period, newest first, as far as the log has come."""
    steps = [(GRANTED, period.since)] if period.since <= now else []
    if period.ended is not None and period.ended <= now:
        return [(SUSPENDED if period.end == "suspended" else WITHDRAWN, period.ended), *steps]
    return [(EXPIRED, period.until), *steps] if period.until <= now else steps


def _registry(terms: RecognitionRecord, now: int) -> JSON:
    state = (GRANTED, terms.since)
    if terms.withdrawn is not None:
        state = (WITHDRAWN, terms.withdrawn)
    elif terms.until <= now:
        state = (EXPIRED, terms.until)
    names = dict(terms.names)
    identity: dict[str, JSON] = {"OtherIds": [f"urn:weid:genesis:{terms.genesis.hex()}", f"urn:weid:origin:{terms.origin}"]}
    earlier = [] if state[0] == GRANTED else [(GRANTED, terms.since)]
    services = [
        _service(_values(names), identity, f"urn:weid:service:recognition:{purpose}", *state, earlier)
        for purpose in terms.purposes
    ]
    return _entity(names, f"urn:weid:genesis:{terms.genesis.hex()}", services)


def _entity(names: Mapping[str, str], uri: str, services: Sequence[JSON]) -> JSON:
    about: dict[str, JSON] = {
        "TEName": _values(names), "TEInformationURI": [{"lang": "en", "uriValue": uri}],
        # Postal addresses are not on the log; the format asks for the member, not for an address in it.
        "TEAddress": {"TEPostalAddress": [], "TEElectronicAddress": [{"lang": "en", "uriValue": uri}]},
    }  # fmt: skip
    return {"TrustedEntityInformation": about, "TrustedEntityServices": list(services)}


def _service(
    names: JSON, identity: dict[str, JSON], kind: str, status: str, start: int, earlier: Sequence[tuple[str, int]]
) -> JSON:
    made: dict[str, JSON] = {"ServiceInformation": _state(names, identity, kind, status, start)}
    if earlier:
        made["ServiceHistory"] = [_state(names, identity, kind, *step) for step in earlier]
    return made


def _state(names: JSON, identity: dict[str, JSON], kind: str, status: str, start: int) -> JSON:
    return {
        "ServiceName": names, "ServiceTypeIdentifier": kind, "ServiceDigitalIdentity": dict(identity),
        "ServiceStatus": status, "StatusStartingTime": rfc3339(start),
    }  # fmt: skip


def _values(names: Names | Mapping[str, str]) -> list[JSON]:
    items = names.items() if isinstance(names, Mapping) else names
    return [{"lang": language, "value": text} for language, text in sorted(items)]
