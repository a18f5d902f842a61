"""The part of the API's description that `routes.py` answers."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.describing import COUNT, HEX64, ID, TEXT, TIME, Part, json_of, objects, operation, paged_list, query, ref
from weid.records import REASONS

__all__ = ["part"]

_ACTION: Final = {"enum": ["revoke", "suspend", "lift"], "type": "string"}
_REASON: Final = {"type": ["string", "null"], "enum": [*REASONS[1:], None]}
_MOMENT: Final = {"type": ["string", "null"], "format": "date-time"}
_BIND: Final = {"type": ["object", "string", "null"], "description": "The binding request of the holder's wallet."}
_SCHEMAS: Final[dict[str, Any]] = {
    "Change": objects(
        ("action",), action=_ACTION, reason=_REASON, at={**_MOMENT, "description": "At this minute instead of now."},
        certificates={"type": "array", "maxItems": 10_000, "items": {"type": "string"}},
        fits=objects((), schema=HEX64, since=TIME, until=TIME, text={"type": "string", "maxLength": 200}) | {"minProperties": 1},
        count={"type": "integer", "minimum": 0, "description": "How many they are; without it nothing happens."},
    ),
    "Changed": objects(
        ("state", "count"), state={"enum": ["nothing-done", "planned", "done"]}, count=COUNT, left=COUNT,
        certificates={"type": "array", "items": TEXT, "description": "The first thousand, where nothing was done."},
    ),
    "Planned": objects(
        ("certificate", "action", "at", "asked", "by"), certificate=TEXT, action=_ACTION, reason=_REASON, at=TIME, asked=TIME,
        by=TEXT,
    ),
    "Ending": objects(
        ("certificate", "schema", "validUntil", "claims"), certificate=TEXT, schema=HEX64, validUntil=TIME,
        claims={"type": "object"},
    ),
    "Hold": objects(("minutes",), minutes={"type": "integer", "minimum": 0, "maximum": 10_080}),
}  # fmt: skip


def part() -> Part:
    """What comes after the issue."""
    certificate, path, hold = json_of(ref("Certificate")), "/api/v1/certificates/{id}", json_of(ref("Hold"))
    location: dict[str, Any] = {"Location": {"schema": TEXT}}
    days = query("days", {"type": "integer", "minimum": 1, "maximum": 3_650, "default": 30})
    base = {"type": ["object", "string", "null"], "description": "Where it is to stand on another certificate than before."}
    claims = objects(("claims",), claims={"type": "object"}, bind=_BIND, base=base)
    paths: dict[str, Any] = {
        "/api/v1/changes": {
            "get": paged_list("listChanges", "Changes that wait for their minute", "certificates:read", ref("Planned")),
            "post": operation("changeMany", "Change the status of many certificates", "status:write", json_of(ref("Changed")),
                              body=ref("Change"), writes=True, waits=True),
        },
        "/api/v1/changes/{id}": {"delete": operation(
            "takeBackChange", "Take back what is planned for a certificate", "status:write", None, status=204, parameters=(ID,),
            writes=True)},
        f"{path}/replace": {"post": operation(
            "replaceCertificate", "Issue a corrected one in its place (status:write is needed too)", "certificates:issue",
            certificate, status=201, parameters=(ID,), body=claims, writes=True, waits=True, headers=location)},
        f"{path}/renew": {"post": operation(
            "renewCertificate", "The same for a new period", "certificates:issue", certificate, status=201, parameters=(ID,),
            body=objects((), bind=_BIND), optional=True, writes=True, waits=True, headers=location)},
        "/api/v1/ending": {"get": paged_list("listEnding", "What ends within so many days, the first first",
                                             "certificates:read", ref("Ending"), days)},
        "/api/v1/hold": {
            "get": operation("getHold", "How long revocations are held back", "desk:settings", hold),
            "put": operation("setHold", "Hold revocations back for so long", "desk:settings", hold, body=ref("Hold"),
                             writes=True),
        },
    }  # fmt: skip
    return Part(paths, _SCHEMAS)
