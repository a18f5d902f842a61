"""The explorer: pages for people over a registry's log and state, read only, without scripts or cookies.

They show what the node knows now. What a stranger relies on is the proof that each page offers to download, together with
the command that checks it against the pinned genesis.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Final
from urllib.parse import quote

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as Answer

from registry.bodies import BODIES
from registry.checkpoint import parse_checkpoint
from registry.genesis import fingerprint
from registry.log import Registry
from registry.node.explorer import view
from registry.node.explorer.index import LogIndex
from registry.node.explorer.words import SELF_NAMES, Speaker, choose, plain_json
from registry.note import parse_note
from registry.operations import json_view, read_entry
from weid.errors import MalformedError, NotRegisteredError, RegistryError, ResolutionError, WeidError

__all__ = ["CSP", "explorer", "install"]

CSP: Final = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ROWS: Final = 50
_CLOSED: Final = 50
_MISSING: Final = (NotRegisteredError, ResolutionError)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")


def install(app: Flask, registry: Registry) -> None:
    """Add the pages to a node; what no other route answers gets a page too, except below the API."""
    app.register_blueprint(explorer(registry))

    @app.errorhandler(404)
    def missing(error: NotFound) -> Any:
        if request.path.startswith(("/v1/", "/1.0/")):
            return error.get_response()
        _choose_language()
        return _headers(_refused(registry, "missing", 404))


def explorer(registry: Registry) -> Blueprint:
    """The pages as one blueprint at `/`."""
    routes = Blueprint(
        "explorer", __name__, template_folder="templates", static_folder="static", static_url_path="/explorer-static"
    )
    index = LogIndex(registry)
    routes.before_request(_choose_language)
    routes.after_request(_headers)
    routes.context_processor(lambda: {**_frame(registry), "reading": _reading(registry, index)})
    _errors(routes, registry)
    _log_pages(routes, registry, index)
    _state_pages(routes, registry, index)
    _people_pages(routes, registry, index)
    return routes


def _choose_language() -> None:
    g.t = Speaker(choose(request.args.get("lang"), [name for name, _ in request.accept_languages]))


def _headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if request.endpoint != "explorer.static":
        response.headers["Cache-Control"] = "no-store"
        if "t" in g:  # who is refused at the door of a private group gets no page, in no language
            response.headers["Content-Language"] = g.t.language
        response.vary.add("Accept-Language")
    return response


def _errors(routes: Blueprint, registry: Registry) -> None:
    @routes.errorhandler(WeidError)
    def known(error: WeidError) -> Response:
        found = not (isinstance(error, _MISSING) or error.code in ("no-entry", "no-such-version"))
        return _refused(registry, "bad" if found else "missing", 400 if found else 404)

    @routes.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return _refused(registry, "missing" if error.code == 404 else "bad", error.code or 400)


def _refused(registry: Registry, word: str, status: int) -> Response:
    return make_response(render_template("explorer/refused.html", word=word, **_frame(registry)), status)


def _proof_size(registry: Registry, index: int) -> int:
    """The size of the checkpoint that a proof leads to: the cosigned one, or the newest while witnesses have not spoken."""
    try:
        note = registry.proof_note(index)
    except RegistryError:
        note = registry.checkpoint()
    return parse_checkpoint(parse_note(note).text).size


def _log_pages(routes: Blueprint, registry: Registry, index: LogIndex) -> None:
    @routes.get("/")
    def overview() -> str:
        note = registry.checkpoint()
        twin = (registry.engine.kept("note", "twin") or b"").decode()  # a mirror may not have been given it yet
        return render_template(
            "explorer/overview.html", note=note.decode(), twin=twin, genesis=registry.genesis, pin=registry.pin.hex(),
            fingerprint=fingerprint(registry.pin), now=registry.state.now, size=registry.size, applied=index.applied(),
            witnesses=view.cosigners(note, registry.state.authority.policy), recent=_page(index, size=8),
            numbers={kind: len(table) for kind, table in registry.state.tables.items()},
        )  # fmt: skip

    @routes.get("/operations")
    def operations() -> str:
        type, subject = request.args.get("type", ""), request.args.get("subject", "").strip()
        before = request.args.get("before")
        page = _page(index, type=type, subject=subject, before=None if before is None else _number(before))
        return render_template("explorer/operations.html", page=page, type=type, subject=subject, counts=_counts(index))

    @routes.get("/operations/<number>")
    def operation(number: str) -> str:
        at = _number(number)
        entry, shown = registry.entry(at), registry.view(at)
        try:
            id = read_entry(entry, hash=registry.genesis.hash).id.hex()
        except MalformedError:
            id = ""
        size = _proof_size(registry, at)
        path = registry.inclusion(at, size)
        return render_template(
            "explorer/operation.html", row=index.row(at), id=id, leaf=shown["leaf"], json=plain_json(shown["operation"]),
            path=[node.hex() for node in path], size=size, bytes=len(entry), last=registry.size - 1,
        )  # fmt: skip

    @routes.get("/find")
    def find() -> Answer:
        wanted = request.args.get("q", "").strip()
        return redirect(_found(registry, index, wanted), 303)


def _counts(index: LogIndex) -> dict[str, int | None]:
    """The types there are, with how many entries each has once all of them are counted."""
    return {**index.counts()} if index.whole else dict.fromkeys(sorted(BODIES))


def _page(index: LogIndex, *, type: str = "", subject: str = "", before: int | None = None, size: int = _ROWS) -> Any:
    return index.page(type=type, subject=subject, before=before, size=size)


def _found(registry: Registry, index: LogIndex, wanted: str) -> str:
    """The page of a number, a DID or a digest; the list of what names it otherwise."""
    tables, bare = registry.state.tables, wanted.partition("#")[0]
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 16 and int(wanted) < registry.size:
        return _link("operation", number=wanted)
    if bare in tables["issuer"]:
        return _link("issuer", did=bare)
    if bare in tables["did"]:
        return _link("did", did=bare)
    if wanted.lower() in tables["schema"]:
        return _link("schema", digest=wanted.lower())
    first = registry.state.seen.get(bytes.fromhex(wanted)) if _DIGEST.match(wanted) else None
    return _link("operations", subject=wanted, type="all") if first is None else _link("operation", number=first)


def _state_pages(routes: Blueprint, registry: Registry, index: LogIndex) -> None:
    state = registry.state

    @routes.get("/governance")
    def governance() -> str:
        opened, closed = view.ballots(state)
        return render_template(
            "explorer/governance.html", members=sorted(state.tables["member"].values(), key=lambda item: item.name),
            rules=[state.tables["rule"][name] for name in sorted(state.tables["rule"])], opened=opened,
            closed=closed[:_CLOSED], more=len(closed) - _CLOSED, now=state.now, proposed=_proposed,
            floors=registry.genesis.floors, delegations=list(state.tables["delegation"].values()),
            roles=list(state.tables["role"].values()),
        )  # fmt: skip

    @routes.get("/recognitions")
    def recognitions() -> str:
        return render_template(
            "explorer/recognitions.html", records=list(state.tables["recognition"].values()), now=state.now,
            fingerprint=fingerprint,
        )  # fmt: skip

    @routes.get("/schemas")
    def schemas() -> str:
        records = sorted(state.tables["schema"].values(), key=lambda item: -item.published)
        return render_template("explorer/schemas.html", records=records)

    @routes.get("/schemas/<digest>")
    def schema(digest: str) -> str:
        record = state.tables["schema"].get(digest)
        if record is None:
            raise RegistryError(f"there is no schema {digest}", code="no-entry")
        rights = [right for right in list(state.tables["accreditation"].values()) if right.schema == record.digest]
        return render_template(
            "explorer/schema.html", record=record, json=plain_json(view.document_of(record)), rights=rights, now=state.now
        )


def _people_pages(routes: Blueprint, registry: Registry, index: LogIndex) -> None:
    state = registry.state

    @routes.get("/dids/<did>")
    def did(did: str) -> str:
        version = request.args.get("version")
        found = view.did_page(state, did, None if version is None else _number(version))
        return render_template(
            "explorer/did.html", **{**found, "document": plain_json(found["document"])}, now=state.now, did=did,
            history=_page(index, type="all", subject=did, size=20),
        )  # fmt: skip

    @routes.get("/issuers")
    def issuers() -> str:
        records = sorted(state.tables["issuer"].values(), key=lambda item: g.t.name(item.names))
        return render_template("explorer/issuers.html", records=records)

    @routes.get("/issuers/<did>")
    def issuer(did: str) -> str:
        found = view.issuer_page(state, did)
        return render_template(
            "explorer/issuer.html", **found, now=state.now, did=did, history=_page(index, type="all", subject=did, size=20)
        )


def _frame(registry: Registry) -> dict[str, Any]:
    state = registry.state
    statement = view.signed_state(registry)
    return {
        "t": g.t, "origin": registry.genesis.origin, "self_names": SELF_NAMES, "language_link": _language_link, "link": _link,
        "who": lambda did: view.who(state, did, g.t), "schema_name": lambda digest: _schema_name(state, digest),
        "givers": lambda by, schema: view.givers(state, by, schema, g.t), "state_of": view.state_of_period,
        "signed": statement, "node": request.host_url.rstrip("/"), "api": _api, "proof_path": _proof_path, "quoted": shlex.quote,
        "knows_did": lambda did: did in state.tables["did"], "view_json": lambda value: plain_json(json_view(value)),
    }  # fmt: skip


def _reading(registry: Registry, index: LogIndex) -> tuple[int, int] | None:
    """How many of how many entries the index has read, while a long log is being read."""
    return None if index.whole else (index.done, len(registry.results))


def _schema_name(state: Any, digest: bytes) -> str:
    return view.schema_name(state.tables["schema"].get(digest.hex()), g.t)


def _proposed(record: Any) -> str:
    return plain_json(view.proposed(record))


def _api(path: str) -> str:
    """A path below /v1 of the node that shows this page: a group's own, where it is mounted, never the one beside it."""
    return f"{quote(request.script_root)}/v1/{path}"


def _proof_path(kind: str, key: str) -> str:
    return _api(f"records/{quote(kind)}/{quote(key, safe='/:')}")


def _link(endpoint: str, **values: Any) -> str:
    """A page of the explorer; a language asked for stays asked for."""
    asked = request.args.get("lang")
    kept: dict[str, Any] = {"lang": asked} if asked in SELF_NAMES else {}
    return url_for(f"explorer.{endpoint}", **values, **kept)


def _language_link(code: str) -> str:
    """This page in another language."""
    endpoint = request.endpoint or ""
    if not endpoint.startswith("explorer.") or endpoint == "explorer.find":
        return url_for("explorer.overview", lang=code)
    # what a stranger's link carries are no arguments of `url_for`: `_scheme` there would write the link's scheme
    kept: dict[str, Any] = {name: text for name, text in request.args.items() if name in ("type", "subject", "before", "version")}
    return url_for(endpoint, **(request.view_args or {}), **kept, lang=code)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise RegistryError(f"{text} is no number of an entry", code="no-entry")
    return int(text)
