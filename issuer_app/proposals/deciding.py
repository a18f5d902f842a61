"""Asking, looking at what was asked for as it stands now, and agreeing to just that.

What a person agrees to is named by a mark over the request's digest and the certificates that stand: if anything changed
between the look and the yes, the yes is about something else and does nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from issuer_app.problems import RefusedError
from issuer_app.proposals.acts import ACTS, Act, Room, as_they_are, bound
from issuer_app.two_people import NEEDS, Approval, Asked
from weid.canon import JSON, jcs
from weid.errors import ConflictError

__all__ = ["Examined", "agree", "ask", "examine", "needed", "settle"]


@dataclass(frozen=True, slots=True)
class Examined:
    """A request as it stands: the certificates that are as they were, and those that are not (id, state now).

    `mark` names all of that, for whoever agrees.
    """

    standing: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    mark: str

    @property
    def count(self) -> int:
        """How many certificates it names."""
        return len(self.standing) + len(self.left)


def needed(two_people: frozenset[str], act: str) -> bool:
    """Whether the terms ask for two people here."""
    return bool(NEEDS[act] & two_people)


def ask(
    room: Room, act: str, target: str, body: Mapping[str, JSON], *, by: str, once: str | None = None, renew: bool = False,
    until: int | None = None,
) -> Asked:  # fmt: skip
    """Let it wait; asking again for the same gives the same request, with `renew` unless nobody agreed to that."""
    digest = room.desk.client.genesis.hash(jcs([act, target, dict(body)]))
    return room.waiting.ask(act, target, body, by=by, at=room.at, digest=digest, once=once, renew=renew, until=until)


def examine(room: Room, held: Asked) -> Examined:
    """An open request beside the books of now; ConflictError `request-altered` where it is not what its digest says."""
    hash = room.desk.client.genesis.hash
    if hash(jcs([held.act, held.target, dict(held.body)])) != held.digest:
        raise ConflictError("the request is not what was asked for: somebody has changed the file", code="request-altered")
    was = bound(held)
    if held.act == "import":
        now = {id_: room.imports().content(id_) for id_ in was}
    else:
        now = as_they_are(room.desk, tuple(was))
    standing = tuple(id_ for id_, state in was.items() if now.get(id_) == state)
    left = tuple((id_, now.get(id_, "gone")) for id_, state in was.items() if now.get(id_) != state)
    return Examined(standing, left, hash(jcs([held.digest.hex(), list(standing)])).hex())


def agree(room: Room, id_: str, second: str, seen: str) -> str:
    """Carry it out as the second person; what came of it. `seen` is the mark of what that person has looked at.

    RefusedError `own-request`, `not-waiting`; `compare-again` where something changed since the look, `changed-meanwhile`
    where nothing that was asked for stands any more; what the act raises.
    """
    with room.desk.party.locked():  # nothing changes between the last look and the act
        again = room.waiting.get(id_).state == "doing"
        held = room.waiting.claim(id_, second, room.at)
        act, result, begun = ACTS[held.act], None, again
        try:
            result = act.done(room, held) if again else None
            if result is None:
                standing = _agreed(act, examine(room, held), seen)
                begun = True
                result = act.do(room, held, Approval(held.by, second), standing)
        finally:
            # Whatever stopped it: what is in the books is done, and will be sent; what is not waits on.
            if result is None and begun:
                result = act.done(room, held)
            if result is None:
                room.waiting.release(id_)
            else:
                room.waiting.done(id_, result)
    return result


def settle(room: Room) -> None:
    """Requests whose carrying out was cut short: those that are in the books are done, the others wait on."""
    for held in room.waiting.cut_short(room.at):
        result = ACTS[held.act].done(room, held)
        if result is not None:
            room.waiting.done(held.id, result)


def _agreed(act: Act, found: Examined, seen: str) -> tuple[str, ...]:
    """The certificates to act on, if that is what the second person saw."""
    if found.left and not (act.partly and found.standing):
        raise RefusedError("what was asked for has changed meanwhile", code="changed-meanwhile")
    if not hmac.compare_digest(found.mark, seen):
        raise RefusedError("something changed since you looked at it", code="compare-again")
    return found.standing
