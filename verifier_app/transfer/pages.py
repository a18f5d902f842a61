"""Show our trust data as an animated code, receive another's, or fetch a bundle from the operator's address.

What arrives goes the way of any bundle file: it proves itself against the pinned genesis or is refused.
"""

from __future__ import annotations

import secrets
import time
import urllib.error
import urllib.request
from functools import lru_cache
from http.client import HTTPException
from typing import Final, cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, g, jsonify, render_template, request, session

from credentials import picture
from credentials.animated import draw_frame, frames_among
from registry.engines.straight import open_straight
from registry.packed import pack
from verifier_app.frame import checker, t
from verifier_app.languages import in_words
from verifier_app.moments import moment
from verifier_app.transfer.receiving import Receivings
from verifier_app.trust_pages import Refused, refusal_key, show_page
from weid.errors import MalformedError, WeidError
from weid.fountain import MAX_FRAMES, Sender

__all__ = ["room"]

room = Blueprint("transfer", __name__, url_prefix="/transfer")
MAX_BUNDLE: Final = 64 << 20
SECONDS: Final = 30
PAUSE: Final = 20  # seconds between two fetches
_PICTURES: Final = ("image/jpeg", "image/png", "image/webp")


@room.get("")
def page() -> str:
    """Our home registry's bundle as an animated code."""
    try:
        sender = _sender()
    except MalformedError:
        return render_template("transfer/show.html", fragments=0, large=True, set_id="")
    count = 0 if sender is None else sender.fragments
    return render_template(
        "transfer/show.html", fragments=count, large=False, set_id="" if sender is None else sender.set_id.hex()
    )


@room.get("/frame/<int:number>.svg")
def frame(number: int) -> Response:
    """One frame as a picture."""
    sender = _sender()
    if sender is None or number >= MAX_FRAMES:
        abort(404)
    drawn = picture.svg(draw_frame(sender.frame(number)), label=t("transfer.code"))
    return Response(drawn, mimetype="image/svg+xml")


@room.get("/receive")
def receive() -> str:
    """The camera that collects frames."""
    _name()
    return render_template("transfer/receive.html")


@room.post("/frames")
def frames() -> Response:
    """A camera frame, or texts that the browser read itself, one a line."""
    if request.mimetype in _PICTURES:
        try:
            texts = picture.read(request.get_data())
        except MalformedError:
            texts = ()
    elif request.mimetype == "text/plain":
        texts = tuple(request.get_data(as_text=True).split())[:8]
    else:
        abort(415)
    name = _name()
    try:
        progress = _receivings().take(name, frames_among(texts))
    except MalformedError as error:
        return jsonify(problem=t(f"transfer.problem.{error.code}"))
    if progress.data is None:
        return jsonify(have=progress.have, needed=progress.needed, foreign=bool(texts) and not frames_among(texts))
    _receivings().forget(name)
    return jsonify(have=progress.needed, needed=progress.needed, done=True, **_taken(progress.data))


@room.post("/restart")
def restart() -> Response:
    """Forget the frames so far."""
    _receivings().forget(session.pop("receiving", None))
    return jsonify(have=0, needed=0)


@room.post("/fetch")
def fetch() -> str | tuple[str, int]:
    """A bundle from the one address the operator set; the only request this service ever makes, and only when asked to."""
    address = checker().settings.trust_url
    if address is None:
        abort(404)
    last = current_app.extensions.get("fetched")
    if last is not None and time.monotonic() - last < PAUSE:
        abort(429)  # whoever reaches this page must not make us ask the registry all day
    current_app.extensions["fetched"] = time.monotonic()
    try:
        with open_straight(urllib.request.Request(address), timeout=SECONDS) as answer:
            data = bytes(answer.read(MAX_BUNDLE + 1))
    except (urllib.error.URLError, HTTPException, OSError, ValueError):
        return show_page(refused=Refused(t("transfer.unreachable", host=urlsplit(address).netloc), "unreachable")), 502
    if len(data) > MAX_BUNDLE:
        return show_page(refused=Refused(t("problem.413"), "too-large")), 422
    try:
        return show_page(imported=_imported(data))
    except WeidError as error:
        return show_page(refused=Refused(t(refusal_key(error)), error.code)), 422


def _name() -> str:
    """The name of this browser's receiver, in its cookie before the first frame."""
    if "receiving" not in session:
        session["receiving"] = secrets.token_hex(16)
    return cast(str, session["receiving"])


def _taken(data: bytes) -> dict[str, str]:
    try:
        return {"imported": _imported(data)}
    except WeidError as error:
        return {"problem": t(refusal_key(error)), "code": error.code}


def _imported(data: bytes) -> str:
    held = checker()
    made = held.import_bundle(data)
    if made.same:
        return t("trust.imported.same")
    label = in_words(made.names, g.language) or made.origin
    return t("trust.imported", label=label, time=moment(made.log_time, held.settings.zone).text)


def _sender() -> Sender | None:
    store = checker().store()
    return None if store is None or store.home is None else _frames_of(store.home)


@lru_cache(maxsize=2)
def _frames_of(bundle: bytes) -> Sender:
    """The packed bundle cut into frames; the bytes are the same for all who ask, since the packing is."""
    return Sender(pack(bundle))


def _receivings() -> Receivings:
    held = current_app.extensions.get("receivings")
    if held is None:
        held = current_app.extensions.setdefault("receivings", Receivings(checker().now))
    return cast(Receivings, held)
