"""What waits for a second person, and how each act is carried out once there are two.

A module with an act of its own (`import`) says how with `carries_out`; what it gets is the request and the approval that
the desk asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import jsonify, url_for
from werkzeug.wrappers import Response

from issuer_app.frame import access, acted_on, config, desk
from issuer_app.problems import RefusedError
from issuer_app.two_people import Approval, Asked
from issuer_app.users import ApiKey
from weid.canon import JSON, jcs
from weid.codec import rfc3339, unhex

__all__ = ["agree", "answer", "ask", "carries_out", "described", "needed", "of_key"]

_HOW: Final[dict[str, Callable[[Asked, Approval], str]]] = {}


def carries_out(act: str) -> Callable[[Callable[[Asked, Approval], str]], Callable[[Asked, Approval], str]]:
    """Register how an act is done; the function answers with what came of it (an id)."""

    def keep(how: Callable[[Asked, Approval], str]) -> Callable[[Asked, Approval], str]:
        _HOW[act] = how
        return how

    return keep


def needed(act: str) -> bool:
    """Whether the desk's terms ask for two people here."""
    return act in desk().terms.two_people


def of_key(key: ApiKey) -> str:
    """An API key as one who asks; no person has such a name, so it is nobody's own request."""
    return f"api:{key.label} ({key.id})"


def ask(act: str, target: str, body: dict[str, JSON], *, by: str, once: str | None = None, renew: bool = False) -> Asked:
    """Let it wait; asking again for the same gives the same request, with `renew` unless nobody agreed to that."""
    digest = desk().client.genesis.hash(jcs([act, target, body]))
    held = access().waiting.ask(act, target, body, by=by, at=config().now(), digest=digest, once=once, renew=renew)
    acted_on(held.id if act == "issue" else target, "second-person-asked")
    return held


def agree(id_: str, second: str) -> str:
    """Carry it out as the second person; the result. RefusedError `own-request`, `not-waiting`; what the act raises."""
    held = access().waiting.claim(id_, second, config().now())
    done = False
    try:
        if held.act not in _HOW:
            raise RefusedError("this app does not know how", code="not-permitted")
        result = _HOW[held.act](held, Approval(held.by, second))
        access().waiting.done(id_, result)
        done = True
        return result
    finally:
        if not done:  # refused, or the registry is silent: it waits on, for this person or another
            access().waiting.release(id_)


def described(held: Asked) -> dict[str, JSON]:
    """For programs: nothing of its content."""
    return {
        "waiting": held.id, "act": held.act, "target": held.target, "state": held.state, "asked": rfc3339(held.asked),
        "until": rfc3339(held.until), "result": held.result,
    }  # fmt: skip


def answer(held: Asked) -> Response:
    """202: asked, not done."""
    made = jsonify(described(held))
    made.status_code = 202
    made.headers["Location"] = url_for("api-two.waiting", id_=held.id)
    return made


@carries_out("issue")
def _issue(held: Asked, approval: Approval) -> str:
    claims, bind, minutes, key = (held.body.get(name) for name in ("claims", "bind", "minutes", "request"))
    lookup = held.body.get("lookup")
    found_by = {name: str(text) for name, text in lookup.items()} if isinstance(lookup, dict) and lookup else None
    row = desk().issue(
        unhex(held.target), claims if isinstance(claims, dict) else {}, bind=bind if isinstance(bind, str) else None,
        minutes=minutes if isinstance(minutes, int) else None, at=config().now(), random=config().random,
        by=f"{approval.by} + {approval.second}", specimen=held.body.get("specimen") is True,
        request=key if isinstance(key, str) else f"two:{held.id}", approval=approval,
        lookup=found_by,
    )  # fmt: skip
    return row.id


@carries_out("revoke")
def _revoke(held: Asked, approval: Approval) -> str:
    return desk().revoke(held.target, str(held.body.get("reason")), config().now(), approval=approval).id


@carries_out("erase")
def _erase(held: Asked, approval: Approval) -> str:
    desk().erase(held.target, approval=approval)
    return held.target
