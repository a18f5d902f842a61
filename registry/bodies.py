"""The body of each operation type, field for field as it is encoded (R18). Times are minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from weid.records import Names, StatusEntries


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A new key of a DID and its signature proving possession (`weid/key-proof/v1`)."""

    number: int
    role: str
    suite: str
    public: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A service endpoint."""

    id: str
    type: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class KeyEnd:
    """The end of a key: `retired` (at null) or `compromised` as of `at`."""

    number: int
    state: str
    at: int | None


@dataclass(frozen=True, slots=True)
class DidCreate:
    """The DID derives from the first key."""

    keys: tuple[KeyEntry, ...]
    services: tuple[ServiceEntry, ...]


@dataclass(frozen=True, slots=True)
class DidUpdate:
    """Keys and services to add, keys to end, services to drop by id."""

    add: tuple[KeyEntry, ...]
    end: tuple[KeyEnd, ...]
    services: tuple[ServiceEntry, ...]
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DidDeactivate:
    """Nothing to say: it is final."""


@dataclass(frozen=True, slots=True)
class DidRecover:
    """New keys for a DID whose keys are lost, and the end of the old ones; `prev` is the DID's last operation."""

    prev: bytes
    add: tuple[KeyEntry, ...]
    end: tuple[KeyEnd, ...]


@dataclass(frozen=True, slots=True)
class IssuerApply:
    """Names in the four languages and the schemas asked for."""

    names: Names
    wanted: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class IssuerApprove:
    """A right; `since` null means the log time of the entry."""

    schema: bytes
    level: int
    since: int | None
    until: int


@dataclass(frozen=True, slots=True)
class IssuerSuspend:
    """Schema null means every right."""

    schema: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class IssuerReinstate:
    """Schema null means what a suspension as a whole had ended."""

    schema: bytes | None


@dataclass(frozen=True, slots=True)
class IssuerRemove:
    """Schema null means the issuer."""

    schema: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class IssuerDelegate:
    """The right to accredit others for a schema, up to a level; `depth` further delegations may follow below it."""

    schema: bytes
    level: int
    depth: int
    since: int | None
    until: int


@dataclass(frozen=True, slots=True)
class IssuerUndelegate:
    """The end of that right and of every right given under it."""

    schema: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """No schemas named means all."""

    schemas: tuple[bytes, ...]
    since: int | None
    until: int


@dataclass(frozen=True, slots=True)
class RoleEnd:
    """The subject says which."""


@dataclass(frozen=True, slots=True)
class SchemaPublish:
    """Canonical JSON bytes."""

    document: bytes


@dataclass(frozen=True, slots=True)
class StatusPublish:
    """A delta, the digest of the list after it, and the issuance register's root and size (R8)."""

    number: int
    seq: int
    schemas: tuple[bytes, ...]
    changed: StatusEntries
    lifted: tuple[int, ...]
    digest: bytes
    register_root: bytes
    register_size: int
    this_update: int
    next_update: int


@dataclass(frozen=True, slots=True)
class StatusOverride:
    """An auditor's word: revoked, suspended or lifted."""

    index: int
    state: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class EvidenceAnchor:
    """What kind of thing was fingerprinted."""

    kind: str


@dataclass(frozen=True, slots=True)
class EvidenceWithdraw:
    """The subject says which."""


@dataclass(frozen=True, slots=True)
class TrustRecognise:
    """Terms of recognition; no schemas named means all; size and root pin a checkpoint."""

    origin: str
    names: Names
    purposes: tuple[str, ...]
    schemas: tuple[bytes, ...]
    since: int | None
    until: int
    size: int
    root: bytes
    assurance: int
    mapping: bytes | None


@dataclass(frozen=True, slots=True)
class TrustWithdraw:
    """`cease` or `distrust`."""

    mode: str


@dataclass(frozen=True, slots=True)
class MachinePublish:
    """Canonical JSON bytes of a state machine."""

    document: bytes


