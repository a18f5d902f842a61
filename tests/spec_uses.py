"""The example of docs/spec/assets.md: one machine, one business key, one claim, from fixed secrets."""

from __future__ import annotations

import json
from typing import Any

from registry.machine import parse_machine
from registry.uses import Receipt, request_bytes
from weid.business_key import BusinessKey
from weid.canon import jcs
from weid.hashes import SHA256
from weid.nullifier import group_check

__all__ = ["use_examples"]

MACHINE: dict[str, Any] = {
    "machine": "weid/machine/v1", "name": "loan", "states": ["here", "lent", "withdrawn"], "initial": "here", "final": ["withdrawn"],
    "moves": [
        {"name": "lend", "from": ["here"], "to": "lent", "by": ["holder"], "sets": "party", "clears": False},
        {"name": "return", "from": ["lent"], "to": "here", "by": ["party", "role:auditor"], "sets": "none", "clears": True},
        {"name": "withdraw", "from": ["here"], "to": "withdrawn", "by": ["issuer"], "sets": "none", "clears": False},
    ],
}  # fmt: skip
KEY = {"fields": [{"name": "library", "kind": "text"}, {"name": "number", "kind": "code"}, {"name": "bought", "kind": "date"}]}
FIELDS = {"library": "Ｒｅａｄｉｎｇ  Room", "number": "B-2026/０07", "bought": "2026年3月1日", "shelf": 12}


def use_examples(origin: str, owner: str, claimer: str) -> dict[str, str]:
    """Every example of the page by name."""
    document = jcs(MACHINE)
    parse_machine(document)
    key, register = BusinessKey.from_json("book", KEY), f"{owner}|lending"
    digest, group, secret = key.digest(FIELDS, hash=SHA256), bytes([1]) * 32, bytes([2]) * 32
    receipt, claim = Receipt.new(
        SHA256, origin=origin, register=register, group=group, key=digest, claimer=claimer, secret=secret
    )  # fmt: skip
    spelled = "".join(f"{name:<8} {value}\n" for name, value in key.canonical(FIELDS))
    steps = {
        "check": group_check(SHA256, group), "digest": digest, "nullifier": claim.nullifier, "commitment": claim.commitment,
        "opening": receipt.proof(SHA256).opening, "lock": claim.lock, "release key": receipt.release(SHA256).key,
    }  # fmt: skip
    return {
        "machine": json.dumps(MACHINE, indent=1) + "\n",
        "machine-digest": f"{SHA256(document).hex()}\n",
        "business-key": spelled,
        "claim": "".join(f"{name:<12} {value.hex()}\n" for name, value in steps.items()),
        "use-request": json.dumps(json.loads(request_bytes(claim)), indent=1) + "\n",
    }
