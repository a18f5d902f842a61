"""Selective disclosure: ecdsa-sd-2023 and bbs-2023, ours beside Digital Bazaar's npm libraries, in one run."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.bench_integrity import claims, run_peer
from benchmarks.timing import line, per_second
from credentials import bbs_2023, ecdsa_sd
from credentials.bbs import LocalBbsSigner, key_gen
from credentials.data_integrity import Proof, read_proof
from weid.canon import parse_json
from weid.keys import LocalSigner, PublicKey
from weid.suites import suite

MANDATORY = ("/issuer", "/validFrom")
SHOWN = ("/credentialSubject/name", "/credentialSubject/degree")
GOALS = {"ecdsa-sd-2023": ("", "goal ≥ 3 × peer", "goal ≥ 3 × peer"), "bbs-2023": ("goal ≥ 10 × peer",) * 3}


@dataclass(frozen=True, slots=True)
class Side:
    """One suite: what issues, derives and checks."""

    did: str
    issue: Callable[[dict[str, Any]], dict[str, Any]]
    derive: Callable[[dict[str, Any], Proof], dict[str, Any]]
    verify: Callable[[dict[str, Any], Proof], None]


def ecdsa_side() -> Side:
    """With a P-256 key."""
    secret = bytes([7]) * 32
    key = PublicKey("p256", suite("p256").public(secret))
    did = f"did:key:{key.multikey()}"
    signer = LocalSigner(secret, "p256", f"{did}#{key.multikey()}", "assert")
    return Side(
        did,
        lambda document: ecdsa_sd.sign(document, signer, created=CREATED, mandatory=MANDATORY, random=secrets.token_bytes),
        lambda base, proof: ecdsa_sd.derive(base, proof, SHOWN),
        lambda shown, proof: ecdsa_sd.verify(shown, proof, key, "assert"),
    )


def bbs_side() -> Side:
    """With a BBS key."""
    secret = key_gen(bytes([7]) * 32)
    key = LocalBbsSigner(secret, "", "assert").public_key
    did = f"did:key:{key.multikey()}"
    signer = LocalBbsSigner(secret, f"{did}#{key.multikey()}", "assert")
    return Side(
        did,
        lambda document: bbs_2023.sign(document, signer, created=CREATED, mandatory=MANDATORY, random=secrets.token_bytes),
        lambda base, proof: bbs_2023.derive(base, proof, SHOWN, random=secrets.token_bytes),
        lambda shown, proof: bbs_2023.verify(shown, proof, key, "assert"),
    )


CREATED = "2026-01-01T00:00:00Z"
SIDES = {"ecdsa-sd-2023": ecdsa_side, "bbs-2023": bbs_side}


def credential(did: str) -> dict[str, Any]:
    """Twelve claims; two of them, the issuer and the date are shown."""
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", {"@vocab": "urn:weid:terms#"}],
        "type": ["VerifiableCredential"],
        "issuer": did,
        "validFrom": CREATED,
        "credentialSubject": claims(),
    }


def main() -> None:
    """Both suites, then the peers; and each side reads what the other derived."""
    peers: Any = run_peer("bench", script="disclosure.mjs")
    for name, make in SIDES.items():
        side = make()
        document = credential(side.did)
        base = side.issue(document)
        derived = json.dumps(side.derive(base, read_proof(base))).encode()

        def check(data: bytes = derived, side: Side = side) -> None:
            value: Any = parse_json(data)
            side.verify(value, read_proof(value))

        ours = (
            per_second(lambda side=side, document=document: side.issue(document)),  # type: ignore[misc]
            per_second(lambda side=side, base=base: side.derive(base, read_proof(base))),  # type: ignore[misc]
            per_second(check),
        )
        for what, value, goal in zip(("issue", "derive", "verify (JSON text in)"), ours, GOALS[name], strict=True):
            line(f"{name} {what}", value, "/s", goal)
        if peers is None:
            continue
        for what, value in zip(("issue", "derive", "verify"), ours, strict=True):
            theirs = float(peers[name][what])
            line(f"  peer {name} {what}", theirs, "/s", f"ours {value / theirs:.1f} ×")
        taken = run_peer("verify", stdin=derived.decode(), script="disclosure.mjs")
        print(f"  the peer {'takes' if taken and taken['verified'] else 'REFUSES'} what ours derived")
    if peers is None:
        print("peers not run: node or their packages are missing (npm install in benchmarks/peers)")
