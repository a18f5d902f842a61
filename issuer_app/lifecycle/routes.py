"""What comes after the issue, for programs: many changes at once, what is planned, corrections, renewals, what ends soon."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, g, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.access import two_acts
from issuer_app.api import full
from issuer_app.bringing import of_program
from issuer_app.calling import allows, body_of, digest_of, key_of
from issuer_app.frame import acted_on, config, desk
from issuer_app.ledger import Issued
from issuer_app.lifecycle import ending, many, planned
from issuer_app.lifecycle.renewing import may_renew, renew
from issuer_app.lifecycle.replacing import supersede
from issuer_app.paging import after, limit, paged
from issuer_app.problems import RefusedError
from issuer_app.proposals.acts import body_of_change, body_of_renewal, body_of_replacement
from weid.canon import JSON, jcs
from weid.codec import minutes, parse_rfc3339, rfc3339
from weid.errors import IssueError, MalformedError
from weid.records import REASONS

__all__ = ["routes"]

routes = Blueprint("api-later", __name__, url_prefix="/api/v1")
_MOST: Final = 10_000  # certificates named one by one; a filter has no limit
_SHOWN: Final = 1_000


@routes.post("/changes")
@allows("status:write")
def change() -> ResponseReturnValue:
    """Change the status of many certificates, now or at a minute, with one publication.

    Without `count` nothing happens: the answer says how many it would be. With it, it must be that many (as people type it).
    """
    body, now = body_of("action", "certificates", "fits", "reason", "at", "count"), config().now()
    action, reason, due = _text(body, "action"), body.get("reason"), _due(body.get("at"), now)
    if action not in many.ACTIONS or not (reason is None or isinstance(reason, str)):
        raise MalformedError(f"action is one of {', '.join(many.ACTIONS)}")
    if action != "lift" and reason not in REASONS[1:]:
        raise IssueError(f"reason is one of {', '.join(REASONS[1:])}", code="bad-reason")
    ids = _chosen(body, action)
    if "count" not in body:
        return jsonify({"state": "nothing-done", "count": len(ids), "certificates": list(ids[:_SHOWN])})
    if body["count"] != len(ids) or type(body["count"]) is not int:
        raise IssueError(f"they are {len(ids)}, not {body['count']!r}", code="other-count")
    if not ids:
        raise IssueError("no certificate fits that could be changed so", code="nothing-fits")
    if action == "revoke" and two_acts.needed("change"):
        asked = body_of_change(desk(), ids, action, reason, due=due)
        return two_acts.answer(two_acts.ask("change", "", asked, by=_me(), until=due))
    held = planned.held_minutes(desk()) if action == "revoke" else 0
    if due is not None or held:
        count = planned.plan(desk(), ids, action, reason, due=max(due or 0, now + held), at=now, by=_by())
        return jsonify({"state": "planned", "count": count})
    done = many.change_many(desk(), ids, action, reason, now)
    return jsonify({"state": "done", "count": done.changed, "left": done.left})


@routes.get("/changes")
@allows("certificates:read")
def changes() -> ResponseReturnValue:
    """Changes that wait for their minute, the next first."""
    count, last = limit(), after()
    found = planned.planned(desk(), count + 1, None if last is None else (last[0], last[1]))
    more = [found[count - 1].due, found[count - 1].id] if len(found) > count else None
    return paged([_planned(row) for row in found[:count]], more)


@routes.delete("/changes/<id_>")
@allows("status:write")
def take_back(id_: str) -> ResponseReturnValue:
    """It will not happen; no change where nothing is planned for this certificate."""
    desk().get(id_)
    planned.take_back(desk(), [id_])
    return "", 204


@routes.post("/certificates/<id_>/replace")
@allows("certificates:issue")
def replace(id_: str) -> ResponseReturnValue:
    """A certificate with other claims in place of this one, which is revoked and names the new one."""
    body = body_of("claims", "bind", "base")
    claims, bind, base = body.get("claims"), _bind(body), of_program(body.get("base"), "base")
    if not isinstance(claims, dict):
        raise MalformedError("claims must be an object")
    if "status:write" not in key_of().scopes:
        g.wanted_scope = "status:write"
        raise RefusedError("this ends a certificate, too: the key needs the scope status:write", code="no-scope")
    if two_acts.needed("replace"):
        desk().schema(desk().get(id_).schema, config().now()).items(claims)  # what could never be issued waits for nobody
        asked = body_of_replacement(desk(), id_, claims, bind=bind, base=base)
        return two_acts.answer(two_acts.ask("replace", id_, asked, by=_me()))
    made = supersede(desk(), id_, claims, at=config().now(), random=config().random, by=_by(), bind=bind, base=base)
    return _made(made)


@routes.post("/certificates/<id_>/renew")
@allows("certificates:issue")
def renewal(id_: str) -> ResponseReturnValue:
    """The same certificate for a new period; the same again gives the same."""
    bind = _bind(body_of("bind"))
    if two_acts.needed("renew"):
        may_renew(desk(), id_, config().now())
        return two_acts.answer(two_acts.ask("renew", id_, body_of_renewal(desk(), id_, bind=bind), by=_me()))
    return _made(renew(desk(), id_, at=config().now(), random=config().random, by=_by(), bind=bind))


@routes.get("/ending")
@allows("certificates:read")
def soon() -> ResponseReturnValue:
    """Certificates in good standing that end within so many days, the first first: for reminders."""
    text = request.args.get("days", "30")
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= ending.MOST_DAYS):
        raise MalformedError(f"days is 1 to {ending.MOST_DAYS}")
    count, last = limit(), after(text)
    found = ending.ending(desk(), int(text), config().now(), limit=count + 1, behind=None if last is None else (last[0], last[1]))
    more = [found[count - 1].until, found[count - 1].seq] if len(found) > count else None
    return paged([_ending(row) for row in found[:count]], more, text)


@routes.get("/hold")
@allows("desk:settings")
def held() -> ResponseReturnValue:
    """How many minutes revocations are held back."""
    return jsonify({"minutes": planned.held_minutes(desk())})


@routes.put("/hold")
@allows("desk:settings")
def hold() -> ResponseReturnValue:
    """Hold revocations back for so many minutes from now on."""
    count = body_of("minutes").get("minutes")
    planned.hold(desk(), count if type(count) is int else -1)
    acted_on(str(count))
    return jsonify({"minutes": planned.held_minutes(desk())})


def _chosen(body: dict[str, JSON], action: str) -> tuple[str, ...]:
    listed, fits = body.get("certificates"), body.get("fits")
    if (listed is None) == (fits is None):
        raise MalformedError("name certificates, or say what fits: one of the two")
    if fits is not None:
        return many.by_filter(desk(), _filter(fits), action)
    if not isinstance(listed, list) or len(listed) > _MOST or not all(isinstance(id_, str) for id_ in listed):
        raise MalformedError(f"certificates is a list of at most {_MOST} ids")
    ids = tuple(dict.fromkeys(str(id_) for id_ in listed))
    for id_ in ids:
        desk().get(id_)
    return ids


def _filter(value: JSON) -> many.Filter:
    if not isinstance(value, dict) or set(value) - {"schema", "since", "until", "text"} or not value:
        raise MalformedError("fits has some of schema, since, until, text")
    text = value.get("text", "")
    if not isinstance(text, str) or len(text) > 200:
        raise MalformedError("text has at most 200 characters")
    since, until = (None if value.get(name) is None else _minute(value.get(name)) for name in ("since", "until"))
    return many.Filter(None if value.get("schema") is None else digest_of(value.get("schema")), since, until, text)


def _due(value: JSON, now: int) -> int | None:
    if value is None:
        return None
    due = _minute(value)
    if due <= now:
        raise IssueError("the minute is past", code="bad-time")
    return due


def _minute(value: JSON) -> int:
    return minutes(parse_rfc3339(value if isinstance(value, str) else ""))


def _bind(body: dict[str, JSON]) -> str | None:
    bind = body.get("bind")
    if isinstance(bind, dict):
        return jcs(bind).decode("utf-8")
    if not (bind is None or isinstance(bind, str)):
        raise MalformedError("bind must be the holder's request")
    return bind


def _text(body: dict[str, JSON], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _by() -> str:
    return f"api:{key_of().label}"


def _me() -> str:
    return two_acts.of_key(key_of())


def _made(row: Issued) -> ResponseReturnValue:
    acted_on(row.id)
    answer = jsonify(full(row))
    answer.headers["Location"] = url_for("api.certificate", id_=row.id)
    return answer, 201


def _planned(row: planned.Planned) -> dict[str, Any]:
    return {
        "certificate": row.id, "action": row.action, "reason": row.reason, "at": rfc3339(row.due), "asked": rfc3339(row.asked),
        "by": row.by,
    }  # fmt: skip


def _ending(row: Issued) -> dict[str, Any]:
    return {"certificate": row.id, "schema": row.schema.hex(), "validUntil": rfc3339(row.until), "claims": dict(row.claims)}
