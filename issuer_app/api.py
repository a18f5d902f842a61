"""The JSON API: the same steps as the pages, for programs with a key. Refusals are RFC 9457 problems.

A key acts in the roles it was given, and the registry still checks every operation itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Blueprint, Response, abort, g, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from credentials import picture
from issuer_app import selfcheck
from issuer_app.frame import audit, config, desk, office, slow_down, speaker, users
from issuer_app.ledger import Issued
from issuer_app.openapi import document
from issuer_app.problems import RefusedError, problem, status_of
from issuer_app.rights import Institution, Right, schema_of
from issuer_app.users import ApiKey
from weid.canon import JSON, jcs, parse_json
from weid.codec import minutes, parse_rfc3339, rfc3339, unhex
from weid.errors import IssueError, MalformedError, SchemaError, WeidError
from weid.records import REASONS, status_list_id

__all__ = ["allows", "body_of", "digest_of", "full", "key_of", "may_issue", "refusal", "routes", "texts_of"]

routes = Blueprint("api", __name__)
P = ParamSpec("P")
R = TypeVar("R")
_V1 = "/api/v1"


def allows(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only for keys with one of these roles (any key, if none is named)."""

    def wrap(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            key = _brought()
            if key is None:
                raise RefusedError("an API key is needed: Authorization: Bearer …", code="bad-key")
            if roles and not key.roles & set(roles):
                raise RefusedError(f"this needs a key with the role {' or '.join(roles)}", code="no-role")
            g.api_key = key
            return view(*args, **kwargs)

        return guarded

    return wrap


def may_issue() -> bool:
    """Whether this request brings the key of a clerk; it counts against the API's limit either way."""
    key = _brought()
    return key is not None and "clerk" in key.roles


def _brought() -> ApiKey | None:
    """The key in the request's header, if it is one of ours."""
    slow_down(config().limits.api)
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return users().key(text.strip()) if scheme.lower() == "bearer" else None


def refusal(error: WeidError | HTTPException) -> Response:
    """The problem document of a refusal; a sentence in the caller's language, never a stack."""
    t = speaker()
    if isinstance(error, HTTPException):
        status = error.code or 500
        return problem(status, f"http-{status}", t.problem(f"http-{status}"))
    claims: dict[str, str] = {}
    name, colon, text = str(error).partition(": ")
    if isinstance(error, SchemaError) and colon and error.code in ("bad-claim", "schema-mismatch"):
        claims[name] = text
    response = problem(status_of(error), error.code, t.problem(error.code), str(error), claims)
    if error.code == "bad-key":
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@routes.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The OpenAPI 3.1 description of all this."""
    return jsonify(document())


@routes.get(f"{_V1}/me")
@allows()
def me() -> ResponseReturnValue:
    """Which key this is, and whose desk."""
    key, conf = key_of(), config()
    return jsonify({
        "key": key.id, "label": key.label, "roles": sorted(key.roles),
        "desk": None if conf.desk is None else {"did": conf.desk.did, "names": conf.desk.names},
        "office": None if conf.office is None else {"did": conf.office.did, "names": conf.office.names},
    })  # fmt: skip


@routes.get(f"{_V1}/accreditations")
@allows("clerk")
def accreditations() -> ResponseReturnValue:
    """What the institution may issue."""
    return jsonify({"items": [_right(right) for right in desk().accreditations(config().now())]})


@routes.get(f"{_V1}/schemas/<digest>")
@allows("clerk", "reviewer", "auditor")
def schema(digest: str) -> ResponseReturnValue:
    """The JSON Schema of a kind of certificate."""
    conf = config()
    party = conf.desk or conf.office or conf.audit
    if party is None:
        raise RefusedError("no key of a party here", code="no-desk")
    found = schema_of(party.facts(conf.now()), digest_of(digest))
    return Response(found.document, content_type="application/schema+json")


@routes.post(f"{_V1}/certificates")
@allows("clerk")
def issue() -> ResponseReturnValue:
    """Issue; the same Idempotency-Key with the same body gives the same certificate."""
    body = body_of("schema", "claims", "bind", "minutes", "specimen", "lookup")
    once = request.headers.get("Idempotency-Key", "")
    if len(once) > 200 or not once.isprintable():
        raise MalformedError("an Idempotency-Key has at most 200 printable characters", code="malformed")
    claims, bind, length = body.get("claims"), body.get("bind"), body.get("minutes")
    if not isinstance(claims, dict):
        raise MalformedError("claims must be an object")
    if isinstance(bind, dict):
        bind = jcs(bind).decode("utf-8")
    if not (bind is None or isinstance(bind, str)) or not (length is None or (type(length) is int and 0 < length < 2**32)):
        raise MalformedError("bind must be the holder's request, minutes a positive integer")
    lookup = texts_of(body.get("lookup"), "lookup")
    row = desk().issue(
        digest_of(body.get("schema")), claims, bind=bind, minutes=length, at=config().now(),
        random=config().random, by=f"api:{key_of().label}", specimen=_flag(body, "specimen"),
        request=f"api:{key_of().id}:{once}" if once else None, lookup=lookup,
    )  # fmt: skip
    answer = jsonify(full(row))
    answer.headers["Location"] = url_for("api.certificate", id_=row.id)
    return answer, 201


@routes.get(f"{_V1}/certificates")
@allows("clerk")
def certificates() -> ResponseReturnValue:
    """Find by name, number or id, newest first."""
    limit = request.args.get("limit", "50")
    if not limit.isascii() or not limit.isdigit() or len(limit) > 3 or not 1 <= int(limit) <= 500:
        raise MalformedError("limit is 1 to 500")
    return jsonify({"items": [_brief(row) for row in desk().find(request.args.get("q", "")[:200], int(limit))]})


@routes.get(f"{_V1}/certificates/<id_>")
@allows("clerk")
def certificate(id_: str) -> ResponseReturnValue:
    """One certificate with its code, file and typed code."""
    return jsonify(full(desk().get(id_)))


@routes.get(f"{_V1}/certificates/<id_>/code.<any(png,svg):kind>")
@allows("clerk")
def code(id_: str, kind: str) -> ResponseReturnValue:
    """The picture."""
    drawn = selfcheck.draw(_kept(id_), config().code_host)
    if kind == "png":
        return Response(picture.png(drawn, scale=10), content_type="image/png")
    return Response(picture.svg(drawn), content_type="image/svg+xml")


@routes.get(f"{_V1}/certificates/<id_>/credential")
@allows("clerk")
def credential(id_: str) -> ResponseReturnValue:
    """The file form (VCDM 2.0), byte for byte."""
    return Response(_kept(id_).file, content_type="application/vc")


@routes.post(f"{_V1}/certificates/<id_>/<any(suspend,revoke,lift):action>")
@allows("clerk")
def act(id_: str, action: str) -> ResponseReturnValue:
    """Change the standing of a certificate, and publish it."""
    now = config().now()
    if action == "lift":
        body_of()
        return jsonify(_brief(desk().lift(id_, now)))
    change = desk().revoke if action == "revoke" else desk().suspend
    return jsonify(_brief(change(id_, _reason(body_of("reason")), now)))


@routes.delete(f"{_V1}/certificates/<id_>")
@allows("clerk")
def erase(id_: str) -> ResponseReturnValue:
    """Destroy the content kept here."""
    desk().erase(id_)
    return "", 204


@routes.post(f"{_V1}/publish")
@allows("clerk")
def publish() -> ResponseReturnValue:
    """Send what the registry has not heard, and renew status lists that are due."""
    body_of()
    desk().publish(config().now())
    return jsonify({"waiting": desk().waiting()})


@routes.get(f"{_V1}/institutions")
@allows("reviewer")
def institutions() -> ResponseReturnValue:
    """Institutions that applied; ?waiting=yes only those that wait for a decision."""
    now = config().now()
    found = office().applications(now) if request.args.get("waiting") == "yes" else office().institutions(now)
    return jsonify({"items": [_institution(item) for item in found]})


@routes.get(f"{_V1}/institutions/<did>")
@allows("reviewer")
def institution(did: str) -> ResponseReturnValue:
    """One institution."""
    return jsonify(_institution(office().institution(did, config().now())))


@routes.post(f"{_V1}/institutions/<did>/approve")
@allows("reviewer")
def approve(did: str) -> ResponseReturnValue:
    """Give the right to one schema for a period."""
    body = body_of("schema", "since", "until", "level")
    since, level = body.get("since"), body.get("level", 1)
    if type(level) is not int or not 0 <= level < 256:
        raise MalformedError("level is 0 to 255")
    start = None if since is None else _moment(since)
    office().approve(did, digest_of(body.get("schema")), since=start, until=_moment(body.get("until")), level=level)
    return jsonify(_institution(office().institution(did, config().now())))


@routes.post(f"{_V1}/institutions/<did>/<any(suspend,reinstate,remove):action>")
@allows("reviewer")
def decide(did: str, action: str) -> ResponseReturnValue:
    """Suspend, reinstate or remove one right, or the institution."""
    body = body_of("schema") if action == "reinstate" else body_of("schema", "reason")
    chosen = None if body.get("schema") is None else digest_of(body.get("schema"))
    if action == "reinstate":
        office().reinstate(did, schema=chosen)
    elif action == "suspend":
        office().suspend_issuer(did, _reason(body), schema=chosen)
    else:
        office().remove(did, _reason(body), schema=chosen)
    return jsonify(_institution(office().institution(did, config().now())))


@routes.post(f"{_V1}/schemas")
@allows("reviewer")
def publish_schema() -> ResponseReturnValue:
    """Publish a schema; it can never be changed afterwards."""
    return jsonify({"digest": office().publish_schema(request.get_data()).hex()}), 201


@routes.get(f"{_V1}/overrides")
@allows("auditor")
def overrides() -> ResponseReturnValue:
    """Auditors' decisions in force."""
    found = audit().overrides(config().now())
    return jsonify({"items": [
        {"list": item.record.list_id, "index": item.record.index, "state": item.record.state,
         "reason": item.record.reason, "author": item.record.author, "at": rfc3339(item.record.at)}
        for item in found
    ]})  # fmt: skip


@routes.post(f"{_V1}/overrides")
@allows("auditor")
def override() -> ResponseReturnValue:
    """Revoke, suspend, or lift a suspension, beside the issuer's list."""
    body = body_of("list", "index", "state", "reason")
    list_id, index, state = body.get("list"), body.get("index"), body.get("state")
    good = isinstance(list_id, str) and type(index) is int and 0 <= index < 2**32
    if not good or state not in ("revoked", "suspended", "lifted"):
        raise MalformedError("not a place in a status list, or not a state", code="not-a-place")
    audit().override(str(list_id), cast(int, index), str(state), _reason(body), config().now())
    return jsonify({"list": list_id, "index": index, "state": state}), 201


def key_of() -> ApiKey:
    """The key of this request, which `allows` has let in."""
    return cast(ApiKey, g.api_key)


def body_of(*known: str) -> dict[str, JSON]:
    """The JSON object of the request with no members but these; an empty body is an empty object."""
    data = request.get_data()
    if not data.strip():
        return {}
    if request.mimetype != "application/json":
        abort(415)
    value = parse_json(data, max_bytes=config().limits.form_bytes)
    if not isinstance(value, dict):
        raise MalformedError("the body must be a JSON object")
    extra = set(value) - set(known)
    if extra:
        raise MalformedError(f"unknown member {min(extra)[:64]!r}")
    return value


def texts_of(value: JSON, name: str) -> dict[str, str]:
    """An object of texts, or nothing."""
    held = {} if value is None else value
    if not isinstance(held, dict) or len(held) > 40 or not all(isinstance(text, str) for text in held.values()):
        raise MalformedError(f"{name} is an object of texts")
    return {key: str(text) for key, text in held.items()}


def digest_of(text: JSON) -> bytes:
    data = unhex(text) if isinstance(text, str) else b""
    if len(data) != 32:
        raise MalformedError("schema is a digest of 64 hex digits")
    return data


def _moment(text: JSON) -> int:
    return minutes(parse_rfc3339(text if isinstance(text, str) else ""))


def _reason(body: dict[str, JSON]) -> str:
    reason = body.get("reason")
    if reason not in REASONS:
        raise IssueError(f"reason is one of {', '.join(REASONS)}", code="bad-reason")
    return str(reason)


def _flag(body: dict[str, JSON], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise MalformedError(f"{name} is true or false")
    return value


def _kept(id_: str) -> Issued:
    row = desk().get(id_)
    if row.erased:
        raise IssueError("the content was erased here", code="erased")
    return row


def _brief(row: Issued) -> dict[str, Any]:
    status, word = None, desk().audited(row, config().now())
    if row.list_number is not None:
        status = {"list": status_list_id(desk().did, row.list_number), "index": row.index}
    return {
        "id": row.id, "schema": row.schema.hex(), "state": row.state, "reason": row.reason,
        "changed": None if row.changed is None else rfc3339(row.changed), "issued": rfc3339(row.issued),
        "validUntil": rfc3339(row.until), "claims": dict(row.claims), "specimen": row.specimen,
        "published": row.published, "by": row.by, "status": status, "erased": row.erased,
        "audit": None if word is None else {"state": word.state, "reason": word.reason, "at": rfc3339(word.at)},
    }  # fmt: skip


def full(row: Issued) -> dict[str, Any]:
    """A certificate with everything a program may hand to its holder."""
    if row.erased:
        return _brief(row)
    drawn = selfcheck.draw(row, config().code_host)
    return {
        **_brief(row), "typedCode": row.code, "code": drawn.text, "credential": parse_json(row.file),
        "picture": {
            "png": url_for("api.code", id_=row.id, kind="png"), "svg": url_for("api.code", id_=row.id, kind="svg"),
            "printedMm": drawn.printed_mm, "modules": drawn.modules, "version": drawn.version, "level": drawn.level,
        },
    }  # fmt: skip


def _right(right: Right) -> dict[str, Any]:
    return {
        "schema": right.digest.hex(), "name": right.schema.name, "title": dict(right.schema.title),
        "state": right.state, "since": rfc3339(right.since), "until": rfc3339(right.until), "level": right.level,
    }  # fmt: skip


def _institution(item: Institution) -> dict[str, Any]:
    record = item.record
    return {
        "did": record.did, "names": dict(record.names), "state": record.state, "applied": rfc3339(record.applied),
        "reason": record.reason, "wanted": [digest.hex() for digest in record.wanted],
        "rights": [_right(right) for right in item.rights],
    }  # fmt: skip
