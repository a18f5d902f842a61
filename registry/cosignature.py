"""Cosignatures (C2SP tlog-cosignature): a witness saw this checkpoint continue every earlier one, and when.

Ed25519 (type 0x04) and ML-DSA-44 (0x06) are C2SP's, byte for byte. SM2 has the type 0xff, reserved for long identifiers,
followed by `weid/sm2-sm3-cosignature/v1`, and signs what Ed25519 signs. The signature of a line is the time, eight bytes
of POSIX seconds, and the signature proper: nobody but the witness can move the time.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.checkpoint import parse_checkpoint
from registry.note import Note, NoteSignature, check_name, read_verifier_key
from weid import signing
from weid.codec import b64
from weid.errors import MalformedError, SignatureError, TrustError
from weid.hashes import SHA256
from weid.keys import PublicKey, Signer

__all__ = ["CosignerKey", "check_cosigner", "cosign", "cosigner_type", "find_cosignature", "verify_cosignature"]

CONTEXT = "c2sp/cosignature"
ROLE = "witness"
_TYPES = {"ed25519": b"\x04", "ml-dsa-44": b"\x06", "sm2": b"\xffweid/sm2-sm3-cosignature/v1"}
_LABEL = b"subtree/v1\n\0"
_TIME = 8
_MAX_TIME = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's public key with the name it cosigns under."""

    name: str
    key: PublicKey

    @classmethod
    def parse(cls, text: str) -> CosignerKey:
        """The key of exactly this `name+id+key`."""
        return cls(*read_verifier_key(text, _TYPES))

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ newline ‖ type ‖ key)[:4] (tlog-cosignature, Format)."""
        return SHA256(self.name.encode() + b"\n" + cosigner_type(self.key) + self.key.data)[:4]

    def text(self) -> str:
        """The verifier key as `name+id+key`, for people and policy files."""
        return f"{self.name}+{self.key_id.hex()}+{b64(cosigner_type(self.key) + self.key.data)}"


def check_cosigner(name: str) -> None:
    """MalformedError `note-name` unless a witness can cosign under this name (signed-note; 255 bytes in tlog-cosignature)."""
    check_name(name)
    _len8(name)


def cosigner_type(key: PublicKey) -> bytes:
    """The type prefix of a cosigner's key; MalformedError for suites that cosign nothing."""
    if key.suite not in _TYPES:
        raise MalformedError(f"{key.suite} keys cosign no checkpoints", code="note-suite")
    return _TYPES[key.suite]


def cosign(text: str, name: str, signer: Signer, *, at: int) -> NoteSignature:
    """The witness's line under a checkpoint text at a POSIX second; MalformedError for a text that is no checkpoint."""
    check_cosigner(name)
    key = CosignerKey(name, signer.public_key)
    signature = signer.sign(CONTEXT, _message(text, key, at))
    return NoteSignature(name, key.key_id, at.to_bytes(_TIME, "big") + signature)


def verify_cosignature(text: str, line: NoteSignature, key: CosignerKey) -> int:
    """The POSIX second of a line that this key made under this text; SignatureError otherwise."""
    if (line.name, line.key_id) != (key.name, key.key_id):
        raise SignatureError(f"the line of {line.name} is another key's")
    at = int.from_bytes(line.signature[:_TIME], "big")
    if len(line.signature) <= _TIME or not 0 < at <= _MAX_TIME:
        # A cosignature without a time makes no statement about the newest tree (tlog-cosignature, ML-DSA-44).
        raise SignatureError(f"the cosignature of {key.name} has no time")
    signing.verify(key.key, ROLE, CONTEXT, _message(text, key, at), line.signature[_TIME:])
    return at


def find_cosignature(note: Note, key: CosignerKey) -> int:
    """The time of this witness's line in a note; TrustError `no-signature` without one, SignatureError if it is wrong."""
    found = [line for line in note.signatures if (line.name, line.key_id) == (key.name, key.key_id)]
    if len(found) != 1:
        raise TrustError(f"the note has no cosignature of {key.name}", code="no-signature")
    return verify_cosignature(note.text, found[0], key)


def _message(text: str, key: CosignerKey, at: int) -> bytes:
    """What is signed: two lines and the checkpoint, or for ML-DSA-44 the `cosigned_message` of the whole tree."""
    checkpoint = parse_checkpoint(text)
    if not 0 < at <= _MAX_TIME:
        raise MalformedError("a cosignature has a time")
    if key.key.suite != "ml-dsa-44":
        return f"cosignature/v1\ntime {at}\n{text}".encode()
    end = checkpoint.size.to_bytes(8, "big")
    return _LABEL + _len8(key.name) + at.to_bytes(8, "big") + _len8(checkpoint.origin) + bytes(8) + end + checkpoint.root


def _len8(text: str) -> bytes:
    data = text.encode()
    if len(data) > 255:
        raise MalformedError("a name in a cosignature has at most 255 bytes", code="note-name")
    return len(data).to_bytes(1, "big") + data
