"""Why an operation can be refused: stable codes, each with one sentence. Codes are API and never reused."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

from weid.errors import RejectedError

__all__ = ["CODES", "UNAUTHENTIC", "reject"]

CODES: Mapping[str, str] = MappingProxyType(
    {
        "malformed": "the entry is not an operation this registry can read",
        "unknown-type": "the operation type does not exist",
        "wrong-registry": "the operation was signed for another registry",
        "not-registered": "the DID is not registered here",
        "unknown-key": "the DID has no key of this number",
        "wrong-suite": "the suite is not the key's, or not one of this registry's profile",
        "wrong-role": "the key or its owner does not have the role this needs",
        "bad-signature": "the signature does not verify",
        "key-ended": "the key was retired or compromised before",
        "deactivated": "the DID was deactivated, which is final",
        "too-early": "the log has not reached the operation's nbf",
        "stale-prev": "the operation does not follow the newest one of its subject",
        "already-exists": "this exists already",
        "bad-key-proof": "a new key did not prove possession for this registry, DID, number and role",
        "wrong-address": "the DID does not derive from its first key, or is of another chain",
        "key-number": "key numbers are positive, new and ascending: none is ever used twice",
        "key-reused": "one key would have two purposes",
        "no-controller": "the DID would be left without a log-op key",
        "unknown-item": "there is no such key or service to end",
        "time-in-future": "a time lies after the log's own time",
        "back-dated": "a right cannot start before the log's own time",
        "empty-period": "a period ends before it starts",
        "backwards-time": "the log's time never goes back",
        "bad-name": "a name is missing, in the wrong language, or has characters that are not shown",
        "not-applied": "the issuer has not asked for this",
        "unknown-schema": "the schema is not published",
        "bad-schema": "the schema is not canonical JSON of an object",
        "wrong-digest": "a digest is not that of the thing it names",
        "not-committee": "only the committee may do this",
        "vote-required": "one member's weight does not reach the threshold",
        "not-votable": "operations of this type are not decided by vote",
        "unknown-proposal": "there is no such proposal, or it is over",
        "vote-closed": "the time for voting has passed",
        "not-passed": "the votes are not enough",
        "timelock": "the proposal has passed, but its waiting time has not",
        "too-many": "there are too many open proposals",
        "quorum-unreachable": "after this no vote could ever pass",
        "still-member": "a member of the committee is removed from it first",
        "floor": "a rule cannot ask for less than the genesis does",
        "beyond-grant": "nobody gives more than they were given: level, depth or period",
        "self-approval": "nobody decides about their own DID",
        "not-suspended": "there is no suspension to lift",
        "not-active": "there is nothing in force to end",
        "issuer-suspended": "the issuer is suspended",
        "not-accredited": "the issuer has no right to a schema of this list at log time",
        "not-yours": "the subject belongs to another DID",
        "wrong-seq": "a list's sequence number goes up by one",
        "wrong-delta": "the delta changes nothing, or lifts what was not suspended",
        "cannot-clear-revoked": "revoked is never cleared",
        "register-shrank": "an issuance register only grows",
        "unknown-list": "the status list was never published",
        "chain-gap": "a change of the registry's keys follows the newest one",
        "bad-change": "the change is not one that the old and the new key, or the witnesses, have signed",
        "no-quorum": "a quorum of the witnesses before and one of those after must approve",
        "unknown-machine": "the state machine is not published",
        "bad-machine": "the machine is not canonical JSON of a state machine, or not a sound one",
        "unknown-asset": "there is no such asset",
        "final-state": "the asset is in a final state, from which no move leads",
        "unknown-move": "the asset's machine has no move of this name",
        "not-in-state": "the move does not lead from the state the asset is in",
        "not-your-move": "the machine gives this move to others",
        "wrong-target": "the move needs a target, or has none",
        "unknown-register": "there is no such use register",
        "not-a-claimer": "only the register's owner and its claimers claim there",
        "already-used": "this was used already",
        "not-reusable": "what was used in this register stays used",
        "wrong-release-key": "the release key does not open the claim's lock",
        "own-registry": "a registry does not recognise itself",
        "not-recognised": "there is no recognition in force",
        "stale-state": "the statement is for another size than the log's",
        "wrong-state": "the state statement is not what the operations add up to",
    }
)

UNAUTHENTIC = frozenset({
    "malformed", "unknown-type", "wrong-registry", "not-registered", "unknown-key", "wrong-suite", "bad-signature",
})  # fmt: skip
"""Codes of entries that nobody answerable stands behind: a node refuses them before they reach its log."""


def reject(code: str, detail: str = "") -> NoReturn:
    """Refuse the operation; the state stays as it was."""
    sentence = CODES[code]
    raise RejectedError(f"{sentence}: {detail}" if detail else sentence, code=code)
