"""An issuer of the past: WeIdentity credentials written from the description of the format, not with our reader."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

from Cryptodome.Hash import keccak
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from tests.credentials.world import NOW, Seeded, World
from weid.errors import SignatureError
from weid.hashes import SM3
from weid.keys import PublicKey
from weid.records import DidRecord, IssuerRecord, KeyRecord, VersionRecord
from weid.recovery import recover
from weid.suites import suite

CONTEXT = "https://github.com/WeBankFinTech/WeIdentity/blob/master/context/v1"
DAY = 86_400
ISSUED = NOW * 60 - 100 * DAY  # seconds
CLAIM = {"name": "Sher", "credits": "120", "age": 18, "address": {"city": "张江"}, "marks": [{"a": "90"}, {"a": "85"}]}
SALT = {
    "name": "nQ4BD",
    "credits": "oJMO3",
    "age": "exkEX",
    "address": {"city": "ya9jA"},
    "marks": [{"a": "L0c40"}, {"a": "I4aop"}],
}
CPT = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {
        "name": {"type": "string"}, "credits": {"type": "string"}, "age": {"type": "integer"},
        "address": {"type": "object", "properties": {"city": {"type": "string"}}},
        "marks": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
    },
    "required": ["name", "age"],
}  # fmt: skip
CHINA = 8 * 3600


def keccak256(data: bytes) -> bytes:
    return bytes(keccak.new(digest_bits=256, data=data).digest())


class OldIssuer:
    """One key and its DID."""

    def __init__(self, seed: str = "old", method: str = "weid:101", suite_name: str = "secp256k1") -> None:
        self.suite = suite_name
        self.secret = suite(suite_name).generate(Seeded(seed))
        self.key = PublicKey(suite_name, suite(suite_name).public(self.secret))
        self.hash: Callable[[bytes], bytes] = SM3 if suite_name == "sm2" else keccak256
        self.did = f"did:{method}:0x{self.hash(self.key.xy())[-20:].hex()}"

    def sign(self, text: str, profile: str) -> str:
        digest = self.hash(text.encode())
        if self.suite == "sm2":
            return base64.b64encode(suite("sm2").sign(self.secret, digest) + b"\0").decode()
        if profile in ("P1", "P2"):
            digest = keccak256(digest)
        secret = ec.derive_private_key(int.from_bytes(self.secret, "big"), ec.SECP256K1())
        r, s = decode_dss_signature(secret.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        parity = next(mark for mark in (0, 1) if self._recovers(digest, raw, mark))
        signature = bytes([27 + parity]) + raw if profile in ("P1", "P2") else raw + bytes([parity])
        return base64.b64encode(signature).decode()

    def _recovers(self, digest: bytes, raw: bytes, parity: int) -> bool:
        try:
            return recover(digest, raw, parity) == self.key
        except SignatureError:
            return False

    def record(self, role: str = "assert", end: str | None = None, ended: int | None = None) -> DidRecord:
        key = KeyRecord(1, role, self.suite, self.key.data, NOW - 400_000, 1, end, ended, ended, None)
        return DidRecord(self.did, b"\0" * 32, (VersionRecord(1, NOW - 400_000),), (key,), (), None)

    def standing(self, state: str = "approved") -> IssuerRecord:
        return IssuerRecord(self.did, (("en", "Old school"),), state, NOW - 400_000, NOW - 400_000, self.did, None, ())


def compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hashed(claim: Any, salt: Any, hash_: Callable[[bytes], bytes] = keccak256) -> Any:
    if isinstance(salt, dict):
        return {name: hashed(claim[name], salt[name], hash_) for name in claim}
    if isinstance(salt, list):
        return [hashed(*pair, hash_) for pair in zip(claim, salt, strict=True)]
    if salt == "0":
        return claim
    words = {None: "null", True: "true", False: "false"}
    if isinstance(claim, list):
        text = f"[{', '.join(map(str, claim))}]"
    else:
        text = words[claim] if claim is None or isinstance(claim, bool) else str(claim)
    return "0x" + hash_((text + salt).encode()).hex()


def original(issuer: OldIssuer, profile: str = "P3", **change: Any) -> dict[str, Any]:
    """A salted credential, signed under P1, P2 or P3."""
    claim, salt = change.pop("claim", copy.deepcopy(CLAIM)), change.pop("salt", copy.deepcopy(SALT))
    value = {
        "claim": hashed(claim, salt, issuer.hash), "context": CONTEXT, "cptId": 2000006,
        "expirationDate": ISSUED + 300 * DAY, "id": "f894d33d-88c3-4122-afb6-87e21d2ae656", "issuanceDate": ISSUED,
        "issuer": issuer.did, "type": ["VerifiableCredential", "original"], **change,
    }  # fmt: skip
    signed = {**value, "claim": compact(value["claim"])} if profile == "P1" else dict(value)
    if profile != "P3":
        signed["proof"] = None
    proof = {
        "created": value["issuanceDate"], "creator": f"{issuer.did}#keys-0", "salt": salt,
        "signatureValue": issuer.sign(compact(signed), profile), "type": "SM2" if issuer.suite == "sm2" else "Secp256k1",
    }  # fmt: skip
    return {**value, "claim": claim, "proof": proof}


def lite(issuer: OldIssuer, *, dated: bool = True, **change: Any) -> dict[str, Any]:
    """A credential of the lite form; release 1.6.2 did not sign the date of issue."""
    value = {
        "claim": copy.deepcopy(CLAIM), "cptId": 1000, "expirationDate": ISSUED + 300 * DAY,
        "id": "f82a1e6a-90c0-4a2e-be7f-4fa60cb202b5", "issuanceDate": ISSUED, "issuer": issuer.did, "type": "lite1", **change,
    }  # fmt: skip
    signed = value if dated else {name: item for name, item in value.items() if name != "issuanceDate"}
    return {**value, "proof": issuer.sign(compact(signed), "P3")}


def evidence(value: dict[str, Any], *, text: bool = False) -> str:
    """The hash of a credential that a multi-signature signs."""
    claim = hashed(value["claim"], value["proof"]["salt"])
    body = {**value, "claim": compact(claim) if text else claim, "proof": {**value["proof"], "salt": None}}
    return "0x" + keccak256(compact(body).encode()).hex()


def multi(issuer: OldIssuer, inner: list[dict[str, Any]], profile: str = "P3") -> dict[str, Any]:
    """A second signature over other credentials: CPT 107."""
    ordered = sorted(inner, key=lambda item: item["id"])
    text = "".join(evidence(item, text=profile == "P1") for item in ordered)
    proof = {
        "created": ISSUED, "creator": f"{issuer.did}#keys-0", "signatureValue": issuer.sign(text, profile),
        "salt": {"credentialList": ""}, "type": "Secp256k1",
    }  # fmt: skip
    return {
        "claim": {"credentialList": inner}, "context": CONTEXT, "cptId": 107, "expirationDate": ISSUED + 300 * DAY,
        "id": "00000000-0000-4000-8000-000000000107", "issuanceDate": ISSUED, "issuer": issuer.did, "proof": proof,
        "type": ["VerifiableCredential", "original"],
    }  # fmt: skip


def hide(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """What a holder shows when some top-level values are hidden."""
    value = copy.deepcopy(value)
    for name in names:
        value["claim"][name] = hashed(value["claim"][name], value["proof"]["salt"][name])
        value["proof"]["salt"][name] = "0"
    return value


def worded(value: dict[str, Any], shift: int = CHINA) -> dict[str, Any]:
    """The same credential as `toJson` prints it: dates as texts in Chinese time under a Z."""
    from datetime import UTC, datetime

    value = copy.deepcopy(value)
    for place in (value, value["proof"]):
        for name in ("issuanceDate", "expirationDate", "created"):
            if name in place:
                place[name] = datetime.fromtimestamp(place[name] + shift, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**value, "$from": "toJson"}


def known(world: World, issuer: OldIssuer, state: str = "approved", role: str = "assert", **end: Any) -> World:
    """A world whose trust data have the old issuer."""
    world.extra += [issuer.record(role, **end), issuer.standing(state)]
    return world


__all__ = [
    "CLAIM", "CPT", "DAY", "ISSUED", "SALT", "OldIssuer", "compact", "evidence", "hashed", "hide", "known",
    "lite", "multi", "original", "worded",
]  # fmt: skip
