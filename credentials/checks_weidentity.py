"""Checks of a WeIdentity credential: whose key, what the signature covers, what a holder could have shifted (R30).

Nothing here can lead to green: WeIdentity has no status that an offline reader could know, so `status` is UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from credentials.case import Case, Established, Result, failed, passed, unknown
from credentials.cpt import Cpt, alternatives
from credentials.text import misleads
from credentials.weidentity import Leaf, WeIdentityCredential, address_in, hidden_leaves, leaves, shown_claims
from credentials.weidentity_proof import Proven, prove
from weid.canon import JSON
from weid.did import address_of
from weid.facts import Found
from weid.keys import PublicKey
from weid.records import KeyRecord

__all__ = ["digests", "issuer_document", "notes", "schema", "signature"]

USUAL_SALT: Final = 5  # `salt.length` unless an operator changed it
_LATER_KEY: Final = re.compile(r"#keys-(?!0\Z)[0-9a-f]{1,16}\Z")


@dataclass(frozen=True, slots=True)
class _Keys:
    """What a credential is checked with: the record's keys, keys handed in, or (None) the address alone."""

    found: Found | None
    records: tuple[KeyRecord, ...]
    keys: tuple[PublicKey, ...] | None


def issuer_document(case: Case, credential: WeIdentityCredential) -> Result:
    """Where the key comes from: trust data, the caller, or the address in the DID, which names the first key."""
    evidence: Mapping[str, JSON] = {"issuer": credential.issuer}
    for item in credential.everyone():
        given = _keys(case, item)
        if given.keys is None and item.suite == "sm2":
            return unknown("legacy-key-needed", {"issuer": item.issuer})  # no key can be recovered from SM2
    given = _keys(case, credential)
    if given.found is not None:
        return passed("ok", evidence)
    return passed("legacy-key-by-address" if given.keys is None else "legacy-key-given", evidence)


def signature(case: Case, credential: WeIdentityCredential) -> Result:
    """The issuer signed, and so did every issuer inside a multi-signature."""
    proofs: list[Proven] = []
    for item in credential.everyone():
        given = _keys(case, item)
        proven = prove(item, given.keys)
        if proven is None:
            return _refused(item, given)
        if case.policy.suites is not None and proven.key.suite not in case.policy.suites:
            return failed("suite-not-accepted", {"suite": proven.key.suite})
        proofs.append(proven)
    given, outer = _keys(case, credential), proofs[0]
    record = next((record for record in given.records if record.key == outer.key), None)
    case.legacy_proof = outer
    case.established = Established(credential.issuer, given.found, record, outer.key, None, None, None)
    answer = case.facts.fact("issuer", credential.issuer)
    case.issuer_record = answer if isinstance(answer, Found) else None
    unsigned: list[JSON] = list(outer.unsigned)
    return passed("legacy-signature", {"profile": outer.profile, "dates": outer.reading, "unsigned": unsigned})


def _refused(credential: WeIdentityCredential, given: _Keys) -> Result:
    """Tampered only where the key that should have signed was tried: else a key is missing here."""
    evidence: Mapping[str, JSON] = {"issuer": credential.issuer}
    if given.found is not None:
        return unknown("key-not-in-trust-data", evidence) if prove(credential, None) else failed("bad-signature")
    did, _, fragment = credential.creator.partition("#")
    if given.keys is None and did == credential.issuer and _LATER_KEY.match(f"#{fragment}"):
        return unknown("legacy-key-needed", evidence)  # it names another key than the one its address stands for
    return failed("bad-signature")


def _keys(case: Case, credential: WeIdentityCredential) -> _Keys:
    answer = case.facts.fact("did", credential.issuer)
    if isinstance(answer, Found):
        address = address_in(credential.issuer)
        records = tuple(
            record for record in answer.record.keys if record.role == "assert" or address_of(record.key) == address
        )  # WeIdentity's first key signs credentials; here it may serve the log alone
        return _Keys(answer, records, tuple(record.key for record in records))
    return _Keys(None, (), case.policy.legacy.keys.get(credential.issuer))


