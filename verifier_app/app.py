"""The WSGI application: one verifier's pages and its JSON API."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, Response, g, request, url_for
from werkzeug.exceptions import HTTPException

from registry.node.answered import Answered, observe
from registry.node.resolver import resolver_blueprint
from registry.node.webmanifest import Installed, manifest_blueprint
from verifier_app import api, challenge_pages, check_pages, health, languages, openapi, trust_pages, typed_pages, vc_api
from verifier_app.batch import pages as batch_pages
from verifier_app.checker import Checker
from verifier_app.frame import checker as the_checker
from verifier_app.frame import problem_page, strip, t
from verifier_app.gate import pages as gate_pages
from verifier_app.moments import moment
from verifier_app.security import protect
from verifier_app.settings import read_settings
from verifier_app.transfer import pages as transfer_pages
from verifier_app.waiting import pages as waiting_pages
from weid.resolver import Resolver

__all__ = ["create_app"]

MAX_UPLOAD: Final = 12 << 20  # a phone's photo; bundles have their own limit
SIZES: Final = {
    "check.scan": 3 << 20, "check.opened": 1 << 14, "trust.bundle": 64 << 20, "trust.reference": 2 << 20,
    "gate.scan": 12 << 20, "gate.text": 1 << 16, "transfer.frames": 3 << 20,
    "batch.add": batch_pages.MAX_BODY, "batch.files": batch_pages.MAX_BODY,
}  # fmt: skip
YEAR: Final = 365 * 86_400


def create_app(config: Mapping[str, Any]) -> Flask:
    """The application for a configuration (`verifier_app.settings`); MalformedError for a wrong one.

    Web keys: SECRET_KEY (random by default), HOSTS (names this service answers to), TLS (cookies over HTTPS only),
    RATELIMIT_ENABLED, MAX_CONTENT_LENGTH, VC_API (the W3C VC-API below /vc-api),
    RESOLVER (DID Resolution below /1.0/identifiers, from what is here), METRICS_TOKEN (opens
    /metrics from elsewhere). KIOSK serves the self-service pages alone.
    """
    app = Flask(__name__)
    tls = bool(config.get("TLS"))
    app.config.update(
        SECRET_KEY=config.get("SECRET_KEY") or secrets.token_bytes(32),
        MAX_CONTENT_LENGTH=config.get("MAX_CONTENT_LENGTH", MAX_UPLOAD),
        MAX_FORM_MEMORY_SIZE=1 << 20,
        SESSION_COOKIE_NAME="__Host-verifier" if tls else "verifier",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=tls,
        TRUSTED_HOSTS=list(config.get("HOSTS") or ("localhost", "127.0.0.1", "[::1]")),
        WTF_CSRF_TIME_LIMIT=None,  # a page stays open at a gate all day
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, which we forbid; `security` compares Origin instead
        RATELIMIT_ENABLED=config.get("RATELIMIT_ENABLED", True),
        TESTING=bool(config.get("TESTING")),
    )
    checker = Checker(read_settings(config))
    answered = Answered("verifier", seconds=perf_counter, clock=checker.settings.clock)
    app.extensions["checker"] = checker
    app.before_request(_choose_language)
    app.before_request(_size)
    app.before_request(gate_pages.kiosk_only)
    rooms = [
        check_pages.room, challenge_pages.room, typed_pages.room, trust_pages.room, api.room, batch_pages.room,
        gate_pages.room, gate_pages.kiosk, waiting_pages.room, transfer_pages.room, openapi.room,
        health.blueprint(checker, answered, config.get("METRICS_TOKEN")), manifest_blueprint(_installed, colour="#14304f"),
    ]  # fmt: skip
    if config.get("VC_API"):
        asked = vc_api.VerifierApi(checker.facts, checker.settings.clock, checker.memory, checker.policy)
        rooms.append(vc_api.blueprint(asked))
    if config.get("RESOLVER"):
        rooms.append(resolver_blueprint(Resolver(checker.facts, documents=checker.document)))
    protect(app, rooms)
    observe(app, answered)
    app.after_request(_keep_language)
    app.register_error_handler(HTTPException, problem_page)
    app.context_processor(_frame)
    return app


def _installed() -> Installed:
    return Installed(t("app.name"), g.language, url_for("check.page"))


def _size() -> None:
    """Limits by page, before anything (the form token too) reads the body."""
    limit = SIZES.get(request.endpoint or "")
    if limit is not None:
        request.max_content_length = limit


def _choose_language() -> None:
    accepted = tuple(name for name, _ in request.accept_languages)
    g.language = languages.choose(request.args.get("lang"), request.cookies.get("lang"), accepted)


def _keep_language(response: Response) -> Response:
    asked = request.args.get("lang")
    if asked in languages.LANGUAGES:
        response.set_cookie("lang", asked, max_age=YEAR, samesite="Lax", secure=request.is_secure, httponly=True)
    response.headers["Content-Language"] = g.get("language", "en")
    response.vary.add("Accept-Language")
    return response


def _language_link(code: str) -> str:
    """The page one is on in another language; a page that answers a form leads back to the form."""
    if request.method == "GET" and request.endpoint and request.url_rule:
        # Arguments of a stranger's link are no arguments of `url_for`: `_scheme` there would write the link's scheme.
        path = url_for(request.endpoint, **(request.view_args or {}))
        return f"{path}?{urlencode({**request.args.to_dict(), 'lang': code})}"
    room = {"transfer": "trust"}.get(str(request.blueprint), request.blueprint)
    room = room if room in ("typed", "trust", "batch", "waiting", "gate") else "check"
    return url_for(f"{room}.page", lang=code)


def _frame() -> dict[str, Any]:
    return {
        "t": t,
        "language": g.get("language", "en"),
        "self_names": languages.SELF_NAMES,
        "language_link": _language_link,
        "trust": strip(),
        "trust_mark": _trust_mark,
        "pin_command": "weid trust add GENESIS",
        "moment": moment,
        "chosen": "",
        "keeps": the_checker().settings.keep_undecided if the_checker().shelf is not None else 0,
        "waits": the_checker().shelf is not None and request.remote_addr in ("127.0.0.1", "::1"),
    }


def _trust_mark(state: str) -> str:
    """A mark whose outline differs by state: disc, triangle, cross."""
    from markupsafe import Markup

    drawing = {
        "fresh": '<circle cx="8" cy="8" r="6" fill="#0b6b3a"/>',
        "warn": '<path d="M8 1 15 14H1z" fill="#8a5a00"/>',
        "stale": '<path d="M2 2 14 14M14 2 2 14" stroke="#a8141c" stroke-width="3" fill="none"/>',
        "none": '<path d="M2 2 14 14M14 2 2 14" stroke="#a8141c" stroke-width="3" fill="none"/>',
    }[state]
    return Markup(f'<svg class="dotmark" viewBox="0 0 16 16" aria-hidden="true">{drawing}</svg>')
