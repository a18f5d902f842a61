"""The routes of `api.py` in the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from weid.pack import LANGUAGES

__all__ = ["MEDIA", "paths"]

MEDIA: Final = {"pdf": "application/pdf", "card": "image/png", "poster": "image/png"}


def paths() -> dict[str, Any]:
    """Path → operations, to be merged into the description."""
    problem = {"default": {"$ref": "#/components/responses/Problem"}}
    one = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    tongue = {"type": "string", "enum": list(LANGUAGES)}
    tongues = [{"name": name, "in": "query", "schema": tongue} for name in ("first", "second")]
    found: dict[str, Any] = {}
    for form, media in MEDIA.items():
        place = "paper.pdf" if form == "pdf" else f"{form}.png"
        found[f"/api/v1/certificates/{{id}}/{place}"] = {"get": {
            "operationId": f"getPaper{form.title()}", "summary": f"The certificate as {form} (clerk)",
            "parameters": [*one, *tongues],
            "responses": {"200": {
                "description": "Done.", "content": {media: {}},
                "headers": {"Scannability": {"description": "Per cent of worn-down trials in which the code was read.",
                                             "schema": {"type": "integer"}}}}, **problem},
        }}  # fmt: skip
    made = {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}, "additionalProperties": False}
    asked = {"type": "object", "properties": {"days": {"type": "integer", "minimum": 1, "maximum": 366}},
             "additionalProperties": False}  # fmt: skip
    found["/api/v1/certificates/{id}/links"] = {
        "post": {"operationId": "makeLink", "summary": "A link for the holder, told once (clerk)", "parameters": one,
                 "requestBody": {"required": False, "content": {"application/json": {"schema": asked}}},
                 "responses": {"201": {"description": "Done.", "content": {"application/json": {"schema": made}}}, **problem}},
        "delete": {"operationId": "withdrawLinks", "summary": "End every link to it (clerk)", "parameters": one,
                   "responses": {"204": {"description": "Done."}, **problem}},
    }  # fmt: skip
    return found
