"""Rules for schemas, status lists with their issuance register, and auditors' overrides (R8, R9)."""

from __future__ import annotations

from registry import bodies
from registry.rejections import reject
from registry.view import Changes, Published, View, check_minute
from weid import merkle
from weid.canon import jcs, parse_json
from weid.errors import MalformedError
from weid.records import (
    REASONS,
    STATES,
    AccreditationRecord,
    OverrideRecord,
    SchemaRecord,
    StatusEntries,
    StatusEntry,
    StatusRecord,
    status_digest,
    status_list_id,
)  # fmt: skip

MAX_INDEX = 1 << 32


def publish_schema(view: View, body: bodies.SchemaPublish) -> Changes:
    """Canonical JSON, named by its digest; published once, by committee, reviewer or approved issuer."""
    digest = view.new_document("schema", body.document)
    try:
        value = parse_json(body.document)
        canonical = jcs(value) == body.document
    except MalformedError:
        canonical = False
    if not canonical or not isinstance(value, dict):
        reject("bad-schema")
    return Changes(put=(SchemaRecord(digest, view.author, view.now, body.document),))


def publish_status(view: View, body: bodies.StatusPublish) -> Changes:
    """A delta on the issuer's own list, by an issuer that has the right at log time."""
    list_id = view.operation.sub
    if list_id != status_list_id(view.author, body.number) or body.number < 0:
        reject("not-yours", list_id)
    _require_rights(view, body.schemas)
    old: StatusRecord | None = view.get("status", list_id)
    _check_order(view, body, old)
    view.not_after_now(body.this_update)
    if body.next_update <= body.this_update:
        reject("empty-period", "next update")
    check_minute(body.next_update)
    entries = _changed(view, old.entries if old else StatusEntries(), body)
    if status_digest(view.genesis.hash, list_id, body.seq, entries) != body.digest:
        reject("wrong-digest", list_id)
    # A right that ended later must not drop a schema from the list: old codes still look it up.
    schemas = tuple(sorted({*body.schemas, *(old.schemas if old else ())}))
    record = StatusRecord(
        list_id, view.author, body.number, body.seq, schemas, entries, body.register_root,
        body.register_size, body.this_update, body.next_update, view.now,
    )  # fmt: skip
    published = Published(view.now, view.id, body.register_root, body.register_size)
    return Changes(put=(record,), published=((list_id, published),))


def _require_rights(view: View, schemas: tuple[bytes, ...]) -> None:
    if not schemas or len(set(schemas)) != len(schemas) or len(schemas) > 256:
        reject("malformed", "a list covers different schemas")
    for schema in schemas:
        right: AccreditationRecord | None = view.get("accreditation", f"{view.author}|{schema.hex()}")
        if right is None or right.at(view.now) is None:
            reject("not-accredited", schema.hex())


def _check_order(view: View, body: bodies.StatusPublish, old: StatusRecord | None) -> None:
    history = view.history.get(view.operation.sub, ())
    if view.operation.prev != (history[-1].op if history else None):
        reject("stale-prev", view.operation.sub)
    if body.seq != (old.seq if old else 0) + 1:
        reject("wrong-seq", str(body.seq))
    size, root = (old.register_size, old.register_root) if old else (0, merkle.empty_root(hash=view.genesis.hash))
    if len(body.register_root) != 32 or len(body.digest) != 32:
        reject("malformed", "digests are 32 bytes")
    if body.register_size < size or (body.register_size == size and body.register_root != root):
        reject("register-shrank", f"{body.register_size} after {size}")


def _changed(view: View, old: StatusEntries, body: bodies.StatusPublish) -> StatusEntries:
    """The list after the delta: revoked stays revoked, lifting needs a suspension."""
    entries = {entry.index: entry for entry in old}
    if len(set(body.lifted)) != len(body.lifted) or list(body.lifted) != sorted(body.lifted):
        reject("wrong-delta", "lifted indices are sorted and different")
    for index in body.lifted:
        _require_clearable(entries.get(index), index)
        del entries[index]
    for entry in body.changed:
        before = entries.get(entry.index)
        if entry.index >= MAX_INDEX or entry.index in body.lifted:
            reject("wrong-delta", str(entry.index))
        if before is not None and before.state == "revoked":
            reject("cannot-clear-revoked" if entry.state == "suspended" else "wrong-delta", str(entry.index))
        if before is not None and entry.state == "suspended":
            reject("wrong-delta", str(entry.index))
        view.not_after_now(entry.at)
        entries[entry.index] = entry
    return StatusEntries(entries[index] for index in sorted(entries))


def _require_clearable(entry: StatusEntry | None, index: int) -> None:
    if entry is None:
        reject("wrong-delta", f"{index} is not suspended")
    if entry.state == "revoked":
        reject("cannot-clear-revoked", str(index))


def override(view: View, body: bodies.StatusOverride) -> Changes:
    """An auditor's word stands beside the issuer's list and never changes it (R9)."""
    record: StatusRecord | None = view.get("status", view.operation.sub)
    if not view.has_role("auditor", record.schemas if record else ()):
        reject("wrong-role", f"{view.author} is not an auditor of this list")
    if record is None:
        reject("unknown-list", view.operation.sub)
    if body.state not in (*STATES, "lifted") or body.reason not in REASONS or not 0 <= body.index < MAX_INDEX:
        reject("malformed", "an override has a state, a known reason and an index")
    view.not_after_now(body.at)
    key = f"{view.operation.sub}|{body.index}"
    old: OverrideRecord | None = view.get("override", key)
    if old is not None and old.state == "revoked":
        reject("wrong-delta" if body.state == "revoked" else "cannot-clear-revoked", key)
    if body.state == "lifted":
        if old is None:
            reject("wrong-delta", key)
        return Changes(drop=(("override", key),))
    made = OverrideRecord(view.operation.sub, body.index, body.state, body.reason, view.author, body.at, view.now)
    return Changes(put=(made,))
