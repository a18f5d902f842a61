"""Rules for changes of the operator's keys and of the witnesses (R21): the committee decides, old and new must have signed."""

from __future__ import annotations

from typing import NoReturn

from registry import bodies
from registry.authority import MAX_LINKS, WITNESSES, Link
from registry.policy import parse_policy
from registry.rejections import reject
from registry.view import Changes, View
from weid.errors import WeidError
from weid.keys import PublicKey
from weid.records import KeyChangeRecord

__all__ = ["change_key", "change_witnesses"]


def change_key(view: View, body: bodies.KeyChange) -> Changes:
    """The log, state or operator key passes to a new one; the old one signs nothing after this entry."""
    what = view.operation.sub
    link = Link(body.seq, what, body.suite, body.public, body.old, body.new, "", b"")
    try:
        key = PublicKey(link.suite, link.public)
    except WeidError as error:
        reject("bad-change", str(error))
    _require_unused(view, {(key.suite, key.data)})
    return _followed(view, link)


def change_witnesses(view: View, body: bodies.WitnessChange) -> Changes:
    """Another policy says who must cosign checkpoints; a quorum of the old and one of the new have approved."""
    if view.operation.sub != WITNESSES:
        reject("malformed", f"the subject is {WITNESSES}")
    try:
        listed = parse_policy(body.policy).witnesses
    except WeidError as error:
        reject("bad-change", str(error))
    _require_unused(view, {(witness.key.key.suite, witness.key.key.data) for witness in listed})
    return _followed(view, Link(body.seq, WITNESSES, "", b"", b"", b"", body.policy, body.note))


def _followed(view: View, link: Link) -> Changes:
    view.require_committee("key")
    if link.seq > MAX_LINKS:
        reject("too-many", str(link.seq))
    try:
        authority = view.authority.follow(link)
    except WeidError as error:
        _refuse(error)
    return Changes(put=(KeyChangeRecord(link.seq, link.what, authority.last, view.now),), authority=authority)


def _refuse(error: WeidError) -> NoReturn:
    if error.code == "chain-gap":
        reject("chain-gap", str(error))
    if error.code == "key-reused":
        reject("key-reused", str(error))
    if error.code == "no-quorum":
        reject("no-quorum", str(error))
    reject("bad-change", str(error))


def _require_unused(view: View, fresh: set[tuple[str, bytes]]) -> None:
    """R1: a key of a DID is never a log, state, operator or witness key."""
    for record in view.tables["did"].values():
        if any((held.suite, held.public) in fresh for held in record.keys):
            reject("key-reused", record.did)
