"""The authority's side: applications, rights, overrides, roles, schemas, recognition. One key, one client.

The same class serves reviewer, auditor and committee: which of its verbs succeed is the registry's decision.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from credentials.schema import Schema, read_schema
from issuer_app.decisions import Decision, Standing, closed, must_vote, opened, standing
from issuer_app.party import Party
from issuer_app.problems import NotFoundError
from issuer_app.rights import Institution, institution_of, log_time, rights_of
from registry import assets, bodies, proposals
from registry import operations as ops
from registry.node.client import RegistryClient
from registry.operations import SignedOperation
from weid.canon import jcs, parse_json
from weid.errors import SchemaError
from weid.facts import Facts, Found
from weid.keys import LocalSigner
from weid.records import Names, OverrideRecord
from weid.sealed import Passphrase
from weid.suites import Random

__all__ = ["Office", "Overridden", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """How one place of a status list stands: the worse of list and override. `state` unknown: never published."""

    state: str  # valid | suspended | revoked | unknown
    reason: str | None
    names: Names


@dataclass(frozen=True, slots=True)
class Overridden:
    """An auditor's decision, with the names of the institution whose list it is about."""

    record: OverrideRecord
    names: Names


class Office:
    """A reviewer's, auditor's or committee member's desk. Times are UTC minutes.

    A `proposing` office puts to the vote what it would do (R24); `proposal` is then the id of the newest one.
    """

    def __init__(self, party: Party, *, proposing: bool = False) -> None:
        self.party, self.proposing = party, proposing
        self.proposal: bytes | None = None
        self.did, self.names, self.client = party.did, party.names, party.client

    @classmethod
    def create(
        cls, folder: Path, *, client: RegistryClient, suite: str, names: Mapping[str, str], passphrase: str | Passphrase, at: int,
        random: Random, cost: int | None = None,
    ) -> Office:  # fmt: skip
        """A new office: one key, its DID on the log; the committee then grants it a role."""
        party = Party.make(
            folder,
            ("log-op",),
            client=client,
            suite=suite,
            names=names,
            passphrase=passphrase,
            random=random,
            cost=cost,
        )
        party.register(at)
        return cls(party)

    @classmethod
    def adopt(
        cls, folder: Path, sealed: bytes, *, client: RegistryClient, names: Mapping[str, str], passphrase: str | Passphrase,
        at: int, random: Random,
    ) -> Office:  # fmt: skip
        """An office over a sealed key that exists, as a founding member's; its DID is registered if it is not yet."""
        party = Party.adopt(folder, sealed, client=client, names=names, passphrase=passphrase, random=random)
        party.register(at)
        return cls(party)

    @classmethod
    def open(
        cls, folder: Path, *, client: RegistryClient, passphrase: str | Passphrase, random: Random = secrets.token_bytes
    ) -> Office:
        """The office of a folder; KeyMaterialError for a wrong passphrase."""
        return cls(Party.load(folder, client=client, passphrase=passphrase, random=random))

    @classmethod
    def of_signer(
        cls, folder: Path, signer: LocalSigner, *, client: RegistryClient, names: Mapping[str, str],
        random: Random = secrets.token_bytes, proposing: bool = False,
    ) -> Office:  # fmt: skip
        """An office over a log-op key held elsewhere, as a committee member's; the folder keeps trust only."""
        return cls(Party.of_signer(folder, signer, client=client, names=names, random=random), proposing=proposing)

    def facts(self, at: int, *, fresh: bool = False) -> Facts:
        """What the registry's newest signed bundle says; `fresh`: asked for again if the log has grown."""
        return self.party.facts(at, fresh=fresh)

    def deciding(self, category: str, at: int, schema: bytes | None = None) -> Office:
        """This office for one act: it does it where it may alone, and puts it to the vote where the rule asks for that."""
        asked = must_vote(self.facts(at, fresh=True), self.did, category, schema)
        return Office(self.party, proposing=asked is not None)

    def standing(self, category: str, at: int) -> Standing:
        """What this office's word is worth in the committee now."""
        return standing(self.facts(at, fresh=True), self.did, category)

    def open_decisions(self, at: int) -> tuple[Decision, ...]:
        """What the committee is voting on."""
        return opened(self.facts(at, fresh=True), at)

    def closed_decisions(self, at: int) -> tuple[Decision, ...]:
        """What it has decided lately, as the node tells it."""
        return closed(self.facts(at), self.client.closed())

    def decision(self, proposal: bytes, at: int) -> Decision:
        """One of them, open or closed; NotFoundError."""
        for found in (self.open_decisions, self.closed_decisions):  # the second asks the node: only if it must
            for item in found(at):
                if item.record.id == proposal:
                    return item
        raise NotFoundError("there is no such decision")

    def applications(self, at: int) -> tuple[Institution, ...]:
        """Institutions that wait: never decided about, or asking for a schema they have no record for."""
        return tuple(item for item in self.institutions(at) if _waits(item))

    def institutions(self, at: int) -> tuple[Institution, ...]:
        """Every institution that ever applied, newest application first."""
        facts = self.party.facts(at, fresh=True)
        found = [Institution(item.record, rights_of(facts, item.record.did, at)) for item in facts.find("issuer", "")]
        return tuple(sorted(found, key=lambda item: (-item.record.applied, item.record.did)))

    def institution(self, did: str, at: int) -> Institution:
        """One institution; NotFoundError."""
        return institution_of(self.party.facts(at, fresh=True), did, at)

    def schemas(self, at: int) -> tuple[Schema, ...]:
        """Every published schema this toolkit can use, by name."""
        found = []
        for item in self.party.facts(at, fresh=True).find("schema", ""):
            try:
                found.append(read_schema(item.record.document, item.record.digest))
            except SchemaError:
                continue  # another toolkit's schema: it cannot be issued from here
        return tuple(sorted(found, key=lambda schema: (schema.name, -schema.version)))

    def approve(self, did: str, schema: bytes, *, until: int, since: int | None = None, level: int = 1) -> None:
        """Give the right to one schema; `since=None` means from the log's own time on. RejectedError if refused."""
        self._do(ops.issuer_approve(self.party.author(), did, schema, level=level, until=until, since=since))

    def suspend_issuer(self, did: str, reason: str, *, schema: bytes | None = None) -> None:
        """Suspend one right, or the institution."""
        self._do(ops.issuer_suspend(self.party.author(), did, reason, schema=schema))

    def reinstate(self, did: str, *, schema: bytes | None = None) -> None:
        """Lift that suspension; the gap stays."""
        self._do(ops.issuer_reinstate(self.party.author(), did, schema=schema))

    def remove(self, did: str, reason: str, *, schema: bytes | None = None) -> None:
        """End one right, or the institution; only a new application brings it back."""
        self._do(ops.issuer_remove(self.party.author(), did, reason, schema=schema))

    def override(self, list_id: str, index: int, state: str, reason: str, at: int) -> None:
        """The auditor's word beside an issuer's list: revoked, suspended or lifted (R9)."""
        noted = min(at, log_time(self.party.facts(at, fresh=True)))
        self._do(ops.status_override(self.party.author(), list_id, index, state, reason, noted))

    def overrides(self, at: int) -> tuple[Overridden, ...]:
        """Every auditor's decision in force, newest first."""
        facts = self.party.facts(at, fresh=True)
        found = [Overridden(item.record, _owner(facts, item.record.list_id)) for item in facts.find("override", "")]
        return tuple(sorted(found, key=lambda item: -item.record.at))

    def standing_of(self, list_id: str, index: int, at: int) -> Place:
        """How a place stands now."""
        facts = self.party.facts(at, fresh=True)
        names, listed = _owner(facts, list_id), facts.fact("status", list_id)
        if not isinstance(listed, Found):
            return Place("unknown", None, names)
        entry, word = listed.record.entry(index), facts.fact("override", f"{list_id}|{index}")
        said = [item for item in (entry, word.record if isinstance(word, Found) else None) if item is not None]
        worst = next((item for item in said if item.state == "revoked"), said[0] if said else None)
        return Place("valid", None, names) if worst is None else Place(worst.state, worst.reason, names)

    def grant_role(self, did: str, role: str, *, until: int, since: int | None = None, schemas: Sequence[bytes] = ()) -> None:
        """The committee makes a registered DID reviewer, auditor or observer."""
        self._do(ops.role_grant(self.party.author(), did, role, until=until, since=since, schemas=schemas))

    def end_role(self, did: str, role: str) -> None:
        """The committee ends a role."""
        self._do(ops.role_end(self.party.author(), did, role))

    def publish_schema(self, document: bytes) -> bytes:
        """Publish a schema (JSON in any spelling); its digest. SchemaError for one that could not be issued."""
        canonical = jcs(parse_json(document))
        digest = self.client.genesis.hash(canonical)
        read_schema(canonical, digest)
        self._do(ops.schema_publish(self.party.author(), canonical))
        return digest

    def publish_machine(self, document: bytes) -> bytes:
        """Publish a state machine (JSON in any spelling); its digest."""
        canonical = jcs(parse_json(document))
        self._do(assets.machine_publish(self.party.author(), canonical))
        return self.client.genesis.hash(canonical)

    def recognise(self, genesis: bytes, terms: bodies.TrustRecognise) -> None:
        """The committee recognises a foreign registry, by the digest of its genesis (R23)."""
        self._do(ops.trust_recognise(self.party.author(), genesis, terms))

    def withdraw_recognition(self, genesis: bytes, mode: str) -> None:
        """`cease`: earlier certificates stand if proven before; `distrust`: all fail."""
        self._do(ops.trust_withdraw(self.party.author(), genesis, mode))

    def delegate(self, did: str, schema: bytes, *, level: int, depth: int, until: int) -> None:
        """Give a DID the right to accredit others for a schema, up to a level."""
        self._do(ops.issuer_delegate(self.party.author(), did, schema, level=level, depth=depth, until=until))

    def undelegate(self, did: str, schema: bytes, reason: str) -> None:
        """End that right and all that was given under it."""
        self._do(ops.issuer_undelegate(self.party.author(), did, schema, reason))

    def set_member(self, did: str, name: str, weight: int) -> None:
        """Admit a member of the committee, change its weight, or remove it with weight 0."""
        self._do(proposals.set_member(self.party.author(), did, name, weight))

    def set_rule(self, category: str, *, agree: int, participates: int, win: int, delay: int, period: int) -> None:
        """How decisions of a category pass from now on."""
        made = proposals.set_rule(
            self.party.author(), category, agree=agree, participates=participates, win=win, delay=delay, period=period
        )
        self._do(made)

    def recover(self, did: str, body: bodies.DidRecover) -> None:
        """Give a DID whose keys are lost the new ones its holder asks for."""
        self._do(self.party.author().sign("did.recover", did, body))

    def vote(self, proposal: bytes, agree: bool) -> None:
        """A member's word on a proposal."""
        self._act(proposals.vote(self.party.author(), proposal, agree))

    def execute(self, proposal: bytes) -> None:
        """Do what has passed."""
        self._act(proposals.execute(self.party.author(), proposal))

    def cancel(self, proposal: bytes) -> None:
        """Take one's own proposal back."""
        self._act(proposals.cancel(self.party.author(), proposal))

    def _do(self, operation: SignedOperation) -> None:
        if self.proposing:
            operation = proposals.proposed(self.party.author(), operation.operation)
            self.proposal = operation.id
        self._act(operation)

    def _act(self, operation: SignedOperation) -> None:
        with self.party.locked():
            self.party.submit(operation)


def _waits(item: Institution) -> bool:
    known = {right.digest for right in item.rights}
    return item.record.state == "applied" or (item.record.state == "approved" and bool(set(item.record.wanted) - known))


def _owner(facts: Facts, list_id: str) -> Names:
    answer = facts.fact("issuer", list_id.partition("/")[0])
    return answer.record.names if isinstance(answer, Found) else ()
