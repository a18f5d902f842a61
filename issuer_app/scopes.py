"""What a program's key may do: scopes, each a verb on one kind of thing. A key holds the scopes it was given and no more.

A role is a bundle of scopes, for keys made before scopes were and for those who make keys by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from weid.errors import MalformedError

__all__ = ["BY_ROLE", "SCOPES", "expand"]

BY_ROLE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "clerk": (
        "accreditations:read", "certificates:read", "certificates:issue", "certificates:erase", "status:write",
        "imports:read", "imports:write", "papers:read", "links:write", "credentials:sign",
    ),
    "reviewer": ("institutions:read", "institutions:write", "schemas:write"),
    "auditor": ("overrides:read", "overrides:write", "trail:read"),
    "governor": (),
    "admin": ("metrics:read", "desk:settings", "webhooks:read", "webhooks:write"),
    "lookup": ("lookups:read",),
})  # fmt: skip
SCOPES: Final = ("schemas:read", *(scope for role in BY_ROLE.values() for scope in role))
_READS_SCHEMAS: Final = ("clerk", "reviewer", "auditor")


def expand(granted: Iterable[str]) -> frozenset[str]:
    """The scopes of roles and scopes; MalformedError `bad-scope` for another word, or for none at all."""
    found: set[str] = set()
    words = frozenset(granted)
    for word in words:
        if word in BY_ROLE:
            found.update(BY_ROLE[word])
            found.update({"schemas:read"} if word in _READS_SCHEMAS else ())
        elif word in SCOPES:
            found.add(word)
        else:
            raise MalformedError(f"scopes are some of {', '.join(SCOPES)}", code="bad-scope")
    if not words:
        raise MalformedError("a key without a scope opens nothing", code="bad-scope")
    return frozenset(found)
