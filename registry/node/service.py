"""A registry as an HTTP service: takes signed operations, answers reads. Bad input is 4xx, never 5xx.

It holds no accounts: an operation is its own credential, and GET /v1/health says whose registry this is. Entries
that nobody answerable stands behind (unknown signer, bad signature, another registry) are refused before the
log, so strangers cannot fill it; what is well signed but not allowed becomes a leaf and comes back with its code.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException

from registry.checkpoint import parse_checkpoint
from registry.engines import MAX_ENTRY
from registry.genesis import fingerprint, print_genesis
from registry.log import Registry
from registry.mirror.static import resource
from registry.node.explorer import install
from registry.node.resolver import resolver_blueprint
from registry.node.watch import Watch, watch_blueprint
from registry.note import parse_note
from registry.packed import pack
from registry.proof_file import print_proof_file
from registry.registers import unpack_leaves
from registry.twin import parse_twin
from weid import cbor
from weid.codec import b64, parse_rfc3339, rfc3339, unhex
from weid.codec import minutes as whole_minutes
from weid.document import resolve
from weid.errors import DeactivatedError, MalformedError, NotRegisteredError, WeidError
from weid.records import encode_record
from weid.resolver import Resolver

__all__ = ["blueprint", "create_node"]

MAX_REGISTER = 20 << 20  # a million issuances
MAX_CLOSED = 50  # decisions shown to people; the log holds them all
_KEPT = 7  # bundles beside the one just made
_STATUS: dict[str, int] = {
    "no-entry": 404, "no-state": 404, "no-checkpoint": 404, "not-registered": 404, "no-such-version": 404,
    "deactivated": 410, "other-writer": 409, "engine": 503, "no-keys": 503,
    "pending": 503, "unreachable": 503, "bad-answer": 503, "engine-behind": 503, "gap": 503, "engine-contradiction": 503,
    "no-tile": 404, "no-twin": 404, "not-witnessed": 503,
}  # fmt: skip


def create_node(
    registry: Registry, *, clock: Callable[[], int] | None = None, rate: str = "600 per minute", read_only: bool = False,
    explorer: bool = False, watch: Watch | None = None, watched: bool = True,
) -> Flask:  # fmt: skip
    """An app that serves one registry. With `clock` (minutes) log time is brought up to it before operations; with
    `explorer` it shows pages to people at `/`; `watch` measures and notes writes, and if `watched` answers /metrics.

    `read_only` serves a mirror: reads and proofs alone.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REGISTER
    app.json.sort_keys = False  # type: ignore[attr-defined]

    @app.before_request
    def fresh() -> None:
        # Commands of the operator write beside a running node. What cannot be taken in is told by /readyz and by writes.
        with suppress(WeidError):
            registry.catch_up()

    routes = blueprint(registry, clock=clock, read_only=read_only, watch=watch)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    limiter.limit(rate, methods=["POST"])(routes)
    app.register_blueprint(routes)
    dear = f"{routes.name}.bundle"
    limited: Any = limiter.limit(rate)(app.view_functions[dear])
    app.view_functions[dear] = limited
    app.register_blueprint(resolver_blueprint(Resolver(registry.facts)))
    if watch is not None and watched:
        app.register_blueprint(watch_blueprint(watch))
    if explorer:
        install(app, registry)
    return app


def blueprint(
    registry: Registry, *, clock: Callable[[], int] | None = None, read_only: bool = False, watch: Watch | None = None
) -> Blueprint:
    """The routes alone, for an app of one's own: it should cap request sizes and rates as `create_node` does."""
    routes = Blueprint("registry", __name__, url_prefix="/v1")
    _errors(routes)
    if not read_only:
        _writes(routes, registry, clock, watch)
    _tiles(routes, registry)
    _reads(routes, registry)
    _proofs(routes, registry)
    return routes


def _problem(status: int, code: str, detail: str) -> Response:
    response = jsonify({"type": f"urn:weid:problem:{code}", "title": code, "status": status, "detail": detail})
    response.status_code, response.mimetype = status, "application/problem+json"
    return response


