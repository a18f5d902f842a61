"""The part of the API's description that two people are: what became of a request that waits."""

from __future__ import annotations

from issuer_app.describing import HEX64, TEXT, TIME, Part, json_of, objects, operation, paged_list, parameter, ref
from issuer_app.two_people import KINDS

__all__ = ["part"]


def part() -> Part:
    """What `two_api.py` answers."""
    waiting = objects(
        ("waiting", "act", "target", "state", "asked", "until", "digest"), waiting=TEXT, digest=HEX64,
        act={"enum": list(KINDS)}, target=TEXT, asked=TIME,
        until=TIME, state={"enum": ["waiting", "doing", "done", "declined", "withdrawn", "expired"]}, result=TEXT,
    )  # fmt: skip
    id_ = parameter("id", {"type": "string", "pattern": "^[0-9a-f]{16}$"})
    read = operation("getWaiting", "A request that waits for a second person", "certificates:read", json_of(ref("Waiting")),
                     parameters=(id_,))  # fmt: skip
    mine = paged_list("listWaiting", "What this key asked for, newest first", "certificates:read", ref("Waiting"))
    back = operation("withdrawWaiting", "Take back what this key asked for", "certificates:read", json_of(ref("Waiting")),
                     parameters=(id_,), body=objects(()), optional=True, writes=True)  # fmt: skip
    path = "/api/v1/waiting"
    return Part({path: {"get": mine}, f"{path}/{{id}}": {"get": read}, f"{path}/{{id}}/withdraw": {"post": back}},
                {"Waiting": waiting})  # fmt: skip
