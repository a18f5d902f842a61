"""The one table of signed messages (R1).

Our own formats sign `len8(context) ‖ context ‖ payload`. Foreign formats keep their own bytes and
are kept apart by key: a key has one role, and a role may sign only what this table says. Where one
role has several foreign formats, their bytes have shapes that no other format's have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from weid.errors import SignatureError, UnknownSuiteError
from weid.suites import own_suite, require_low_s, suite

if TYPE_CHECKING:
    from weid.keys import PublicKey

DID_ROLES = ("assert", "present", "login", "log-op", "status")
"""Roles of the verification methods of a DID."""
LOG_ROLES = ("log", "state", "mirror", "witness", "twin")
"""Roles of a log's operators, mirrors and witnesses; never in a DID document."""
OWN_ROLES = ("verifier",)
"""Roles of keys that stand in no registry: a verifier's own, known to whoever was told its fingerprint."""
ROLES = DID_ROLES + LOG_ROLES + OWN_ROLES
"""Every role a key may have; it has exactly one."""


@dataclass(frozen=True, slots=True)
class Context:
    """One kind of signed message: whether the bytes are framed as ours, and which roles may sign it."""

    name: str
    own: bool
    roles: tuple[str, ...]


_TABLE = (
    Context("weid/qr-cred/v1", True, ("assert",)),
    Context("weid/qr-pres/v1", True, ("present",)),
    Context("weid/op/v1", True, ("log-op",)),
    Context("weid/key-proof/v1", True, DID_ROLES),
    Context("weid/login/v1", True, ("login",)),
    Context("weid/check-report/v1", True, ("verifier",)),
    Context("weid/batch-report/v1", True, ("assert",)),
    Context("weid/trail/v1", True, ("log-op",)),
    Context("data-integrity", False, ("assert", "present", "status")),
    Context("jose", False, ("assert", "present")),
    Context("cose", False, ("assert", "present")),
    Context("weid/key-change/v1", True, ("log", "state", "log-op", "twin")),
    Context("weid/kept-state/v1", True, ("state",)),
    Context("c2sp/note", False, ("log", "state", "mirror", "twin")),
    Context("c2sp/cosignature", False, ("witness",)),
)
CONTEXTS: Mapping[str, Context] = MappingProxyType({row.name: row for row in _TABLE})
"""Every context by name; read-only."""


def framed(context: str, payload: bytes) -> bytes:
    """len8(context) ‖ context ‖ payload: no two (context, payload) pairs give the same bytes."""
    name = context.encode("ascii")
    return len(name).to_bytes(1, "big") + name + payload


_OWN_PREFIXES = tuple(framed(row.name, b"") for row in _TABLE if row.own)
# A JWS signing input (RFC 7515 5.1) and the Sig_structure of a COSE_Sign1 (RFC 9052 4.4). Hash data of Data Integrity
# has 64 bytes or more: whoever makes its documents would need 2^126 tries to have them all in the base64url alphabet.
_BASE64URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_COSE = b"\x84\x6aSignature1"
_SHAPED = ("jose", "cose")


def message(context: str, payload: bytes) -> bytes:
    """The bytes that are signed; SignatureError `unknown-context` outside the table (R1)."""
    row = _row(context)
    if row.own:
        return framed(context, payload)
    # A foreign format that lets an attacker choose its bytes must not yield one of our own messages.
    if payload.startswith(_OWN_PREFIXES):
        raise SignatureError("a foreign payload in the shape of one of our own", code="foreign-payload")
    # One key may sign several foreign formats, so none of them may take what another would believe.
    if _shape(payload) != (context if context in _SHAPED else None):
        raise SignatureError(f"a payload that has not the shape of {context}", code="foreign-payload")
    return payload


def _shape(payload: bytes) -> str | None:
    if payload.startswith(_COSE):
        return "cose"
    return "jose" if payload.translate(None, _BASE64URL) == b"." and payload[:1] != b"." else None


def require_role(role: str, context: str) -> None:
    """SignatureError unless keys of this role sign in this context (`unknown-context`, `wrong-role`)."""
    if role not in _row(context).roles:
        raise SignatureError(f"a key for {role!r} does not sign {context}", code="wrong-role")


def require_suite(name: str, context: str) -> None:
    """SignatureError `wrong-suite` unless keys of this suite sign in this context: our own formats carry 64 bytes (R2)."""
    if _row(context).own:
        try:
            own_suite(name)
        except UnknownSuiteError as error:
            raise SignatureError(str(error), code="wrong-suite") from None


def verify(key: PublicKey, role: str, context: str, payload: bytes, signature: bytes) -> None:
    """SignatureError unless `key`, in `role`, signed this payload in this context (R1, R2).

    The key and its role come from resolved data, never from beside the signature. Own formats
    refuse the high-S twin; KeyMaterialError means that the key itself is not usable.
    """
    require(key.suite, role, context)
    if _row(context).own:
        require_low_s(key.suite, signature)
    suite(key.suite).verify(key.data, message(context, payload), signature)


@lru_cache(maxsize=256)
def require(suite: str, role: str, context: str) -> None:
    """`require_role` and `require_suite`, asked once for each three names; what raises is never kept."""
    require_role(role, context)
    require_suite(suite, context)


def _row(context: str) -> Context:
    row = CONTEXTS.get(context)
    if row is None:
        raise SignatureError(f"nothing is signed under {context!r}", code="unknown-context")
    return row


__all__ = [
    "CONTEXTS",
    "DID_ROLES",
    "LOG_ROLES",
    "OWN_ROLES",
    "ROLES",
    "Context",
    "framed",
    "message",
    "require",
    "require_role",
    "require_suite",
    "verify",
]
