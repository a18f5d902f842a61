"""The second tree of the profile `both` (R19): the same entries under SM3, both roots of one size signed together with SM2.

    weid/twin/v1
    registry.example.org/joint/1
    1042
    <root of the tree under SHA-256, base64>
    <root of the tree under SM3, base64>

is the text of a signed note, by the key that the genesis calls `twin`. The checkpoint stays C2SP's, so that every witness and
mirror of the world reads it. Whoever relies on SM2 and SM3 alone reads the twin note; that its first root is the checkpoint's
shows whoever knows both that the two sides are shown one log.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.authority import Authority
from registry.checkpoint import Checkpoint, decimal
from registry.note import Note, NoteKey, parse_note, verify_note
from weid.codec import b64, unb64
from weid.errors import MalformedError, TrustError

__all__ = ["HEAD", "ROLE", "Twin", "parse_twin", "print_twin", "read_twin", "read_twin_note"]

ROLE = "twin"
HEAD = "weid/twin/v1\n"


@dataclass(frozen=True, slots=True)
class Twin:
    """The first `size` entries of a log under both hashes: `root` is the checkpoint's, `second` that of the second tree."""

    origin: str
    size: int
    root: bytes
    second: bytes

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint that it speaks of."""
        return Checkpoint(self.origin, self.size, self.root)


def print_twin(twin: Twin) -> str:
    """The note text."""
    return f"{HEAD}{twin.origin}\n{twin.size}\n{b64(twin.root)}\n{b64(twin.second)}\n"


def parse_twin(text: str) -> Twin:
    """The roots of exactly this text."""
    lines = text.split("\n")
    if len(lines) != 6 or f"{lines[0]}\n" != HEAD or not lines[1] or lines[5]:
        raise MalformedError("not the roots of two trees")
    root, second = unb64(lines[3]), unb64(lines[4])
    if not len(root) == len(second) == 32:
        raise MalformedError("roots are 32 bytes")
    return Twin(lines[1], decimal(lines[2]), root, second)


def read_twin(data: bytes, authority: Authority) -> Twin:
    """Both roots as the twin key in force signed them, with no other line; TrustError or SignatureError otherwise."""
    note = parse_note(data)
    if authority.twin is None:
        raise TrustError(f"{authority.genesis.origin} has one tree", code="no-twin")
    if len(note.signatures) != 1:
        raise TrustError("the roots of two trees have one signature", code="no-signature")
    verify_note(note, NoteKey(authority.genesis.origin, authority.twin), ROLE)
    return _ours(note, authority)


def read_twin_note(note: Note, authority: Authority) -> Twin:
    """As `read_twin`, by the key of today or one before it (R21): for what a node or mirror finds in its own file."""
    known = [NoteKey(authority.genesis.origin, key) for key in authority.twin_keys]
    if not known:
        raise TrustError(f"{authority.genesis.origin} has one tree", code="no-twin")
    signers = {(line.name, line.key_id) for line in note.signatures}
    verify_note(note, next((key for key in reversed(known) if (key.name, key.key_id) in signers), known[-1]), ROLE)
    return _ours(note, authority)


def _ours(note: Note, authority: Authority) -> Twin:
    twin = parse_twin(note.text)
    if twin.origin != authority.genesis.origin:
        raise TrustError("the roots are of another log", code="foreign-genesis")
    return twin
