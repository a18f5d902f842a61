"""Showing a credential live (R14): challenge answers, gate codes and hash-chain slot codes.

What each mode does not prevent: `gate` and `chain` codes can be relayed while they are fresh; only `challenge` ties
the answer to one checker. The verifier's pages say so (`LIMITS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from credentials.compact import BIND_CHAIN, BIND_KEY, Compact, encode_compact, read_carried, read_compact
from credentials.text import unsafe_text
from weid.cbor import Item, decode, encode
from weid.errors import IssueError, MalformedError
from weid.hashes import SHA256, Hash
from weid.keys import PublicKey, Signer
from weid.signing import framed
from weid.suites import own_suite, suite, suite_by_code

__all__ = [
    "CHAIN", "CHALLENGE", "CONTEXT", "GATE", "LIMITS", "MAX_SLOTS", "MODES", "Challenge", "Presentation", "answer",
    "chain_step", "chain_tip", "chain_value", "gate_code", "read_challenge", "read_presentation", "signed_payload",
    "slot_at", "slot_code",
]  # fmt: skip

CONTEXT: Final = "weid/qr-pres/v1"
TAG: Final = 2
CHALLENGE_TAG: Final = 3
CHALLENGE, GATE, CHAIN = 1, 2, 3
MODES: Final[Mapping[int, str]] = MappingProxyType({CHALLENGE: "challenge", GATE: "gate", CHAIN: "chain"})
LIMITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "challenge": "proves who answers this checker now; not that the person is the one named",
        "gate": "a fresh code can be relayed to another place until it is too old or was seen",
        "chain": "a fresh code can be copied and shown within its two minutes",
    }
)
MAX_SLOTS: Final = 1440  # one a minute for the longest lifetime a chain may have; bounds the verifier's work
MAX_TTL: Final = 60
_U32: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a checker asks, as the wallet shows it before signing. `expires` in UTC minutes; mask as in Compact."""

    verifier: str
    name: str
    purpose: str
    schema: bytes
    mask: int
    nonce: bytes
    expires: int

    def to_bytes(self) -> bytes:
        """The closed-CBOR object a wallet scans."""
        return encode([
            CHALLENGE_TAG, self.verifier, self.name, self.purpose, self.schema, self.mask, self.nonce, self.expires,
        ])  # fmt: skip

    def handle(self, hash: Hash = SHA256) -> bytes:
        """The 8 bytes a presentation carries; the holder signs the whole digest."""
        return hash(self.to_bytes())[:8]


@dataclass(frozen=True, slots=True)
class Presentation:
    """A shown credential. `time` and `ttl` in minutes; `key`, `signature` for challenge and gate, `proof` for chain.

    `carried` are the credential's bytes as they travel: with a holder key beside them, without binding bytes.
    """

    mode: int
    credential: Compact
    carried: bytes
    time: int
    ttl: int
    handle: bytes
    gate: str
    key: PublicKey | None
    signature: bytes
    slot: int
    proof: bytes


def read_challenge(data: bytes) -> Challenge:
    """The challenge in exactly these bytes; MalformedError otherwise, also for text that could mislead (R28)."""
    value = decode(data, max_bytes=2048, max_depth=1)
    if not isinstance(value, tuple) or len(value) != 8 or type(value[0]) is not int or value[0] != CHALLENGE_TAG:
        raise MalformedError("not a challenge", code="not-a-challenge")
    _, verifier, name, purpose, schema, mask, nonce, expires = value
    for text in (verifier, name, purpose):
        if type(text) is not str or not 0 < len(text) <= 200 or unsafe_text(text):
            raise MalformedError("a challenge names its verifier and purpose in plain text")
    if type(schema) is not bytes or len(schema) != 32 or type(nonce) is not bytes or len(nonce) != 16:
        raise MalformedError("a challenge has a 32-byte schema digest and a 16-byte nonce")
    if type(mask) is not int or not 0 < mask < 1 << 64 or type(expires) is not int or not 0 < expires < _U32:
        raise MalformedError("a challenge has a mask and an expiry")
    return Challenge(str(verifier), str(name), str(purpose), schema, mask, nonce, expires)


def read_presentation(value: Item) -> Presentation:
    """The presentation of a decoded array; MalformedError for anything an encoder would not print."""
    if not isinstance(value, tuple) or len(value) < 5 or type(value[0]) is not int or value[0] != TAG:
        raise MalformedError("not a presentation", code="not-a-credential")
    mode, credential = value[1], value[2]
    if type(credential) is not bytes or type(mode) is not int:
        raise MalformedError("not a presentation", code="not-a-credential")
    if mode == CHAIN and len(value) == 5:
        return _chain(credential, value[3], value[4])
    if mode in (CHALLENGE, GATE) and len(value) == 8:
        return _signed(mode, credential, value)
    raise MalformedError("not a presentation", code="not-a-credential")


def signed_payload(mode: int, credential: bytes, time: int, ttl: int, asked: bytes | str, hash: Hash) -> bytes:
    """What the holder signs: mode, H(credential as carried), time, ttl, H(challenge object) or the gate name (R14)."""
    return encode([mode, hash(credential), time, ttl, asked])


