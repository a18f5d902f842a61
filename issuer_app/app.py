"""The Flask application: one institution's desk, one authority's office, or both."""

from __future__ import annotations

from time import perf_counter

from flask import Flask, Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException, SecurityError

from issuer_app import (
    api,
    calling,
    frame,
    front,
    health,
    openapi,
    people,
    vc_api,
    web_committee,
    web_desk,
    web_office,
    web_reissue,
    web_status,
    web_votes,
)
from issuer_app.access import account, entry, trail_api, trail_pages, two_api, two_pages, watching
from issuer_app.access import administration as rights
from issuer_app.access.kept import Access
from issuer_app.answers import Answers
from issuer_app.config import Config, secret_key
from issuer_app.depending import web as depending_web
from issuer_app.design import rooms as design_web
from issuer_app.importing import pages as import_pages
from issuer_app.importing import routes as import_routes
from issuer_app.lifecycle import joint_pages
from issuer_app.lifecycle import pages as later_pages
from issuer_app.lifecycle import routes as later_routes
from issuer_app.lookups import web_api, web_entries, web_find
from issuer_app.papers import api as papers_api
from issuer_app.papers import holder as papers_holder
from issuer_app.papers import offering
from issuer_app.papers import web as papers_web
from issuer_app.users import Users
from issuer_app.webhooks import pages as hook_pages
from issuer_app.webhooks import routes as hook_routes
from registry.node.answered import Answered, observe
from registry.node.resolver import resolver_blueprint
from registry.node.webmanifest import Installed, manifest_blueprint
from weid.errors import WeidError

__all__ = ["create_app"]

# Whoever asks below these reads problem documents; everybody else reads pages.
_PROGRAMS = ("/api/", "/vc-api/", "/status/", "/1.0/", "/openapi.json", "/healthz", "/readyz", "/metrics")
_CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_LISTS = ("imports.upload", "later.check")  # what takes spreadsheets


def create_app(config: Config) -> Flask:
    """The WSGI application for this configuration; the desk and offices are the caller's to close."""
    app = Flask("issuer_app")
    app.config.update(_settings(config))
    # In memory: the counters of one process, which is how this app is served.
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="moving-window")
    users = Users(config.folder)
    access = Access.open(config.folder, users, random=config.random, hash=config.hash)
    app.extensions["issuer_app"] = frame.Running(config, users, Answers(config.folder), limiter, access)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(watching.begin)
    app.before_request(_slow_forms)  # these two before CSRFProtect, which reads the form
    app.before_request(_allow_upload)
    csrf = CSRFProtect(app)
    answered = Answered("issuer", seconds=perf_counter, clock=config.clock)
    rooms = (
        front.pages, people.pages, web_desk.pages, web_reissue.pages, web_office.pages, web_votes.pages, web_committee.pages,
        web_status.routes, api.routes, openapi.routes, health.blueprint(config, answered), later_pages.pages, joint_pages.pages,
        import_pages.pages, import_routes.routes, papers_web.pages, papers_holder.pages, papers_holder.templates,
        papers_api.routes, later_routes.routes, depending_web.pages, depending_web.routes, offering.routes,
    )  # fmt: skip
    rights_rooms = (entry.pages, account.pages, rights.pages, trail_pages.pages, two_pages.pages, two_api.routes,
                    trail_api.routes, hook_pages.pages, hook_routes.routes)  # fmt: skip
    home_screen = manifest_blueprint(_installed, colour="#1d4f6e")
    for blueprint in (home_screen, *rooms, *rights_rooms, design_web.pages, web_find.pages, web_entries.pages, web_api.routes):
        app.register_blueprint(blueprint)
    app.logger.addFilter(papers_holder.KeptOut())
    if config.vc_api or config.desk is not None:
        programs = vc_api.blueprint(
            config.vc_api, clock=config.clock, random=config.random, allowed=calling.may_sign, public=lambda: config.public,
            slow=lambda: frame.slow_down(config.limits.api, "status", get_remote_address()), desk=config.desk,
        )  # fmt: skip
        app.register_blueprint(programs)
        csrf.exempt(programs)  # like the API: a key in a header, no cookie
    if config.resolver:
        resolving = resolver_blueprint(config.resolver)
        limiter.limit(config.limits.api)(resolving)
        app.register_blueprint(resolving)
        csrf.exempt(resolving)  # a read, whatever its method
    csrf.exempt(import_routes.routes)
    csrf.exempt(papers_api.routes)
    csrf.exempt(web_api.routes)
    csrf.exempt(two_api.routes)
    csrf.exempt(later_routes.routes)
    csrf.exempt(trail_api.routes)
    csrf.exempt(hook_routes.routes)
    csrf.exempt(offering.routes)  # a code or token in the request, no cookie
    csrf.exempt(api.routes)  # it reads no cookie, only the Authorization header, so there is nothing to forge
    app.before_request(frame.prepare)
    app.after_request(frame.keep_language)
    app.after_request(_headers)
    app.after_request(watching.end)
    observe(app, answered)
    app.register_error_handler(WeidError, _refuse)
    app.register_error_handler(CSRFError, _refuse_form)
    app.register_error_handler(HTTPException, _refuse)
    return app


