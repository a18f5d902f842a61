"""The trail in the description of the API."""

from __future__ import annotations

from issuer_app.access.trail import KINDS
from issuer_app.describing import (
    COUNT,
    CURSOR,
    HEX64,
    ID,
    TEXT,
    TIME,
    Part,
    json_of,
    limit_of,
    objects,
    operation,
    paged_list,
    query,
    ref,
)

__all__ = ["part"]


def part() -> Part:
    """What `trail_api.py` answers."""
    row = objects(
        ("seq", "minute", "at", "kind", "who", "act", "target", "result", "request", "prev", "hash"), seq=COUNT, minute=COUNT,
        at=TIME, kind={"enum": list(KINDS)}, who=TEXT, act=TEXT, target=TEXT, result=TEXT, request=TEXT, prev=HEX64, hash=HEX64,
    )  # fmt: skip
    head = objects(("seq", "hash"), seq=COUNT, hash=HEX64)
    some = {"type": "string", "maxLength": 200}
    filters = (
        query("who", some, "A user, a program's label and id, or a user of the machine"),
        query("kind", {"type": "string", "enum": list(KINDS)}), query("act", some, "How the act begins"),
        query("target", some, "The id or name it was about"),
    )  # fmt: skip
    items = {"type": "array", "items": ref("TrailRow")}
    whole = objects(("items", "next", "head"), items=items, next={"type": ["string", "null"]}, head=head)
    link = {"Link": {"description": 'The next page, as rel="next"; absent on the last.', "schema": TEXT}}
    return Part(
        {
            "/api/v1/trail": {"get": operation(
                "readTrail", "Who did what, newest first; `head` is the newest digest of the chain", "trail:read",
                json_of(whole), parameters=(*filters, limit_of(), CURSOR), headers=link)},
            "/api/v1/me/trail": {"get": paged_list(
                "readOwnTrail", "What was done with this key, newest first", None, ref("TrailRow"))},
            "/api/v1/certificates/{id}/trail": {"get": operation(
                "exportTrail", "What was done to one certificate, signed, for its subject", "certificates:read",
                json_of({"type": "object"}), parameters=(ID,))},
        },
        {"TrailRow": row},
    )  # fmt: skip
