"""Evidence in batches: one operation on the log, up to millions of items, each with a proof of its own (R25).

    salt_i        = H("weid/evidence-salt/v1" ‖ seed ‖ u64 i)                        32 bytes
    fingerprint_i = H("weid/evidence-item/v1" ‖ cbor[origin, actor DID] ‖ salt_i ‖ digest_i)
    root          = RFC 6962 tree over the fingerprints
    anchored      = H("weid/evidence-batch/v1" ‖ cbor[origin, actor DID, size, root])   by `evidence.anchor`, kind "batch"

The log has one fingerprint and tells nothing of the items, not even equal ones. The seed is the batch's secret: with it
every proof can be made again, so it is kept like the items. Erasing an item means erasing its proof and the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from weid import cbor, merkle
from weid.errors import MalformedError
from weid.facts import Facts, Found
from weid.hashes import Hash
from weid.signing import framed

__all__ = ["KIND", "Batch", "EvidenceProof", "anchored", "find_evidence", "parse_proof", "print_proof"]

KIND = "batch"
MAX_ITEMS = 1 << 24
_HEAD = "weid/evidence-proof/v1"
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class EvidenceProof:
    """That one digest is in a batch of this actor: its salt, its place, and the path to the root."""

    origin: str
    actor: str
    salt: bytes
    index: int
    size: int
    path: tuple[bytes, ...]


class Batch:
    """The tree over a batch of 32-byte digests; `proof(i)` is cheap, the tree is made once."""

    def __init__(self, digests: Sequence[bytes], *, origin: str, actor: str, seed: bytes, hash: Hash) -> None:
        if not 0 < len(digests) <= MAX_ITEMS or any(len(digest) != _DIGEST for digest in digests) or len(seed) != 32:
            raise MalformedError(f"a batch has 1 to {MAX_ITEMS} digests of 32 bytes and a 32-byte seed", code="bad-batch")
        self.origin, self.actor, self.size = origin, actor, len(digests)
        self._hash, self._seed, self._digests = hash, seed, digests

    @cached_property
    def _rows(self) -> list[list[bytes]]:
        """Every row of the tree, leaves first; an odd last node goes up as it is (RFC 6962)."""
        hash = self._hash
        head, salts = _item_head(self.origin, self.actor), framed("weid/evidence-salt/v1", self._seed)
        row = [hash(b"\x00" + hash(head + hash(salts + n.to_bytes(8, "big")) + digest)) for n, digest in enumerate(self._digests)]
        rows = [row]
        while len(row) > 1:
            above = [hash(b"\x01" + row[n] + row[n + 1]) for n in range(0, len(row) - 1, 2)]
            row = above + row[len(row) - 1 :] if len(row) & 1 else above
            rows.append(row)
        return rows

    @property
    def root(self) -> bytes:
        """The root over all fingerprints."""
        return self._rows[-1][0]

    @property
    def fingerprint(self) -> bytes:
        """What goes on the log: `operations.evidence_anchor(author, fingerprint, KIND)`."""
        return anchored(self.origin, self.actor, self.size, self.root, hash=self._hash)

    def proof(self, index: int) -> EvidenceProof:
        """The proof of one item, for whoever holds it."""
        if not 0 <= index < self.size:
            raise MalformedError(f"a batch of {self.size} has no item {index}", code="bad-batch")
        path, at = [], index
        for row in self._rows[:-1]:
            if at ^ 1 < len(row):
                path.append(row[at ^ 1])
            at >>= 1
        salt = self._hash(framed("weid/evidence-salt/v1", self._seed) + index.to_bytes(8, "big"))
        return EvidenceProof(self.origin, self.actor, salt, index, self.size, tuple(path))

    def proofs(self) -> Iterator[EvidenceProof]:
        """Every proof in order."""
        return (self.proof(index) for index in range(self.size))


def anchored(origin: str, actor: str, size: int, root: bytes, *, hash: Hash) -> bytes:
    """The fingerprint under which a batch of this actor stands on the log."""
    return hash(framed("weid/evidence-batch/v1", cbor.encode([origin, actor, size, root])))


def find_evidence(facts: Facts, digest: bytes, proof: EvidenceProof, *, hash: Hash) -> Found | None:
    """The `evidence` record that says when this digest was put on the log, or None if the log has no such batch.

    None also where the trust data cannot tell; a caller that must know the difference asks `facts` itself. The record's
    `withdrawn` is for the caller to judge. ProofError `bad-proof` for a path that cannot be of this place and size.
    """
    if len(digest) != _DIGEST:
        raise MalformedError("a digest is 32 bytes", code="bad-batch")
    fingerprint = hash(_item_head(proof.origin, proof.actor) + proof.salt + digest)
    leaf = merkle.leaf_hash(fingerprint, hash=hash)
    root = merkle.inclusion_root(leaf, proof.index, proof.size, proof.path, hash=hash)
    mark = anchored(proof.origin, proof.actor, proof.size, root, hash=hash)
    answer = facts.fact("evidence", mark.hex())
    if not isinstance(answer, Found) or answer.source.origin != proof.origin:
        return None
    # Somebody else may anchor the very same fingerprint: only its actor's own word dates an item.
    return answer if answer.record.author == proof.actor and answer.record.kind == KIND else None


def print_proof(proof: EvidenceProof) -> bytes:
    """The bytes of a proof: a file beside the item."""
    return cbor.encode([_HEAD, proof.origin, proof.actor, proof.salt, proof.index, proof.size, proof.path])


def parse_proof(data: bytes) -> EvidenceProof:
    """The proof of exactly these bytes; MalformedError."""
    match cbor.decode(data, max_bytes=1 << 12, max_depth=2):
        case (str(head), str(origin), str(actor), bytes(salt), int(index), int(size), tuple(path)) if head == _HEAD:
            nodes = tuple(node for node in path if isinstance(node, bytes) and len(node) == 32)
            if len(salt) == 32 and 0 <= index < size <= MAX_ITEMS and len(nodes) == len(path):
                return EvidenceProof(origin, actor, salt, index, size, nodes)
    raise MalformedError("not a proof of evidence")


def _item_head(origin: str, actor: str) -> bytes:
    return framed("weid/evidence-item/v1", cbor.encode([origin, actor]))
