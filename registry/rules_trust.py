"""Rules for evidence, recognition of other registries, log time and the state statement (R7, R20, R23, R25)."""

from __future__ import annotations

from dataclasses import replace

from registry import bodies
from registry.rejections import reject
from registry.rules_gov import expired
from registry.view import Changes, View, check_minute, check_names, check_text, digest_of
from weid.records import EvidenceRecord, RecognitionRecord

MODES = ("cease", "distrust")


def anchor(view: View, body: bodies.EvidenceAnchor) -> Changes:
    """A salted fingerprint, once, by a registered DID."""
    fingerprint = digest_of(view.operation.sub)
    view.did(view.author)
    check_text(body.kind, "kind")
    if view.get("evidence", view.operation.sub) is not None:
        reject("already-exists", view.operation.sub)
    return Changes(put=(EvidenceRecord(fingerprint, view.author, body.kind, view.now, None),))


def withdraw_evidence(view: View, body: bodies.EvidenceWithdraw) -> Changes:
    """Only its author withdraws a fingerprint; that it was there stays on the log."""
    old: EvidenceRecord | None = view.get("evidence", view.operation.sub)
    if old is None:
        reject("unknown-item", view.operation.sub)
    if old.author != view.author:
        reject("not-yours", view.operation.sub)
    if old.withdrawn is not None:
        reject("not-active", view.operation.sub)
    return Changes(put=(replace(old, withdrawn=view.now),))


def recognise(view: View, body: bodies.TrustRecognise) -> Changes:
    """The committee trusts a foreign registry: one hop, for purposes, schemas and a period (R23)."""
    genesis = digest_of(view.operation.sub)
    view.require_committee("recognition")
    if genesis == view.digest or body.origin == view.genesis.origin:
        reject("own-registry", body.origin)
    check_names(body.names)
    for purpose in (*body.purposes, body.origin):
        check_text(purpose, "purpose or origin")
    if not body.purposes or any(len(set(items)) != len(items) for items in (body.purposes, body.schemas)):
        reject("malformed", "recognition names different purposes and schemas")
    if len(body.root) != 32 or any(len(d) != 32 for d in body.schemas) or not 0 <= body.assurance < 256:
        reject("malformed", "recognition pins a 32-byte root and 32-byte schema digests")
    if body.size < 0 or (body.mapping is not None and len(body.mapping) != 32):
        reject("malformed", "recognition pins a size and perhaps a mapping digest")
    start = view.start(body.since, body.until)
    old: RecognitionRecord | None = view.get("recognition", genesis.hex())
    if old is not None and old.withdrawn is None and view.now < old.until:
        reject("already-exists", body.origin)
    record = RecognitionRecord(
        body.origin, genesis, body.names, body.purposes, tuple(sorted(body.schemas)), start, body.until,
        body.size, body.root, body.assurance, body.mapping, None, None,
    )  # fmt: skip
    return Changes(put=(record,))


def withdraw(view: View, body: bodies.TrustWithdraw) -> Changes:
    """`cease`: earlier ones stand if proven before; `distrust`: all fail. Cease may become distrust."""
    view.require_committee("recognition")
    if body.mode not in MODES:
        reject("malformed", "recognition ends by cease or distrust")
    old: RecognitionRecord | None = view.get("recognition", view.operation.sub)
    if old is None or old.mode == body.mode or old.mode == "distrust":
        reject("not-recognised", view.operation.sub)
    return Changes(put=(replace(old, withdrawn=view.now, mode=body.mode),))


def tick(view: View, body: bodies.TimeTick) -> Changes:
    """Log time moves forward only, by the operator only (R7); proposals whose time is over go with it."""
    view.require_operator()
    if body.minute < view.now:
        reject("backwards-time", str(body.minute))
    check_minute(body.minute)
    return replace(expired(view, body.minute), log_time=body.minute)


def commit(view: View, body: bodies.StateCommit) -> Changes:
    """The digest of the state statement must be what this log adds up to: a lie leaves evidence (R20)."""
    view.require_operator()
    if body.size != view.size:
        reject("stale-state", f"{body.size}, not {view.size}")
    if body.digest != view.statement():
        reject("wrong-state")
    return Changes()
