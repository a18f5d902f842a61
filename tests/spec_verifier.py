"""The examples of docs/spec/animated-code.md and check-report.md, from fixed bytes and keys."""

from __future__ import annotations

import json
from typing import Any

from credentials.check_report import item_of, key_fingerprint, sign_check_report
from credentials.report import Report
from weid.fountain import Sender
from weid.hashes import SHA256
from weid.keys import LocalSigner

__all__ = ["verifier_examples"]

CARRIED = b"Trust data, or anything else that proves itself."


def verifier_examples(report: Report, card: bytes, genesis: bytes, origin: str) -> dict[str, str]:
    """Every example of the two pages by name."""
    sender = Sender(CARRIED, fragment=32)
    frames = "".join(f"{number}  {sender.frame(number).to_text()}\n" for number in range(sender.fragments + 1))
    data = int(sender.frame(0).to_text())
    signer = LocalSigner(bytes([9]) * 32, "ed25519", "verifier.key", "verifier")
    item = item_of(report, 1, {"sha256": SHA256(card).hex()}, paper="same", values=False)
    trust = ({"origin": origin, "genesis": genesis.hex(), "size": 8, "asOf": "2026-03-01T08:10:00Z"},)
    unread: dict[str, Any] = {"number": 2, "file": {"sha256": SHA256(b"").hex()}, "problem": "empty"}
    signed = sign_check_report((item, unread), signer, name="Human Resources", trust=trust, made=report.at)
    shown = json.loads(signed)
    shown["items"][0]["checks"] = [*shown["items"][0]["checks"][:2], ["…", "…", "…"]]
    return {
        "frames": frames,
        "frame": f"{data:x}\n",
        "check-report": json.dumps(shown, ensure_ascii=False, indent=1) + "\n",
        "check-report-key": f"{key_fingerprint(signer.public_key)}\n",
    }
