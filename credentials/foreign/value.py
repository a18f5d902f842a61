"""A code or file of another system, read: everything the checks need, whatever the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from weid.canon import JSON

if TYPE_CHECKING:
    from credentials.foreign.keys import ForeignKey
    from weid.anchors import Anchor

__all__ = ["CLAIM_169", "EU_DCC", "OPEN_ATTESTATION", "RSA_PSS", "SMART", "Listed", "OtherCredential"]

CLAIM_169: Final = "claim-169"
EU_DCC: Final = "eu-dcc"
OPEN_ATTESTATION: Final = "openattestation"
SMART: Final = "smart-health-card"
RSA_PSS: Final = "rsa-pss"


@dataclass(frozen=True, slots=True)
class Listed:
    """One way in which a list of revocations may name this credential: (scope, method) and the entry."""

    scope: str
    method: str
    entry: str


@dataclass(frozen=True, slots=True)
class OtherCredential:
    """A credential of another system that parsed; nothing in it is proven.

    `hint` finds its anchors (`iss|…`, `kid|…` or `all|`). Times are UTC seconds. `verify(key)` raises SignatureError;
    `address` is the issuer's own address where that names its key, and `root` what a ledger would have to know where there is
    no signature. `broken` says why the content does not lead to what was signed. `misfit` says why it does not keep its own
    system's schema. `has_status` tells whether this system can
    revoke this credential; `claims` are what people see, in order; of the `ambiguous` ones the type is not signed.
    """

    format: str
    type: str
    issuer: str
    kid: str
    hint: str
    suite: str
    claims: Mapping[str, JSON]
    verify: Callable[[ForeignKey], None] | Callable[[ForeignKey | None], None]
    issued: int | None = None
    valid_from: int | None = None
    valid_until: int | None = None
    id: str | None = None
    listed: tuple[Listed, ...] = ()
    misfit: Callable[[], str] = lambda: ""
    has_status: Callable[[Anchor | None], bool] = lambda anchor: True
    address: str = ""
    root: str = ""
    broken: str = ""
    hidden: int = 0
    ambiguous: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
