"""Publish a status list with its issuance register (R8, R9): signed, stored, sent, and only then counted.

The signed bytes are kept until the registry has answered. After a crash the same bytes go out again; the registry
answers `duplicate` when it had accepted them, and the first refusal again when it had not.
"""

from __future__ import annotations

from issuer_app.ledger import Ledger, ListRow, Outgoing
from issuer_app.party import Party
from issuer_app.rights import log_time
from registry import operations as ops
from registry.registers import register_root
from weid.errors import RejectedError
from weid.records import StatusEntries, StatusEntry, status_digest, status_list_id

__all__ = ["publish_list"]

MAX_DELTA = 3_000  # entries in one operation, so that it stays under the log's entry size


def publish_list(party: Party, ledger: Ledger, chosen: ListRow, at: int, next_update: int) -> None:
    """Bring one list up to date; RejectedError when the registry refuses, and then nothing of it counts."""
    left = ledger.sending(chosen.number)
    if left is not None:
        _send(party, ledger, left)
    while True:
        outgoing = _prepare(party, ledger, ledger.list_row(chosen.number), at, next_update)
        if outgoing is None:
            return
        ledger.send(outgoing)
        _send(party, ledger, outgoing)


def _prepare(party: Party, ledger: Ledger, chosen: ListRow, at: int, next_update: int) -> Outgoing | None:
    """The next publication of a list, or None when the registry knows it all and it is not due."""
    now = min(at, log_time(party.facts(at)))
    leaves = ledger.leaves(chosen.number)
    told, wanted = ledger.standing(chosen.number)
    changed, lifted, words = _delta(told, wanted)
    fresh = ledger.unpublished(chosen.number)
    due = bool(leaves) and now >= chosen.renewed + next_update // 2
    if not (changed or lifted or fresh or due):
        return None
    after = {**{index: entry for index, entry in told.items() if index not in lifted}, **changed}
    entries = StatusEntries(after[index] for index in sorted(after))
    genesis, list_id = party.client.genesis, status_list_id(party.did, chosen.number)
    digest = status_digest(genesis.hash, list_id, chosen.seq + 1, entries)
    operation = ops.status_publish(
        party.author(), chosen.last, number=chosen.number, seq=chosen.seq + 1, schemas=[chosen.schema],
        changed=StatusEntries(changed[index] for index in sorted(changed)), lifted=sorted(lifted), digest=digest,
        register_root=register_root(list_id, [leaf for leaf, _ in leaves], hash=genesis.hash),
        register_size=len(leaves), this_update=now, next_update=now + next_update,
    )  # fmt: skip
    upto = leaves[-1][1] if leaves else 0
    return Outgoing(chosen.number, operation.id, operation.data, chosen.seq + 1, upto, words, now)


def _delta(
    told: dict[int, StatusEntry], wanted: dict[int, StatusEntry]
) -> tuple[dict[int, StatusEntry], list[int], dict[str, str]]:
    """(changed, lifted, slot → what the registry will have heard); a suspension keeps its first reason and time."""
    changed: dict[int, StatusEntry] = {}
    for index, entry in sorted(wanted.items()):
        before = told.get(index)
        if (before is None or before.state != entry.state) and len(changed) < MAX_DELTA:
            changed[index] = entry
    lifted = [index for index in sorted(told) if index not in wanted][:MAX_DELTA]
    words = {str(index): f"{entry.state}|{entry.reason}|{entry.at}" for index, entry in changed.items()}
    return changed, lifted, {**words, **dict.fromkeys(map(str, lifted), "")}


def _send(party: Party, ledger: Ledger, outgoing: Outgoing) -> None:
    receipt = party.client.submit(outgoing.entry)
    if not receipt.applied:
        ledger.unsend(outgoing.list_number)
        party.forget()
        raise RejectedError(receipt.detail or receipt.code, code=receipt.code)
    list_id = status_list_id(party.did, outgoing.list_number)
    leaves = [leaf for leaf, seq in ledger.leaves(outgoing.list_number) if seq <= outgoing.upto]
    party.client.put_register(list_id, leaves)
    ledger.sent(outgoing)
    party.forget()
