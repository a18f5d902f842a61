"""The check of joint certificates: enough institutions have signed, in order, and none of them has taken its word back."""

from __future__ import annotations

from itertools import pairwise

from credentials.case import Case, Result, failed, passed, skipped, unknown
from credentials.joint import Cosigned, Joint, cosigned
from weid.canon import JSON
from weid.codec import rfc3339
from weid.facts import Found

__all__ = ["joint"]


def joint(case: Case) -> Result:
    """As many accredited institutions as the schema asks for have put their word on the log (R26)."""
    established, value = case.established, case.compact
    if established is None or established.schema is None:
        return skipped("none")
    asked = established.schema.joint
    if asked is None:
        return skipped("none")
    if established.found is None or established.cid is None or value is None:
        return unknown("cosigning-unknown")
    if not asked.may_sign(established.issuer):
        return failed("not-a-signer", {"issuer": established.issuer})
    root = case.facts.fact("trust", "root")
    if not isinstance(root, Found):
        return unknown("cosigning-unknown")
    words = cosigned(
        case.facts, asked, established.cid, schema=established.schema.digest, issuer=established.issuer,
        source=established.found.source, hash=value.hash,
    )  # fmt: skip
    standing = [word for word in words if word.withdrawn is None]
    evidence: dict[str, JSON] = {
        "threshold": asked.threshold, "signed": 1 + len(standing),
        "by": [{"did": word.did, "at": rfc3339(word.at)} for word in standing],
    }  # fmt: skip
    gone = [word for word in words if word.withdrawn is not None]
    if 1 + len(standing) < asked.threshold:
        if gone:
            return failed("cosignature-withdrawn", {**evidence, "withdrawn": [word.did for word in gone]})
        # What was signed after our trust data were made we cannot know (as with status, R9).
        late = value.issued >= established.found.as_of
        return unknown("cosigning-unknown", evidence) if late else failed("not-cosigned", evidence)
    if asked.ordered and not _in_order(asked, established.issuer, value.issued, standing):
        return failed("cosigned-out-of-order", evidence)
    return passed("cosigned", evidence)


def _in_order(asked: Joint, issuer: str, issued: int, words: list[Cosigned]) -> bool:
    """Whether no institution signed in a minute before one that comes before it."""
    at = {issuer: issued, **{word.did: word.at for word in words}}
    return all(before <= after for before, after in pairwise(at[did] for did in asked.signers if did in at))
