"""Webhooks in the OpenAPI description: how they are administered, and (under `webhooks`) what a receiver gets."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.describing import (
    COUNT,
    HEX64,
    TEXT,
    TIME,
    Part,
    json_of,
    objects,
    operation,
    paged_list,
    parameter,
    ref,
)
from issuer_app.webhooks.endpoints import TEST
from issuer_app.webhooks.outbox import EVENTS
from issuer_app.webhooks.reaching import LONGEST

__all__ = ["part"]

_ID: Final = parameter("id", {"type": "string", "pattern": "^[0-9a-f]{16}$"})
_CHOSEN: Final[dict[str, Any]] = {"type": "array", "items": {"enum": list(EVENTS)}, "minItems": 1}
_EVENT: Final[dict[str, Any]] = {"type": "string", "pattern": "^evt_[0-9a-f]{32}$"}
_MAYBE: Final[dict[str, Any]] = {"type": ["string", "null"]}
_HOOK: Final[dict[str, Any]] = {
    "id": TEXT, "url": TEXT, "label": TEXT, "events": _CHOSEN, "state": {"enum": ["on", "off"]},
    "why": {"enum": ["by-hand", "failing", "gone", None]}, "made": TIME, "oldSecretUntil": _MAYBE, "failingSince": _MAYBE,
    "waiting": COUNT, "lost": COUNT,
}  # fmt: skip
_SECRET: Final[dict[str, Any]] = {"type": "string", "description": "whsec_…; told here and nowhere again."}
_CERTIFICATE: Final = {"id": TEXT, "schema": HEX64}
_STATE: Final[dict[str, Any]] = {"enum": ["valid", "suspended", "revoked"]}


def part() -> Part:
    """Both halves."""
    hook, path = json_of(ref("Webhook")), "/api/v1/webhooks"
    wanted = objects(("url", "label", "events"), url={"type": "string", "maxLength": LONGEST},
                     label={"type": "string", "minLength": 1, "maxLength": 80}, events=_CHOSEN)  # fmt: skip
    paths: dict[str, Any] = {
        path: {
            "get": paged_list("listWebhooks", "Addresses that are told what happens", "webhooks:read", ref("Webhook")),
            "post": operation("addWebhook", "Tell another address", "webhooks:write", json_of(ref("NewWebhook")), status=201,
                              body=wanted, writes=True, headers={"Location": {"schema": TEXT}}),
        },
        f"{path}/{{id}}": {
            "get": operation("getWebhook", "One address", "webhooks:read", hook, parameters=(_ID,)),
            "delete": operation("removeWebhook", "Forget it, and what waits for it", "webhooks:write", None, status=204,
                                parameters=(_ID,), writes=True),
        },
        f"{path}/{{id}}/events": {"put": operation(
            "chooseEvents", "Which events it is told", "webhooks:write", hook, parameters=(_ID,),
            body=objects(("events",), events=_CHOSEN), writes=True)},
        f"{path}/{{id}}/secret": {"post": operation(
            "changeSecret", "A new secret; the old one signs beside it for a day", "webhooks:write",
            json_of(objects(("secret",), secret=_SECRET)), status=201, parameters=(_ID,), body=objects(()), optional=True,
            writes=True)},
        f"{path}/{{id}}/deliveries": {"get": paged_list(
            "listDeliveries", "What was told to it, newest first", "webhooks:read", ref("Delivery"), _ID)},
    }  # fmt: skip
    for action, words in (("test", "Send it a test event"), ("on", "Switch it on"), ("off", "Switch it off"),
                          ("settle", "End its old secret now")):  # fmt: skip
        paths[f"{path}/{{id}}/{action}"] = {"post": operation(
            f"{action}Webhook", words, "webhooks:write", hook, parameters=(_ID,), body=objects(()), optional=True,
            writes=True)}  # fmt: skip
    return Part(paths, _schemas(), {name: {"post": _received(name)} for name in (*EVENTS, TEST)})


def _schemas() -> dict[str, dict[str, Any]]:
    return {
        "Webhook": objects(tuple(_HOOK), **_HOOK),
        "NewWebhook": objects((*_HOOK, "secret"), **_HOOK, secret=_SECRET),
        "Delivery": objects(
            ("event", "type", "state", "tries", "made"), event=_EVENT, type={"enum": [*EVENTS, TEST]},
            state={"enum": ["waiting", "done", "lost"]}, tries=COUNT, made=TIME, last=_MAYBE, due=_MAYBE,
            outcome={"type": ["string", "null"], "description": "`http-` and the status; or no-name, refused-address, bad-tls, "
                                                                "no-answer."},
        ),
    }  # fmt: skip


def _data(name: str) -> dict[str, Any]:
    """The member `data` of one event."""
    group, _, kind = name.partition(".")
    if name == "certificate.replaced":
        return objects(("id", "by"), id=TEXT, by=TEXT)
    if name == "certificate.erased":
        return objects(("id", "schema"), **_CERTIFICATE)
    if group == "certificate":
        more: dict[str, Any] = {"state": _STATE}
        more |= {"issued": TIME} if kind == "issued" else {} if kind == "restored" else {"reason": TEXT, "changed": TIME}
        return objects((*_CERTIFICATE, *more), **_CERTIFICATE, **more)
    if group == "import":
        counts = objects(("good", "wrong", "before"), good=COUNT, wrong=COUNT, before=COUNT)
        states = ["checked"] if kind == "checked" else ["done", "cancelled", "refused"]
        return objects(("id", "schema", "state", "counts"), id=TEXT, schema=HEX64, state={"enum": states}, counts=counts)
    if group == "request":
        states = ["waiting"] if kind == "waiting" else ["done", "declined", "withdrawn", "expired"]
        return objects(("id", "act", "state"), id=TEXT, act=TEXT, state={"enum": states}, result=TEXT)
    return (
        objects(("id", "schema", "number"), id=TEXT, schema=HEX64, number=COUNT) if group == "list" else objects(("id",), id=TEXT)
    )


def _received(name: str) -> dict[str, Any]:
    """One event as its receiver gets it."""
    body = objects(("type", "timestamp", "issuer", "data"), type={"const": name}, timestamp=TIME, issuer=TEXT, data=_data(name))
    words = {
        "webhook-id": "The event; the same when it comes again.",
        "webhook-timestamp": "Unix seconds of this attempt.",
        "webhook-signature": "`v1,` and HMAC-SHA-256 of id.timestamp.body in base64; two while a secret is changed.",
    }
    return {
        "operationId": f"told-{name}", "summary": f"{name}: Standard Webhooks, ids and states alone", "security": [],
        "parameters": [{"name": head, "in": "header", "required": True, "schema": TEXT, "description": text}
                       for head, text in words.items()],
        "requestBody": {"required": True, "content": json_of(body)},
        "responses": {"2XX": {"description": "Heard."}, "410": {"description": "Never again: the webhook is switched off."},
                      "default": {"description": "Not heard: it comes again."}},
    }  # fmt: skip
