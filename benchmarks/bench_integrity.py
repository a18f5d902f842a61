"""Data Integrity with JCS and with RDF: ours beside Digital Bazaar's npm library, in one run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.timing import line, per_second
from credentials import data_integrity
from weid.canon import JSON, parse_json
from weid.did import did_key
from weid.keys import LocalSigner, PublicKey
from weid.suites import suite

PEERS = Path(__file__).parent / "peers"
CLAIMS = Path(os.environ.get("WEID_CLAIMS", Path(__file__).resolve().parents[2] / "shared/fixtures/certificate-12.json"))


STAND_IN = {
    "name": "李雷", "nameLatin": "LI LEI", "birthDate": "1999-01-02", "nationality": "CHN", "documentNumber": "E00000000",
    "institution": "示例大学 Example University", "programme": "数学与应用数学 Mathematics and Applied Mathematics",
    "degree": "理学学士 Bachelor of Science", "awardDate": "2021-06-30", "certificateNumber": "100001202105000001",
    "grade": "3.50/4.00", "studyPeriod": "2017-09/2021-06",
}  # fmt: skip


def claims() -> dict[str, str]:
    """The twelve claims, or a stand-in of the same size where the fixture is absent."""
    if CLAIMS.exists():
        value = json.loads(CLAIMS.read_text(encoding="utf-8"))
        assert isinstance(value, dict)
        return value
    return dict(STAND_IN)


V2 = "https://www.w3.org/ns/credentials/v2"
CONTEXTS: dict[str, JSON] = {
    "eddsa-jcs-2022": "urn:weid:context:1",  # the peer's JCS suite knows no inline context again once it was text
    "eddsa-rdfc-2022": {"@vocab": "urn:weid:terms#"},
}
SUITES = {
    "eddsa-jcs-2022": ("goal ≥ 5,000", "goal ≥ 1.5 × peer"),
    "eddsa-rdfc-2022": ("goal ≥ 3 × peer", "goal ≥ 2 × peer"),
}


def main() -> None:
    """Issue and proof check, then the peer, for each cryptosuite."""
    for name, goals in SUITES.items():
        _compare(name, *goals)


def _compare(name: str, issue_goal: str, verify_goal: str) -> None:
    secret = bytes([7]) * 32
    key = PublicKey("ed25519", suite("ed25519").public(secret))
    did = did_key(key)
    signer = LocalSigner(secret, "ed25519", f"{did}#{key.multikey()}", "assert")
    document = {
        "@context": [V2, CONTEXTS[name]],
        "type": ["VerifiableCredential"],
        "issuer": str(did),
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": claims(),
    }

    def sign() -> dict[str, JSON]:
        return data_integrity.sign(document, signer, created="2026-01-01T00:00:00Z", cryptosuite=name)

    data = json.dumps(sign()).encode()
    issue = per_second(sign)

    def check() -> None:
        value = parse_json(data)
        assert isinstance(value, dict)
        data_integrity.verify(value, data_integrity.read_proof(value), key, "assert")

    verify = per_second(check)
    line(f"{name} issue", issue, "/s", issue_goal)
    line(f"{name} proof check (JSON text in)", verify, "/s", verify_goal)
    peer = run_peer("bench", name)
    if peer is None:
        print("peer not run: node or its packages are missing (npm install in benchmarks/peers)")
        return
    line(f"  peer {peer['peer']} issue", float(peer["issue"]), "/s", f"ours {issue / float(peer['issue']):.1f} ×")
    line(f"  peer {peer['peer']} verify", float(peer["verify"]), "/s", f"ours {verify / float(peer['verify']):.1f} ×")


def run_peer(mode: str, *options: str, stdin: str | None = None, script: str = "digital_bazaar.mjs") -> dict[str, Any] | None:
    """The peer's JSON answer; None where node or npm are missing or cannot install it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    if not (PEERS / "node_modules").exists():
        install = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
        if subprocess.run(install, cwd=PEERS, capture_output=True, check=False).returncode:
            return None
    env = {**os.environ, "WEID_CLAIMS_JSON": json.dumps(claims())}
    done = subprocess.run(
        [node, script, mode, *options], cwd=PEERS, env=env, input=stdin, capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None
