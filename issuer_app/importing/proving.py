"""One anchored tree over the files of an import, and its recall.

The tree's seed is made, used and forgotten in one go: every proof is kept with its certificate instead, so that erasing one
certificate destroys its salt and leaves the others theirs (R25).
"""

from __future__ import annotations

from issuer_app.desk import Desk
from issuer_app.importing import drafts
from issuer_app.importing.records import Import, Imports
from issuer_app.publish import publish_list
from issuer_app.rights import log_time
from registry import operations as ops
from registry.evidence_batch import KIND, Batch, print_proof
from weid.errors import RejectedError
from weid.suites import Random

__all__ = ["prove", "recall"]

_PAGE = 1_000
_MEMBERS = (  # CROSS JOIN: certificates in their order first; the other way round, every page would sort all lines of the import
    "SELECT issued.id AS id, file, seq FROM issued CROSS JOIN import_lines ON import_lines.id = issued.id WHERE import = ? "
    "AND import_lines.state = 'issued' AND erased = 0 AND seq > ? ORDER BY seq LIMIT ?"
)


def prove(desk: Desk, records: Imports, job: Import, random: Random) -> None:
    """Keep a proof for every certificate, then put the one fingerprint on the log; the same bytes again after a crash."""
    entry = job.entry
    if entry is None:
        entry = _plant(desk, records, job, random)
    if entry:
        receipt = desk.client.submit(entry)
        desk.party.forget()
        receipt.require()


def _plant(desk: Desk, records: Imports, job: Import, random: Random) -> bytes:
    """The tree, its proofs and the signed operation, stored together; empty where nothing is left to prove."""
    hash, ids, digests, after = desk.client.genesis.hash, list[str](), list[bytes](), -1
    while page := records.store.rows(_MEMBERS, job.id, after, _PAGE):
        ids += [row["id"] for row in page]
        digests += [hash(row["file"]) for row in page]
        after = page[-1]["seq"]
    if not ids:
        return b""
    batch = Batch(digests, origin=desk.client.genesis.origin, actor=desk.did, seed=random(32), hash=hash)
    operation = ops.evidence_anchor(desk.party.author(), batch.fingerprint, KIND)
    with records.store.change() as db:
        db.execute("DELETE FROM import_proofs WHERE import = ?", (job.id,))
        db.conn.executemany(
            "INSERT INTO import_proofs VALUES (?, ?, ?, ?)",
            ((id_, job.id, place, print_proof(batch.proof(place))) for place, id_ in enumerate(ids)),
        )
        records.set(job.id, root=batch.root, size=batch.size, op=operation.id, entry=operation.data)
    return operation.data


def recall(desk: Desk, job: Import, reason: str, now: int) -> int:
    """Revoke what an import issued and is not revoked yet."""
    ledger, at = desk.ledger, min(now, log_time(desk.facts(now)))
    ours = "id IN (SELECT id FROM import_lines WHERE import = ? AND state = 'issued')"
    before = ledger.store.rows(
        f"SELECT id, state, reason, changed FROM issued WHERE {ours} AND state IN ('valid', 'suspended') AND list IS NOT NULL",
        job.id,
    )
    with ledger.store.change() as db:
        db.conn.executemany(
            "UPDATE issued SET state = 'revoked', reason = ?, changed = ? WHERE id = ?",
            [(reason, at, row["id"]) for row in before],
        )
    try:
        for number in drafts.lists_of(ledger, job.id):
            publish_list(desk.party, ledger, ledger.list_row(number), now, desk.terms.next_update)
    except RejectedError:
        with ledger.store.change() as db:  # it is not so if nobody can see it
            db.conn.executemany(
                "UPDATE issued SET state = ?, reason = ?, changed = ? WHERE id = ? AND told NOT LIKE 'revoked|%'",
                [(row["state"], row["reason"], row["changed"], row["id"]) for row in before],
            )
        raise
    return len(before)
