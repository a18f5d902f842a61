"""The part of the API's description that imports are."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.describing import HEX64, Part, json_of, objects, operation, paged_list, parameter, query, ref
from weid.records import REASONS

__all__ = ["part"]

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer"}
_IMPORT: Final[dict[str, Any]] = {
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
    },
}  # fmt: skip


_ID: Final = parameter("id", {"type": "string", "pattern": "^[0-9a-f]{16}$"})


def part() -> Part:
    """Imports."""
    asked = (
        query("schema", HEX64, "Digest of the kind of certificate", required=True),
        query("name", _TEXT, "The file's name, shown only"),
        query("map", {"type": "array", "items": _TEXT}, "COLUMN=TARGET; TARGET is a claim, lookup.…, or nothing"),
        query("key", _TEXT, "The claim that numbers certificates"), query("document", _TEXT, "Kind of the document numbers"),
        query("corrects", _TEXT, "The import whose wrong rows these are"),
        query("issue", {"type": "string", "enum": ["yes", "no"]}, "yes: issue the good rows once checked"),
    )  # fmt: skip
    told, path, row = json_of(ref("Import")), "/api/v1/imports", {"row": _COUNT}
    sheet: dict[str, Any] = {"text/csv": {}, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {}}
    wrong = objects(("row", "reasons"), **row, reasons={"type": "array", "items": _TEXT})
    paths: dict[str, Any] = {
        path: {
            "get": paged_list("listImports", "Imports, newest first", "imports:read", ref("Import")),
            "post": operation("addImport", "Upload a CSV or XLSX file, and check it", "imports:write", told, status=202,
                              parameters=asked, media=sheet, writes=True, headers={"Location": {"schema": _TEXT}}),
        },
        f"{path}/{{id}}": {"get": operation("getImport", "An import, and how far it is", "imports:read", told,
                                             parameters=(_ID,))},
        f"{path}/{{id}}/wrong": {"get": paged_list(
            "importFaults", "Rows that cannot be issued, with the reasons", "imports:read", wrong, _ID, most=1_000,
            default=1_000)},
        f"{path}/{{id}}/certificates": {"get": paged_list(
            "importedCertificates", "Which row became which certificate", "imports:read",
            objects(("row", "certificate"), **row, certificate={"type": ["string", "null"]}), _ID, most=1_000, default=1_000)},
        f"{path}/{{id}}/report": {"get": operation(
            "importReport", "The signed report of the batch", "imports:read", json_of({"type": "object"}), parameters=(_ID,))},
        f"{path}/{{id}}/recall": {"post": operation(
            "recallImport", "Revoke every certificate of it", "status:write", json_of(objects(("revoked",), revoked=_COUNT)),
            parameters=(_ID,), body=objects(("reason",), reason={"enum": list(REASONS[1:])}), writes=True, waits=True)},
    }  # fmt: skip
    for action, words in (("issue", "Issue the good rows"), ("cancel", "Stop it, nothing is issued"), ("resume", "Go on")):
        paths[f"{path}/{{id}}/{action}"] = {"post": operation(
            f"{action}Import", words, "imports:write", told, status=202, parameters=(_ID,), body=objects(()), optional=True,
            writes=True)}  # fmt: skip
    return Part(paths, {"Import": _IMPORT})
