"""Data Integrity with JCS: ours beside Digital Bazaar's npm library, in one run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.timing import line, per_second
from credentials import data_integrity
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


def main() -> None:
    """Issue and proof check, then the peer."""
    secret = bytes([7]) * 32
    key = PublicKey("ed25519", suite("ed25519").public(secret))
    did = did_key(key)
    signer = LocalSigner(secret, "ed25519", f"{did}#{key.multikey()}", "assert")
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "urn:weid:context:1"],
        "type": ["VerifiableCredential"],
        "issuer": str(did),
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": claims(),
    }
    signed = data_integrity.sign(document, signer, created="2026-01-01T00:00:00Z")
    data = json.dumps(signed).encode()
    issue = per_second(lambda: data_integrity.sign(document, signer, created="2026-01-01T00:00:00Z"))

    def check() -> None:
        from weid.canon import parse_json

        value = parse_json(data)
        assert isinstance(value, dict)
        data_integrity.verify(value, data_integrity.read_proof(value), key, "assert")

    verify = per_second(check)
    line("eddsa-jcs-2022 issue", issue, "/s", "goal ≥ 5,000")
    line("eddsa-jcs-2022 proof check (JSON text in)", verify, "/s", "goal ≥ 1.5 × peer")
    peer = run_peer("bench")
    if peer is None:
        print("peer not run: node or its packages are missing (npm install in benchmarks/peers)")
        return
    line(f"  peer {peer['peer']} issue", float(peer["issue"]), "/s", f"ours {issue / float(peer['issue']):.1f} ×")
    line(f"  peer {peer['peer']} verify", float(peer["verify"]), "/s", f"ours {verify / float(peer['verify']):.1f} ×")


def run_peer(mode: str, stdin: str | None = None, script: str = "eddsa_jcs.mjs") -> dict[str, object] | None:
    """The peer's JSON answer; None where node or npm are missing or cannot install it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not CLAIMS.exists():
        return None
    if not (PEERS / "node_modules").exists():
        install = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
        if subprocess.run(install, cwd=PEERS, capture_output=True, check=False).returncode:
            return None
    env = {**os.environ, "WEID_CLAIMS": str(CLAIMS)}
    done = subprocess.run([node, script, mode], cwd=PEERS, env=env, input=stdin, capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None
