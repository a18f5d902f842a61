"""The part of the description that other modules answer: lists for strangers, the VC-API, health, DID Resolution."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.describing import TEXT, Part, json_of, objects, operation, parameter

__all__ = ["health", "part"]

_NAME: Final = parameter("name", TEXT, "An instance of the VC-API")
_ANY: Final[dict[str, Any]] = {"type": "object"}
_LIST: Final = {"application/json": {"schema": _ANY}, "application/vc": {"schema": _ANY}}
_CREDENTIAL: Final = objects(("verifiableCredential",), verifiableCredential=_ANY)
_CHANGE: Final = {
    "type": "object", "required": ["credentialId", "credentialStatus"],
    "properties": {"credentialId": TEXT, "credentialStatus": {"type": ["object", "array"]},
                   "status": {"type": ["boolean", "string"]}, "indexAllocator": {}},
    "additionalProperties": False,
}  # fmt: skip


def health() -> dict[str, Any]:
    """/healthz, /readyz, /metrics and the description itself: the same in every app."""
    state = objects(("ready", "reason"), ready={"type": "boolean"}, reason={"type": ["string", "null"]})
    asked = operation("isReady", "Whether it can work; the reason in one word", None, json_of(state), public=True)
    asked["responses"]["503"] = {"description": "Not now.", "content": json_of(state)}
    metrics = operation("metrics", "Counts in Prometheus' text format: from this machine, or with the scope or the token",
                        None, {"text/plain": {}}, public=True, problems=(404,))  # fmt: skip
    return {
        "/healthz": {"get": operation("isAlive", "Whether the process answers", None,
                                      json_of(objects(("ok",), ok={"type": "boolean"})), public=True)},
        "/readyz": {"get": asked},
        "/metrics": {"get": metrics | {"security": [{}, {"key": []}]}},
        "/openapi.json": {"get": operation("describe", "This description", None, json_of(_ANY), public=True)},
    }  # fmt: skip


def part() -> Part:
    """Everything here."""
    issue = objects(("credential",), credential=_ANY, options=_ANY)
    derive = objects(("verifiableCredential",), verifiableCredential=_ANY, options=_ANY)
    told, path = json_of(objects(("credentialId",), credentialId=TEXT)), "/vc-api"
    places = (parameter("number", TEXT), parameter("purpose", TEXT))
    etag = {"ETag": {"schema": TEXT}}
    wrong = (404, 413, 415)
    resolver = {
        "get": operation("resolve", "DID Resolution of W3C; the answer may be an error in its own form", None, None, public=True,
                         parameters=(parameter("identifier", TEXT),)),
        "post": operation("resolveWith", "The same, with options in the body", None, None, public=True, optional=True,
                          body=_ANY, parameters=(parameter("identifier", TEXT),)),
    }  # fmt: skip
    return Part({
        "/status/{number}/{purpose}": {"get": operation(
            "getStatusList", "A whole status list, for whoever checks", None, _LIST, public=True, parameters=places,
            headers=etag)},
        f"{path}/{{name}}/status/{{number}}/{{purpose}}": {"get": operation(
            "getInstanceStatusList", "A whole status list of an instance", None, _LIST, public=True, parameters=(_NAME, *places),
            headers=etag)},
        f"{path}/{{name}}/credentials/issue": {"post": operation(
            "vcIssue", "Sign a credential (W3C VC-API)", "credentials:sign", json_of(_CREDENTIAL), status=201, body=issue,
            parameters=(_NAME,), problems=wrong)},
        f"{path}/{{name}}/credentials/derive": {"post": operation(
            "vcDerive", "Show a part of a credential (W3C VC-API)", "credentials:sign", json_of(_CREDENTIAL), status=201,
            body=derive, parameters=(_NAME,), problems=wrong)},
        f"{path}/{{name}}/credentials/status": {"post": operation(
            "vcStatus", "Set a status (W3C VC-API)", "status:write", told, body=_CHANGE, parameters=(_NAME,), problems=wrong)},
        f"{path}/credentials/status": {"post": operation(
            "vcDeskStatus", "Set the status of a certificate of the desk (W3C VC-API)", "status:write", told, body=_CHANGE,
            problems=(404, 409, 413))},
        "/1.0/identifiers/{identifier}": resolver,
        **health(),
    })  # fmt: skip
