"""Rules of delegated accreditation: ministry → association → certificate, each within what it was given.

A delegate gives rights for one schema up to its level and within its period, and may delegate further as deep as it was
told. When a delegation ends, everything given under it ends at the same minute: nobody keeps a right from a source that
has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from registry import bodies
from registry.rejections import reject
from registry.view import Changes, View, check_text
from weid.governance import DelegationRecord

__all__ = ["MAX_DEPTH", "delegate", "gives_now", "grant_of", "undelegate"]

MAX_DEPTH = 3


def delegate(view: View, body: bodies.IssuerDelegate) -> Changes:
    """Committee and reviewers begin a chain; a delegate continues it below its own level, depth and period."""
    did = view.operation.sub
    if did == view.author:
        reject("self-approval", did)
    view.did(did)
    view.schema(body.schema)
    if not 0 <= body.level < 256 or not 0 <= body.depth <= MAX_DEPTH:
        reject("malformed", f"a level is 0 to 255, a depth 0 to {MAX_DEPTH}")
    start = view.start(body.since, body.until)
    grant = grant_of(view, body.schema)
    if grant is None:
        view.require_decider((body.schema,))
    else:
        require_within(grant, body.level, start, body.until)
        if body.depth >= grant.depth:
            reject("beyond-grant", "depth")
    old: DelegationRecord | None = view.get("delegation", f"{did}|{body.schema.hex()}")
    if old is not None and old.ended is None and view.now < old.until:
        reject("already-exists", did)
    return Changes(put=(DelegationRecord(did, body.schema, body.level, body.depth, view.author, start, body.until, None),))


def undelegate(view: View, body: bodies.IssuerUndelegate) -> Changes:
    """Whoever gave it, a reviewer or the committee ends it, with all that was given under it."""
    check_text(body.reason, "reason")
    old: DelegationRecord | None = view.get("delegation", f"{view.operation.sub}|{body.schema.hex()}")
    if old is None or old.ended is not None or old.until <= view.now:
        reject("not-active", view.operation.sub)
    if old.by != view.author:
        view.require_decider((body.schema,))
    chain = tuple(_below(view, old))
    ended = tuple(replace(record, ended=view.now) for record in chain)
    givers = {record.did for record in chain}
    given = (right for right in view.tables["accreditation"].values() if right.schema == body.schema and right.by in givers)
    rights = tuple(cut for right in given if (cut := right.cut(view.now, "removed", body.reason)) != right)
    return Changes(put=(*ended, *rights))


def grant_of(view: View, schema: bytes) -> DelegationRecord | None:
    """The delegation the author acts under; None for whoever decides by office (reviewer, committee) or not at all."""
    if view.mandate is not None or view.has_role("reviewer", (schema,)) or view.alone("issuer"):
        return None
    record: DelegationRecord | None = view.get("delegation", f"{view.author}|{schema.hex()}")
    return record if record is not None and record.covers(view.now) else None


def gives_now(view: View, did: str, schema: bytes) -> bool:
    """Whether a DID holds a delegation for the schema that has not ended."""
    record: DelegationRecord | None = view.get("delegation", f"{did}|{schema.hex()}")
    return record is not None and record.ended is None


def require_within(grant: DelegationRecord, level: int, since: int, until: int) -> None:
    """RejectedError `beyond-grant` unless a right lies within the delegation it is given under."""
    if level > grant.level:
        reject("beyond-grant", f"level {level} of {grant.level}")
    if not grant.since <= since < until <= grant.until:
        reject("beyond-grant", "period")


def _below(view: View, top: DelegationRecord) -> Iterator[DelegationRecord]:
    """A delegation and all that hang from it; depth shrinks at every step, so the walk ends."""
    yield top
    for record in view.tables["delegation"].values():
        if record.schema == top.schema and record.by == top.did and record.ended is None and record.depth < top.depth:
            yield from _below(view, record)