@dataclass(frozen=True, slots=True)
class AssetRegister:
    """The digest of a machine, and who holds the asset at first: an institution, or nobody the log names."""

    machine: bytes
    holder: str | None


@dataclass(frozen=True, slots=True)
class AssetMove:
    """A move of the machine; `target` is the new holder or party where the move sets one."""

    move: str
    target: str | None


@dataclass(frozen=True, slots=True)
class UseOpen:
    """What the register is for, who claims beside its owner, and the check of its group key."""

    purpose: str
    claimers: tuple[str, ...]
    reusable: bool
    check: bytes


@dataclass(frozen=True, slots=True)
class UseClaimers:
    """Who claims from now on, beside the owner."""

    claimers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UseClaim:
    """The register, who claimed (closed), and what will give the use back (closed)."""

    register: str
    commitment: bytes
    lock: bytes


@dataclass(frozen=True, slots=True)
class UseRelease:
    """The register, and the key that opens the claim's lock."""

    register: str
    key: bytes


@dataclass(frozen=True, slots=True)
class GovMember:
    """A member's name and weight from now on; weight 0 removes it."""

    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class GovRule:
    """When decisions of the subject's category pass; shares in percent, times in minutes."""

    agree: int
    participates: int
    win: int
    delay: int
    period: int


@dataclass(frozen=True, slots=True)
class GovPropose:
    """An operation to vote on: its type and its body as closed CBOR; the subject is that operation's."""

    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class GovVote:
    """A member's word on the proposal that the subject names."""

    agree: bool


@dataclass(frozen=True, slots=True)
class GovExecute:
    """The subject says which proposal."""


@dataclass(frozen=True, slots=True)
class GovCancel:
    """The subject says which proposal; its proposer takes it back."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A new key for the subject, `log`, `state` or `operator`; the old and the new key sign the change (R21)."""

    seq: int
    suite: str
    public: bytes
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class WitnessChange:
    """A new witness policy, and the note in which the old and the new witnesses cosign it."""

    seq: int
    policy: str
    note: bytes


@dataclass(frozen=True, slots=True)
class TimeTick:
    """The minute the log has reached."""

    minute: int


@dataclass(frozen=True, slots=True)
class StateCommit:
    """The statement digest for the log's size before this entry."""

    size: int
    digest: bytes


BODIES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "did.create": DidCreate,
        "did.update": DidUpdate,
        "did.deactivate": DidDeactivate,
        "did.recover": DidRecover,
        "issuer.apply": IssuerApply,
        "issuer.approve": IssuerApprove,
        "issuer.suspend": IssuerSuspend,
        "issuer.reinstate": IssuerReinstate,
        "issuer.remove": IssuerRemove,
        "issuer.delegate": IssuerDelegate,
        "issuer.undelegate": IssuerUndelegate,
        "role.grant": RoleGrant,
        "role.end": RoleEnd,
        "schema.publish": SchemaPublish,
        "status.publish": StatusPublish,
        "status.override": StatusOverride,
        "evidence.anchor": EvidenceAnchor,
        "evidence.withdraw": EvidenceWithdraw,
        "trust.recognise": TrustRecognise,
        "trust.withdraw": TrustWithdraw,
        "machine.publish": MachinePublish,
        "asset.register": AssetRegister,
        "asset.move": AssetMove,
        "use.open": UseOpen,
        "use.claimers": UseClaimers,
        "use.claim": UseClaim,
        "use.release": UseRelease,
        "gov.member": GovMember,
        "gov.rule": GovRule,
        "gov.propose": GovPropose,
        "gov.vote": GovVote,
        "gov.execute": GovExecute,
        "gov.cancel": GovCancel,
        "key.change": KeyChange,
        "witness.change": WitnessChange,
        "time.tick": TimeTick,
        "state.commit": StateCommit,
    }
)