def digests(case: Case, credential: WeIdentityCredential) -> Result:
    """Value and salt are hashed without a border; the length of the salts says where it was, a CPT of which type.

    A holder can move letters between the two, or show 1 as "1", under the issuer's own signature.
    """
    ambiguous: list[JSON] = []
    unsure = False
    for item in credential.everyone():
        if item.kind != "original":
            continue
        shown = [leaf for leaf in leaves(item.claim, item.salt) if not leaf.hidden]
        sizes = {len(leaf.salt) for leaf in shown}
        known = case.policy.legacy.salt_length
        if len(sizes) > 1 or (known is not None and sizes - {known}):
            lengths: list[JSON] = [*sorted(sizes)]
            return failed("legacy-salt-shifted", {"lengths": lengths, "expected": known})
        unsure = unsure or bool(known is None and sizes - {USUAL_SALT})
        ambiguous += _ambiguous(item, shown, case.policy.legacy.cpt(item.cpt))
    evidence: dict[str, JSON] = {"ambiguous": ambiguous, "hidden": list(hidden_leaves(credential))}
    if unsure:
        return unknown("legacy-salt-length", evidence)
    return passed("legacy-ambiguous" if ambiguous else "ok", evidence)


def _ambiguous(credential: WeIdentityCredential, shown: Sequence[Leaf], cpt: Cpt | None) -> Iterator[str]:
    """The paths whose value could have been another one with the same hash."""
    claims, partial = shown_claims(credential), bool(hidden_leaves(credential))
    for leaf in shown:
        others = alternatives(leaf.value)
        if cpt is not None:
            others = tuple(other for other in others if cpt.fits(_replaced(claims, leaf.path, other), partial=partial))
        if others:
            yield leaf.path


def _replaced(claims: Mapping[str, JSON], path: str, value: JSON) -> dict[str, JSON]:
    """The claims with one value exchanged; names may hold dots, so the path is matched, not split."""
    return {
        name: _put(item, path[len(name) :], value) if path == name or path.startswith((f"{name}.", f"{name}[")) else item
        for name, item in claims.items()
    }


def _put(item: JSON, rest: str, value: JSON) -> JSON:
    if not rest:
        return value
    if isinstance(item, dict):
        return _replaced(item, rest.removeprefix("."), value)
    if isinstance(item, list):
        place, _, below = rest[1:].partition("]")
        return [_put(part, below, value) if str(index) == place else part for index, part in enumerate(item)]
    return item


def schema(case: Case, credential: WeIdentityCredential) -> Result:
    """The shown values fit the CPT, where the caller has it; a CPT number alone describes nothing."""
    case.claims = shown_claims(credential)
    if misleads(dict(case.claims)):
        return failed("unsafe-text")
    missing: list[JSON] = []
    for item in credential.everyone():
        cpt = case.policy.legacy.cpt(item.cpt)
        if item.kind == "multi":
            continue
        if cpt is None:
            missing.append(item.cpt)
        elif not cpt.fits(shown_claims(item), partial=bool(hidden_leaves(item))):
            return failed("schema-mismatch", {"cpt": item.cpt})
    return unknown("legacy-cpt-unknown", {"cpt": missing}) if missing else passed()


def notes(credential: WeIdentityCredential, proven: Proven) -> Iterator[str]:
    """The warnings of R30 in fixed words: names that a stranger chose stay in the evidence."""
    yield f"Not covered by the signature: {', '.join(proven.unsigned)}."
    if any(item.text_dates for item in credential.everyone()):
        yield "Dates of this format may be UTC or Chinese time: both readings must hold."
    if any(item.kind == "original" for item in credential.everyone()):
        yield "Nothing separates a value from its salt in what was hashed; see the evidence for values that could be others."
    if hidden_leaves(credential):
        yield "Hidden values of this format can be guessed: their salts are short."
