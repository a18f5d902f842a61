"""The part of the API's description that two people are: what became of a request that waits."""

from __future__ import annotations

from issuer_app.describing import ID, TEXT, TIME, Part, json_of, objects, operation, ref
from issuer_app.two_people import ACTS

__all__ = ["part"]


def part() -> Part:
    """What `two_api.py` answers."""
    waiting = objects(
        ("waiting", "act", "target", "state", "asked", "until"), waiting=TEXT, act={"enum": list(ACTS)}, target=TEXT, asked=TIME,
        until=TIME, state={"enum": ["waiting", "doing", "done", "declined", "withdrawn", "expired"]}, result=TEXT,
    )  # fmt: skip
    read = operation("getWaiting", "A request that waits for a second person", "certificates:read", json_of(ref("Waiting")),
                     parameters=(ID,))  # fmt: skip
    return Part({"/api/v1/waiting/{id}": {"get": read}}, {"Waiting": waiting})
