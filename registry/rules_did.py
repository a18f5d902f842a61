"""Rules for DIDs: nobody registers another's, numbers are never reused, deactivation is final (R5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from registry import bodies
from registry.operations import KEY_PROOF, key_proof_payload
from registry.rejections import reject
from registry.view import Changes, View, check_text
from weid.did import weid_did
from weid.errors import KeyMaterialError, UnknownSuiteError
from weid.keys import PublicKey
from weid.records import DidRecord, KeyRecord, ServiceRecord, VersionRecord
from weid.signing import DID_ROLES

MAX_KEYS = 64
MAX_SERVICES = 32
END_STATES = ("retired", "compromised")


def create(view: View, body: bodies.DidCreate) -> Changes:
    """Every key proves possession; the address is the first key's; the author is one of the keys."""
    did = view.operation.sub
    if view.get("did", did) is not None:
        reject("already-exists", did)
    if view.author != did:
        reject("not-yours", did)
    keys = _new_keys(view, did, body.keys, (), 1)
    if not keys or did != str(weid_did(view.genesis.chain, keys[0].key)):
        reject("wrong-address", did)
    _check_controller(keys)
    services = _new_services(body.services, (), 1)
    first = VersionRecord(1, view.now)
    return Changes(put=(DidRecord(did, view.id, (first,), keys, services, None),))


def update(view: View, body: bodies.DidUpdate) -> Changes:
    """End keys, add keys and services: a new version whose history keeps all that ended."""
    record = _own(view)
    version = record.versions[-1].number + 1
    keys = _changed_keys(view, record, body.add, body.end, version)
    services = _dropped(record.services, body.drop, version)
    services += _new_services(body.services, services, version)
    if not (body.end or body.add or body.services or body.drop):
        reject("wrong-delta")
    return Changes(put=(_next(view, record, keys, services),))


def recover(view: View, body: bodies.DidRecover) -> Changes:
    """The committee gives a DID whose keys are lost new ones; the DID, its rights and its history stay."""
    view.require_committee("recovery")
    record = view.did(view.operation.sub)
    if body.prev != record.last_op:
        reject("stale-prev", record.last_op.hex())
    if not body.add:
        reject("wrong-delta", "no new key")
    version = record.versions[-1].number + 1
    return Changes(put=(_next(view, record, _changed_keys(view, record, body.add, body.end, version), record.services),))


def _changed_keys(
    view: View, record: DidRecord, add: tuple[bodies.KeyEntry, ...], end: tuple[bodies.KeyEnd, ...], version: int
) -> tuple[KeyRecord, ...]:
    ended = {item.number: item for item in end}
    if len(ended) != len(end) or not set(ended) <= {key.number for key in record.keys}:
        reject("unknown-item", "keys to end")
    kept = tuple(_ended(view, key, ended[key.number], version) if key.number in ended else key for key in record.keys)
    keys = kept + _new_keys(view, record.did, add, record.keys, version)
    _check_controller(keys)
    return keys


def deactivate(view: View, body: bodies.DidDeactivate) -> Changes:
    """The last operation of a DID; a member of the committee is removed from it first (R24: no quorum is lost so)."""
    record = _own(view)
    if view.weight(record.did):
        reject("still-member", record.did)
    return Changes(put=(replace(_next(view, record, record.keys, record.services), deactivated=view.now),))


def _own(view: View) -> DidRecord:
    if view.author != view.operation.sub:
        reject("not-yours", view.operation.sub)
    record = view.did(view.operation.sub)
    if view.operation.prev != record.last_op:
        reject("stale-prev", record.last_op.hex())
    return record


def _next(view: View, record: DidRecord, keys: tuple[KeyRecord, ...], services: tuple[ServiceRecord, ...]) -> DidRecord:
    version = VersionRecord(record.versions[-1].number + 1, view.now)
    return replace(record, last_op=view.id, versions=(*record.versions, version), keys=keys, services=services)


def _check_controller(keys: tuple[KeyRecord, ...]) -> None:
    if not any(key.role == "log-op" and key.end is None for key in keys):
        reject("no-controller")


def _ended(view: View, key: KeyRecord, end: bodies.KeyEnd, version: int) -> KeyRecord:
    """A key with its end; `compromised` may follow `retired` or move earlier, never the other way."""
    if end.state not in END_STATES or (end.at is None) is not (end.state == "retired"):
        reject("malformed", "a key ends retired, or compromised as of a minute")
    at = view.now if end.at is None else end.at
    view.not_after_now(at)
    milder = key.end is not None and (end.state == "retired" or (key.end == "compromised" and at >= (key.ended or 0)))
    if milder:
        reject("key-ended", str(key.number))
    shown = version if key.end_version is None else key.end_version
    return replace(key, end=end.state, ended=at, noted=view.now, end_version=shown)


def _new_keys(
    view: View, did: str, entries: Iterable[bodies.KeyEntry], old: tuple[KeyRecord, ...], version: int
) -> tuple[KeyRecord, ...]:
    taken = {(key.suite, key.public) for key in old}
    # R1: log, state, operator and witness keys are never in a DID document.
    taken |= {(key.suite, key.data) for key in view.authority.reserved()}
    last = max((key.number for key in old), default=0)
    fresh: list[KeyRecord] = []
    for entry in entries:
        if not last < entry.number < 1 << 31 or len(old) + len(fresh) >= MAX_KEYS:
            reject("key-number", str(entry.number))
        if (entry.suite, entry.public) in taken:
            reject("key-reused", str(entry.number))
        _prove(view, did, entry)
        fresh.append(KeyRecord(entry.number, entry.role, entry.suite, entry.public, view.now, version, None, None, None, None))
        taken.add((entry.suite, entry.public))
        last = entry.number
    return tuple(fresh)


def _prove(view: View, did: str, entry: bodies.KeyEntry) -> None:
    if entry.role not in DID_ROLES:
        reject("wrong-role", entry.role)
    if entry.suite not in view.genesis.suites:
        reject("wrong-suite", entry.suite)
    try:
        key = PublicKey(entry.suite, entry.public)
    except (KeyMaterialError, UnknownSuiteError):
        reject("bad-key-proof", f"key {entry.number} is not a usable key")
    payload = key_proof_payload(view.genesis.origin, view.digest, did, entry.number, entry.role)
    if not view.verify(key, KEY_PROOF, payload, entry.proof):
        reject("bad-key-proof", str(entry.number))


def _dropped(services: tuple[ServiceRecord, ...], drop: tuple[str, ...], version: int) -> tuple[ServiceRecord, ...]:
    active = {item.id for item in services if item.end_version is None}
    if len(set(drop)) != len(drop) or not set(drop) <= active:
        reject("unknown-item", "services to drop")
    return tuple(
        replace(item, end_version=version) if item.id in drop and item.end_version is None else item for item in services
    )


def _new_services(
    entries: tuple[bodies.ServiceEntry, ...], old: tuple[ServiceRecord, ...], version: int
) -> tuple[ServiceRecord, ...]:
    names = [item.id for item in old if item.end_version is None] + [entry.id for entry in entries]
    if len(set(names)) != len(names):
        reject("already-exists", "a service id")
    if len(old) + len(entries) > MAX_SERVICES:
        reject("malformed", f"at most {MAX_SERVICES} services")
    for entry in entries:
        for text in (entry.id, entry.type, entry.endpoint):
            check_text(text, "service")
        if not entry.id.replace("-", "").isalnum() or not entry.id.isascii():
            reject("bad-name", "a service id has letters, digits and hyphens")
    return tuple(ServiceRecord(entry.id, entry.type, entry.endpoint, version, None) for entry in entries)
