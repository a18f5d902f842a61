"""The one page of an officer: camera, file, paste, and the answer; and the page a scanned code opens itself."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, jsonify, render_template, request, url_for

from credentials.report import Report
from verifier_app import inputs
from verifier_app.frame import checker, problem_words, shown_of, t
from verifier_app.inputs import Handed
from verifier_app.languages import in_words
from verifier_app.memory import Question
from verifier_app.offers import Offer
from verifier_app.papers.intake import contents_of, seen_beside
from verifier_app.view import Shown
from weid.errors import WeidError

__all__ = ["Choice", "judged", "room"]

room = Blueprint("check", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing the check can be for."""

    id: str
    name: str
    mode_text: str


@room.get("/")
def page() -> str:
    """Camera, file, paste; or the start of a question, where the request asks for a fresh answer."""
    return _page(_offer(request.args), None)


@room.post("/verify")
def verify() -> str:
    """A file or a pasted text."""
    offer, question = _offer(request.form), _question(request.form)
    upload = request.files.get("file")
    if upload is not None:
        return _page(offer, judged(_read(upload.read()), offer, question))
    text = request.form.get("text", "").encode("utf-8", "surrogatepass")
    return _page(offer, judged(inputs.from_bytes(text), offer, question))


@room.post("/scan")
def scan() -> Response:
    """One camera frame. Nothing found is an answer too; a question is not used up by it."""
    if request.mimetype not in ("image/jpeg", "image/png"):
        abort(415)
    handed, foreign = inputs.from_frame(request.get_data())
    if not handed.items:
        return jsonify(found=False, foreign=foreign)
    offer, question = _offer(request.args), _question(request.args)
    return _fragment(judged(handed, offer, question), offer)


@room.post("/opened")
def opened() -> Response:
    """The digits of the code that opened this page (R16): read, never green, nothing used up."""
    body = request.get_json(silent=True)
    digits = body.get("digits") if isinstance(body, dict) else None
    if not isinstance(digits, str):
        abort(400)
    return _fragment(judged(Handed((digits.encode("utf-8", "replace"),)), None, None, opened=True), None)


def _read(data: bytes) -> Handed:
    """The credentials in a file: every code of every page of a PDF, the files inside it, every code of a picture."""
    if not data.strip():
        return Handed((), problem="empty")
    contents = contents_of(data, checker().readers)
    first = contents.found[: inputs.MAX_CODES]
    return Handed(
        tuple(found.item for found in first), contents.more or len(contents.found) > len(first), contents.problem or None,
        tuple(found.pages for found in first),
    )  # fmt: skip


def judged(handed: Handed, offer: Offer | None, question: Question | None, *, opened: bool = False) -> Shown:
    """Each item judged, or why none could be. A question serves once and only while it is open (R14)."""
    if handed.problem is not None:
        return Shown(problem=t(f"problem.{handed.problem}"))
    held = checker()
    if question is not None:
        state = question.state(held.now())
        if state != "open":
            return Shown(problem=t(f"challenge.state.{state}"))
    reports: list[Report] = []
    try:
        for item in handed.items:
            report = held.judge(item, offer, question, opened=opened)
            if question is not None and not held.answered(report, question):
                return Shown(problem=t("challenge.state.used"))
            reports.append(report)
            if not opened:
                held.keep_undecided(item, report, "" if offer is None else offer.id)
    except WeidError as error:
        return Shown(problem=problem_words(error))
    purpose = "" if offer is None else in_words(offer.request.titles, g.language)
    pages = handed.pages or (None,) * len(reports)
    beside = [seen_beside(around, report) for around, report in zip(pages, reports, strict=True)]
    return shown_of(reports, more=handed.more, purpose=purpose, opened=opened, beside=beside)


def _offer(values: object) -> Offer | None:
    """The request that was chosen: named, or the operator's, or the first there is; `none` is none.

    A name that no pack has is refused: taken for `none`, a mistyped link would check without any demand.
    """
    held = checker()
    asked = values.get("request") if hasattr(values, "get") else None
    if asked == "none":
        return None
    if asked and asked not in held.offers:
        abort(400)
    return held.offers.get(asked or held.settings.request or next(iter(held.offers), ""))


def _question(values: object) -> Question | None:
    """The question that is being answered; one that this machine did not ask is never taken for no question."""
    handle = values.get("question") if hasattr(values, "get") else None
    return (checker().memory.question(handle) or abort(409)) if handle else None


def _choices() -> tuple[Choice, ...]:
    offers = checker().offers
    found = [
        Choice(offer.id, in_words(offer.request.titles, g.language), t(f"check.mode.{offer.request.mode}"))
        for offer in offers.values()
    ]
    return (*found, Choice("none", t("check.request.none"), "")) if found else ()


def _page(offer: Offer | None, shown: Shown | None) -> str:
    asks = offer is not None and offer.request.mode == "challenge"
    chosen = "none" if offer is None else offer.id
    following = url_for("check.page", request=chosen)
    return render_template("check.html", requests=_choices(), chosen=chosen, asks=asks, shown=shown, next=following)


def _fragment(shown: Shown, offer: Offer | None) -> Response:
    following = url_for("check.page", request="none" if offer is None else offer.id)
    return jsonify(found=True, html=render_template("fragment.html", shown=shown, next=following))
