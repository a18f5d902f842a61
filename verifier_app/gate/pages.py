"""Gate mode and kiosk: frames and texts in, one large answer out; the same code is judged once while it is in sight."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from flask import Blueprint, Response, abort, current_app, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from credentials.report import Report
from verifier_app import inputs
from verifier_app.frame import checker, problem_words, strip, t
from verifier_app.languages import LANGUAGES, SELF_NAMES, in_words, texts
from verifier_app.offers import Offer
from verifier_app.papers.visible import names_of
from verifier_app.view import GREEN, Look, look_of
from weid.errors import WeidError

__all__ = ["Answer", "kiosk", "kiosk_only", "room"]

room = Blueprint("gate", __name__, url_prefix="/gate")
kiosk = Blueprint("kiosk", __name__, url_prefix="/kiosk")
MAX_RECENT: Final = 32
MAX_TEXT: Final = 1 << 16
_PICTURES: Final = ("image/jpeg", "image/png", "image/webp")
_RECENT: Final = re.compile(r"[0-9a-f]{16}")
_OPEN: Final = ("amber", "grey", "blue")
_KIOSK: Final = frozenset({"kiosk.page", "kiosk.scan", "gate.scan", "gate.text", "gate.state", "static",
                                    "health.healthy", "health.is_ready"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands on the whole screen for a moment."""

    look: Look
    tone: str  # good, bad or ask: what is heard and felt
    names: tuple[str, ...]
    kind: str
    issuer: str
    specimen: bool


@room.get("")
def page() -> str:
    """The gate's page."""
    offers = {
        offer.id: in_words(offer.request.titles, g.language)
        for offer in checker().offers.values() if offer.request.mode != "challenge"
    }  # fmt: skip
    offer = _offer(request.args.get("request") or _first())
    chosen = "none" if offer is None else offer.id
    return render_template("gate/page.html", offers=offers, chosen=chosen, gate=checker().settings.gate, now=_now())


@kiosk.get("", endpoint="page")
def start() -> str:
    """The language first."""
    return render_template("kiosk/start.html", names=SELF_NAMES, words={code: texts(code) for code in LANGUAGES})


@kiosk.get("/scan", endpoint="scan")
def serve_oneself() -> str:
    """The camera, and nothing to press but back."""
    return render_template("kiosk/scan.html", chosen=_first(), now=_now())


@room.post("/scan")
def scan() -> Response:
    """One camera frame, or a picture that was chosen."""
    if request.mimetype not in _PICTURES:
        abort(415)
    handed, foreign = inputs.from_frame(request.get_data())
    if not handed.items:
        return jsonify(found=False, foreign=foreign)
    return _answer(handed.items)


@room.post("/text")
def text() -> Response:
    """A code that the browser read itself, a hand scanner typed, or a person pasted."""
    if request.mimetype != "text/plain":
        abort(415)
    data = request.get_data().strip()
    if not data or len(data) > MAX_TEXT:
        abort(400)
    return _answer((data,))


@room.get("/state")
def state() -> Response:
    """The clock and the age of the trust data, for a page that stays open all day."""
    held = strip()
    age = held.age_text if held.pinned else t("trust.none.title")
    return jsonify(now=_now(), state=held.state, age=age, words="" if not held.pinned else t(f"trust.state.{held.state}"))


def kiosk_only() -> Redirect | None:
    """A kiosk serves its own pages and nothing else: no trust data, no lists, no files."""
    if not checker().settings.kiosk or request.endpoint in _KIOSK:
        return None
    if request.method == "GET" and request.path == "/":
        return redirect(url_for("kiosk.page"))
    abort(404)


def _answer(items: tuple[bytes, ...]) -> Response:
    """The first code that was not in sight a moment ago; one that was is neither judged nor counted again."""
    recent = set(_RECENT.findall(request.headers.get("X-Recent", ""))[:MAX_RECENT])
    marks = [_mark(item) for item in items]
    fresh = [(mark, item) for mark, item in zip(marks, items, strict=True) if mark not in recent]
    if not fresh:
        return jsonify(found=True, same=True, ids=marks)
    mark, item = fresh[0]
    held, offer = checker(), _offer(request.headers.get("X-Request"))
    try:
        report = held.judge(item, offer)
    except WeidError as error:
        return jsonify(found=False, problem=problem_words(error))
    held.keep_undecided(item, report, "" if offer is None else offer.id)
    answer = _answer_of(report)
    html = render_template("gate/answer.html", answer=answer)
    return jsonify(found=True, same=False, ids=[mark], verdict=answer.look.name, word=answer.look.word, tone=answer.tone,
                   colour=answer.look.colour, html=html)  # fmt: skip


def _answer_of(report: Report) -> Answer:
    look, language = look_of(report.verdict, g.language), g.language
    said = report.presented if report.authentic is not None else None
    tone = "good" if look.name in GREEN else "ask" if look.colour in _OPEN else "bad"
    specimen = report.presented is not None and report.presented.specimen
    if said is None:
        return Answer(look, tone, (), "", "", specimen)
    issuer = in_words(said.issuer_names, language) or t("values.unnamed")
    return Answer(look, tone, names_of(said).values, in_words(said.title, language) or said.type, issuer, specimen)


def _mark(item: bytes) -> str:
    """A name for a code that means nothing outside this process."""
    salt = cast(bytes, current_app.extensions.setdefault("gate-salt", secrets.token_bytes(16)))
    return hashlib.sha256(salt + item).hexdigest()[:16]


def _offer(asked: str | None) -> Offer | None:
    if not asked or asked == "none":
        return None
    offer: Any = checker().offers.get(asked)
    if offer is None or offer.request.mode == "challenge":  # a gate asks nobody a question
        abort(400)
    return cast(Offer, offer)


def _first() -> str:
    """The request chosen at first: the operator's, or the first that a gate can ask, or none."""
    held = checker()
    fits = [offer.id for offer in held.offers.values() if offer.request.mode != "challenge"]
    wanted = held.settings.request
    return wanted if wanted in fits else next(iter(fits), "none") if wanted is None else "none"


def _now() -> int:
    """The wall clock of this verifier's zone in milliseconds, as if it were UTC: the page shows it whatever its own zone is."""
    zone = checker().settings.clock().astimezone(checker().settings.zone)
    return int((zone.timestamp() + (zone.utcoffset() or timedelta()).total_seconds()) * 1000)
