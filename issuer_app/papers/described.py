"""The routes of `api.py` in the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from issuer_app.describing import ID, TEXT, Part, json_of, objects, operation, query
from weid.pack import LANGUAGES

__all__ = ["MEDIA", "part"]

MEDIA: Final = {"pdf": "application/pdf", "card": "image/png", "poster": "image/png"}


def part() -> Part:
    """Papers and links."""
    tongues = tuple(query(name, {"type": "string", "enum": list(LANGUAGES)}) for name in ("first", "second"))
    score = {"Scannability": {"description": "Per cent of worn-down trials in which the code was read.",
                              "schema": {"type": "integer"}}}  # fmt: skip
    found: dict[str, Any] = {}
    for form, media in MEDIA.items():
        place = "paper.pdf" if form == "pdf" else f"{form}.png"
        found[f"/api/v1/certificates/{{id}}/{place}"] = {"get": operation(
            f"getPaper{form.title()}", f"The certificate as {form}", "papers:read", {media: {}}, parameters=(ID, *tongues),
            headers=score, problems=(409, 410, 422, 503),
        )}  # fmt: skip
    asked = objects((), days={"type": "integer", "minimum": 1, "maximum": 366})
    found["/api/v1/certificates/{id}/links"] = {
        "post": operation("makeLink", "A link for the holder, told once", "links:write",
                          json_of(objects(("url",), url=TEXT)), status=201, body=asked, optional=True, parameters=(ID,),
                          writes=True),
        "delete": operation("withdrawLinks", "End every link to it", "links:write", None, status=204, parameters=(ID,),
                            writes=True),
    }  # fmt: skip
    return Part(found)
