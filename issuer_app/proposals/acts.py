"""Each act that may take two people: what it needs, whether it still stands as it was asked for, and how it is done.

`do` is called once two people agree, with the certificates that stand; `done` says what came of a request that was carried
out before this process stopped, or before the registry fell silent, so that it is neither lost nor done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from issuer_app.lifecycle import carried, planned
from issuer_app.lifecycle.many import change_many
from issuer_app.lifecycle.renewing import renew
from issuer_app.lifecycle.renewing import request_of as renewal_of
from issuer_app.lifecycle.replacing import request_of as replacement_of
from issuer_app.lifecycle.replacing import supersede
from issuer_app.problems import NotFoundError
from weid.canon import JSON
from weid.codec import unhex
from weid.errors import IssueError

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from issuer_app.importing.job import Importer
    from issuer_app.two_people import Approval, Asked, Waiting
    from weid.suites import Random

__all__ = ["ACTS", "Act", "Room", "as_they_are", "body_of_change", "body_of_end", "body_of_import", "body_of_issue",
           "body_of_renewal", "body_of_replacement", "bound"]  # fmt: skip

_PAGE: Final = 500
_UNDER_WAY: Final = ("signing", "publishing", "proving", "done", "refused")  # an import that somebody has started


@dataclass(frozen=True, slots=True)
class Room:
    """Where requests are judged and carried out; `at` is now, in UTC minutes. `wait` for an import to be through: nobody is
    left to go on with it."""

    desk: Desk
    waiting: Waiting
    at: int
    random: Random
    imports: Callable[[], Importer]
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """`partly`: what stands is done without what changed; else one change refuses the whole."""

    do: Callable[[Room, Asked, Approval, tuple[str, ...]], str]
    done: Callable[[Room, Asked], str | None]
    partly: bool = False


def bound(held: Asked) -> Mapping[str, str]:
    """Every certificate (or import) of a request, and what it was like when it was asked for."""
    was = held.body.get("was")
    pairs = was.items() if isinstance(was, dict) else ()
    return {str(id_): state for state, ids in pairs if isinstance(ids, list) for id_ in ids}


def as_they_are(desk: Desk, ids: Sequence[str]) -> dict[str, str]:
    """What certificates are like now: their state, `erased`, or nothing for one that is not there."""
    found: dict[str, str] = {}
    for at in range(0, len(ids), _PAGE):
        part = ids[at : at + _PAGE]
        sql = f"SELECT id, state, erased FROM issued WHERE id IN ({', '.join('?' * len(part))})"
        found |= {row["id"]: "erased" if row["erased"] else row["state"] for row in desk.books.rows(sql, *part)}
    return found


def body_of_issue(
    claims: Mapping[str, JSON], *, bind: str | None, minutes: int | None, specimen: bool, request: str | None,
    lookup: Mapping[str, str], base: bytes | None = None,
) -> dict[str, JSON]:  # fmt: skip
    """A certificate as it is to be issued."""
    return {
        "claims": dict(claims), "bind": bind, "minutes": minutes, "specimen": specimen, "request": request,
        "lookup": dict[str, JSON](lookup), **_brought(base),
    }  # fmt: skip


def body_of_end(desk: Desk, id_: str, reason: str | None = None) -> dict[str, JSON]:
    """One certificate to be revoked (with a reason) or erased, as it is now."""
    hold: dict[str, JSON] = {} if reason is None else {"reason": reason, "hold": planned.held_minutes(desk)}
    return {**hold, "was": _was(desk, (id_,))}


def body_of_change(
    desk: Desk, ids: Sequence[str], action: str, reason: str | None, *, due: int | None, batch: str = ""
) -> dict[str, JSON]:
    """Many certificates to be changed, as they are now; `due` is the minute, `batch` the import that they are of."""
    named: dict[str, JSON] = {"import": batch} if batch else {}
    return {
        "action": action, "reason": reason, "due": due, "hold": planned.held_minutes(desk), "was": _was(desk, ids), **named,
    }  # fmt: skip


def body_of_replacement(
    desk: Desk, id_: str, claims: Mapping[str, JSON], *, bind: str | None, base: bytes | None = None
) -> dict[str, JSON]:
    """A certificate with other claims in place of this one, as this one is now."""
    desk.get(id_)
    return {"claims": dict(claims), "bind": bind, "was": _was(desk, (id_,)), **_brought(base)}


def body_of_renewal(desk: Desk, id_: str, *, bind: str | None = None) -> dict[str, JSON]:
    """The same certificate for a new period."""
    return {"bind": bind, "was": _was(desk, (id_,))}


def body_of_import(work: Importer, id_: str) -> dict[str, JSON]:
    """The good lines of an import as they were checked: whoever changes the columns meanwhile changes what was asked for.

    IssueError `import-state`, `import-nothing`.
    """
    content, job = work.content(id_), work.records.get(id_)
    if not content:
        raise IssueError(f"this import is {job.state}", code="import-state")
    if not job.good:
        raise IssueError("no line is ready to be issued", code="import-nothing")
    return {"was": {content: [id_]}}


def _brought(base: bytes | None) -> dict[str, JSON]:
    return {} if base is None else {"base": base.decode("utf-8", "replace")}


def _was(desk: Desk, ids: Sequence[str]) -> dict[str, JSON]:
    groups: dict[str, list[JSON]] = {}
    now = as_they_are(desk, ids)
    for id_ in ids:
        if id_ not in now:
            raise NotFoundError(f"no certificate {id_[:64]!r}")
        groups.setdefault(now[id_], []).append(id_)
    return dict[str, JSON](groups)


def _by(approval: Approval) -> str:
    return f"{approval.by} + {approval.second}"


def _text(held: Asked, name: str) -> str | None:
    value = held.body.get(name)
    return value if isinstance(value, str) else None


def _number(held: Asked, name: str) -> int | None:
    value = held.body.get(name)
    return value if type(value) is int else None


def _claims(held: Asked) -> Mapping[str, JSON]:
    value = held.body.get("claims")
    return value if isinstance(value, dict) else {}


def _issue(room: Room, held: Asked, approval: Approval, standing: tuple[str, ...]) -> str:
    lookup = held.body.get("lookup")
    found_by = {name: str(text) for name, text in lookup.items()} if isinstance(lookup, dict) and lookup else None
    row = room.desk.issue(
        unhex(held.target), _claims(held), bind=_text(held, "bind"), minutes=_number(held, "minutes"), at=room.at,
        random=room.random, by=_by(approval), specimen=held.body.get("specimen") is True, request=_issue_key(held),
        approval=approval, lookup=found_by, base=_base(held),
    )  # fmt: skip
    return row.id


def _base(held: Asked) -> bytes | None:
    text = _text(held, "base")
    return None if text is None else text.encode("utf-8")


def _issue_key(held: Asked) -> str:
    return _text(held, "request") or f"two:{held.id}"


def _issued(room: Room, held: Asked) -> str | None:
    row = room.desk.ledger.by_request(_issue_key(held))
    return None if row is None or row.state == "refused" else row.id


def _revoke(room: Room, held: Asked, approval: Approval, standing: tuple[str, ...]) -> str:
    reason, hold = str(held.body.get("reason")), _number(held, "hold")
    if hold:
        planned.plan(room.desk, [held.target], "revoke", reason, due=room.at + hold, at=room.at, by=_by(approval),
                     approval=approval, once=held.id)  # fmt: skip
        return held.target
    return room.desk.revoke(held.target, reason, room.at, approval=approval).id


def _revoked(room: Room, held: Asked) -> str | None:
    row = room.desk.get(held.target)
    done = (row.state, row.reason) == ("revoked", held.body.get("reason"))
    return held.target if done or carried.count_of(room.desk.books, held.id) is not None else None


def _erase(room: Room, held: Asked, approval: Approval, standing: tuple[str, ...]) -> str:
    room.desk.erase(held.target, approval=approval)
    return held.target


def _erased(room: Room, held: Asked) -> str | None:
    return held.target if room.desk.get(held.target).erased else None


def _import(room: Room, held: Asked, approval: Approval, standing: tuple[str, ...]) -> str:
    room.imports().start(held.target, approval=approval, wait=room.wait)
    return held.target


def _imported(room: Room, held: Asked) -> str | None:
    return held.target if room.imports().records.get(held.target).state in _UNDER_WAY else None


def _change(room: Room, held: Asked, approval: Approval, standing: tuple[str, ...]) -> str:
    action, reason = str(held.body.get("action")), _text(held, "reason")
    due, hold = _number(held, "due"), _number(held, "hold") or 0
    if due is not None or hold:
        count = planned.plan(
            room.desk, standing, action, reason, due=max(due or 0, room.at + hold), at=room.at, by=_by(approval),
            approval=approval, once=held.id,
        )  # fmt: skip
    else:
        count = change_many(room.desk, standing, action, reason, room.at, approval=approval, once=held.id).changed
    return str(count)


def _changed(room: Room, held: Asked) -> str | None:
    count = carried.count_of(room.desk.books, held.id)
    return None if count is None else str(count)


def _replace(room: Room, held: Asked, approval: Approval, standing: tuple[str, ...]) -> str:
    made = supersede(
        room.desk, held.target, _claims(held), at=room.at, random=room.random, by=_by(approval), bind=_text(held, "bind"),
        approval=approval, base=_base(held),
    )  # fmt: skip
    return made.id


def _replaced(room: Room, held: Asked) -> str | None:
    row = room.desk.ledger.by_request(replacement_of(held.target, _claims(held)))
    return None if row is None or row.state == "refused" else row.id


def _renew(room: Room, held: Asked, approval: Approval, standing: tuple[str, ...]) -> str:
    return renew(
        room.desk, held.target, at=room.at, random=room.random, by=_by(approval), bind=_text(held, "bind"), approval=approval
    ).id


def _renewed(room: Room, held: Asked) -> str | None:
    row = room.desk.ledger.by_request(renewal_of(held.target))
    return None if row is None or row.state == "refused" else row.id


ACTS: Final[Mapping[str, Act]] = MappingProxyType({
    "issue": Act(_issue, _issued), "revoke": Act(_revoke, _revoked), "erase": Act(_erase, _erased),
    "import": Act(_import, _imported), "change": Act(_change, _changed, partly=True), "replace": Act(_replace, _replaced),
    "renew": Act(_renew, _renewed),
})  # fmt: skip
