"""What two people decide together: shown as it will be done, bound by a digest, and carried out once or not at all."""

from __future__ import annotations

from typing import Final

from issuer_app.two_people import Asked

__all__ = ["ON_ONE", "agreed_row", "asked_row"]

ON_ONE: Final = ("revoke", "erase", "import", "replace", "renew")
"""Acts on one thing that is there already, whose id the trail names."""


def asked_row(held: Asked) -> str:
    """What the trail says came of asking."""
    return f"second-person-asked digest={held.digest.hex()[:32]}"


def agreed_row(held: Asked) -> str:
    """What the trail says came of agreeing."""
    return f"ok asked-by={held.by} digest={held.digest.hex()[:32]}"
