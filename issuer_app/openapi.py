"""The OpenAPI 3.1 description of the JSON API. A test keeps it equal to the routes that exist."""

from __future__ import annotations

from typing import Any

from issuer_app.importing.openapi import IMPORT
from issuer_app.importing.openapi import paths as import_paths
from issuer_app.lookups.rules import SHOWS
from issuer_app.papers.described import paths as papers
from issuer_app.users import ROLES
from weid.records import REASONS

__all__ = ["document"]

_HEX64 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TIME = {"type": "string", "format": "date-time"}
_REASON = {"type": "string", "enum": list(REASONS)}
_NAMES = {"type": "object", "additionalProperties": {"type": "string"}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": schema}}}


def _operation(
    name: str, summary: str, answer: dict[str, Any] | None, *, status: str = "200", body: dict[str, Any] | None = None,
    parameters: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:  # fmt: skip
    done: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        done["content"] = answer
    result: dict[str, Any] = {
        "operationId": name, "summary": summary,
        "responses": {status: done, "default": {"$ref": "#/components/responses/Problem"}},
    }  # fmt: skip
    if body is not None:
        result["requestBody"] = {"required": True, "content": _json(body)}
    if parameters:
        result["parameters"] = list(parameters)
    return result


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


_ONCE = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200},
    "description": "The same key with the same body gives the same certificate; with another body it is refused.",
}  # fmt: skip

_LOOKUP = {
    "type": "object", "additionalProperties": {"type": "string"},
    "description": "What the holder is to find it by, kept as keyed values only: numbers by kind of document, and what the "
    "rules of the pack ask for.",
}  # fmt: skip

_SCHEMAS: dict[str, Any] = {
    "Import": IMPORT,
    "Problem": {
        "type": "object", "required": ["type", "title", "status", "code"],
        "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
            "code": {"type": "string"}, "detail": {"type": "string"},
            "errors": {"type": "array", "items": _object(("claim", "detail"), claim={"type": "string"},
                                                        detail={"type": "string"})},
        },
    },
    "Right": _object(
        ("schema", "name", "title", "state", "since", "until", "level"), schema=_HEX64, name={"type": "string"},
        title=_NAMES, state={"enum": ["now", "later", "ended", "suspended", "removed"]}, since=_TIME, until=_TIME,
        level={"type": "integer"},
    ),
    "Institution": _object(
        ("did", "names", "state", "applied", "wanted", "rights"), did={"type": "string"}, names=_NAMES,
        state={"enum": ["applied", "approved", "suspended", "removed"]}, applied=_TIME,
        reason={"type": ["string", "null"]}, wanted={"type": "array", "items": _HEX64},
        rights={"type": "array", "items": _ref("Right")},
    ),
    "Certificate": {
        "type": "object",
        "required": ["id", "schema", "state", "issued", "validUntil", "claims", "specimen", "published", "by", "erased"],
        "properties": {
            "id": {"type": "string"}, "schema": _HEX64, "state": {"enum": ["valid", "suspended", "revoked", "refused"]},
            "reason": {"type": ["string", "null"]}, "changed": {"type": ["string", "null"]}, "issued": _TIME,
            "validUntil": _TIME, "claims": {"type": "object"}, "specimen": {"type": "boolean"},
            "published": {"type": "boolean"}, "by": {"type": "string"}, "erased": {"type": "boolean"},
            "status": {"type": ["object", "null"], "properties": {"list": {"type": "string"},
                                                                  "index": {"type": "integer"}}},
            "audit": {"type": ["object", "null"], "description": "An auditor's word; the worse of it and `state` counts.",
                      "properties": {"state": {"enum": ["suspended", "revoked"]}, "reason": {"type": "string"}, "at": _TIME}},
            "typedCode": {"type": ["string", "null"], "description": "Printed on the certificate for checks by typing."},
            "code": {"type": "string", "description": "The text of the QR code."},
            "credential": {"type": "object", "description": "The file form, VCDM 2.0 with a Data Integrity proof."},
            "picture": {"type": "object", "properties": {
                "png": {"type": "string"}, "svg": {"type": "string"}, "printedMm": {"type": "number"},
                "modules": {"type": "integer"}, "version": {"type": "integer"}, "level": {"enum": ["L", "M"]}}},
        },
    },
    "Override": _object(
        ("list", "index", "state", "reason"), list={"type": "string"}, index={"type": "integer", "minimum": 0},
        state={"enum": ["revoked", "suspended", "lifted"]}, reason=_REASON, author={"type": "string"}, at=_TIME,
    ),
}  # fmt: skip


