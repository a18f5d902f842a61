"""The files of a use: the receipt that a claimer keeps, the request it hands to the register's owner, the proof for an auditor.

A receipt is as secret as a key. A request shows the owner a nullifier and nothing of the content; who hands it in, the owner
learns by other means, the log not at all. A proof shows who claimed, and gives nothing back.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry import assets
from registry.operations import Author, SignedOperation
from weid.assets import ClaimRecord, claim_key
from weid.canon import JSON, jcs, parse_json
from weid.codec import unhex
from weid.errors import MalformedError, ProofError
from weid.hashes import Hash
from weid.nullifier import SECRET, Claim, claim, commitment, opening_of, release_key

__all__ = ["Proof", "Receipt", "Release", "read_request", "request_bytes", "requested"]

_RECEIPT, _PROOF = "weid/use-receipt/v1", "weid/use-proof/v1"
_CLAIM, _RELEASE = "weid/use-request/v1", "weid/use-release-request/v1"
_MAX = 4096


@dataclass(frozen=True, slots=True)
class Release:
    """The wish to give a use back."""

    register: str
    nullifier: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """Who made a claim, for whoever the claimer shows it to."""

    register: str
    nullifier: bytes
    claimer: str
    opening: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Proof:
        """The proof of exactly these bytes."""
        value = _object(data, {"weid", "register", "nullifier", "claimer", "opening"}, _PROOF)
        return cls(value["register"], _bytes(value["nullifier"]), value["claimer"], _bytes(value["opening"]))

    def to_bytes(self) -> bytes:
        """The file."""
        return jcs({
            "weid": _PROOF, "register": self.register, "nullifier": self.nullifier.hex(), "claimer": self.claimer,
            "opening": self.opening.hex(),
        })  # fmt: skip

    @property
    def record_key(self) -> str:
        """Where the claim's record stands in the state map."""
        return claim_key(self.register, self.nullifier)

    def check(self, record: ClaimRecord, *, hash: Hash) -> None:
        """ProofError `bad-proof` unless this claimer made the claim of this record."""
        made = commitment(
            hash, register=self.register, nullifier=self.nullifier, claimer=self.claimer, opening=self.opening
        )  # fmt: skip
        if (record.register, record.nullifier, record.commitment) != (self.register, self.nullifier, made):
            raise ProofError(f"the claim was not made by {self.claimer}", code="bad-proof")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a claimer keeps of a claim. Keep it as long as the use stands: nothing else proves or releases it."""

    register: str
    nullifier: bytes
    claimer: str
    secret: bytes

    @classmethod
    def new(
        cls, hash: Hash, *, origin: str, register: str, group: bytes, key: bytes, claimer: str, secret: bytes
    ) -> tuple[Receipt, Claim]:
        """A fresh claim and its receipt; `key` is the digest of a business key, `secret` 32 random bytes."""
        made = claim(hash, origin=origin, register=register, group=group, key=key, claimer=claimer, secret=secret)
        return cls(register, made.nullifier, claimer, secret), made

    @classmethod
    def from_bytes(cls, data: bytes) -> Receipt:
        """The receipt of exactly these bytes."""
        value = _object(data, {"weid", "register", "nullifier", "claimer", "secret"}, _RECEIPT)
        return cls(value["register"], _bytes(value["nullifier"]), value["claimer"], _bytes(value["secret"]))

    def to_bytes(self) -> bytes:
        """The file; a secret."""
        return jcs({
            "weid": _RECEIPT, "register": self.register, "nullifier": self.nullifier.hex(), "claimer": self.claimer,
            "secret": self.secret.hex(),
        })  # fmt: skip

    def release(self, hash: Hash) -> Release:
        """What gives the use back, without showing who claimed."""
        return Release(self.register, self.nullifier, release_key(hash, self.secret))

    def proof(self, hash: Hash) -> Proof:
        """What shows who claimed, without giving the use back."""
        return Proof(self.register, self.nullifier, self.claimer, opening_of(hash, self.secret))


def request_bytes(asked: Claim | Release) -> bytes:
    """What a claimer hands to the register's owner."""
    common: dict[str, JSON] = {"register": asked.register, "nullifier": asked.nullifier.hex()}
    if isinstance(asked, Claim):
        return jcs({"weid": _CLAIM, **common, "commitment": asked.commitment.hex(), "lock": asked.lock.hex()})
    return jcs({"weid": _RELEASE, **common, "key": asked.key.hex()})


def read_request(data: bytes) -> Claim | Release:
    """The request of exactly these bytes."""
    if _RELEASE.encode() in data[:_MAX]:
        value = _object(data, {"weid", "register", "nullifier", "key"}, _RELEASE)
        return Release(value["register"], _bytes(value["nullifier"]), _bytes(value["key"]))
    value = _object(data, {"weid", "register", "nullifier", "commitment", "lock"}, _CLAIM)
    return Claim(value["register"], _bytes(value["nullifier"]), _bytes(value["commitment"]), _bytes(value["lock"]))


def requested(author: Author, asked: Claim | Release) -> SignedOperation:
    """The operation of a request, by whoever sends it."""
    if isinstance(asked, Claim):
        return assets.use_claim(author, asked)
    return assets.use_release(author, asked.register, asked.nullifier, asked.key)


def _object(data: bytes, members: set[str], head: str) -> dict[str, str]:
    value = parse_json(data, max_bytes=_MAX, max_depth=2)
    if not isinstance(value, dict) or set(value) != members or value["weid"] != head or jcs(value) != data:
        raise MalformedError(f"not a file of the kind {head}")
    found = {name: item for name, item in value.items() if isinstance(item, str)}
    if len(found) != len(members):
        raise MalformedError(f"not a file of the kind {head}")
    return found


def _bytes(text: str) -> bytes:
    data = unhex(text)
    if len(data) != SECRET:
        raise MalformedError(f"{SECRET} bytes in hex")
    return data
