"""The OpenAPI 3.1 description of what this app offers to programs, as far as the running app answers it."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify
from werkzeug.routing import Map

__all__ = ["document", "paths_of", "room"]

room = Blueprint("openapi", __name__)
_TEXT: Final[dict[str, Any]] = {"type": "string"}
_ANY: Final[dict[str, Any]] = {"type": "object"}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object", "required": ["type", "title", "status"],
    "properties": {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT},
}  # fmt: skip
_REPORT: Final[dict[str, Any]] = {
    "type": "object", "required": ["verdict", "checks"], "description": "The Report of the library and the command.",
    "properties": {"verdict": _TEXT, "checks": {"type": "array", "items": _ANY}},
}  # fmt: skip
_VC_ANSWER: Final[dict[str, Any]] = {
    "type": "object", "required": ["verified"],
    "properties": {"verified": {"type": "boolean"}, "warnings": {"type": "array", "items": _TEXT}, "report": _ANY,
                   "problemDetails": {"type": "array", "items": _ANY}, "errors": {"type": "array", "items": _TEXT}},
}  # fmt: skip
_REFUSED: Final = {"$ref": "#/components/responses/Problem"}


@room.get("/openapi.json")
def served() -> Response:
    """The description of this app, as it runs."""
    return jsonify(document(current_app.url_map))


def document(url_map: Map | None = None) -> dict[str, Any]:
    """The whole description; with a `url_map`, what that app really answers."""
    paths: dict[str, Any] = {**_own(), **_vc_api(), **_health()}
    if url_map is not None:
        real = paths_of(url_map)
        paths = {path: {m: made for m, made in item.items() if (path, m) in real} for path, item in paths.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Verifier", "version": "1",
                 "description": "Judges what it is handed, from what is here, and keeps nothing "
                 "of it. Refusals are problem documents (RFC 9457)."},
        "servers": [{"url": "/"}],
        "paths": {path: item for path, item in paths.items() if item},
        "components": {
            "schemas": {"Problem": _PROBLEM, "Report": _REPORT, "Verified": _VC_ANSWER},
            "responses": {"Problem": {"description": "Refused; RFC 9457.", "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}},
        },
    }  # fmt: skip


def paths_of(url_map: Map) -> set[tuple[str, str]]:
    """(path, method) of the routes of an app, as a description writes them."""
    return {
        (re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def _own() -> dict[str, Any]:
    more = {"request": {"type": ["string", "null"]}, "question": {"type": ["string", "null"]}}
    texts = {"type": "object", "required": ["data"], "properties": {"data": _TEXT, **more}, "additionalProperties": False}
    value = {"type": "object", "required": ["verifiableCredential"], "properties": {"verifiableCredential": {}, **more},
             "additionalProperties": False}  # fmt: skip
    both = {"type": "object", "required": ["reports"],
            "properties": {"reports": {"type": "array", "items": _ref("Report")}}}  # fmt: skip
    made = _operation("verify", "Judge one credential, or every code of a picture", {"anyOf": [_ref("Report"), both]}, codes=(
        400, 409, 413, 415, 429, 503))  # fmt: skip
    made["requestBody"] = {"required": True, "content": {
        "application/json": {"schema": {"oneOf": [texts, value]}}, "image/png": {}, "image/jpeg": {}}}  # fmt: skip
    made["parameters"] = [{"name": name, "in": "query", "schema": _TEXT, "description": "With a picture."} for name in more]
    return {"/api/v1/verify": {"post": made}}


def _vc_api() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for what, member, kinds in (
        ("credentials", "verifiableCredential", ["object", "string"]),
        ("presentations", "verifiablePresentation", ["object", "string"]),
    ):
        made = _operation(f"verify{what.title()}", f"Verify {what} (W3C VC-API)", _ref("Verified"), codes=(413, 429))
        for code, words in (("400", "Not verified, or no request of this API."), ("503", "The trust data here cannot be used.")):
            content = {"application/json": {"schema": _ref("Verified")}, "application/problem+json": {"schema": _ref("Problem")}}
            made["responses"][code] = {"description": words, "content": content}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": {
            "type": "object", "required": [member], "properties": {member: {"type": kinds}, "options": _ANY}}}}}  # fmt: skip
        found[f"/vc-api/{what}/verify"] = {"post": made}
    challenge = {"type": "object", "required": ["challenge"], "properties": {"challenge": _TEXT}}
    found["/vc-api/challenges"] = {"post": _operation("challenge", "A fresh challenge (W3C VC-API)", challenge, status=201,
                                                      codes=(429,))}  # fmt: skip
    resolve = {"default": {"description": "A resolution result; an error stands in it."}}
    where = [{"name": "identifier", "in": "path", "required": True, "schema": _TEXT}]
    found["/1.0/identifiers/{identifier}"] = {
        "get": {"operationId": "resolve", "summary": "DID Resolution of W3C", "parameters": where, "responses": resolve},
        "post": {"operationId": "resolveWith", "summary": "The same, with options in the body", "parameters": where,
                 "requestBody": {"content": {"application/json": {"schema": _ANY}}}, "responses": resolve},
    }  # fmt: skip
    return found


def _health() -> dict[str, Any]:
    alive = {"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}
    state = {"type": "object", "required": ["ready", "reason"],
             "properties": {"ready": {"type": "boolean"}, "reason": {"type": ["string", "null"]}}}  # fmt: skip
    ready = _operation("isReady", "Whether anything can be judged here; why not in one word", state)
    ready["responses"]["503"] = {"description": "Not now.", "content": {"application/json": {"schema": state}}}
    metrics = _operation("metrics", "Counts in Prometheus' text format: from this machine, or with the token", None, codes=(404,))
    metrics["responses"]["200"]["content"] = {"text/plain": {}}
    return {
        "/healthz": {"get": _operation("isAlive", "Whether the process answers", alive)},
        "/readyz": {"get": ready},
        "/metrics": {"get": metrics},
        "/openapi.json": {"get": _operation("describe", "This description", _ANY)},
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(
    name: str, summary: str, answer: dict[str, Any] | None, *, status: int = 200, codes: tuple[int, ...] = ()
) -> dict[str, Any]:  # fmt: skip
    done: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        done["content"] = {"application/json": {"schema": answer}}
    told = {str(code): _REFUSED for code in codes}
    return {"operationId": name, "summary": summary, "responses": {str(status): done, **told, "default": _REFUSED}}