def _errors(routes: Blueprint) -> None:
    @routes.errorhandler(WeidError)
    def known(error: WeidError) -> Response:
        return _problem(_STATUS.get(error.code, 400), error.code, str(error))

    @routes.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        name = (error.name or "error").lower().replace(" ", "-")
        return _problem(error.code or 500, name, error.description or "")


def _writes(routes: Blueprint, registry: Registry, clock: Callable[[], int] | None, watch: Watch | None) -> None:
    @routes.post("/operations")
    def operations() -> Response:
        request.max_content_length = MAX_ENTRY + 1
        data = request.get_data(cache=False)
        if not 0 < len(data) <= MAX_ENTRY:
            raise MalformedError(f"an entry is 1 to {MAX_ENTRY} bytes", code="entry-size")
        if clock is not None:
            registry.tick(max(clock(), registry.state.now))
        receipt = registry.submit([data])[0] if watch is None else watch.submit(data)
        if receipt.index is None:
            return _problem(400, receipt.code, receipt.detail)
        return jsonify(_result(receipt.index, receipt.code, receipt.detail))

    @routes.post("/state")
    def state() -> Response:
        if clock is not None:
            registry.tick(max(clock(), registry.state.now))
        receipt = registry.commit_if_stale()
        if receipt is not None:
            receipt.require()
        if watch is not None:
            watch.acted("state", "done", index=registry.size - 1)
        return jsonify({"size": registry.size})

    @routes.post("/registers/<path:list_id>")
    def registers(list_id: str) -> Response:
        registry.put_register(list_id, unpack_leaves(request.get_data(cache=False)))
        if watch is not None:
            watch.acted("register", "kept", subject=list_id)
        return jsonify({"list": list_id, "result": "kept"})


def _result(index: int, code: str, detail: str) -> dict[str, Any]:
    result = code if code in ("applied", "duplicate") else "rejected"
    return {"index": index, "result": result, "code": code, "detail": detail}


