"""One certificate is in its issuer's register, published by a minute of log time: proof of issue that travels alone (R8).

A bundle carries a register only for the ends that were known when it was made. Whoever holds a certificate may carry the
proof of that one instead, made while all was well: it is one more kind of fact, which a check of the time of issue asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from weid.facts import Fact, Facts, Found, Source, Unknown

__all__ = ["KIND", "Issuance", "WithIssuances", "issuance_key"]

KIND: Final = "issuance"


@dataclass(frozen=True, slots=True)
class Issuance:
    """A place of a list was given to this credential id not later than `published` (UTC minutes), says its registry."""

    list_id: str
    index: int
    cid: bytes
    published: int


def issuance_key(list_id: str, index: int, cid: bytes) -> str:
    """The Facts key of one issuance."""
    return f"{list_id}|{index}|{cid.hex()}"


class WithIssuances:
    """Facts with single issuances beside them, each as the registry it comes from proved it; everything else as before."""

    def __init__(self, facts: Facts, proven: Iterable[tuple[Issuance, Source]]) -> None:
        self._facts = facts
        self._found: dict[str, Found] = {}
        for item, source in proven:
            key = issuance_key(item.list_id, item.index, item.cid)
            before = self._found.get(key)
            if before is None or item.published < before.record.published:  # the older proof shows more
                self._found[key] = Found(item, source.log_time, None, source, complete=False)

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        """As `Facts.fact`; an issuance that nobody brought a proof of is Unknown."""
        if kind != KIND:
            return self._facts.fact(kind, key, at)
        return self._found.get(key) or Unknown("incomplete-issuance")

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        """As `Facts.find`; issuances are asked for one by one."""
        return () if kind == KIND else self._facts.find(kind, prefix)
