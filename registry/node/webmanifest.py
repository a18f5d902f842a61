"""What a browser needs to keep one of our apps on a phone's home screen (W3C Web Application Manifest)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, url_for

from weid.canon import jcs

__all__ = ["Installed", "manifest_blueprint"]


@dataclass(frozen=True, slots=True)
class Installed:
    """How the app is called, in which language, and which of its pages opens first."""

    name: str
    language: str
    start: str


def manifest_blueprint(app: Callable[[], Installed], *, colour: str) -> Blueprint:
    """`GET /manifest.webmanifest`, in the language of the request; the icon is the app's `static/icon.svg`."""
    room = Blueprint("manifest", __name__)

    @room.get("/manifest.webmanifest")
    def manifest() -> Response:
        said = app()
        icon = url_for("static", filename="icon.svg")
        data = jcs({
            "name": said.name, "short_name": said.name, "lang": said.language, "dir": "ltr", "start_url": said.start,
            "scope": url_for("static", filename="").removesuffix("static/"), "display": "standalone",
            "background_color": colour, "theme_color": colour,
            "icons": [{"src": icon, "sizes": "any", "type": "image/svg+xml", "purpose": use} for use in ("any", "maskable")],
        })  # fmt: skip
        return Response(data, mimetype="application/manifest+json")

    return room
