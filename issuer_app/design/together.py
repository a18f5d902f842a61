"""How many institutions sign a kind of certificate: the editor's words for the schema's `x-weid.joint` (ADR 26)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from issuer_app.design import reading
from weid.canon import JSON

__all__ = ["MOST", "SIGNING", "Together", "read_together", "together_of"]

SIGNING: Final = ("alone", "any", "named")
MOST: Final = 16


@dataclass(frozen=True, slots=True)
class Together:
    """`way`: the issuer alone; any institutions accredited for the kind; those `named` (DIDs). `threshold` of them sign, the
    issuer among them; `ordered`: in the order in which they are named."""

    way: str = "alone"
    signers: tuple[str, ...] = ()
    threshold: int = 2
    ordered: bool = False

    @property
    def joint(self) -> dict[str, JSON] | None:
        """The member of the schema; None where one institution signs."""
        if self.way == "alone":
            return None
        named = self.way == "named"
        return {"signers": list(self.signers) if named else [], "threshold": self.threshold, "ordered": named and self.ordered}

    @property
    def needed(self) -> int:
        """How many words a certificate needs."""
        return 1 if self.way == "alone" else self.threshold

    def to_json(self) -> dict[str, JSON]:
        """The same as JSON."""
        return {"way": self.way, "signers": list(self.signers), "threshold": self.threshold, "ordered": self.ordered}


def read_together(value: JSON) -> Together:
    """From the plan's JSON; it may still name too few. MalformedError `bad-design`."""
    held = reading.members(value, {"way", "signers", "threshold", "ordered"}, "together")
    return Together(
        reading.one_of(held.get("way", "alone"), SIGNING, "together.way"),
        reading.texts(held.get("signers", []), "together.signers", MOST),
        reading.whole(held.get("threshold", 2), "together.threshold", 1, MOST),
        reading.flag(held.get("ordered", False), "together.ordered"),
    )


def together_of(joint: Any) -> dict[str, JSON]:
    """The plan's member for a schema's `x-weid.joint`, or for none."""
    if joint is None:
        return Together().to_json()
    way = "named" if joint["signers"] else "any"
    return {"way": way, "signers": joint["signers"], "threshold": joint["threshold"], "ordered": joint["ordered"]}
