"""The JSON API: the same steps as the pages, for programs with a key. Refusals are RFC 9457 problems.

A key does what its scopes say (`access.py`), and the registry still checks every operation itself.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from credentials import picture
from issuer_app import selfcheck
from issuer_app.access import two_acts
from issuer_app.bringing import of_program
from issuer_app.calling import allows, body_of, digest_of, forget_answers, key_of, once_of, texts_of
from issuer_app.depending import kept
from issuer_app.frame import acted_on, audit, config, desk, office
from issuer_app.ledger import Issued
from issuer_app.office import Overridden
from issuer_app.paging import after, limit, paged, sliced
from issuer_app.problems import RefusedError
from issuer_app.proposals.acts import body_of_end, body_of_issue
from issuer_app.rights import Institution, Right, schema_of
from weid.canon import JSON, jcs, parse_json
from weid.codec import minutes, parse_rfc3339, rfc3339
from weid.errors import IssueError, MalformedError
from weid.records import REASONS, status_list_id

__all__ = ["full", "routes"]

routes = Blueprint("api", __name__)
_V1 = "/api/v1"


@routes.get(f"{_V1}/me")
@allows(None)
def me() -> ResponseReturnValue:
    """Which key this is, and whose desk."""
    key, conf = key_of(), config()
    return jsonify({
        "key": key.id, "label": key.label, "scopes": sorted(key.scopes),
        "until": None if key.until is None else rfc3339(key.until),
        "desk": None if conf.desk is None else {"did": conf.desk.did, "names": conf.desk.names},
        "office": None if conf.office is None else {"did": conf.office.did, "names": conf.office.names},
    })  # fmt: skip


@routes.get(f"{_V1}/accreditations")
@allows("accreditations:read")
def accreditations() -> ResponseReturnValue:
    """What the institution may issue."""
    found = sorted(desk().accreditations(config().now()), key=_right_key)
    return sliced(found, _right_key, _right)


@routes.get(f"{_V1}/schemas/<digest>")
@allows("schemas:read")
def schema(digest: str) -> ResponseReturnValue:
    """The JSON Schema of a kind of certificate."""
    conf = config()
    party = conf.desk or conf.office or conf.audit
    if party is None:
        raise RefusedError("no key of a party here", code="no-desk")
    found = schema_of(party.facts(conf.now()), digest_of(digest))
    return Response(found.document, content_type="application/schema+json")


@routes.post(f"{_V1}/certificates")
@allows("certificates:issue", own_once=True)
def issue() -> ResponseReturnValue:
    """Issue; the same Idempotency-Key with the same body gives the same certificate."""
    body = body_of("schema", "claims", "bind", "minutes", "specimen", "lookup", "base")
    once = once_of()
    claims, bind, length = body.get("claims"), body.get("bind"), body.get("minutes")
    if not isinstance(claims, dict):
        raise MalformedError("claims must be an object")
    if isinstance(bind, dict):
        bind = jcs(bind).decode("utf-8")
    if not (bind is None or isinstance(bind, str)) or not (length is None or (type(length) is int and 0 < length < 2**32)):
        raise MalformedError("bind must be the holder's request, minutes a positive integer")
    lookup, base = texts_of(body.get("lookup"), "lookup"), of_program(body.get("base"), "base")
    key = f"api:{key_of().id}:{once}" if once else None
    if two_acts.needed("issue"):
        asked = body_of_issue(
            claims, bind=bind, minutes=length, specimen=_flag(body, "specimen"), request=key, lookup=lookup or {}, base=base
        )
        held = two_acts.ask("issue", digest_of(body.get("schema")).hex(), asked, by=two_acts.of_key(key_of()), once=key)
        if held.state != "done":
            return two_acts.answer(held)
        row = desk().get(held.result)
    else:
        row = desk().issue(
            digest_of(body.get("schema")), claims, bind=bind, minutes=length, at=config().now(),
            random=config().random, by=f"api:{key_of().label}", specimen=_flag(body, "specimen"), request=key,
            lookup=lookup, base=base,
        )  # fmt: skip
    acted_on(row.id)
    answer = jsonify(full(row))
    answer.headers["Location"] = url_for("api.certificate", id_=row.id)
    return answer, 201


@routes.get(f"{_V1}/certificates")
@allows("certificates:read")
def certificates() -> ResponseReturnValue:
    """Find by name, number or id, newest first."""
    text, count = request.args.get("q", ""), limit()
    if len(text) > 200:
        raise MalformedError("q has at most 200 characters")
    found = desk().find(text, count + 1, before=after(text))
    return paged([_brief(row) for row in found[:count]], found[count - 1].seq if len(found) > count else None, text)


@routes.get(f"{_V1}/certificates/<id_>")
@allows("certificates:read")
def certificate(id_: str) -> ResponseReturnValue:
    """One certificate with its code, file and typed code."""
    return jsonify(full(desk().get(id_)))


@routes.get(f"{_V1}/certificates/<id_>/code.<any(png,svg):kind>")
@allows("certificates:read")
def code(id_: str, kind: str) -> ResponseReturnValue:
    """The picture."""
    drawn = selfcheck.draw(_kept(id_), config().code_host)
    if kind == "png":
        return Response(picture.png(drawn, scale=10), content_type="image/png")
    return Response(picture.svg(drawn), content_type="image/svg+xml")


@routes.get(f"{_V1}/certificates/<id_>/credential")
@allows("certificates:read")
def credential(id_: str) -> ResponseReturnValue:
    """The file form (VCDM 2.0), byte for byte."""
    return Response(_kept(id_).file, content_type="application/vc")


@routes.post(f"{_V1}/certificates/<id_>/<any(suspend,revoke,lift):action>")
@allows("status:write")
def act(id_: str, action: str) -> ResponseReturnValue:
    """Change the standing of a certificate, and publish it."""
    now = config().now()
    if action == "lift":
        body_of()
        return jsonify(_brief(desk().lift(id_, now)))
    reason = _reason(body_of("reason"))
    if action == "revoke" and two_acts.needed(action):
        return two_acts.answer(two_acts.ask(action, id_, body_of_end(desk(), id_, reason), by=two_acts.of_key(key_of())))
    change = desk().revoke if action == "revoke" else desk().suspend
    return jsonify(_brief(change(id_, reason, now)))


@routes.delete(f"{_V1}/certificates/<id_>")
@allows("certificates:erase")
def erase(id_: str) -> ResponseReturnValue:
    """Destroy the content kept here."""
    if two_acts.needed("erase"):
        return two_acts.answer(two_acts.ask("erase", id_, body_of_end(desk(), id_), by=two_acts.of_key(key_of())))
    desk().erase(id_)
    forget_answers(id_)
    return "", 204


@routes.post(f"{_V1}/publish")
@allows("status:write")
def publish() -> ResponseReturnValue:
    """Send what the registry has not heard, and renew status lists that are due."""
    body_of()
    desk().publish(config().now())
    return jsonify({"waiting": desk().waiting()})


@routes.get(f"{_V1}/institutions")
@allows("institutions:read")
def institutions() -> ResponseReturnValue:
    """Institutions that applied; ?waiting=yes only those that wait for a decision."""
    now = config().now()
    waiting = request.args.get("waiting", "no")
    if waiting not in ("yes", "no"):
        raise MalformedError("waiting is yes or no")
    found = office().applications(now) if waiting == "yes" else office().institutions(now)
    return sliced(found, lambda item: [-item.record.applied, item.record.did], _institution, waiting)


@routes.get(f"{_V1}/institutions/<did>")
@allows("institutions:read")
def institution(did: str) -> ResponseReturnValue:
    """One institution."""
    return jsonify(_institution(office().institution(did, config().now())))


@routes.post(f"{_V1}/institutions/<did>/approve")
@allows("institutions:write")
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
@allows("institutions:write")
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
@allows("schemas:write")
def publish_schema() -> ResponseReturnValue:
    """Publish a schema; it can never be changed afterwards."""
    return jsonify({"digest": office().publish_schema(request.get_data()).hex()}), 201


@routes.get(f"{_V1}/overrides")
@allows("overrides:read")
def overrides() -> ResponseReturnValue:
    """Auditors' decisions in force."""
    found = sorted(audit().overrides(config().now()), key=_override_key)
    return sliced(found, _override_key, _override)