def answer(credential: bytes, challenge: bytes, holder: Signer, *, time: int, ttl: int = 2) -> bytes:
    """The answer to a challenge object; IssueError when the holder's key is not the bound one."""
    read_challenge(challenge)
    carried, chosen = _carried(credential, holder)
    digest = chosen(challenge)
    payload = signed_payload(CHALLENGE, carried, time, ttl, digest, chosen)
    return _sealed(CHALLENGE, carried, time, ttl, digest[:8], holder, payload)


def gate_code(credential: bytes, gate: str, holder: Signer, *, time: int, ttl: int = 2) -> bytes:
    """A code for one unattended gate, good for `ttl` minutes; IssueError when the holder's key is not the bound one."""
    carried, chosen = _carried(credential, holder)
    payload = signed_payload(GATE, carried, time, ttl, gate, chosen)
    return _sealed(GATE, carried, time, ttl, gate, holder, payload)


def slot_code(credential: bytes, seed: bytes, *, at: int) -> bytes:
    """The code of the minute `at` for a chain-bound credential; `seed` is the wallet's 16-byte chain seed."""
    value = read_compact(credential)
    slots = value.valid_until - value.valid_from
    slot = slot_at(value.valid_from, at)
    if value.bind_kind != BIND_CHAIN or not 1 <= slot <= slots:
        raise IssueError("no slot of this credential covers that time", code="no-slot")
    proof = chain_value(seed, value.bind[16:], slots, slot, value.hash)
    if chain_value(proof, value.bind[16:], slot, 0, value.hash) != value.bind[:16]:
        raise IssueError("the credential is not bound to this chain", code="chain-mismatch")
    return encode([TAG, CHAIN, credential, slot, proof])


def slot_at(valid_from: int, at: int) -> int:
    """The slot of a minute: 1 for the first minute of the credential."""
    return at - valid_from + 1


def chain_step(salt: bytes, slot: int, value: bytes, hash: Hash) -> bytes:
    """From the value of `slot` to that of the slot before it: H(frame ‖ tip salt ‖ u32 slot ‖ x)[:16]."""
    return hash.digest(framed("weid/chain/v1", salt + slot.to_bytes(4, "big") + value))[:16]


def chain_value(seed: bytes, salt: bytes, slots: int, slot: int, hash: Hash) -> bytes:
    """The value of a slot; the seed is the value of the last slot, the tip that of slot 0."""
    if len(seed) != 16 or len(salt) != 8 or not 0 <= slot <= slots <= MAX_SLOTS:
        raise MalformedError(f"a chain has a 16-byte seed, an 8-byte salt and at most {MAX_SLOTS} slots")
    value = seed
    for step in range(slots, slot, -1):
        value = chain_step(salt, step, value, hash)
    return value


def chain_tip(seed: bytes, salt: bytes, slots: int, hash: Hash) -> bytes:
    """The 24 binding bytes (tip ‖ salt) the wallet gives the issuer for a credential of `slots` minutes."""
    return chain_value(seed, salt, slots, 0, hash) + salt


def _carried(credential: bytes, holder: Signer) -> tuple[bytes, Hash]:
    value = read_compact(credential)
    if value.bind_kind != BIND_KEY or value.bind != holder.public_key.thumbprint():
        raise IssueError("the credential is not bound to this key", code="holder-key-mismatch")
    return encode_compact(replace(value, bind=b"")), suite(holder.public_key.suite).hash


def _sealed(mode: int, credential: bytes, time: int, ttl: int, asked: bytes | str, holder: Signer, payload: bytes) -> bytes:
    if not 0 < ttl <= MAX_TTL:
        raise IssueError(f"a code lives 1 to {MAX_TTL} minutes", code="bad-ttl")
    key = holder.public_key
    code = own_suite(key.suite).code
    signature = holder.sign(CONTEXT, payload)
    return encode([TAG, mode, credential, time, ttl, asked, [code, key.data], signature])


def _chain(credential: bytes, slot: Item, proof: Item) -> Presentation:
    if type(slot) is not int or not 1 <= slot <= MAX_SLOTS or type(proof) is not bytes or len(proof) != 16:
        raise MalformedError("not a slot code")
    return Presentation(CHAIN, read_compact(credential), credential, 0, 0, b"", "", None, b"", slot, proof)


def _signed(mode: int, credential: bytes, value: tuple[Item, ...]) -> Presentation:
    time, ttl, asked, key, signature = value[3:]
    if type(time) is not int or not 0 <= time < _U32 or type(ttl) is not int or not 0 < ttl <= MAX_TTL:
        raise MalformedError("a presentation has a time and a life of 1 to 60 minutes")
    if type(signature) is not bytes or len(signature) != 64 or not isinstance(key, tuple) or len(key) != 2:
        raise MalformedError("a presentation has a key and a signature of 64 bytes")
    code, data = key
    if type(code) is not int or type(data) is not bytes:
        raise MalformedError("not a holder key")
    holder = PublicKey(suite_by_code(code).name, data)
    inner = read_carried(credential, holder.thumbprint())
    if mode == CHALLENGE:
        if type(asked) is not bytes or len(asked) != 8:
            raise MalformedError("a challenge handle is 8 bytes")
        return Presentation(mode, inner, credential, time, ttl, asked, "", holder, signature, 0, b"")
    if type(asked) is not str or not 0 < len(asked) <= 64 or unsafe_text(asked):
        raise MalformedError("a gate has a plain name of at most 64 characters")
    return Presentation(mode, inner, credential, time, ttl, b"", asked, holder, signature, 0, b"")
