"""Rules for issuers, their rights, and the roles that decide about them (R8, R24)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from registry import bodies
from registry.rejections import reject
from registry.rules_delegation import gives_now, grant_of, require_within
from registry.view import Changes, View, check_names, check_text
from weid.did import DID
from weid.errors import MalformedError
from weid.records import AccreditationRecord, IssuerRecord, Period, RoleRecord

ROLES = ("reviewer", "auditor", "observer")
MAX_SCHEMAS = 256


def apply(view: View, body: bodies.IssuerApply) -> Changes:
    """Ask, or ask for more; a removed issuer starts again."""
    did = _own_subject(view)
    check_names(body.names)
    _check_digests(body.wanted)
    old: IssuerRecord | None = view.get("issuer", did)
    if old is None or old.state == "removed":
        record = IssuerRecord(did, body.names, "applied", view.now, None, None, None, tuple(sorted(body.wanted)))
        return Changes(put=(record,))
    if old.state == "suspended":
        reject("issuer-suspended")
    wanted = tuple(sorted({*old.wanted, *body.wanted}))
    if wanted == old.wanted:
        reject("already-exists", "nothing new is asked for")
    return Changes(put=(replace(old, wanted=wanted),))


def approve(view: View, body: bodies.IssuerApprove) -> Changes:
    """Give a right that was asked for; renewals start where the last period ends."""
    issuer = _decided_about(view, (body.schema,))
    view.did(issuer.did)
    view.schema(body.schema)
    if issuer.state == "suspended":
        reject("issuer-suspended")
    if issuer.state == "removed" or body.schema not in issuer.wanted:
        reject("not-applied", body.schema.hex())
    if not 0 <= body.level < 256:
        reject("malformed", "a level is 0 to 255")
    start = view.start(body.since, body.until)
    grant = grant_of(view, body.schema)
    if grant is not None:
        require_within(grant, body.level, start, body.until)
    old: AccreditationRecord | None = view.get("accreditation", f"{issuer.did}|{body.schema.hex()}")
    periods = () if old is None else old.periods
    running = any(period.ended is None and view.now < period.until for period in periods)
    if running and old is not None and old.by != view.author and gives_now(view, old.by, body.schema):
        # The record has one giver: another's renewal would take what hangs from the delegation out of its end.
        reject("already-exists", "a period given under a delegation is in force")
    if any(period.ended is None and start < period.until for period in periods):
        reject("already-exists", "a period in force")
    given = (*periods, Period(start, body.until, None, None))
    right = AccreditationRecord(issuer.did, body.schema, body.level, view.author, None, given)
    approved = replace(issuer, state="approved", decided=view.now, by=view.author, reason=None)
    return Changes(put=(right, approved))


def suspend(view: View, body: bodies.IssuerSuspend) -> Changes:
    """Cut every period in force, or those of one schema, at log time."""
    return _cut(view, body.schema, body.reason, "suspended")


def remove(view: View, body: bodies.IssuerRemove) -> Changes:
    """Like suspending, but only a new application and approval bring the right back."""
    return _cut(view, body.schema, body.reason, "removed")


def reinstate(view: View, body: bodies.IssuerReinstate) -> Changes:
    """Lift a suspension from log time on: the gap stays, what was issued in it stays unproven."""
    issuer = _decided_about(view, None if body.schema is None else (body.schema,))
    view.did(issuer.did)
    whole = body.schema is None
    if whole and issuer.state != "suspended":
        reject("not-suspended", issuer.did)
    if not whole and issuer.state != "approved":
        reject("issuer-suspended", issuer.did)
    rights = [_lifted(view, right) for right in _rights(view, issuer.did, body.schema)
              if _is_suspended(right, issuer.decided if whole else None)]  # fmt: skip
    if not whole and not rights:
        reject("not-suspended", issuer.did)
    if whole:
        issuer = replace(issuer, state="approved", decided=view.now, by=view.author, reason=None)
    return Changes(put=(*rights, issuer))


def _is_suspended(right: AccreditationRecord, at: int | None) -> bool:
    last = right.periods[-1]
    return last.end == "suspended" and (at is None or last.ended == at)


def _lifted(view: View, right: AccreditationRecord) -> AccreditationRecord:
    last = right.periods[-1]
    if last.until <= view.now:
        return replace(right, reason=None)
    again = Period(max(view.now, last.since), last.until, None, None)
    return replace(right, reason=None, periods=(*right.periods, again))  # who gave it stays: it hangs from them


def _cut(view: View, schema: bytes | None, reason: str, end: str) -> Changes:
    issuer = _decided_about(view, None if schema is None else (schema,))
    check_text(reason, "reason")
    rights = [
        cut for right in _rights(view, issuer.did, schema)
        if (cut := right.cut(view.now, end, reason)) != right
    ]  # fmt: skip
    if schema is not None:
        if not rights:
            reject("not-active", schema.hex())
        return Changes(put=tuple(rights))
    if issuer.state in (end, "removed"):
        reject("not-active", issuer.did)
    after = replace(issuer, state=end, decided=view.now, by=view.author, reason=reason)
    return Changes(put=(*rights, after))


def _rights(view: View, issuer: str, schema: bytes | None) -> Iterable[AccreditationRecord]:
    if schema is not None:
        right = view.get("accreditation", f"{issuer}|{schema.hex()}")
        return () if right is None else (right,)
    wanted = view.issuer(issuer).wanted
    found = (view.get("accreditation", f"{issuer}|{digest.hex()}") for digest in wanted)
    return tuple(right for right in found if right is not None)


def _decided_about(view: View, schemas: tuple[bytes, ...] | None) -> IssuerRecord:
    """The issuer an authority decides about; a delegate decides about what it gave, and what nobody has given yet."""
    grant = grant_of(view, schemas[0]) if schemas is not None else None
    if grant is None:
        view.require_decider(schemas)
    else:
        given: AccreditationRecord | None = view.get("accreditation", f"{view.operation.sub}|{grant.schema.hex()}")
        if given is not None and given.by != view.author:
            reject("not-yours", given.by)
    if view.operation.sub == view.author:
        reject("self-approval", view.author)
    return view.issuer(view.operation.sub)


def role_grant(view: View, body: bodies.RoleGrant) -> Changes:
    """The committee makes a registered DID reviewer, auditor or observer, never a member itself."""
    did, role = _role_subject(view)
    view.require_committee("role")
    if did == view.author:
        reject("self-approval", did)
    view.did(did)
    _check_digests(body.schemas)
    start = view.start(body.since, body.until)
    old: RoleRecord | None = view.get("role", view.operation.sub)
    if old is not None and old.ended is None and view.now < old.until:
        reject("already-exists", view.operation.sub)
    schemas = tuple(sorted(body.schemas))
    return Changes(put=(RoleRecord(did, role, schemas, start, body.until, None, view.author),))


def role_end(view: View, body: bodies.RoleEnd) -> Changes:
    """The committee ends a role at log time."""
    _role_subject(view)
    view.require_committee("role")
    old: RoleRecord | None = view.get("role", view.operation.sub)
    if old is None or old.ended is not None or old.until <= view.now:
        reject("not-active", view.operation.sub)
    return Changes(put=(replace(old, ended=view.now),))


def _role_subject(view: View) -> tuple[str, str]:
    did, _, role = view.operation.sub.partition("|")
    if role not in ROLES:
        reject("malformed", "a role is " + ", ".join(ROLES))
    return did, role


def _own_subject(view: View) -> str:
    if view.author != view.operation.sub:
        reject("not-yours", view.operation.sub)
    try:
        return str(DID(view.author))
    except MalformedError:
        reject("malformed", "the subject is a DID")


def _check_digests(digests: tuple[bytes, ...]) -> None:
    if len(set(digests)) != len(digests) or len(digests) > MAX_SCHEMAS or any(len(d) != 32 for d in digests):
        reject("malformed", f"at most {MAX_SCHEMAS} different 32-byte digests")
