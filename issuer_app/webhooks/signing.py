"""Standard Webhooks, symmetric form: three headers that a receiver checks with ten lines (ADR 30).

The signature is HMAC-SHA-256 over `id.timestamp.body` in base64 behind `v1,`; while a secret is being changed there are two,
parted by a space. The timestamp is that of the attempt: a copy is good for as long as the receiver's window is.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from typing import Final

__all__ = ["SIZE", "headers", "spelled"]

SIZE: Final = 32
_PREFIX: Final = "whsec_"


def spelled(secret: bytes) -> str:
    """A secret as receivers' libraries take it."""
    return _PREFIX + base64.b64encode(secret).decode("ascii")


def headers(id_: str, at: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The headers of one attempt at the second `at`; one signature by each secret that is good."""
    signed = b".".join((id_.encode("ascii"), str(at).encode("ascii"), body))
    made = (base64.b64encode(hmac.digest(secret, signed, "sha256")).decode("ascii") for secret in secrets)
    return {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": " ".join(f"v1,{text}" for text in made)}
