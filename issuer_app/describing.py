"""Blocks of an OpenAPI 3.1 description. Every module with routes for programs writes its `Part` with them.

A test compares the parts with the routes, so a route without a part, or a part without a route, does not pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from issuer_app.paging import LIMIT, MOST
from weid.records import REASONS

__all__ = [
    "COUNT", "CURSOR", "DID", "DIGEST", "HEX64", "ID", "NAMES", "ONCE", "PROBLEMS", "REASON", "TEXT", "TIME", "Part", "json_of",
    "limit_of", "list_of", "objects", "operation", "paged_list", "parameter", "query", "ref",
]  # fmt: skip

TEXT: Final[dict[str, Any]] = {"type": "string"}
COUNT: Final[dict[str, Any]] = {"type": "integer"}
HEX64: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
REASON: Final[dict[str, Any]] = {"type": "string", "enum": list(REASONS)}
NAMES: Final[dict[str, Any]] = {"type": "object", "additionalProperties": TEXT}
PROBLEMS: Final[Mapping[int, str]] = {
    400: "BadRequest", 401: "NoKey", 403: "NoRight", 404: "NotFound", 405: "NoMethod", 409: "Conflict", 410: "Gone",
    413: "TooLarge", 415: "WrongKind", 422: "Unprocessable", 429: "TooMany", 503: "Unreachable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What one module contributes: path → operations, the schemas that they name, and what others are told (webhooks)."""

    paths: Mapping[str, dict[str, Any]]
    schemas: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    webhooks: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def ref(name: str) -> dict[str, Any]:
    """A reference to a schema of the description."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a JSON answer."""
    return {"application/json": {"schema": dict(schema)}}


def objects(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    """An object with these members and no others."""
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def list_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """One page of a list."""
    return objects(("items", "next"), items={"type": "array", "items": dict(schema)}, next={
        "type": ["string", "null"], "description": "The cursor of the next page; null on the last one.",
    })  # fmt: skip


def parameter(name: str, schema: Mapping[str, Any], words: str = "") -> dict[str, Any]:
    """A place in the path."""
    made: dict[str, Any] = {"name": name, "in": "path", "required": True, "schema": dict(schema)}
    return made | ({"description": words} if words else {})


def query(name: str, schema: Mapping[str, Any], words: str = "", *, required: bool = False) -> dict[str, Any]:
    """A parameter behind the question mark."""
    made: dict[str, Any] = {"name": name, "in": "query", "required": required, "schema": dict(schema)}
    return made | ({"description": words} if words else {})


ID: Final = parameter("id", {"type": "string", "pattern": "^[0-9a-f]{32}$"})
DID: Final = parameter("did", TEXT)
DIGEST: Final = parameter("digest", HEX64)
CURSOR: Final = query("cursor", {"type": "string", "minLength": 1, "maxLength": 2_000}, "`next` of the page before; opaque.")
ONCE: Final[dict[str, Any]] = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 200,
                                                          "pattern": "^[ -~]+$"},
    "description": "A write with the same key and the same content is done once and answered as the first time; with other "
                   "content it is refused (422). Answers are kept for a day.",
}  # fmt: skip


def limit_of(default: int = LIMIT, most: int = MOST) -> dict[str, Any]:
    """The parameter `limit` of a list."""
    return query("limit", {"type": "integer", "minimum": 1, "maximum": most, "default": default})


def operation(
    name: str, summary: str, scope: str | None, answer: dict[str, Any] | None, *, status: int = 200, public: bool = False,
    body: Mapping[str, Any] | None = None, optional: bool = False, media: Mapping[str, Any] | None = None,
    parameters: tuple[dict[str, Any], ...] = (), writes: bool = False, problems: tuple[int, ...] = (),
    headers: Mapping[str, Any] | None = None, waits: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One operation. `scope` is what the key needs (None: any key; `public`: no key at all), `body` a JSON schema, `media`
    the whole content of the request instead; `writes` takes an Idempotency-Key."""
    done: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        done["content"] = answer
    if headers:
        done["headers"] = dict(headers)
    usual = () if public else (400, 401, 429) if scope is None else (400, 401, 403, 429)
    told = sorted({*usual, *problems, *((404,) if any(item["in"] == "path" for item in parameters) else ()),
                   *((409, 413, 415, 422, 503) if writes else ())})  # fmt: skip
    made: dict[str, Any] = {
        "operationId": name, "summary": summary,
        "responses": {str(status): done, **{str(code): {"$ref": f"#/components/responses/{PROBLEMS[code]}"} for code in told},
                      "default": {"$ref": "#/components/responses/Problem"}},
    }  # fmt: skip
    if waits:
        waiting = json_of(ref("Waiting"))
        made["responses"]["202"] = {"description": "Waits for a second person.", "content": waiting}
    if public:
        made["security"] = []
    elif scope is not None:
        made["security"] = [{"key": [scope]}]
        made["description"] = f"Needs the scope `{scope}`."
    if body is not None or media is not None:
        made["requestBody"] = {"required": not optional, "content": dict(media or json_of(body or {}))}
    asked = (*parameters, *((ONCE,) if writes else ()))
    if asked:
        made["parameters"] = list(asked)
    return made


def paged_list(
    name: str, summary: str, scope: str | None, item: Mapping[str, Any], *parameters: dict[str, Any], most: int = MOST,
    default: int = LIMIT,
) -> dict[str, Any]:  # fmt: skip
    """The operation that answers a list in pages."""
    link = {"Link": {"description": 'The next page, as rel="next"; absent on the last.', "schema": TEXT}}
    return operation(name, summary, scope, json_of(list_of(item)), parameters=(*parameters, limit_of(default, most), CURSOR),
                     headers=link)  # fmt: skip
