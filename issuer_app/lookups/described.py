"""The part of the API's description that look-ups are."""

from __future__ import annotations

from issuer_app.describing import TEXT, Part, json_of, objects, operation
from issuer_app.lookups.rules import SHOWS

__all__ = ["part"]


def part() -> Part:
    """`POST /api/v1/lookups`."""
    found = {"type": "array", "items": {
        "type": "object", "description": "Certificates, or only their standing; always empty under nothing-without-link.",
    }}  # fmt: skip
    asked = objects(("rule", "inputs"), rule=TEXT, inputs={"type": "object", "additionalProperties": TEXT, "maxProperties": 40})
    return Part({"/api/v1/lookups": {"post": operation(
        "lookUp", "Ask by a rule of the pack, as a stranger would", "lookups:read",
        json_of(objects(("shows", "items"), shows={"enum": list(SHOWS)}, items=found)), body=asked, problems=(404, 413, 415, 422),
    )}})  # fmt: skip
