"""What a holder hands an issuer so that a credential is bound to a key or a hash chain (R13).

    {"bind":"key","form":"weid/binding/1","key":"z6Mk…"}
    {"bind":"chain","form":"weid/binding/1","hash":"sm3","minutes":720,"tip":"<24 bytes, base64url>"}
    {"bind":"document","digest":"<32 bytes, base64url>","form":"weid/binding/1"}

It is RFC 8785 JSON and holds nothing secret: a public key, or the end of a chain whose seed stays in the wallet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from credentials.compact import BIND_CHAIN, BIND_DOCUMENT, BIND_KEY, BIND_NONE
from credentials.presentation import MAX_SLOTS
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, unb64u
from weid.did import did_key
from weid.errors import IssueError, MalformedError
from weid.hashes import Hash, hash_named
from weid.keys import PublicKey
from weid.suites import own_suite

__all__ = ["NO_BINDING", "Binding", "read_binding"]

FORM: Final = "weid/binding/1"
MAX_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Binding:
    """The kind and bytes an issuer signs (R13), the holder's key if there is one, a chain's length in minutes and
    the hash it was made with, which must be the one of the issuer's suite (R15)."""

    kind: int
    data: bytes
    key: PublicKey | None = None
    minutes: int | None = None
    hash: str | None = None

    @classmethod
    def to_key(cls, key: PublicKey) -> Binding:
        """Bound to the holder's key, by its thumbprint; UnknownSuiteError for a key that could not answer (R2)."""
        own_suite(key.suite)
        return cls(BIND_KEY, key.thumbprint(), key)

    @classmethod
    def to_chain(cls, tip: bytes, minutes: int, hash: Hash) -> Binding:
        """Bound to a hash chain of one slot a minute."""
        return cls(BIND_CHAIN, tip, None, minutes, hash.name)

    @property
    def subject(self) -> str | None:
        """The holder's did:key, where the binding is a key."""
        return None if self.key is None else str(did_key(self.key))

    @property
    def name(self) -> str:
        """none, key, chain or document, as schemas call it."""
        return {BIND_NONE: "none", BIND_KEY: "key", BIND_CHAIN: "chain", BIND_DOCUMENT: "document"}[self.kind]

    def to_bytes(self) -> bytes:
        """The request as JSON text."""
        value: dict[str, JSON] = {"form": FORM, "bind": self.name}
        if self.key is not None:
            value["key"] = self.key.multikey()
        elif self.kind == BIND_CHAIN:
            value |= {"tip": b64u(self.data), "minutes": self.minutes, "hash": self.hash}
        else:
            value["digest"] = b64u(self.data)
        return jcs(value)


NO_BINDING: Final = Binding(BIND_NONE, b"")


def read_binding(data: bytes, expected: str) -> Binding:
    """The request in JSON text; IssueError `bind-mismatch` when the schema asks for another kind of binding.

    MalformedError `bad-binding` (or another code of the key inside) for anything else. White space around it is
    allowed, because people paste it.
    """
    value = parse_json(data.strip(), max_bytes=MAX_BYTES, max_depth=2)
    if not isinstance(value, dict) or value.get("form") != FORM:
        raise MalformedError("not a binding request", code="bad-binding")
    if value.get("bind") != expected:
        raise IssueError(f"this certificate is bound to {expected!r}, the request is for another", code="bind-mismatch")
    binding = _binding(value)
    if binding.to_bytes() != jcs(value):
        raise MalformedError("a binding request with something more in it", code="bad-binding")
    return binding


def _binding(value: dict[str, JSON]) -> Binding:
    key, tip, minutes, digest = (value.get(name) for name in ("key", "tip", "minutes", "digest"))
    if isinstance(key, str):
        return Binding.to_key(PublicKey.from_multikey(key))
    if isinstance(tip, str) and type(minutes) is int and 0 < minutes <= MAX_SLOTS:
        data = unb64u(tip)
        if len(data) == 24:
            return Binding.to_chain(data, minutes, hash_named(str(value.get("hash"))))
    if isinstance(digest, str) and len(unb64u(digest)) == 32:
        return Binding(BIND_DOCUMENT, unb64u(digest))
    raise MalformedError("a binding request needs key, tip and minutes, or digest", code="bad-binding")
