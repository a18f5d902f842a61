"""What a rule sees and what it may change: records by kind and key, log time, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from registry.authority import Authority
from registry.genesis import Genesis, is_plain
from registry.operations import Operation
from registry.rejections import reject
from weid.codec import CALENDAR_END, unhex
from weid.errors import MalformedError
from weid.governance import MemberRecord, ProposalRecord, RuleRecord, Seat, Vote, passes
from weid.keys import PublicKey
from weid.records import DidRecord, IssuerRecord, Names, RoleRecord, SchemaRecord

__all__ = ["LANGUAGES", "Changes", "Published", "Verify", "View"]

LANGUAGES = ("en", "pt", "zh-Hans", "zh-Hant")
_MAX_TEXT = 200


class Verify(Protocol):
    """Whether a key signed a payload in one of our own contexts; may answer from a batch done before."""

    def __call__(self, key: PublicKey, context: str, payload: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Published:
    """One publication of a status list, kept so that the register before any T can be named (R8)."""

    at: int
    op: bytes
    root: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What an operation does: records to store, (kind, key) to drop, a new log time, proposals that are over, new keys."""

    put: tuple[Any, ...] = ()
    drop: tuple[tuple[str, str], ...] = ()
    log_time: int | None = None
    closed: tuple[tuple[ProposalRecord, str], ...] = ()
    published: tuple[tuple[str, Published], ...] = ()
    authority: Authority | None = None


@dataclass(frozen=True, slots=True)
class View:
    """The state before an operation, the operation, its author and its id: read-only."""

    genesis: Genesis
    authority: Authority
    digest: bytes
    tables: Mapping[str, Mapping[str, Any]]
    history: Mapping[str, tuple[Published, ...]]
    now: int
    size: int
    operation: Operation
    id: bytes
    author: str
    verify: Verify
    statement: Any = field(repr=False)
    rules: Mapping[str, Any] = field(repr=False)
    mandate: str | None = None  # the category of the vote that carries this operation

    def get(self, kind: str, key: str) -> Any | None:
        """A record, or None."""
        return self.tables[kind].get(key)

    def did(self, did: str) -> DidRecord:
        """An active DID, else `not-registered` or `deactivated`."""
        record: DidRecord | None = self.get("did", did)
        if record is None:
            reject("not-registered", did)
        if record.deactivated is not None:
            reject("deactivated", did)
        return record

    def issuer(self, did: str) -> IssuerRecord:
        """An issuer that applied, else `not-applied`."""
        record: IssuerRecord | None = self.get("issuer", did)
        if record is None:
            reject("not-applied", did)
        return record

    def schema(self, digest: bytes) -> SchemaRecord:
        """A published schema, else `unknown-schema`."""
        record: SchemaRecord | None = self.get("schema", digest.hex())
        if record is None:
            reject("unknown-schema", digest.hex())
        return record

    def has_role(self, role: str, schemas: tuple[bytes, ...] | None) -> bool:
        """Whether the author holds a role now, for these schemas (None: for all there are)."""
        record: RoleRecord | None = self.get("role", f"{self.author}|{role}")
        if record is None or record.ended is not None or not record.since <= self.now < record.until:
            return False
        return not record.schemas or (schemas is not None and set(schemas) <= set(record.schemas))

    def weight(self, did: str) -> int:
        """The voting weight of a committee member now, 0 for anybody else."""
        record: MemberRecord | None = self.get("member", did)
        return 0 if record is None else record.weight

    def electorate(self) -> tuple[Seat, ...]:
        """Every member that could vote now, by DID: one whose DID can no longer sign has no seat."""
        members = self.tables["member"]
        return tuple(Seat(did, members[did].weight) for did in sorted(members) if self.can_sign(did))

    def can_sign(self, did: str) -> bool:
        """Whether a DID is active with a key that signs operations."""
        record: DidRecord | None = self.get("did", did)
        if record is None or record.deactivated is not None:
            return False
        return any(key.role == "log-op" and key.end is None for key in record.keys)

    def rule(self, category: str) -> RuleRecord:
        """How decisions of a category are taken."""
        record: RuleRecord = self.tables["rule"][category]
        return record

    def require_committee(self, category: str) -> None:
        """The committee decides: by the vote that carries this operation, or by a member who alone would pass it (R24)."""
        if self.mandate == category:
            return
        if self.mandate is not None or self.weight(self.author) == 0:
            reject("not-committee", self.author)
        if not self.alone(category):
            reject("vote-required", category)

    def alone(self, category: str) -> bool:
        """Whether the author's own vote would pass a decision of this category at once."""
        rule = self.rule(category)
        return not rule.delay and passes(self.electorate(), (Vote(self.author, True, self.now),), rule)

    def require_decider(self, schemas: tuple[bytes, ...] | None) -> None:
        """The author is a reviewer for these schemas, or the committee."""
        if self.mandate is None and self.has_role("reviewer", schemas):
            return
        if self.mandate is None and self.weight(self.author) == 0:
            reject("wrong-role", f"{self.author} is neither reviewer nor committee")
        self.require_committee("issuer")

    def approved(self) -> bool:
        """Whether the author is an approved issuer now."""
        record: IssuerRecord | None = self.get("issuer", self.author)
        return record is not None and record.state == "approved"

    def new_document(self, kind: str, document: bytes) -> bytes:
        """The digest of a document that its subject names, by somebody who may publish, and that is not here yet."""
        self.require_publisher()
        digest = self.genesis.hash(document)
        if self.operation.sub != digest.hex():
            reject("wrong-digest", self.operation.sub)
        if self.get(kind, digest.hex()) is not None:
            reject("already-exists", digest.hex())
        return digest

    def require_publisher(self) -> None:
        """The author is an approved issuer or a reviewer, or the committee decides."""
        if self.approved() or self.has_role("reviewer", None):
            return
        if self.mandate is None and self.weight(self.author) == 0:
            reject("wrong-role", self.author)
        self.require_committee("schema")

    def require_operator(self) -> None:
        """The author is the operator's own key."""
        if self.author != self.genesis.operator_kid:
            reject("wrong-role", "only the operator does this")

    def start(self, since: int | None, until: int) -> int:
        """When a right starts: never before log time (R8: no back-dating), never after its end, which has a date."""
        start = self.now if since is None else since
        if start < self.now:
            reject("back-dated")
        if until <= start:
            reject("empty-period")
        check_minute(until)
        return start

    def not_after_now(self, at: int) -> None:
        """A time the author asserts may lie in the past only."""
        if not 0 <= at <= self.now:
            reject("time-in-future", str(at))


def digest_of(text: str) -> bytes:
    """The 32-byte digest that a subject is; RejectedError `malformed` for any other."""
    try:
        digest = unhex(text)
    except MalformedError:
        digest = b""
    if len(digest) != 32:
        reject("malformed", "the subject is a 32-byte digest in hex")
    return digest


def check_minute(minute: int) -> None:
    """A minute that is shown to people has a date; RejectedError `malformed` for one after the calendar's end."""
    if minute >= CALENDAR_END:
        reject("malformed", "a minute outside the calendar")


def check_text(text: str, place: str) -> None:
    """Names and reasons are shown to people: NFC, no control, bidi or zero-width characters (R28)."""
    if len(text) > _MAX_TEXT or not is_plain(text):
        reject("bad-name", place)


def check_names(names: Names) -> None:
    """One name in each of the four languages, sorted by language."""
    if tuple(language for language, _ in names) != LANGUAGES:
        reject("bad-name", "names are needed in " + ", ".join(LANGUAGES))
    for language, text in names:
        check_text(text, language)
