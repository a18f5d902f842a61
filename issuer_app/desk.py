"""One institution's desk: issue, find, suspend, revoke, publish. Everything is stored before the log is told.

A crash, or a registry that does not answer, leaves rows that `publish` sends later; the registry is asked with
the very same bytes again, so nothing happens twice. What the registry refuses does not count here either.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from credentials.binding import NO_BINDING, Binding, read_binding
from credentials.issue import Registry, Slot
from credentials.schema import Schema
from credentials.status import PURPOSES, StatusList, bitstring_credential, worse_of
from credentials.typed import typed_kind
from credentials.vcdm import status_url
from issuer_app import pointers
from issuer_app.depending import kept
from issuer_app.depending.judging import Base, judged, least, same_base
from issuer_app.ledger import Issued, Ledger, ListRow
from issuer_app.lookups import Book, Given
from issuer_app.making import Maker
from issuer_app.papers.look import published_templates
from issuer_app.party import Party
from issuer_app.publish import publish_list
from issuer_app.published import REFRESH, Published, Shelf
from issuer_app.rights import Right, log_time, rights_of, schema_of
from issuer_app.store import Store
from issuer_app.terms import Terms
from issuer_app.two_people import Approval, require
from registry import operations as ops
from registry.node.client import RegistryClient
from weid.canon import JSON, jcs
from weid.errors import IssueError, RejectedError
from weid.facts import Facts, Found
from weid.hashes import Hash
from weid.records import REASONS, IssuerRecord, OverrideRecord, status_list_id
from weid.sealed import Passphrase
from weid.suites import Random

__all__ = ["Desk", "Issued", "Terms"]

_ROLES = ("log-op", "assert", "status")


class Desk:
    """An institution: `did`, `names`, `client`, `terms`; `public` is the address strangers reach it at, if they do.

    Times are UTC minutes. Close it when done.
    """

    def __init__(self, party: Party, terms: Terms, *, public: str | None = None) -> None:
        self.party, self.terms, self.public = party, terms, public
        self.did, self.names, self.client = party.did, party.names, party.client
        self._ledger = Ledger(party.folder / "issued.db")
        self.lookups = self._book()
        self._shelf = Shelf()

    @classmethod
    def create(
        cls, folder: Path, *, client: RegistryClient, suite: str, names: Mapping[str, str], passphrase: str | Passphrase, at: int,
        random: Random, wants: Sequence[bytes] = (), terms: Terms | None = None, cost: int | None = None,
    ) -> Desk:  # fmt: skip
        """A new institution: keys, DID on the log, and the application for the schemas in `wants` (digests).

        Names are needed in the four languages. RejectedError says why the registry refused; `open` and `apply`
        take up again what a crash cut short.
        """
        party = Party.make(
            folder, _ROLES, client=client, suite=suite, names=names, passphrase=passphrase, random=random, cost=cost
        )
        chosen = Terms() if terms is None else terms
        (folder / "terms.json").write_bytes(chosen.to_bytes())
        desk = cls(party, chosen)
        desk.apply(wants, at)
        return desk

    @classmethod
    def open(
        cls, folder: Path, *, client: RegistryClient, passphrase: str | Passphrase, random: Random = secrets.token_bytes,
        public: str | None = None, at: int | None = None,
    ) -> Desk:  # fmt: skip
        """The desk of a folder; KeyMaterialError for a wrong passphrase. What was kept for nothing by `at` is destroyed."""
        party = Party.load(folder, client=client, passphrase=passphrase, random=random)
        desk = cls(party, Terms.from_bytes((folder / "terms.json").read_bytes()), public=public)
        if at is not None:
            desk._ledger.forget_originals(at)
        return desk

    @property
    def books(self) -> Store:
        """The file of what was issued."""
        return self._ledger.store

    def change_terms(self, terms: Terms) -> None:
        """From now on issue and be asked by these terms; what was issued stays as it is."""
        self.party.keep("terms.json", terms.to_bytes())
        self.terms = terms
        self.lookups = self._book()

    def close(self) -> None:
        """Close the files."""
        self._ledger.close()

    def apply(self, wants: Sequence[bytes], at: int) -> None:
        """Register if needed, and ask for the right to these schemas (with none: only to be an institution)."""
        self.party.register(at)
        standing = self.standing(at)
        if standing is None or standing.state == "removed" or set(wants) - set(standing.wanted):
            self.party.submit(ops.issuer_apply(self.party.author(), self.party.names_sorted(), list(wants)))

    def facts(self, at: int) -> Facts:
        """What the registry's newest signed bundle says."""
        return self.party.facts(at)

    def standing(self, at: int) -> IssuerRecord | None:
        """Applied, approved, suspended or removed; None before the application."""
        answer = self.facts(at).fact("issuer", self.did)
        return answer.record if isinstance(answer, Found) else None

    def accreditations(self, at: int) -> tuple[Right, ...]:
        """Every right this institution has or had, the usable ones first."""
        return rights_of(self.party.facts(at, fresh=True), self.did, at)

    def wanted(self, at: int) -> tuple[Schema, ...]:
        """The schemas applied for."""
        standing = self.standing(at)
        found = () if standing is None else standing.wanted
        return tuple(schema_of(self.facts(at), digest) for digest in found)

    def may_issue(self, digest: bytes, at: int) -> bool:
        """Whether the registry says yes today; a no is asked for again before it counts."""
        if self._has_right(self.facts(at), digest, at):
            return True
        return self._has_right(self.party.facts(at, fresh=True), digest, at)

    def schema(self, digest: bytes, at: int) -> Schema:
        """A published schema; NotFoundError."""
        return schema_of(self.facts(at), digest)

    def issue(
        self, schema_digest: bytes, claims: Mapping[str, JSON], *, bind: Binding | str | None = None,
        minutes: int | None = None, at: int, random: Random, by: str = "clerk", specimen: bool = False,
        publish: bool = True, request: str | None = None, lookup: Mapping[str, str] | None = None,
        approval: Approval | None = None, base: bytes | None = None, base_of: str | None = None,
    ) -> Issued:  # fmt: skip
        """A certificate, stored and (unless `publish=False`) known to the registry before it is returned.

        `lookup` is what it is to be found by beside its claims (`Book.read`); InputFault names what is wrong with it. `base` is
        the certificate that it stands on, where the pack asks for one, `base_of` one of ours whose base it takes over
        (`depending.judging` says what is refused).

        `bind` is the holder's request (text or value), `minutes` a shorter validity, `request` a key under which
        asking again gives the same certificate. IssueError `not-accredited`, `bind-missing`, `bind-mismatch`,
        `key-reused`, `second-person`, or SchemaError naming the claim; RegistryError `unreachable` leaves it stored, to be sent.
        """
        with self.party.locked():
            given = self._given(schema_digest, claims, lookup or {}, at)
            found_by = self.lookups.asked(given) if lookup else None
            asked = _asked(self.client.genesis.hash, schema_digest, claims, bind, minutes, specimen, found_by, base)
            row = None if request is None else self._ledger.by_request(request)
            if row is not None and row.asked != asked:
                raise IssueError("this request key was used for other content", code="key-reused")
            if row is None:
                require(self.terms.two_people, "issue", approval)
                if not self.may_issue(schema_digest, at):
                    raise IssueError("the registry gives no right to this schema today", code="not-accredited")
                schema = self.schema(schema_digest, at)
                binding = _binding(schema, bind)
                own = None if base_of is None else same_base(self, schema, base_of, claims, at)
                found = own if base_of is not None else judged(self, schema, claims, base, at)
                minutes = least(self, schema, found, minutes, at)
                row = self._make(schema, claims, binding, minutes, at, random, by, specimen, request, asked, given, found)
            if publish and not row.published:
                self._publish_new(row, at)
            return self._ledger.get(row.id)

    def publish(self, at: int) -> None:
        """Tell the registry everything it has not heard, and renew lists that are due; RejectedError if it refuses."""
        self._ledger.forget_originals(at)
        with self.party.locked():
            for chosen in self._ledger.lists():
                self._publish_list(chosen, at)
            self.anchor_waiting()
            pointers.send(self.books, self.anchor)

    def revoke(self, id_: str, reason: str, at: int, *, approval: Approval | None = None) -> Issued:
        """Revoke for good, for one of `weid.records.REASONS`; again is no change. IssueError `second-person`."""
        require(self.terms.two_people, "revoke", approval)
        return self._change(id_, "revoked", reason, at)

    def suspend(self, id_: str, reason: str, at: int) -> Issued:
        """Suspend until lifted; IssueError `already-revoked`."""
        return self._change(id_, "suspended", reason, at)

    def lift(self, id_: str, at: int) -> Issued:
        """Lift a suspension; IssueError `not-suspended` or `already-revoked`."""
        return self._change(id_, "valid", None, at)

    def find(self, text: str, limit: int = 50, before: int | None = None) -> tuple[Issued, ...]:
        """The newest certificates (older than row `before`) that hold every word of the text: name, number or id."""
        return self._ledger.find(text, limit, before)

    def get(self, id_: str) -> Issued:
        """One certificate by id (32 hex digits); NotFoundError."""
        return self._ledger.get(id_)

    def audited(self, row: Issued, at: int) -> OverrideRecord | None:
        """The auditor's word about a certificate, as far as this desk has heard; it counts beside our own list."""
        if row.list_number is None:
            return None
        answer = self.facts(at).fact("override", f"{status_list_id(self.did, row.list_number)}|{row.index}")
        return answer.record if isinstance(answer, Found) else None

    def status_list(self, number: int, purpose: str, at: int) -> Published | None:
        """One of our lists for strangers, signed by our status key; None for a list or purpose there is not.

        It is what the registry has accepted, an auditor's word included: the worse of the two counts (R9).
        """
        known = {row.number: row.size for row in self._ledger.lists()}
        if number not in known or purpose not in PURPOSES:
            return None  # before the registry is asked: a stranger's guess costs nothing
        facts, list_id = self.facts(at), status_list_id(self.did, number)
        found = facts.fact("status", list_id)
        if not isinstance(found, Found):
            return None
        record, signer = found.record, self.party.signer("status")
        words = tuple(word.record for word in facts.find("override", f"{list_id}|"))
        listed = StatusList(self.did, number, record.seq, known[number], worse_of(record.entries, words))
        url = f"{status_url(self.did, number, base=self.public)}/{purpose}"

        def make() -> Mapping[str, JSON]:
            return bitstring_credential(
                listed, purpose, signer, issued=record.this_update, until=record.next_update,
                signed=max(record.this_update, found.as_of), url=url, ttl=REFRESH,
            )  # fmt: skip

        state = (record.seq, record.this_update, words, signer.kid, found.as_of // REFRESH)
        return self._shelf.get((number, purpose), state, make, until=record.next_update)

    def erase(self, id_: str, *, approval: Approval | None = None) -> None:
        """Destroy the content, salts and codes kept here; the place in list and register stays. IssueError `second-person`."""
        require(self.terms.two_people, "erase", approval)
        with self.party.locked():
            self._ledger.get(id_)
            self._ledger.erase(id_, self.lookups.forget)

    def keep_original(self, request: str, data: bytes, at: int) -> None:
        """Keep the bytes of an old certificate until the one issued for it under this request is erased, for good (R30)."""
        self._ledger.keep_original(request, data, at)

    def original(self, id_: str) -> bytes | None:
        """The bytes of the old certificate that this one was issued for, or None."""
        return self._ledger.original(id_)

    def keep_salt(self, id_: str, salt: bytes) -> None:
        """Keep the salt of a fingerprint about a certificate until the certificate is erased."""
        self._ledger.keep_salt(id_, salt)

    def waiting(self) -> int:
        """How many certificates the registry has not fully heard of."""
        return self._ledger.waiting()

    def rotate(self, role: str, at: int) -> int:
        """A new key of this role (log-op, assert or status); its number."""
        return self.party.rotate(role, at)

    def compromise(self, number: int, since: int, at: int) -> None:
        """Say that a key was in other hands from the minute `since` on."""
        self.party.compromise(number, since, at)

    def anchor(self, fingerprint: bytes, kind: str) -> None:
        """Put a salted fingerprint on the log; RejectedError `already-exists` when it is there."""
        self.party.submit(ops.evidence_anchor(self.party.author(), fingerprint, kind))

    def _book(self) -> Book:
        return Book(self._ledger.store, self.party.secret("lookup"), self.terms.lookup, hash=self.client.genesis.hash)

    def _has_right(self, facts: Facts, digest: bytes, at: int) -> bool:
        return any(right.digest == digest and right.state == "now" for right in rights_of(facts, self.did, at))

    @property
    def ledger(self) -> Ledger:
        """What was issued here, for the modules that issue many at once."""
        return self._ledger

    def maker(self, schema: Schema, at: int) -> Maker:
        """What makes certificates of this kind now, with the newest key."""
        genesis, signer = self.client.genesis, self.party.signer("assert")
        return Maker(
            schema, signer, Registry(genesis.origin, genesis.digest), genesis.hash, self.did, self.terms, self.public, at,
            published_templates(self.party.folder, schema),
        )  # fmt: skip

    def _make(
        self, schema: Schema, claims: Mapping[str, JSON], binding: Binding, minutes: int | None, at: int,
        random: Random, by: str, specimen: bool, request: str | None, asked: bytes, given: Given, base: Base | None,
    ) -> Issued:  # fmt: skip
        made = self.maker(schema, at).row(
            claims, self._slot(schema, random), random, by=by, bind=binding, minutes=minutes, specimen=specimen,
            request=request, asked=asked,
        )  # fmt: skip
        with self._ledger.store.change() as db:  # together, so that nothing is issued that its holder cannot find
            if base is not None:
                kept.keep(db, made["id"], base)
            self.lookups.add(made["id"], schema.name, given, at=at, random=random)
            return self._ledger.add(made, claims)

    def _given(self, digest: bytes, claims: Mapping[str, JSON], extra: Mapping[str, str], at: int) -> Given:
        given, faults = self.lookups.read(self.schema(digest, at).name, claims, extra, day=at)
        if faults:
            raise faults[0]
        return given

    def _slot(self, schema: Schema, random: Random) -> Slot | None:
        """A list of its own for each schema: losing one right must not stop revoking what another covers."""
        if not schema.status:
            return None
        chosen = self._ledger.list_for(schema.digest, self.terms.list_size)
        return Slot(chosen.number, self._ledger.free_slot(chosen, random))

    def _publish_new(self, row: Issued, at: int) -> None:
        assert row.list_number is not None
        try:
            self._publish_list(self._ledger.list_row(row.list_number), at)
        except RejectedError as error:
            self._ledger.refuse(row.id)
            raise IssueError(str(error), code=error.code) from error
        self.anchor_waiting(row.id)  # an import may have left thousands: they are not this clerk's to wait for

    def _publish_list(self, chosen: ListRow, at: int) -> None:
        publish_list(self.party, self._ledger, chosen, at, self.terms.next_update)

    def anchor_waiting(self, only: str | None = None) -> None:
        """Put the fingerprints of published certificates on the log that are not there yet, or that of one alone."""
        for row in self._ledger.unanchored(only):
            if row.mark is not None and row.list_number is not None and row.index is not None:
                kind = typed_kind(status_list_id(self.did, row.list_number), row.index)
                try:
                    self.anchor(row.mark, kind)
                except RejectedError as error:
                    if error.code != "already-exists":  # a crash after the registry had said yes
                        raise
                self._ledger.set_anchored(row.id)

    def _change(self, id_: str, state: str, reason: str | None, at: int) -> Issued:
        with self.party.locked():
            row = self._ledger.get(id_)
            if row.list_number is None:
                raise IssueError("this certificate has no status list", code="no-status")
            if state != "valid" and reason not in REASONS:
                raise IssueError(f"not a reason: {reason!r}", code="bad-reason")
            if row.state == "revoked" and state != "revoked":
                raise IssueError("revoked is final", code="already-revoked")
            if state == "valid" and row.state != "suspended":
                raise IssueError("there is no suspension to lift", code="not-suspended")
            if row.state != state:
                noted = min(at, log_time(self.facts(at)))
                self._ledger.set_state(id_, state, reason, None if state == "valid" else noted)
            try:
                self._publish_list(self._ledger.list_row(row.list_number), at)
            except RejectedError:
                self._ledger.set_state(id_, row.state, row.reason, row.changed)  # it is not so if nobody can see it
                raise
            return self._ledger.get(id_)


def _binding(schema: Schema, bind: Binding | str | None) -> Binding:
    if schema.bind == "none":
        if bind is not None:
            raise IssueError("this certificate is not bound to a holder", code="bind-mismatch")
        return NO_BINDING
    if bind is None:
        raise IssueError(f"this certificate is bound by {schema.bind}: the holder's request is missing", code="bind-missing")
    value = read_binding(bind.encode("utf-8", "replace"), schema.bind) if isinstance(bind, str) else bind
    if value.name != schema.bind:
        raise IssueError(f"the schema asks for {schema.bind}", code="bind-mismatch")
    return value


def _asked(
    hash: Hash, digest: bytes, claims: Mapping[str, JSON], bind: Binding | str | None, minutes: int | None, specimen: bool,
    found_by: str | None, base: bytes | None,
) -> bytes:  # fmt: skip
    held = bind.to_bytes().decode() if isinstance(bind, Binding) else bind
    more: list[JSON] = [] if found_by is None else [found_by]  # keyed: numbers of documents could be tried against a bare hash
    more += [] if base is None else [hash(base).hex()]
    return hash(jcs([digest.hex(), dict(claims), held, minutes, specimen, *more]))
