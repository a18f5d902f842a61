"""A signing key was in other hands: which certificates stand, and new ones in place of those that do not (R8).

What the register proves from before the minute T stands; what was signed with the key and cannot be proven so does not. The
key is replaced first, so that nothing of ours is signed with it any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from issuer_app.desk import Desk
from issuer_app.lifecycle.replacing import supersede
from weid.errors import IssueError
from weid.suites import Random

__all__ = ["Exposed", "declare", "exposed", "reissue"]

_PAGE = """SELECT seq, id, issued, file FROM issued WHERE seq > ? AND erased = 0 AND state NOT IN ('refused', 'draft')
 ORDER BY seq LIMIT 500"""


@dataclass(frozen=True, slots=True)
class Exposed:
    """The assertion key in force, how many certificates it signed before T and are proven so, and those it signed later."""

    number: int
    before: int
    after: tuple[str, ...]


def exposed(desk: Desk, since: int, *, number: int | None = None) -> Exposed:
    """What it would mean that a key [the assertion key in force] was in other hands from the minute `since` on."""
    chosen = int(desk.party.signer("assert").kid.rpartition("-")[2]) if number is None else number
    before, after = 0, []
    for id_, issued, file in _signed(desk):
        if _key_of(file) != chosen:
            continue
        if issued < since:
            before += 1
        else:
            after.append(id_)
    return Exposed(chosen, before, tuple(after))


def declare(desk: Desk, number: int, since: int, at: int) -> None:
    """Publish what is unsent, replace the key if it is in force, and tell the log that it was exposed from then on."""
    if since > at:
        raise IssueError("the minute has not come yet", code="bad-time")
    with desk.party.locked():
        desk.publish(at)  # what is ours is in the register before the key ends
        if desk.party.signer("assert").kid.endswith(f"-{number}"):
            desk.rotate("assert", at)
        desk.compromise(number, since, at)


def reissue(desk: Desk, ids: tuple[str, ...], *, at: int, random: Random, by: str) -> tuple[int, tuple[str, ...]]:
    """New certificates with the same values in place of these; (how many, the ids of those that their holders must ask for).

    A certificate that is bound to a wallet needs its holder's request again. Safe to run again after a crash.
    """
    made, bound = 0, []
    for id_ in ids:
        row = desk.get(id_)
        if row.state not in ("valid", "suspended"):
            continue
        if desk.schema(row.schema, at).bind != "none":
            bound.append(id_)
            continue
        supersede(desk, id_, row.claims, at=at, random=random, by=by, minutes=max(1, row.until - at), publish=False)
        made += 1
    desk.publish(at)
    return made, tuple(bound)


def _signed(desk: Desk) -> Iterator[tuple[str, int, bytes]]:
    last = 0
    while True:
        rows = desk.books.rows(_PAGE, last)
        if not rows:
            return
        for row in rows:
            last = row["seq"]
            yield row["id"], row["issued"], row["file"]


def _key_of(file: bytes) -> int:
    proof = json.loads(file)["proof"]
    first = proof[0] if isinstance(proof, list) else proof
    return int(str(first["verificationMethod"]).rpartition("-")[2])
