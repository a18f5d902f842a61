"""A restored desk is brought up to what the registry has heard since the backup was made.

A place in a status list that was given to a certificate is never given again, even if the certificate's content is lost: the
register on the log says which places and ids there are (R8). What the log does not have of the backup's unsent rows stays to
be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from issuer_app.desk import Desk
from issuer_app.store import Store
from weid.errors import KeyMaterialError, RegistryError
from weid.records import RegisterLeaf, StatusEntry, StatusRecord

__all__ = ["CaughtUp", "catch_up"]

_LOST: Final = "restored"  # who issued what only the register knows


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What the backup did not have: certificates whose content is lost, and changes of status that were taken over."""

    lost: int
    changed: int


def catch_up(desk: Desk, at: int) -> CaughtUp:
    """Take over registers and states from the registry; run it before anything is issued or published.

    KeyMaterialError `keys-rotated` when keys in force are not among the desk's; RegistryError `bad-answer` when the node's
    leaves are not those on the log, `other-books` when the backup is not of this institution's lists.
    """
    desk.client.refresh()
    facts = desk.party.facts(at, fresh=True)
    _check_keys(desk)
    lost = changed = 0
    with desk.party.locked():
        for found in sorted(facts.find("status", f"{desk.did}/status/"), key=lambda found: found.record.number):
            record: StatusRecord = found.record
            last, leaves = desk.client.register(record.list_id)
            with desk.books.change():
                more, other = _list(desk.books, record, last, leaves, desk.terms.list_size)
            lost, changed = lost + more, changed + other
    return CaughtUp(lost, changed)


def _check_keys(desk: Desk) -> None:
    for role in ("log-op", "assert", "status"):
        try:
            desk.party.signer(role)
        except KeyMaterialError as error:
            raise KeyMaterialError(
                f"the {role} key was changed after this backup was made: ask for recovery of the DID", code="keys-rotated"
            ) from error


def _list(books: Store, record: StatusRecord, last: bytes, leaves: tuple[RegisterLeaf, ...], size: int) -> tuple[int, int]:
    number, known = record.number, {leaf.cid.hex(): leaf.index for leaf in leaves}
    rows = {row["id"]: row for row in books.rows("SELECT * FROM issued WHERE list = ?", number)}
    taken = {row["slot"]: row["id"] for row in rows.values()}
    if any(taken.get(index, id_) != id_ for id_, index in known.items()):
        raise RegistryError("the backup has other certificates in these places", code="other-books")
    with books.change() as db:
        if books.row("SELECT 1 FROM lists WHERE number = ?", number) is None:
            db.table("lists").insert(
                {"number": number, "schema": record.schemas[0], "seq": 0, "last": None, "size": size, "renewed": 0}
            )
        for id_, index in known.items():
            if id_ not in rows:
                db.table("issued").insert(_placeholder(id_, record, index))
        _put_last(db, books, [row for id_, row in rows.items() if id_ not in known])
        entries = {entry.index: entry for entry in record.entries}
        changed = sum(_state(db, row, known, entries) for row in rows.values())
        for index, entry in entries.items():
            db.execute("UPDATE issued SET told = ?, state = ?, reason = ?, changed = ? WHERE list = ? AND slot = ? AND by = ?",
                       (_told(entry), entry.state, entry.reason, entry.at, number, index, _LOST))  # fmt: skip
        db.execute("DELETE FROM outgoing WHERE list = ?", (number,))  # signed for a state of the list that is past
        db.execute("UPDATE lists SET seq = ?, last = ?, renewed = ? WHERE number = ?",
                   (record.seq, last, record.this_update, number))  # fmt: skip
    return len(set(known) - set(rows)), changed


def _put_last(db: Any, books: Store, unsent: list[dict[str, Any]]) -> None:
    """Rows the log has not heard of come after those it has: a published register only ever grows at its end."""
    newest = books.row("SELECT max(seq) AS last FROM issued")
    for place, row in enumerate(sorted(unsent, key=lambda row: int(row["seq"])), 1 + (newest["last"] if newest else 0)):
        db.execute("UPDATE issued SET seq = ? WHERE id = ?", (place, row["id"]))


def _state(db: Any, row: dict[str, Any], known: dict[str, int], entries: dict[int, StatusEntry]) -> int:
    """One row of the backup: what the registry has heard replaces what it had heard, never a decision not yet told."""
    entry = entries.get(row["slot"]) if row["id"] in known else None
    told = "" if entry is None else _told(entry)
    pending = row["state"] != (row["told"].split("|")[0] or "valid")
    if row["id"] in known and not row["published"]:
        db.execute("UPDATE issued SET published = 1 WHERE id = ?", (row["id"],))
    if told == row["told"]:
        return 0
    db.execute("UPDATE issued SET told = ? WHERE id = ?", (told, row["id"]))
    # Revoked is final wherever it was decided (R9); a decision of the backup that was never sent is sent now.
    if not pending or (entry is not None and entry.state == "revoked"):
        state = ("valid", None, None) if entry is None else (entry.state, entry.reason, entry.at)
        db.execute("UPDATE issued SET state = ?, reason = ?, changed = ? WHERE id = ?", (*state, row["id"]))
    return 1


def _told(entry: StatusEntry) -> str:
    return f"{entry.state}|{entry.reason}|{entry.at}"


def _placeholder(id_: str, record: StatusRecord, index: int) -> dict[str, Any]:
    return {
        "id": id_, "schema": record.schemas[0], "list": record.number, "slot": index, "issued": 0, "since": 0, "until": 0,
        "claims": "{}", "compact": b"", "file": b"", "code": None, "mark": None, "anchored": 0, "find": id_, "state": "valid",
        "reason": None, "changed": None, "told": "", "published": 1, "by": _LOST, "specimen": 0, "request": None, "asked": None,
        "erased": 1,
    }  # fmt: skip
