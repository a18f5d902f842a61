"""The OpenAPI 3.1 description of everything this app offers to programs, put together from the parts of its modules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.routing import Map

from issuer_app import described_desk, described_programs
from issuer_app.access import described as waiting
from issuer_app.access import trail_described as trail
from issuer_app.depending import described as depending
from issuer_app.describing import PROBLEMS, Part, objects
from issuer_app.importing import openapi as imports
from issuer_app.lifecycle import described as later
from issuer_app.lookups import described as lookups
from issuer_app.papers import described as papers
from issuer_app.scopes import SCOPES
from issuer_app.webhooks import described as webhooks

__all__ = ["PARTS", "document", "paths_of", "routes"]

PARTS: Final[tuple[Callable[[], Part], ...]] = (
    described_desk.part, described_programs.part, imports.part, papers.part, lookups.part,
    waiting.part, later.part, depending.part, trail.part, webhooks.part,
)  # fmt: skip
_INTRODUCTION: Final = f"""The institution's desk for programs.

A key does what its scopes say: {", ".join(SCOPES)}. Refusals are problem documents (RFC 9457) with a stable `code`; `title` is a
sentence in the language of Accept-Language. Lists come in pages: `limit`, and `cursor` with the `next` of the page before. A
write with an Idempotency-Key is done once. Times are UTC, RFC 3339, whole minutes."""
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object", "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "code": {"type": "string"}, "detail": {"type": "string"},
        "errors": {"type": "array", "items": objects(("claim", "detail"), claim={"type": "string"}, detail={"type": "string"})},
    },
}  # fmt: skip

routes = Blueprint("openapi", __name__)


@routes.get("/openapi.json")
def served() -> ResponseReturnValue:
    """The description of this app, as it runs."""
    return jsonify(document(current_app.url_map))


def document(url_map: Map | None = None) -> dict[str, Any]:
    """The whole description; with a `url_map`, what that app really answers."""
    parts = [part() for part in PARTS]
    paths = {path: operations for part in parts for path, operations in part.paths.items()}
    if url_map is not None:
        real = paths_of(url_map)
        paths = {path: {m: made for m, made in item.items() if (path, m) in real} for path, item in paths.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Issuing desk", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": {path: item for path, item in paths.items() if item},
        "webhooks": {name: item for part in parts for name, item in part.webhooks.items()},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "weid_…, made at the desk"}},
            "schemas": {"Problem": _PROBLEM} | {name: schema for part in parts for name, schema in part.schemas.items()},
            "responses": {name: _refused(f"Refused with {code}; RFC 9457.") for code, name in PROBLEMS.items()}
            | {"Problem": _refused("Refused; RFC 9457.")},
        },
    }  # fmt: skip


def paths_of(url_map: Map) -> set[tuple[str, str]]:
    """(path, method) of the routes of an app, as a description writes them."""
    found: set[tuple[str, str]] = set()
    for rule in url_map.iter_rules():
        methods = {method.lower() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
        found |= {(path, method) for path in _spelled(rule.rule) for method in methods}
    return found


def _spelled(rule: str) -> Iterable[str]:
    """A rule for each choice of its `any(…)`; `<id_>` is called id outside."""
    choice = re.search(r"<any\(([^)]*)\):\w+>", rule)
    if choice:
        for word in choice.group(1).split(","):
            yield from _spelled(rule.replace(choice.group(0), word.strip()))
    else:
        yield re.sub(r"<(?:\w+:)?(\w+?)_?>", r"{\1}", rule)


def _refused(words: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": words, "content": content}