@routes.post(f"{_V1}/overrides")
@allows("overrides:write")
def override() -> ResponseReturnValue:
    """Revoke, suspend, or lift a suspension, beside the issuer's list."""
    body = body_of("list", "index", "state", "reason")
    list_id, index, state = body.get("list"), body.get("index"), body.get("state")
    good = isinstance(list_id, str) and type(index) is int and 0 <= index < 2**32
    if not good or state not in ("revoked", "suspended", "lifted"):
        raise MalformedError("not a place in a status list, or not a state", code="not-a-place")
    audit().override(str(list_id), cast(int, index), str(state), _reason(body), config().now())
    return jsonify({"list": list_id, "index": index, "state": state}), 201


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


def _override_key(item: Overridden) -> list[Any]:
    return [-item.record.at, item.record.list_id, item.record.index]


def _override(item: Overridden) -> dict[str, Any]:
    record = item.record
    return {
        "list": record.list_id, "index": record.index, "state": record.state, "reason": record.reason,
        "author": record.author, "at": rfc3339(record.at),
    }  # fmt: skip


def _right_key(right: Right) -> list[Any]:
    return [right.state != "now", right.schema.name, right.digest.hex(), right.since]


def _brief(row: Issued) -> dict[str, Any]:
    status, word = None, desk().audited(row, config().now())
    if row.list_number is not None:
        status = {"list": status_list_id(desk().did, row.list_number), "index": row.index}
    return {
        "id": row.id, "schema": row.schema.hex(), "state": row.state, "reason": row.reason,
        "changed": None if row.changed is None else rfc3339(row.changed), "issued": rfc3339(row.issued),
        "validUntil": rfc3339(row.until), "claims": dict(row.claims), "specimen": row.specimen,
        "published": row.published, "by": row.by, "status": status, "erased": row.erased,
        "dependsOn": _base(row.id),
        "audit": None if word is None else {"state": word.state, "reason": word.reason, "at": rfc3339(word.at)},
    }  # fmt: skip


def _base(id_: str) -> dict[str, Any] | None:
    found, now = kept.base_of(desk().books, id_), config().now()
    if found is None:
        return None
    state = kept.state_of(desk().facts(now), found, now)
    return {"id": found.id, "issuer": found.issuer, "validUntil": rfc3339(found.until), "state": state}


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
