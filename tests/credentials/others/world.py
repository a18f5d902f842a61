"""Trust data for codes of other systems: lists as a person imports them, over nothing or over a registry."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from credentials.foreign.imports import import_list
from credentials.policy import Policy
from credentials.report import Report
from credentials.verify import verify
from tests.credentials.others.makers import NOW, Signer
from weid.anchors import AnchorList, WithAnchors, read_anchors
from weid.codec import minutes
from weid.facts import Facts, NoFacts

DAY = 1440


def kept(kind: str, value: Any, *, taken: int = minutes(NOW), name: str = "a list", **more: Any) -> AnchorList:
    """The list after it was imported, written and read again."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    made = import_list(kind, data, name=name, taken=taken, warn=7 * DAY, reject=30 * DAY, **more)
    return read_anchors(made.list.to_bytes())


def signers(*held: Signer, **more: Any) -> AnchorList:
    """A list of DCC signer certificates, in the gateway's shape, that says nothing was revoked."""
    entries = [
        {"kid": base64.b64encode(item.kid).decode(), "country": "UT", "certificateType": "DSC",
         "rawData": base64.b64encode(item.der).decode()}
        for item in held
    ]  # fmt: skip
    return kept("dcc", entries, **{"no_revocations": True, **more})


def judged(data: bytes | str, *lists: AnchorList, at: datetime = NOW, facts: Facts | None = None, **policy: Any) -> Report:
    """The report with these lists."""
    text = data.encode() if isinstance(data, str) else data
    return verify(text, facts=WithAnchors(facts or NoFacts(), lists), policy=Policy(**policy), at=at)


def codes(report: Report) -> dict[str, str]:
    """What went wrong or is not known: check id → code."""
    return {check.id: check.code for check in report if check.outcome in ("FAILED", "UNKNOWN")}