class _Given:
    """Bundles as they were given out: anybody may ask, and making and packing one takes a fifth of a second."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[tuple[object, ...], bytes] = {}
        self._making = Lock()

    def bundle(self, since: tuple[int, ...], base: bytes | None, packed: bool) -> bytes:
        """The bundle or update asked for, made once for each state of the store."""
        known = {commit.map.root for commit in self._registry.state.commits}
        base = base if base in known else None  # what nobody knows is no other question
        with self._making:  # one at a time: who asks for the same meanwhile finds it made
            key = (self._registry.engine.changes, since, base, packed)
            data = self._made.get(key)
            if data is None:
                data = self._registry.bundle(since=since, base=base)
                data = pack(data) if packed else data
                kept = {old: made for old, made in self._made.items() if old[0] == key[0]}
                self._made = dict([*kept.items()][-_KEPT:]) | {key: data}
            return data


def _reads(routes: Blueprint, registry: Registry) -> None:
    @routes.get("/genesis")
    def genesis() -> Response:
        return Response(print_genesis(registry.genesis), mimetype="application/json")

    @routes.get("/checkpoint")
    def checkpoint() -> Response:
        head = {"Cache-Control": "no-cache"}
        return Response(registry.checkpoint(), content_type="text/plain; charset=utf-8", headers=head)

    @routes.get("/twin")
    def twin() -> Response:
        return Response(registry.twin(), content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})

    given = _Given(registry)

    @routes.get("/bundle")
    def bundle() -> Response:
        since = tuple(_number(text, "since") for text in request.args.getlist("since")[:8])
        base = request.args.get("base")
        data = given.bundle(since, None if base is None else unhex(base[:64]), request.args.get("packed") == "1")
        return Response(data, mimetype="application/octet-stream")

    _alone(routes, registry)


def _alone(routes: Blueprint, registry: Registry) -> None:
    """One entry, one record, one DID."""

    @routes.get("/entries/<index>")
    def entry(index: str) -> Response:
        return jsonify(registry.view(_number(index, "index")))

    @routes.get("/entries/<index>/proof")
    def proof(index: str) -> Response:
        at, twin = _number(index, "index"), _in_twin()
        note = registry.twin() if twin else registry.proof_note(at)
        text = parse_note(note).text
        size = parse_twin(text).size if twin else parse_checkpoint(text).size
        data = print_proof_file(at, registry.entry(at), registry.inclusion(at, size, twin=twin), note, twin=twin)
        return Response(data, content_type="text/plain; charset=utf-8")

    @routes.get("/records/<kind>/<path:key>")
    def record(kind: str, key: str) -> Response:
        found, proof, statement = registry.proven(kind, key)
        shown = None if found is None else b64(found)
        return jsonify({
            "kind": kind, "key": key, "record": shown, "proof": b64(proof), "statement": statement.decode(),
        })  # fmt: skip

    @routes.get("/dids/<did>")
    def did(did: str) -> Response:
        version, moment = request.args.get("versionId"), request.args.get("versionTime")
        chosen = None if version is None else _number(version, "versionId")
        at = None if moment is None else whole_minutes(parse_rfc3339(moment))
        metadata: dict[str, Any] = {"contentType": "application/did+ld+json"}
        try:
            found = resolve(did, registry.facts(), version=chosen, at=at)
        except DeactivatedError as error:
            return _unresolved(410, "deactivated", str(error))
        except NotRegisteredError as error:
            return _unresolved(404, "notFound", str(error))
        return jsonify({
            "didDocument": found.document, "didDocumentMetadata": found.metadata, "didResolutionMetadata": metadata,
        })  # fmt: skip

    @routes.get("/decisions")
    def decisions() -> Response:
        newest = [*registry.state.closed.values()][-MAX_CLOSED:]
        return jsonify({"closed": [
            {"proposal": b64(cbor.encode(encode_record(record))), "outcome": outcome, "at": at}
            for record, outcome, at in reversed(newest)
        ]})  # fmt: skip

    @routes.get("/health")
    def health() -> Response:
        return jsonify({
            "origin": registry.genesis.origin, "genesis": registry.pin.hex(), "fingerprint": fingerprint(registry.pin),
            "size": registry.size, "logTime": rfc3339(registry.state.now),
        })  # fmt: skip


def _tiles(routes: Blueprint, registry: Registry) -> None:
    @routes.get("/tile/<path:name>")
    def tile(name: str) -> Response:
        response = Response(resource(registry, f"tile/{name}"), mimetype="application/octet-stream")
        # A tile of a given width never changes (tlog-tiles): whoever has it need not ask again.
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _unresolved(status: int, code: str, detail: str) -> Response:
    response = jsonify({
        "didDocument": None, "didDocumentMetadata": {"deactivated": True} if status == 410 else {},
        "didResolutionMetadata": {"error": code, "message": detail},
    })  # fmt: skip
    response.status_code = status
    return response


def _proofs(routes: Blueprint, registry: Registry) -> None:
    @routes.get("/proofs/inclusion")
    def inclusion() -> Response:
        index, size, twin = _argument("index"), _argument("size", registry.size), _in_twin()
        path = registry.inclusion(index, size, twin=twin)
        leaf = registry.leaf(index, twin=twin)
        return jsonify({"index": index, "size": size, "leaf": b64(leaf), "path": [b64(node) for node in path]})

    @routes.get("/registers/<path:list_id>")
    def register(list_id: str) -> Response:
        """The issuance register as last published, for an institution that lost its books; it checks the root itself."""
        last, size, leaves = registry.register(list_id)
        return jsonify({"list": list_id, "last": last.hex(), "size": size, "leaves": None if leaves is None else b64(leaves)})

    @routes.get("/proofs/consistency")
    def consistency() -> Response:
        old, size = _argument("old"), _argument("size", registry.size)
        path = registry.consistency(old, size, twin=_in_twin())
        return jsonify({"old": old, "size": size, "path": [b64(node) for node in path]})


def _in_twin() -> bool:
    """Whether the second tree is asked about (`?tree=twin`)."""
    asked = request.args.get("tree", "log")
    if asked not in ("log", "twin"):
        raise MalformedError("tree is log or twin", code="bad-argument")
    return asked == "twin"


def _argument(name: str, default: int | None = None) -> int:
    text = request.args.get(name)
    if text is None:
        if default is None:
            raise MalformedError(f"{name} is missing", code="missing-argument")
        return default
    return _number(text, name)


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise MalformedError(f"{name} is a plain decimal number", code="bad-number")
    return int(text)