_BRINGS = ("desk.issue", "later.replace_now")  # where a kind depends on another certificate, it is brought along
_DESIGNS = ("design.bring", "design.page_save", "design.template_add", "design.template_change")


def _installed() -> Installed:
    config, t = frame.config(), frame.speaker()
    party = config.desk or config.office or config.audit or config.council
    name = "" if party is None else t.name(party.names)
    return Installed(name or t("app.name"), t.language, url_for("front.front"))


def _slow_forms() -> None:
    """Every form counts, whoever sends it; signing in, issuing and the API have closer limits of their own."""
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        frame.slow_down(frame.config().limits.form, "form", get_remote_address())


def _allow_upload() -> None:
    if request.endpoint in ("office.audit_home", "reissue.check", "committee.act", "joint.check", "joint.sign", *_DESIGNS):
        # The second limit counts what the parser holds while it reads a file, too.
        request.max_content_length = request.max_form_memory_size = frame.config().limits.upload_bytes
    elif request.endpoint in _BRINGS and request.mimetype == "multipart/form-data" and frame.signed_in("clerk"):
        request.max_content_length = request.max_form_memory_size = frame.config().limits.upload_bytes
    elif request.endpoint in _LISTS and frame.signed_in("clerk"):  # a stranger's bytes stay under the small limit
        request.max_content_length = request.max_form_memory_size = frame.config().limits.import_bytes


def _settings(config: Config) -> dict[str, object]:
    return {
        "SECRET_KEY": secret_key(config.folder),
        "SESSION_COOKIE_NAME": "__Host-issuer" if config.secure else "issuer",
        "SESSION_COOKIE_SECURE": config.secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "MAX_CONTENT_LENGTH": config.limits.form_bytes,
        "MAX_FORM_MEMORY_SIZE": config.limits.form_bytes,
        "MAX_FORM_PARTS": 200,
        "TRUSTED_HOSTS": list(config.hosts) or None,
        # Pages send no Referer at all, so the token, bound to a Strict cookie, is the whole check.
        "WTF_CSRF_SSL_STRICT": False,
        "WTF_CSRF_TIME_LIMIT": 36_000,
        "RATELIMIT_HEADERS_ENABLED": False,
    }


def _headers(response: Response) -> Response:
    """No script or style but our own files, no framing, no referrer, no copy of a person's data in a cache."""
    response.headers["Content-Security-Policy"] = _CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if request.endpoint != "static" and not _public(response):
        response.headers["Cache-Control"] = "no-store"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _public(response: Response) -> bool:
    """A status list says itself how long it may be kept; a refusal may not."""
    return frame.for_strangers() and response.status_code in (200, 304)


def _refuse(error: WeidError | HTTPException) -> ResponseReturnValue:
    # A Host header that is not ours has no page of ours: no addresses can be built for it.
    if isinstance(error, SecurityError) or (isinstance(error, HTTPException) and (error.code or 500) < 400):
        return error.get_response()
    if request.path.startswith(_PROGRAMS):
        return calling.refusal(error)
    return frame.refusal_page(error)


def _refuse_form(error: CSRFError) -> ResponseReturnValue:
    return frame.refusal_page(WeidError(str(error.description), code="form-expired"))
