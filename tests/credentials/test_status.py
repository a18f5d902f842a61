"""Status lists and issuance registers (R8, R9)."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import data_integrity, status
from credentials.status import MIN_BITS, Register, StatusList
from tests.credentials.world import NOW, Institution, Seeded, make_signer
from weid import merkle
from weid.codec import b64u
from weid.errors import IssueError, MalformedError, StatusFullError
from weid.hashes import SHA256, SM3
from weid.records import RegisterLeaf, StatusEntries, status_digest

DID = Institution("a").did


def test_allocate_is_random_and_unique() -> None:
    """Indexes are spread over the list, never given out twice, and the list says when it is full."""
    book, many = StatusList(DID, 1).allocate(500, random=Seeded("a"))
    assert len(set(many)) == 500
    assert max(many) - min(many) > MIN_BITS // 2
    book, more = book.allocate(500, random=Seeded("a"))
    assert not set(many) & set(more)
    small = StatusList(DID, 1, size=16)
    small, rest = small.allocate(16, random=Seeded("b"))
    assert set(rest) == set(range(16))
    with pytest.raises(StatusFullError):
        small.allocate(random=Seeded("c"))


def test_revoked_is_final() -> None:
    """Suspension can be lifted, revocation never; the first revocation keeps its time."""
    book = StatusList(DID, 1).suspend(3, at=NOW)
    assert book.lift(3).entries == ()
    gone = book.revoke(3, 5, reason="fraud", at=NOW + 1)
    assert [entry.state for entry in gone.entries] == ["revoked", "revoked"]
    assert gone.revoke(3, at=NOW + 9).entry(3).at == NOW + 1  # type: ignore[union-attr]
    for act in (lambda: gone.lift(3), lambda: gone.suspend(3, at=NOW), lambda: gone.lift(4)):
        with pytest.raises(IssueError):
            act()
    with pytest.raises(IssueError):
        book.revoke(MIN_BITS, at=NOW)
    with pytest.raises(IssueError):
        book.revoke(1, reason="because", at=NOW)


def test_digest_is_the_registrys() -> None:
    """The digest is the one the registry computes, and changes with every publication."""
    book = StatusList(DID, 1).revoke(3, at=NOW)
    assert book.digest(SM3) == status_digest(SM3, f"{DID}/status/1", 1, book.entries)
    assert book.digest(SM3) != book.revoke(4, at=NOW).digest(SM3)


@given(st.sets(st.integers(0, MIN_BITS - 1), max_size=40), st.sets(st.integers(0, MIN_BITS - 1), max_size=40))
def test_bitstring_round_trip(revoked: set[int], suspended: set[int]) -> None:
    """Exactly the revoked ones have their bit, first index in the highest bit (Bitstring Status List 1.0)."""
    book = StatusList(DID, 1)
    if suspended:
        book = book.suspend(*suspended, at=NOW)
    if revoked:
        book = book.revoke(*revoked, at=NOW)
    bits = status.decode_bitstring(status.encode_bitstring(book.entries, "revoked", MIN_BITS))
    assert {i for byte in range(len(bits)) if bits[byte] for i in range(byte * 8, byte * 8 + 8)
            if bits[i >> 3] & (0x80 >> (i & 7))} == revoked  # fmt: skip


def test_bitstring_bomb() -> None:
    """A gzip stream that unpacks to gigabytes is refused at the limit; short lists and other data too."""
    bomb = gzip.compress(bytes(1 << 25), mtime=0)
    short = gzip.compress(bytes(100), mtime=0)
    good = gzip.compress(bytes(MIN_BITS // 8), mtime=0)
    for data in (bomb, short, good + b"x", good[:-1], b"no gzip", b""):
        with pytest.raises(MalformedError):
            status.decode_bitstring("u" + b64u(data))
    with pytest.raises(MalformedError):
        status.decode_bitstring("x")
    with pytest.raises(MalformedError):
        status.encode_bitstring(StatusEntries(), "revoked", 8)


def test_bitstring_credential_verifies() -> None:
    """The W3C form is signed by the status key, for one purpose each."""
    signer = make_signer("ed25519", "status", "s", f"{DID}#key-3")
    book = StatusList(DID, 1).revoke(9, at=NOW)
    for purpose in status.PURPOSES:
        document = status.bitstring_credential(book, purpose, signer, issued=NOW, until=NOW + 60)
        data_integrity.verify(document, data_integrity.read_proof(document), signer.public_key, "status")
    with pytest.raises(MalformedError):
        status.bitstring_credential(book, "message", signer, issued=NOW, until=NOW + 60)


@given(st.integers(1, 40), st.data())
def test_register_proofs(size: int, data: st.DataObject) -> None:
    """Every issuance has an inclusion proof under the register's root."""
    register = Register("list").add(*(RegisterLeaf(index * 3, bytes([index]) * 16) for index in range(size)))
    place = data.draw(st.integers(0, size - 1))
    leaf = register.leaves[place]
    found, path = register.path(leaf.index, SM3)
    hashed = status.register_leaf("list", leaf.index, leaf.cid, SM3)
    merkle.verify_inclusion(hashed, found, size, path, register.root(SM3), hash=SM3)
    with pytest.raises(IssueError):
        register.add(leaf)
    with pytest.raises(IssueError):
        register.path(1, SHA256)


def test_union_of_seen() -> None:
    """Revocations once seen are remembered; suspensions are not (R9)."""
    from tests.credentials.world import World
    from weid.records import StatusEntry

    world = World()
    world.entries = {3: StatusEntry(3, "revoked", "fraud", NOW), 4: StatusEntry(4, "suspended", "fraud", NOW)}
    record = world.facts().fact("status", world.list_id).record  # type: ignore[union-attr]
    seen = status.union_of_seen(frozenset({"x|1"}), record)
    assert seen == {"x|1", f"{world.list_id}|3"}
