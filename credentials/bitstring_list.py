"""W3C Bitstring Status List 1.0, made: a list for any purpose, its entries, and the signed list credential.

A pure value that its issuer keeps. The lists of this project's own registry are `credentials.status.StatusList`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from credentials import data_integrity
from credentials.bitstring import ENTRY_TYPE, LIST_TYPE, MAX_SIZE, SUBJECT_TYPE, Entry, read_entry
from credentials.data_model import V2
from credentials.status import MAX_BITS, MIN_BITS, free_places, pack_bits
from weid.canon import JSON
from weid.codec import rfc3339
from weid.errors import IssueError
from weid.keys import Signer
from weid.suites import Random

__all__ = ["MESSAGE_WORDS", "BitstringStatusList"]

FINAL: Final = ("revocation", "refresh")  # not reversible (2.1)
_NONE: Final[Mapping[int, int]] = MappingProxyType({})
_STATUS: Final = "https://www.w3.org/ns/credentials/status#"
# the data model's context has no words for these two, which 2.2 demands of a list of messages
MESSAGE_WORDS: Final[Mapping[str, JSON]] = MappingProxyType({
    "statusSize": {"@id": f"{_STATUS}statusSize", "@type": "http://www.w3.org/2001/XMLSchema#integer"},
    "statusMessages": {"@id": f"{_STATUS}statusMessage", "@type": "@json"},
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class BitstringStatusList:
    """One list for one purpose. `length` counts values of `size` bits, `messages` names each value, `ttl` is in ms."""

    url: str
    purpose: str
    size: int = 1
    length: int = MIN_BITS
    messages: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    ttl: int | None = None
    values: Mapping[int, int] = field(default_factory=lambda: _NONE)
    used: frozenset[int] = frozenset()

    def allocate(self, count: int = 1, *, random: Random) -> tuple[BitstringStatusList, tuple[int, ...]]:
        """`count` free indexes at random places, never one twice (2.1); StatusFullError when there are too few."""
        self._check()
        found = free_places(self.length, self.used, count, random=random)
        return replace(self, used=self.used | frozenset(found)), found

    def set(self, index: int, value: int = 1) -> BitstringStatusList:
        """The list with another value; IssueError `bad-status`, or `revoked-is-final` for a way back there is not."""
        if index not in self.used or not 0 <= value < 1 << self.size:
            raise IssueError(f"index {index} was not given out, or {value} is no value", code="bad-status")
        if self.purpose in FINAL and self.values.get(index, 0) not in (0, value):
            raise IssueError(f"index {index} has its last {self.purpose} status", code="revoked-is-final")
        return replace(self, values=MappingProxyType({**self.values, index: value}))

    def entry(self, index: int, *, id: str | None = None) -> dict[str, JSON]:
        """The `credentialStatus` of an index that was given out; IssueError `bad-status` for another one."""
        if index not in self.used:
            raise IssueError(f"index {index} was not given out", code="bad-status")
        return self._entry(index) if id is None else {"id": id, **self._entry(index)}

    def document(self, issuer: str, *, issued: int, until: int) -> dict[str, JSON]:
        """The list credential without a proof, for any securing form."""
        self._check()
        subject: dict[str, JSON] = {
            "id": f"{self.url}#list",
            "type": SUBJECT_TYPE,
            "statusPurpose": self.purpose,
            "encodedList": self._encoded(),
        }
        if self.ttl is not None:
            subject["ttl"] = self.ttl
        contexts: list[JSON] = [V2]
        if self.purpose == "message":
            subject |= {"statusSize": self.size, "statusMessages": self._messages()}
            contexts.append(dict(MESSAGE_WORDS))
        return {
            "@context": contexts,
            "id": self.url,
            "type": ["VerifiableCredential", LIST_TYPE],
            "issuer": issuer,
            "validFrom": rfc3339(issued),
            "validUntil": rfc3339(until),
            "credentialSubject": subject,
        }

    def credential(
        self, signer: Signer, *, issuer: str, issued: int, until: int, cryptosuite: str | None = None
    ) -> dict[str, JSON]:
        """The list credential with a Data Integrity proof; the times are UTC minutes."""
        document = self.document(issuer, issued=issued, until=until)
        return data_integrity.sign(document, signer, created=rfc3339(issued), cryptosuite=cryptosuite)

    def _entry(self, index: int) -> dict[str, JSON]:
        found: dict[str, JSON] = {
            "type": ENTRY_TYPE,
            "statusPurpose": self.purpose,
            "statusListIndex": str(index),
            "statusListCredential": self.url,
        }
        if self.size > 1:
            found["statusSize"] = self.size
        if self.messages:
            found["statusMessage"] = self._messages()
        if self.references:
            found["statusReference"] = list(self.references)
        return found

    def _messages(self) -> list[JSON]:
        texts = self.messages or ("unset", "set")
        return [{"status": hex(value), "message": message} for value, message in enumerate(texts)]

    def _check(self) -> None:
        """What is published must be readable: the maker asks the strict reader."""
        if not 1 <= self.size <= MAX_SIZE or not self.length >= MIN_BITS or self.length * self.size > MAX_BITS:
            raise IssueError(f"a list has {MIN_BITS} values or more, and at most {MAX_BITS} bits", code="bad-status")
        if self.ttl is not None and self.ttl < 0:
            raise IssueError("ttl is a number of milliseconds", code="bad-status")
        entry = read_entry(self._entry(0))
        if entry != Entry(self.purpose, self.url, 0, self.size, self.messages, self.references):
            raise IssueError("the list has other words than its entries", code="bad-status")

    def _encoded(self) -> str:
        total = -(-self.length * self.size // 8)
        bits = bytearray(total)
        for index, value in self.values.items():
            for place in range(self.size):
                if value >> (self.size - 1 - place) & 1:
                    bit = index * self.size + place
                    bits[bit >> 3] |= 0x80 >> (bit & 7)
        return pack_bits(bytes(bits))
