"""What the pages show, made from a registry's state: nothing here is signed, so each page links what is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry import bodies
from registry.log import Registry
from registry.node.explorer.words import Speaker
from registry.note import parse_note
from registry.operations import json_view
from registry.policy import Policy
from registry.rules_gov import VOTER
from registry.state import State
from registry.statement import Statement, parse_statement
from weid import cbor
from weid.canon import parse_json
from weid.document import resolution
from weid.errors import NotRegisteredError, RegistryError, WeidError
from weid.governance import MemberRecord, ProposalRecord
from weid.records import AccreditationRecord, DidRecord, SchemaRecord, decode_record

__all__ = [
    "Ballot", "Giver", "ballots", "cosigners", "did_page", "document_of", "givers", "issuer_page", "proposed",
    "schema_name", "signed_state", "state_of_period", "who",
]  # fmt: skip

_CHAIN = 8  # more links than any delegation may have


@dataclass(frozen=True, slots=True)
class Giver:
    """One link of who gave a right: as what (`member`, `vote`, `delegate`, `reviewer`, `other`), and the DID or proposal."""

    role: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """A proposal with its votes counted; `outcome` is open, passed, executed, cancelled or over."""

    record: ProposalRecord
    outcome: str
    ended: int | None
    total: int
    voted: int
    agree: int


def who(state: State, did: str, t: Speaker) -> str:
    """The registered name of a member or institution, or nothing."""
    issuer, member = state.tables["issuer"].get(did), state.tables["member"].get(did)
    return t.name(issuer.names) if issuer is not None else "" if member is None else str(member.name)


def givers(state: State, by: str | None, schema: bytes, t: Speaker) -> tuple[Giver, ...]:
    """Who gave a right for a schema, from the nearest to the committee that stands behind it."""
    found: list[Giver] = []
    while by is not None and len(found) < _CHAIN:
        if by.startswith(VOTER):
            found.append(Giver("vote", by.removeprefix(VOTER), ""))
            break
        delegation = state.tables["delegation"].get(f"{by}|{schema.hex()}")
        role = "delegate" if delegation is not None else _office(state, by)
        found.append(Giver(role, by, who(state, by, t)))
        by = None if delegation is None else delegation.by
    return tuple(found)


def _office(state: State, did: str) -> str:
    if did in state.tables["member"]:
        return "member"
    return "reviewer" if f"{did}|reviewer" in state.tables["role"] else "other"


def did_page(state: State, did: str, version: int | None) -> dict[str, Any]:
    """Document, versions, keys and offices of a DID; NotRegisteredError for one that is not on the log."""
    record: DidRecord | None = state.tables["did"].get(did)
    if record is None:
        raise NotRegisteredError(f"{did} is not registered here")
    found = resolution(record, version=version)
    member: MemberRecord | None = state.tables["member"].get(did)
    roles = [role for role in list(state.tables["role"].values()) if role.did == did]
    rights = [grant for grant in list(state.tables["delegation"].values()) if grant.did == did]
    return {
        "record": record, "document": found.document, "version": version or record.versions[-1].number, "member": member,
        "roles": roles, "delegations": rights, "issuer": state.tables["issuer"].get(did),
    }  # fmt: skip


def issuer_page(state: State, did: str) -> dict[str, Any]:
    """An institution's rights, status lists and what auditors said of them; RegistryError `no-entry` for any other DID."""
    record = state.tables["issuer"].get(did)
    if record is None:
        raise RegistryError(f"{did} is no institution here", code="no-entry")
    rights = [right for right in list(state.tables["accreditation"].values()) if right.issuer == did]
    lists = [held for held in list(state.tables["status"].values()) if held.issuer == did]
    names = {held.list_id for held in lists}
    overrides = [word for word in list(state.tables["override"].values()) if word.list_id in names]
    given = [right for right in list(state.tables["accreditation"].values()) if right.by == did]
    return {
        "record": record, "rights": rights, "lists": lists, "overrides": overrides, "given": given,
        "delegations": [grant for grant in list(state.tables["delegation"].values()) if grant.did == did],
    }  # fmt: skip


def state_of_period(right: AccreditationRecord, now: int) -> str:
    """now, later, expired, suspended or removed: the newest period decides."""
    if right.at(now) is not None:
        return "now"
    last = right.periods[-1] if right.periods else None
    if last is None:
        return "removed"
    if last.end is not None and last.ended is not None and last.ended <= now:
        return last.end
    return "later" if now < last.since else "expired"


def ballots(state: State) -> tuple[tuple[Ballot, ...], tuple[Ballot, ...]]:
    """(open, closed) proposals, the newest first."""
    table = list(state.tables["proposal"].values())
    opened = [_ballot(record, "passed" if record.due is not None else "open", None)
              for record in table if not record.over(state.now)]  # fmt: skip
    ended = [_ballot(record, "over", None) for record in table if record.over(state.now)]
    closed = [_ballot(record, outcome, at) for record, outcome, at in list(state.closed.values())]
    newest = sorted(closed + ended, key=lambda item: (item.ended or state.now, item.record.opened), reverse=True)
    return tuple(sorted(opened, key=lambda item: item.record.opened, reverse=True)), tuple(newest)


def _ballot(record: ProposalRecord, outcome: str, ended: int | None) -> Ballot:
    total = sum(seat.weight for seat in record.electorate)
    voted = sum(record.weight(vote.did) for vote in record.votes)
    agree = sum(record.weight(vote.did) for vote in record.votes if vote.agree)
    return Ballot(record, outcome, ended, total, voted, agree)


def proposed(record: ProposalRecord) -> Any:
    """What a proposal would do, as JSON."""
    kind = bodies.BODIES.get(record.type)
    try:
        body = cbor.decode(record.body)
        return None if kind is None or not isinstance(body, tuple) else json_view(decode_record(kind, body))
    except WeidError:
        return record.body.hex()


def schema_name(record: SchemaRecord | None, t: Speaker) -> str:
    """What a schema calls itself, in this language where it says so; "" where it does not."""
    document = None if record is None else document_of(record)
    if not isinstance(document, dict):
        return ""
    own = document.get("x-weid")
    names = own.get("title") if isinstance(own, dict) else None
    if isinstance(names, dict) and names:
        return t.name(tuple((str(language), str(text)) for language, text in names.items()))
    title = document.get("title") or document.get("$id")
    return title if isinstance(title, str) else ""


def document_of(record: SchemaRecord) -> Any:
    """A schema's JSON."""
    try:
        return parse_json(record.document)
    except WeidError:
        return None


def signed_state(registry: Registry) -> Statement | None:
    """The newest signed state that records are proven against, if there is one."""
    note = registry.engine.kept("state", "statement")
    return None if note is None else parse_statement(parse_note(note).text)


def cosigners(note: bytes, policy: Policy) -> tuple[str, ...]:
    """Names on a checkpoint of the policy's witnesses: said, not checked here. Nobody else's line counts, and none of
    the log's own keys, whichever it signs with now."""
    keys = {(witness.key.name, witness.key.key_id) for witness in policy.witnesses}
    return tuple(line.name for line in parse_note(note).signatures if (line.name, line.key_id) in keys)
