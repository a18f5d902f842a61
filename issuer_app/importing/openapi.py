"""The part of the API's description that imports are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from weid.records import REASONS

__all__ = ["IMPORT", "paths"]

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer"}
IMPORT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "state", "running", "interrupted", "schema", "counts", "progress", "columns"],
    "properties": {
        "id": _TEXT,
        "state": {"enum": ["mapping", "checking", "checked", "signing", "publishing", "proving", "done", "cancelled", "refused"]},
        "running": {"type": "boolean"},
        "interrupted": {"type": "boolean", "description": "Work was cut short: /resume goes on, nothing happens twice."},
        "schema": _TEXT, "name": _TEXT, "created": {"type": "string", "format": "date-time"},
        "corrects": {"type": ["string", "null"]}, "columns": {"type": "object", "additionalProperties": _TEXT},
        "key": _TEXT, "document": _TEXT, "code": {"type": ["string", "null"]},
        "counts": {"type": "object", "properties": {
            "rows": _COUNT, "good": _COUNT, "wrong": _COUNT, "before": _COUNT, "issued": _COUNT}},
        "progress": {"type": "object", "properties": {
            "done": _COUNT, "total": _COUNT, "secondsLeft": {"type": ["integer", "null"]}}},
        "batch": {"type": ["object", "null"], "properties": {"root": _TEXT, "operation": _TEXT}},
        "wrong": {"type": "array", "items": {"type": "object", "properties": {
            "row": _COUNT, "reasons": {"type": "array", "items": _TEXT}}}},
    },
}  # fmt: skip


def paths(operation: Callable[..., dict[str, Any]], once: dict[str, Any]) -> dict[str, Any]:
    """The paths, made with the description's own `operation`; `once` is its Idempotency-Key."""
    one = ({"name": "id", "in": "path", "required": True, "schema": _TEXT},)
    after = {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0}}
    asked = tuple(
        {"name": name, "in": "query", "schema": _TEXT, "required": name == "schema", "description": words}
        for name, words in (
            ("schema", "Digest of the kind of certificate"), ("name", "The file's name, shown only"),
            ("map", "COLUMN=TARGET, may be repeated; TARGET is a claim, lookup.…, or nothing"),
            ("key", "The claim that numbers certificates"), ("document", "Kind of the document numbers"),
            ("corrects", "The import whose wrong rows these are"), ("issue", "yes: issue the good rows once checked"),
        )
    )  # fmt: skip
    told = {"application/json": {"schema": {"$ref": "#/components/schemas/Import"}}}
    some = {"application/json": {"schema": {"type": "object"}}}
    upload = operation("addImport", "Upload a CSV or XLSX file as the body, and check it (clerk)", told, status="202",
                       parameters=(*asked, once))  # fmt: skip
    upload["requestBody"] = {"required": True, "content": {
        "text/csv": {}, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {},
    }}  # fmt: skip
    found: dict[str, Any] = {
        "/api/v1/imports": {"get": operation("listImports", "The newest imports (clerk)", some), "post": upload},
        "/api/v1/imports/{id}": {
            "get": operation("getImport", "An import and its wrong rows (clerk)", told, parameters=(*one, after))},
        "/api/v1/imports/{id}/certificates": {
            "get": operation("importedCertificates", "Which row became which (clerk)", some, parameters=(*one, after))},
        "/api/v1/imports/{id}/report": {
            "get": operation("importReport", "The signed report of the batch (clerk)", some, parameters=one)},
        "/api/v1/imports/{id}/recall": {"post": operation(
            "recallImport", "Revoke every certificate of it (clerk)", some, parameters=one,
            body={"type": "object", "required": ["reason"], "properties": {"reason": {"enum": list(REASONS[1:])}}})},
    }  # fmt: skip
    for action, words in (("issue", "Issue the good rows"), ("cancel", "Stop it, nothing is issued"), ("resume", "Go on")):
        found[f"/api/v1/imports/{{id}}/{action}"] = {
            "post": operation(f"{action}Import", f"{words} (clerk)", told, status="202", parameters=one)
        }
    return found
