"""Rules of state machines and assets: published once, registered once, moved by one operation at a time.

A move names the asset's last operation, so of two that race exactly one wins and the other is told `stale-prev`. Whoever
stands in a record is an institution with a DID on this log; people are not on it (R6).
"""

from __future__ import annotations

from dataclasses import replace

from registry import bodies
from registry.machine import Machine, Move, parse_machine
from registry.rejections import reject
from registry.view import Changes, View, digest_of
from weid.assets import AssetRecord, MachineRecord
from weid.errors import MalformedError
from weid.records import AccreditationRecord

__all__ = ["move", "publish_machine", "register"]


def publish_machine(view: View, body: bodies.MachinePublish) -> Changes:
    """Canonical JSON, named by its digest; published once, by committee, reviewer or approved issuer."""
    digest = view.new_document("machine", body.document)
    try:
        parse_machine(body.document)
    except MalformedError as error:
        reject("bad-machine", str(error))
    return Changes(put=(MachineRecord(digest, view.author, view.now, body.document),))


def register(view: View, body: bodies.AssetRegister) -> Changes:
    """An approved issuer brings a thing in, under a salted fingerprint, in its machine's first state, once."""
    fingerprint = digest_of(view.operation.sub)
    if not view.approved():
        reject("wrong-role", f"{view.author} is not an approved issuer")
    machine = _machine(view, body.machine)
    if body.holder is not None:
        view.did(body.holder)
    if view.get("asset", view.operation.sub) is not None:
        reject("already-exists", view.operation.sub)
    record = AssetRecord(fingerprint, body.machine, view.author, machine.initial, body.holder, None, view.now, view.id)
    return Changes(put=(record,))


def move(view: View, body: bodies.AssetMove) -> Changes:
    """One move by whom the machine gives it to; `prev` is the asset's last operation, so a race has one winner."""
    old: AssetRecord | None = view.get("asset", view.operation.sub)
    if old is None:
        reject("unknown-asset", view.operation.sub)
    if view.operation.prev != old.last_op:
        reject("stale-prev", view.operation.sub)
    step = _step(_machine(view, old.machine), old.state, body.move)
    if not any(_is(view, old, who) for who in step.by):
        reject("not-your-move", body.move)
    if (body.target is None) is not (step.sets is None):
        reject("wrong-target", body.move)
    if body.target is not None:
        view.did(body.target)
    holder = body.target if step.sets == "holder" else old.holder
    party = body.target if step.sets == "party" else None if step.clears else old.party
    return Changes(put=(replace(old, state=step.to, holder=holder, party=party, moved=view.now, last_op=view.id),))


def _step(machine: Machine, state: str, name: str) -> Move:
    if state in machine.final:
        reject("final-state", state)
    if name not in machine.names:
        reject("unknown-move")
    step = machine.moves.get((state, name))
    if step is None:
        reject("not-in-state", f"{name} from {state}")
    return step


def _is(view: View, asset: AssetRecord, who: str) -> bool:
    """Whether the author is whom a machine means: in person, by role, or by a right in force."""
    kind, _, name = who.partition(":")
    if kind == "holder":
        return asset.holder == view.author
    if kind == "party":
        return asset.party == view.author
    if kind == "issuer":
        return asset.issuer == view.author and view.approved()
    if kind == "role":
        return view.has_role(name, None)
    right: AccreditationRecord | None = view.get("accreditation", f"{view.author}|{name}")
    return right is not None and right.at(view.now) is not None


def _machine(view: View, digest: bytes) -> Machine:
    record: MachineRecord | None = view.get("machine", digest.hex())
    if record is None:
        reject("unknown-machine", digest.hex()[:64])
    return parse_machine(record.document)
