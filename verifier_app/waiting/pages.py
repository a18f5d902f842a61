"""What waits for newer trust data, and what changed when they came."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from credentials.report import Report
from verifier_app.frame import checker, problem_words
from verifier_app.languages import in_words
from verifier_app.moments import Moment, moment
from verifier_app.papers.visible import names_of
from verifier_app.view import Look, look_of
from verifier_app.waiting.shelf import Waiting
from weid.errors import WeidError

__all__ = ["room"]

room = Blueprint("waiting", __name__, url_prefix="/waiting")


@dataclass(frozen=True, slots=True)
class Line:
    """One certificate that waits or that changed."""

    id: str
    before: Look
    now: Look
    changed: bool
    names: str
    kind: str
    kept: Moment
    until: Moment


@room.before_request
def _from_here() -> None:
    """Only this machine itself: the list names people, and a service for phones is open to its whole network."""
    if request.remote_addr not in ("127.0.0.1", "::1"):
        abort(403)


@room.get("")
def page() -> str:
    """The list, judged by what is known now; those that changed first."""
    held = checker()
    try:
        lines = tuple(_line(waiting, report) for waiting, report in held.check_waiting())
    except WeidError as error:
        return render_template("waiting/page.html", lines=(), on=True, hours=0, problem=problem_words(error))
    hours = held.settings.keep_undecided
    ordered = sorted(lines, key=lambda line: not line.changed)
    return render_template("waiting/page.html", lines=ordered, on=held.shelf is not None, hours=hours, problem="")


@room.post("/drop")
def drop() -> Redirect:
    """Erases one, or all."""
    shelf, name = checker().shelf, request.form.get("id")
    if shelf is not None:
        shelf.drop(name or None)
    return redirect(url_for("waiting.page"))


def _line(waiting: Waiting, report: Report) -> Line:
    said = report.presented if report.authentic is not None else None
    zone, language = checker().settings.zone, g.language
    return Line(
        waiting.id, look_of(waiting.before, language), look_of(waiting.now, language), waiting.changed,
        "" if said is None else " · ".join(names_of(said).values),
        "" if said is None else in_words(said.title, language) or said.type,
        moment(waiting.kept, zone), moment(waiting.until, zone),
    )  # fmt: skip