def _certificates() -> dict[str, Any]:
    one = (_path("id"),)
    made = _object(
        ("schema", "claims"), schema=_HEX64, claims={"type": "object"}, minutes={"type": "integer", "minimum": 1},
        bind={"type": ["object", "string"], "description": "The binding request of the holder's wallet."},
        specimen={"type": "boolean"}, lookup=_LOOKUP,
    )  # fmt: skip
    found = (_query("q", {"type": "string"}), _query("limit", {"type": "integer", "minimum": 1, "maximum": 500}))
    certificate = _json(_ref("Certificate"))
    paths: dict[str, Any] = {
        "/api/v1/certificates": {
            "get": _operation("findCertificates", "Find by name, number or id (clerk)",
                              _json(_list(_ref("Certificate"))), parameters=found),
            "post": _operation("issueCertificate", "Issue (clerk)", certificate, status="201", body=made,
                               parameters=(_ONCE,)),
        },
        "/api/v1/certificates/{id}": {
            "get": _operation("getCertificate", "One certificate (clerk)", certificate, parameters=one),
            "delete": _operation("eraseCertificate", "Destroy its content here (clerk)", None, status="204",
                                 parameters=one),
        },
        "/api/v1/certificates/{id}/credential": {
            "get": _operation("getCredential", "The file form (clerk)", {"application/vc": {}}, parameters=one)},
        "/api/v1/certificates/{id}/lift": {
            "post": _operation("liftCertificate", "Lift a suspension (clerk)", certificate, parameters=one)},
    }  # fmt: skip
    for kind, media in (("png", "image/png"), ("svg", "image/svg+xml")):
        paths[f"/api/v1/certificates/{{id}}/code.{kind}"] = {
            "get": _operation(f"getCode{kind.title()}", "The picture (clerk)", {media: {}}, parameters=one)
        }
    for action in ("suspend", "revoke"):
        paths[f"/api/v1/certificates/{{id}}/{action}"] = {"post": _operation(
            f"{action}Certificate", f"{action.title()} with a reason (clerk)", certificate,
            body=_object(("reason",), reason=_REASON), parameters=one)}  # fmt: skip
    return paths


def _institutions() -> dict[str, Any]:
    one, institution = (_path("did"),), _json(_ref("Institution"))
    given = _object(("schema", "until"), schema=_HEX64, since=_TIME, until=_TIME,
                    level={"type": "integer", "minimum": 0, "maximum": 255})  # fmt: skip
    paths: dict[str, Any] = {
        "/api/v1/institutions": {"get": _operation(
            "listInstitutions", "Institutions that applied (reviewer)", _json(_list(_ref("Institution"))),
            parameters=(_query("waiting", {"enum": ["yes"]}),))},
        "/api/v1/institutions/{did}": {
            "get": _operation("getInstitution", "One institution (reviewer)", institution, parameters=one)},
        "/api/v1/institutions/{did}/approve": {"post": _operation(
            "approveInstitution", "Give a right (reviewer)", institution, body=given, parameters=one)},
        "/api/v1/institutions/{did}/reinstate": {"post": _operation(
            "reinstateInstitution", "Lift a suspension (reviewer)", institution, body=_object((), schema=_HEX64),
            parameters=one)},
    }  # fmt: skip
    for action in ("suspend", "remove"):
        paths[f"/api/v1/institutions/{{did}}/{action}"] = {"post": _operation(
            f"{action}Institution", f"{action.title()} a right or the institution (reviewer)", institution,
            body=_object(("reason",), schema=_HEX64, reason=_REASON), parameters=one)}  # fmt: skip
    return paths


def document() -> dict[str, Any]:
    """The whole description."""
    override = _ref("Override")
    paths: dict[str, Any] = {
        "/api/v1/me": {"get": _operation("me", "Which key this is", _json({"type": "object"}))},
        "/api/v1/accreditations": {"get": _operation(
            "listAccreditations", "What the institution may issue (clerk)", _json(_list(_ref("Right"))))},
        "/api/v1/schemas": {"post": _operation(
            "publishSchema", "Publish a schema (reviewer)", _json(_object(("digest",), digest=_HEX64)), status="201",
            body={"type": "object"})},
        "/api/v1/schemas/{digest}": {"get": _operation(
            "getSchema", "A published schema", {"application/schema+json": {}}, parameters=(_path("digest"),))},
        "/api/v1/publish": {"post": _operation(
            "publish", "Send what the registry has not heard (clerk)",
            _json(_object(("waiting",), waiting={"type": "integer"})))},
        "/api/v1/overrides": {
            "get": _operation("listOverrides", "Auditors' decisions (auditor)", _json(_list(override))),
            "post": _operation("override", "Revoke beside the issuer's list (auditor)", _json({"type": "object"}),
                               status="201", body=override),
        },
        "/api/v1/lookups": {"post": _operation(
            "lookUp", "Ask by a rule of the pack, as a stranger would (lookup)",
            _json(_object(("shows", "items"), shows={"enum": list(SHOWS)}, items={"type": "array", "items": {
                "type": "object",
                "description": "Certificates, or only their standing; always empty under nothing-without-link."}})),
            body=_object(("rule", "inputs"), rule={"type": "string"}, inputs={
                "type": "object", "additionalProperties": {"type": "string"}}))},
        **_certificates(),
        **papers(),
        **_institutions(),
        **import_paths(_operation, _ONCE),
    }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": "Issuing desk", "version": "1",
                 "description": f"Keys act in roles: {', '.join(ROLES)}. Times are UTC, whole minutes, RFC 3339."},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
            "responses": {"Problem": {
                "description": "Refused; RFC 9457.",
                "content": {"application/problem+json": {"schema": _ref("Problem")}}}},
        },
    }  # fmt: skip
