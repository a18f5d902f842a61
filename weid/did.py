"""Decentralized identifiers: did:weid, did:key, did:jwk and did:web read strictly, others by syntax alone (R5)."""

from __future__ import annotations

import re

from weid.errors import MalformedError
from weid.hashes import SHA256, SM3
from weid.keys import PublicKey
from weid.signing import framed

_LONGEST = 512
_LONGEST_KEY = 2048  # a did:key spells its key, and an ML-DSA-44 key has 1312 bytes
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_CHAIN = r"(?:0|[1-9][0-9]{0,18})"
# DID Core 1.0, 3.1, with \Z because $ would let a line feed through.
_ANY = re.compile(r"did:[a-z0-9]+:(?:(?:[A-Za-z0-9._-]|%[0-9A-F]{2})*:)*(?:[A-Za-z0-9._-]|%[0-9A-F]{2})+\Z")
_WEID = re.compile(rf"did:weid:({_CHAIN}):0x([0-9a-f]{{40}})\Z")
_KEY = re.compile(r"did:key:z[1-9A-HJ-NP-Za-km-z]+\Z")
_JWK = re.compile(r"did:jwk:[A-Za-z0-9_-]+\Z")
# A host name with a letter in its last label (no IP address: it has no certificate to trust), a port, path segments.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_WEB = re.compile(
    rf"did:web:(?:{_LABEL}\.)*(?=[A-Za-z0-9-]*[A-Za-z]){_LABEL}(?:%3A[1-9][0-9]{{0,4}})?"
    r"(?::(?!\.{1,2}(?::|\Z))(?:[A-Za-z0-9._-]|%(?!2F|5C|00)[0-9A-F]{2})+)*\Z"
)
_STRICT = {"weid": _WEID, "key": _KEY, "jwk": _JWK, "web": _WEB}
_KEY_ID = re.compile(rf"([^#]+)#key-({_NUMBER})\Z")


class DID(str):
    """A DID that parsed, usable wherever its text is; MalformedError otherwise.

    did:weid has one spelling: decimal chain id without leading zeros, lower-case address.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> DID:
        """The DID of exactly this text: no path, query, fragment or white space."""
        longest = _LONGEST_KEY if isinstance(text, str) and text.startswith("did:key:") else _LONGEST
        if not isinstance(text, str) or len(text) > longest or not _is_did(text):
            raise MalformedError("not a DID we can read", code="did")
        return super().__new__(cls, text)

    @property
    def method(self) -> str:
        """The method name: `weid`, `key`, …"""
        return self.split(":", 2)[1]

    @property
    def chain(self) -> int:
        """The chain id of a did:weid; MalformedError for other methods."""
        return int(self._weid()[1])

    @property
    def address(self) -> bytes:
        """The 20-byte address of a did:weid; MalformedError for other methods."""
        return bytes.fromhex(self._weid()[2])

    def _weid(self) -> re.Match[str]:
        match = _WEID.match(self)
        if match is None:
            raise MalformedError("not a did:weid", code="did-method")
        return match


def _is_did(text: str) -> bool:
    method = text.split(":", 2)[1] if text.startswith("did:") else ""
    return _STRICT.get(method, _ANY).match(text) is not None


def address_of(key: PublicKey) -> bytes:
    """The 20-byte address of a key (R5): WeIdentity's for secp256k1 and SM2, our own for the rest."""
    if key.suite == "secp256k1":
        return keccak256(key.xy())[-20:]
    if key.suite == "sm2":
        return SM3(key.xy())[-20:]
    return SHA256(framed("weid/addr/v1", key.multicodec_bytes))[-20:]


def weid_did(chain_id: int, key: PublicKey) -> DID:
    """`did:weid:<chain id>:0x<address of the key>`; MalformedError for a chain id that has no spelling."""
    return DID(f"did:weid:{chain_id}:0x{address_of(key).hex()}")


def did_key(key: PublicKey) -> DID:
    """The did:key of a key: how holders are named (R6)."""
    return DID(f"did:key:{key.multikey()}")


def key_of_did_key(did: str) -> PublicKey:
    """The key a did:key spells; MalformedError, UnknownSuiteError or KeyMaterialError."""
    parsed = DID(did)
    if parsed.method != "key":
        raise MalformedError("not a did:key", code="did-method")
    return PublicKey.from_multikey(parsed.removeprefix("did:key:"))


def key_id(did: str, number: int) -> str:
    """The id of a numbered verification method: `<did>#key-<number>` (numbers are never reused, R5)."""
    text = f"{did}#key-{number}"
    parse_key_id(text)
    return text


def parse_key_id(text: str) -> tuple[DID, int]:
    """(DID, key number) of a verification method id; MalformedError for any other text."""
    match = _KEY_ID.match(text) if isinstance(text, str) and len(text) <= 2 * _LONGEST else None
    if match is None:
        raise MalformedError("not the id of a numbered key", code="key-id")
    return DID(match[1]), int(match[2])


def keccak256(data: bytes) -> bytes:
    """Ethereum's hash, which names secp256k1 keys."""
    # Ethereum's Keccak, not SHA3-256: they differ in padding, and hashlib has only the latter.
    from Cryptodome.Hash import keccak

    return bytes(keccak.new(digest_bits=256, data=data).digest())


__all__ = ["DID", "address_of", "did_key", "keccak256", "key_id", "key_of_did_key", "parse_key_id", "weid_did"]
