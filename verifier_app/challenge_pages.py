"""Asking for a fresh answer: a one-time question as a large code, and the scan of what the holder shows (R14)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from credentials import carrier, picture
from credentials.presentation import read_challenge
from verifier_app.frame import checker, problem_words, t
from verifier_app.languages import in_words
from verifier_app.memory import Question
from verifier_app.moments import Moment, moment
from verifier_app.offers import Offer
from weid.errors import WeidError

__all__ = ["room"]

room = Blueprint("challenge", __name__, url_prefix="/challenge")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in words: what for, which kind and entries, until when, and its text."""

    purpose: str
    kind: str
    names: tuple[str, ...]
    until: Moment
    text: str


@room.post("")
def ask() -> Redirect | tuple[str, int]:
    """Makes a new question and shows it."""
    held = checker()
    offer = held.offers.get(request.form.get("request", ""))
    if offer is None:
        abort(400)
    try:
        question = held.ask(offer, g.language)
    except WeidError as error:
        return render_template("problem.html", sentence=problem_words(error)), 409
    if question is None:
        return render_template("problem.html", sentence=t("challenge.no-schema")), 409
    return redirect(url_for("challenge.page", handle=question.handle), code=303)


@room.get("/<handle>")
def page(handle: str) -> str | tuple[str, int] | Response:
    """The question as a code, and the camera for its answer; what became of it once it is closed."""
    held = checker()
    question = held.memory.question(handle)
    offer = None if question is None else held.offers.get(question.request)
    if question is None or offer is None:
        first = next(iter(held.offers), "")
        return render_template("challenge.html", open=False, state="unknown", chosen=first), 404
    state = question.state(held.now())
    if state != "open":
        return render_template("challenge.html", open=False, state=state, chosen=offer.id), 410
    return render_template(
        "challenge.html", open=True, handle=handle, chosen=offer.id, picture=_picture(question.asked),
        asked=_asked(question, offer), shown=None,
    )  # fmt: skip


def _asked(question: Question, offer: Offer) -> Asked:
    held = checker()
    challenge = read_challenge(question.asked)
    schema = offer.schema(held.facts())
    names: tuple[str, ...] = ()
    if schema is not None:
        wanted = (claim for place, claim in enumerate(schema.claims) if challenge.mask >> place & 1)
        names = tuple(in_words(claim.label, g.language) for claim in wanted)
    return Asked(
        in_words(offer.request.titles, g.language),
        "" if schema is None else in_words(schema.title, g.language),
        names,
        moment(question.expires, held.settings.zone),
        carrier.to_text(question.asked, held.settings.host),
    )


def _picture(asked: bytes) -> str:
    drawn = picture.draw(asked, host=checker().settings.host, level="L")
    return "data:image/png;base64," + base64.b64encode(picture.png(drawn, scale=8)).decode("ascii")
