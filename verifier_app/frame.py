"""What every page needs: its words, the checker, the trust strip, and how a problem is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from flask import Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from credentials.report import Report
from registry.bundle import AHEAD
from verifier_app.checker import AGES, Checker
from verifier_app.languages import text, texts
from verifier_app.moments import old
from verifier_app.papers.visible import Seen
from verifier_app.papers.words import view_beside
from verifier_app.view import Shown, view_of
from weid.errors import TrustError, WeidError

__all__ = ["Strip", "checker", "problem_page", "problem_words", "shown_of", "state_of", "strip", "t"]


_FOR_SCRIPTS: Final = ("/scan", "/opened", "/gate/scan", "/gate/text", "/gate/state", "/batch/add", "/transfer/frames")

# Whoever asks below these reads problem documents (RFC 9457); everybody else reads pages.
PROGRAMS = ("/api/", "/vc-api/", "/1.0/", "/openapi.json", "/healthz", "/readyz", "/metrics")
_KEPT_HEADERS = ("Allow", "Retry-After")


@dataclass(frozen=True, slots=True)
class Strip:
    """The line under the heading: which registry, how old; fresh, warn, stale or none."""

    pinned: bool
    name: str
    age_text: str
    state: str


def checker() -> Checker:
    """The verifier this application serves."""
    return cast(Checker, current_app.extensions["checker"])


def t(key: str, **values: object) -> str:
    """A text in the language of this request."""
    return text(g.language, key, **values)


def state_of(age: int, ages: tuple[int, int] = AGES) -> str:
    """fresh, warn or stale for an age in minutes; an age below zero means this clock is behind."""
    warn, reject = ages
    if age < -AHEAD:
        return "stale"  # this clock is behind: nothing can be judged by it
    return "fresh" if age < warn else "warn" if age < reject else "stale"


def strip() -> Strip:
    """How old the home registry's data are."""
    held = checker()
    store = held.store()
    if store is None:
        return Strip(False, "", "", "none")
    mark = store.mark(store.root.digest)
    if mark is None:
        return Strip(True, store.root.origin, t("trust.bundle.none"), "stale")
    if store.conflict is not None:
        return Strip(True, store.root.origin, t("trust.conflict"), "stale")
    age = held.now() - mark.log_time
    return Strip(True, store.root.origin, old(age, g.language), state_of(age, held.ages))


def shown_of(
    reports: Sequence[Report], *, more: bool = False, purpose: str = "", opened: bool = False,
    beside: Sequence[Seen | None] = (),
) -> Shown:  # fmt: skip
    """Reports as the page shows them; `beside` is for each what its paper says."""
    held = checker()
    zone, names = held.settings.zone, held.registries(g.language)
    views = tuple(view_of(report, g.language, zone, opened=opened, registries=names) for report in reports)
    if beside:
        views = tuple(view_beside(view, seen, g.language) for view, seen in zip(views, beside, strict=True))
    return Shown(views, more, purpose=purpose)


def problem_words(error: WeidError) -> str:
    """Why nothing could be judged at all: our own trust data cannot be used."""
    if isinstance(error, TrustError) and error.code == "future-bundle":
        return t("problem.clock")
    return t("problem.trust")


def problem_page(error: HTTPException) -> Response:
    """Every refusal in words; RFC 9457 for the API, JSON for the camera."""
    if isinstance(error, SecurityError):  # a host name that is not ours: no page of ours for it
        return make_response(error.name, 400, {"Content-Type": "text/plain; charset=utf-8"})
    code = error.code or 500
    key = "problem.csrf" if isinstance(error, CSRFError) else f"problem.{code}"
    known = texts(g.get("language", "en"))
    sentence = known.get(key, known["problem.400" if code < 500 else "problem.500"])
    if request.path.startswith(PROGRAMS):
        body = jsonify(type="about:blank", title=error.name, status=code, detail=texts("en").get(key, error.name))
        body.mimetype = "application/problem+json"
        response = body
    elif request.path in _FOR_SCRIPTS:
        response = jsonify(found=False, problem=sentence)
    else:
        if "language" not in g:
            g.language = "en"
        response = make_response(render_template("problem.html", sentence=sentence))
    response.status_code = code
    told = dict(error.get_headers())
    for name in _KEPT_HEADERS:
        if name in told:
            response.headers[name] = told[name]
    if code == 429:
        response.headers.setdefault("Retry-After", "60")
    return response
