"""Signed notes (C2SP signed-note): text, an empty line, signature lines.

Ed25519 keys use type 0x01. SM2 keys use 0xff, the type reserved for long identifiers, followed by
`weid/sm2-sm3/v1`. SHA-256 stays inside key ids in every profile (R19). Lines of other keys (cosignatures)
are kept in order and printed again; whoever needs a key's word calls `verify_note`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from weid import signing
from weid.codec import b64, unb64
from weid.errors import MalformedError, TrustError
from weid.hashes import SHA256
from weid.keys import PublicKey, Signer

__all__ = [
    "Note",
    "NoteKey",
    "NoteSignature",
    "check_name",
    "parse_note",
    "print_note",
    "read_verifier_key",
    "sign_note",
    "verify_note",
]

CONTEXT = "c2sp/note"
MAX_BYTES = 1 << 20
MAX_SIGNATURES = 100
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,255}\Z")
_LINE = re.compile("— ([^ ]+) ([A-Za-z0-9+/=]+)\\Z")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")
_TYPES = {"ed25519": b"\x01", "sm2": b"\xffweid/sm2-sm3/v1"}


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the signer's name, its 4-byte key id, the signature bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends with a newline, and its signature lines."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key with the name it signs notes under."""

    name: str
    key: PublicKey

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ newline ‖ type ‖ key)[:4] (C2SP signed-note, verifier keys)."""
        return SHA256(self.name.encode() + b"\n" + note_type(self.key) + self.key.data)[:4]

    def text(self) -> str:
        """The verifier key as `name+id+key`, for people and policy files."""
        return f"{self.name}+{self.key_id.hex()}+{b64(note_type(self.key) + self.key.data)}"

    @classmethod
    def parse(cls, text: str) -> NoteKey:
        """The key of exactly this `name+id+key`."""
        return cls(*read_verifier_key(text, _TYPES))


def read_verifier_key(text: str, types: Mapping[str, bytes]) -> tuple[str, PublicKey]:
    """(name, key) of a verifier key of one of these types; MalformedError unless it is spelled as we would (signed-note)."""
    name, _, rest = text.partition("+")
    told, _, encoded = rest.partition("+")
    check_name(name)
    data = unb64(encoded)
    for suite, prefix in types.items():
        if data.startswith(prefix):
            key = PublicKey(suite, data[len(prefix) :])
            if told != SHA256(name.encode() + b"\n" + data)[:4].hex():
                raise MalformedError(f"the verifier key of {name} has another key's id", code="note-key")
            return name, key
    raise MalformedError(f"the verifier key of {name} is of no type that is used here", code="note-suite")


def note_type(key: PublicKey) -> bytes:
    """The type prefix of a note key; MalformedError for suites that sign no notes."""
    if key.suite not in _TYPES:
        raise MalformedError(f"{key.suite} keys sign no notes", code="note-suite")
    return _TYPES[key.suite]


def check_name(name: str) -> None:
    """MalformedError unless the name can stand in a signature line."""
    if not _NAME.match(name):
        raise MalformedError(f"{name!r} cannot name a note key", code="note-name")


def print_note(note: Note) -> bytes:
    """The bytes of a note."""
    lines = [f"— {s.name} {b64(s.key_id + s.signature)}\n" for s in note.signatures]
    return f"{note.text}\n{''.join(lines)}".encode()


def parse_note(data: bytes) -> Note:
    """The note of exactly these bytes; MalformedError for anything `print_note` would not print."""
    if len(data) > MAX_BYTES:
        raise MalformedError(f"a note is at most {MAX_BYTES} bytes", code="too-large")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("a note is UTF-8 text") from error
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not text or not tail.endswith("\n") or _CONTROL.search(whole):
        raise MalformedError("not a signed note")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError(f"a note has at most {MAX_SIGNATURES} signatures", code="too-large")
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> NoteSignature:
    match = _LINE.match(line)
    if match is None or not _NAME.match(match[1]):
        raise MalformedError("not a signature line of a note")
    data = unb64(match[2])
    if len(data) < 5:
        raise MalformedError("a note signature is too short")
    return NoteSignature(match[1], data[:4], data[4:])


def sign_note(text: str, name: str, signer: Signer) -> Note:
    """A note with one signature; add others with `with_signature`."""
    check_name(name)
    if not text.endswith("\n") or _CONTROL.search(text):
        raise MalformedError("a note text ends with a newline and has no control characters")
    key = NoteKey(name, signer.public_key)
    return Note(text, (NoteSignature(name, key.key_id, signer.sign(CONTEXT, text.encode())),))


def with_signature(note: Note, signature: NoteSignature) -> Note:
    """The note with one more line (a cosignature)."""
    return replace(note, signatures=(*note.signatures, signature))


def verify_note(note: Note, key: NoteKey, role: str) -> None:
    """Check the line of this key; TrustError `no-signature`, or SignatureError if the line is wrong."""
    found = [s for s in note.signatures if s.name == key.name and s.key_id == key.key_id]
    if len(found) != 1:
        raise TrustError(f"the note has no signature of {key.name}", code="no-signature")
    signing.verify(key.key, role, CONTEXT, note.text.encode(), found[0].signature)
