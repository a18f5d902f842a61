"""Selective disclosure of another implementation verifies here, and ours there (ecdsa-sd-2023, bbs-2023)."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("py_arkworks_bls12381")

from benchmarks.bench_disclosure import SIDES, credential
from benchmarks.bench_integrity import PEERS, run_peer
from credentials import bbs_2023, ecdsa_sd
from credentials.bbs import BbsPublicKey
from credentials.data_integrity import read_proof
from weid.errors import SignatureError
from weid.keys import PublicKey

FROZEN = json.loads((Path(__file__).parents[1] / "data" / "digital-bazaar-disclosure.json").read_text(encoding="utf-8"))
live = pytest.mark.skipif(
    not (PEERS / "node_modules").exists(), reason="the peer is not installed (npm install in benchmarks/peers)"
)


def check(document: dict[str, Any]) -> None:
    proof, multikey = read_proof(document), document["proof"]["verificationMethod"].split("#")[1]
    if proof.cryptosuite == "bbs-2023":
        bbs_2023.verify(document, proof, BbsPublicKey.from_multikey(multikey), "assert")
    else:
        ecdsa_sd.verify(document, proof, PublicKey.from_multikey(multikey), "assert")


def derive(base: dict[str, Any], *pointers: str) -> dict[str, Any]:
    proof = read_proof(base)
    if proof.cryptosuite == "bbs-2023":
        return bbs_2023.derive(base, proof, pointers, random=secrets.token_bytes)
    return ecdsa_sd.derive(base, proof, pointers)


@pytest.mark.parametrize("name", SIDES)
def test_frozen_ones_of_theirs_verify_here(name: str) -> None:
    """Derived once by Digital Bazaar's libraries; proves interoperability where node is missing."""
    derived = FROZEN[name]["derived"]
    check(derived)
    changed = {**derived, "credentialSubject": {**derived["credentialSubject"], "degree": "PhD"}}
    with pytest.raises(SignatureError):
        check(changed)


@pytest.mark.parametrize("name", SIDES)
def test_a_holder_here_shows_what_they_issued(name: str) -> None:
    """Their base proof, our derivation: other pointers than theirs, and a value they did not show."""
    shown = derive(FROZEN[name]["base"], "/credentialSubject/grade")
    check(shown)
    assert set(shown["credentialSubject"]) == {"grade"}
    assert FROZEN[name]["derived"]["credentialSubject"].keys() == {"name", "degree"}


@live
@pytest.mark.parametrize("name", SIDES)
def test_ours_verifies_there(name: str) -> None:
    side = SIDES[name]()
    base = side.issue(credential(side.did))
    answer = run_peer("verify", stdin=json.dumps(side.derive(base, read_proof(base))), script="disclosure.mjs")
    assert answer is not None
    assert answer["verified"] is True, answer
