"""The part of the description that `api.py` answers: certificates, institutions, schemas, overrides."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.describing import (
    COUNT,
    DID,
    DIGEST,
    HEX64,
    ID,
    NAMES,
    REASON,
    TEXT,
    TIME,
    Part,
    json_of,
    objects,
    operation,
    paged_list,
    query,
    ref,
)
from issuer_app.scopes import SCOPES

__all__ = ["part"]

_NAMED: Final = {"type": ["object", "null"], "properties": {"did": TEXT, "names": NAMES}}
_SCHEMAS: Final[dict[str, Any]] = {
    "Me": objects(
        ("key", "label", "scopes", "until", "desk", "office"), key=TEXT, label=TEXT,
        scopes={"type": "array", "items": {"enum": list(SCOPES)}}, until={"type": ["string", "null"]}, desk=_NAMED, office=_NAMED,
    ),
    "Right": objects(
        ("schema", "name", "title", "state", "since", "until", "level"), schema=HEX64, name=TEXT, title=NAMES,
        state={"enum": ["now", "later", "ended", "suspended", "removed"]}, since=TIME, until=TIME, level=COUNT,
    ),
    "Institution": objects(
        ("did", "names", "state", "applied", "wanted", "rights"), did=TEXT, names=NAMES,
        state={"enum": ["applied", "approved", "suspended", "removed"]}, applied=TIME, reason={"type": ["string", "null"]},
        wanted={"type": "array", "items": HEX64}, rights={"type": "array", "items": ref("Right")},
    ),
    "Certificate": {
        "type": "object",
        "required": ["id", "schema", "state", "issued", "validUntil", "claims", "specimen", "published", "by", "erased"],
        "properties": {
            "id": TEXT, "schema": HEX64, "state": {"enum": ["valid", "suspended", "revoked", "refused"]},
            "reason": {"type": ["string", "null"]}, "changed": {"type": ["string", "null"]}, "issued": TIME,
            "validUntil": TIME, "claims": {"type": "object"}, "specimen": {"type": "boolean"},
            "published": {"type": "boolean"}, "by": TEXT, "erased": {"type": "boolean"},
            "status": {"type": ["object", "null"], "properties": {"list": TEXT, "index": COUNT}},
            "audit": {"type": ["object", "null"], "description": "An auditor's word; the worse of it and `state` counts.",
                      "properties": {"state": {"enum": ["suspended", "revoked"]}, "reason": TEXT, "at": TIME}},
            "dependsOn": {"type": ["object", "null"], "description": "The certificate that this one stands on.",
                          "properties": {"id": TEXT, "issuer": TEXT, "validUntil": TIME,
                                         "state": {"enum": ["stands", "revoked", "suspended", "expired", "unknown"]}}},
            "typedCode": {"type": ["string", "null"], "description": "Printed on the certificate for checks by typing."},
            "code": {"type": "string", "description": "The text of the QR code."},
            "credential": {"type": "object", "description": "The file form, VCDM 2.0 with a Data Integrity proof."},
            "picture": {"type": "object", "properties": {
                "png": TEXT, "svg": TEXT, "printedMm": {"type": "number"},
                "modules": COUNT, "version": COUNT, "level": {"enum": ["L", "M"]}}},
        },
    },
    "Override": objects(
        ("list", "index", "state", "reason"), list={"type": "string", "minLength": 1, "maxLength": 300},
        index={"type": "integer", "minimum": 0, "maximum": 4_294_967_295},
        state={"enum": ["revoked", "suspended", "lifted"]}, reason=REASON,
    ),
    "Overridden": objects(
        ("list", "index", "state", "reason", "author", "at"), list=TEXT, index=COUNT, state=TEXT, reason=TEXT, author=TEXT,
        at=TIME,
    ),
    "Order": objects(
        ("schema", "claims"), schema=HEX64, claims={"type": "object"},
        minutes={"type": ["integer", "null"], "minimum": 1, "maximum": 4_294_967_295},
        bind={"type": ["object", "string", "null"], "description": "The binding request of the holder's wallet."},
        specimen={"type": "boolean"},
        base={"type": ["object", "string", "null"], "description": "Where the kind depends on another certificate: its file, the "
              "text of its code, or the id of one issued here."},
        lookup={"type": ["object", "null"], "additionalProperties": TEXT, "maxProperties": 40,
                "description": "What the holder is to find it by, kept as keyed values only: numbers by kind of document, and "
                               "what the rules of the pack ask for."},
    ),
}  # fmt: skip


def _certificates() -> dict[str, Any]:
    certificate, path = json_of(ref("Certificate")), "/api/v1/certificates"
    paths: dict[str, Any] = {
        path: {
            "get": paged_list("findCertificates", "Find by name, number or id, newest first", "certificates:read",
                              ref("Certificate"), query("q", {"type": "string", "maxLength": 200})),
            "post": operation("issueCertificate", "Issue", "certificates:issue", certificate, status=201, body=ref("Order"),
                              writes=True, waits=True, headers={"Location": {"schema": TEXT}}),
        },
        f"{path}/{{id}}": {
            "get": operation("getCertificate", "One certificate", "certificates:read", certificate, parameters=(ID,)),
            "delete": operation("eraseCertificate", "Destroy its content here", "certificates:erase", None, status=204,
                                parameters=(ID,), writes=True, waits=True),
        },
        f"{path}/{{id}}/credential": {"get": operation(
            "getCredential", "The file form", "certificates:read", {"application/vc": {}}, parameters=(ID,), problems=(410,))},
        f"{path}/{{id}}/lift": {"post": operation(
            "liftCertificate", "Lift a suspension", "status:write", certificate, parameters=(ID,), writes=True, optional=True,
            body=objects(()))},
    }  # fmt: skip
    for kind, media in (("png", "image/png"), ("svg", "image/svg+xml")):
        paths[f"{path}/{{id}}/code.{kind}"] = {"get": operation(
            f"getCode{kind.title()}", "The picture of the code", "certificates:read", {media: {}}, parameters=(ID,),
            problems=(410,))}  # fmt: skip
    for action in ("suspend", "revoke"):
        paths[f"{path}/{{id}}/{action}"] = {"post": operation(
            f"{action}Certificate", f"{action.title()} with a reason", "status:write", certificate, parameters=(ID,),
            body=objects(("reason",), reason=REASON), writes=True, waits=action == "revoke")}  # fmt: skip
    return paths


def _institutions() -> dict[str, Any]:
    institution, path = json_of(ref("Institution")), "/api/v1/institutions"
    given = objects(("schema", "until"), schema=HEX64, since={"type": ["string", "null"], "format": "date-time"}, until=TIME,
                    level={"type": "integer", "minimum": 0, "maximum": 255})  # fmt: skip
    paths: dict[str, Any] = {
        path: {"get": paged_list("listInstitutions", "Institutions that applied, newest application first", "institutions:read",
                                 ref("Institution"), query("waiting", {"enum": ["yes", "no"], "type": "string"}))},
        f"{path}/{{did}}": {"get": operation(
            "getInstitution", "One institution", "institutions:read", institution, parameters=(DID,))},
        f"{path}/{{did}}/approve": {"post": operation(
            "approveInstitution", "Give a right", "institutions:write", institution, body=given, parameters=(DID,), writes=True)},
        f"{path}/{{did}}/reinstate": {"post": operation(
            "reinstateInstitution", "Lift a suspension", "institutions:write", institution, optional=True,
            body=objects((), schema={**HEX64, "type": ["string", "null"]}), parameters=(DID,), writes=True)},
    }  # fmt: skip
    for action in ("suspend", "remove"):
        paths[f"{path}/{{did}}/{action}"] = {"post": operation(
            f"{action}Institution", f"{action.title()} a right or the institution", "institutions:write", institution,
            body=objects(("reason",), schema={**HEX64, "type": ["string", "null"]}, reason=REASON),
            parameters=(DID,), writes=True)}  # fmt: skip
    return paths


def part() -> Part:
    """What `api.py` answers."""
    paths: dict[str, Any] = {
        "/api/v1/me": {"get": operation("me", "Which key this is, and what it may do", None, json_of(ref("Me")))},
        "/api/v1/accreditations": {"get": paged_list(
            "listAccreditations", "What the institution may issue, usable rights first", "accreditations:read", ref("Right"))},
        "/api/v1/schemas": {"post": operation(
            "publishSchema", "Publish a schema for good", "schemas:write", json_of(objects(("digest",), digest=HEX64)),
            status=201, body={"type": "object"}, writes=True)},
        "/api/v1/schemas/{digest}": {"get": operation(
            "getSchema", "A published schema", "schemas:read", {"application/schema+json": {}}, parameters=(DIGEST,))},
        "/api/v1/publish": {"post": operation(
            "publish", "Send what the registry has not heard", "status:write",
            json_of(objects(("waiting",), waiting=COUNT)), body=objects(()), optional=True, writes=True)},
        "/api/v1/overrides": {
            "get": paged_list("listOverrides", "Auditors' decisions in force, newest first", "overrides:read", ref("Overridden")),
            "post": operation("override", "Revoke or suspend beside the issuer's list", "overrides:write",
                              json_of(objects(("list", "index", "state"), list=TEXT, index=COUNT, state=TEXT)), status=201,
                              body=ref("Override"), writes=True),
        },
    }  # fmt: skip
    return Part(paths | _certificates() | _institutions(), _SCHEMAS)
