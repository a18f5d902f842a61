"""Which certificate replaces another: the issuer says so on its log, under a fingerprint of the old one's id.

The fingerprint has the form of R25 (context, origin, actor, salt, digest). The id of a certificate is a hash over salted
leaves, so it stands for salt and digest alike: whoever does not have the certificate cannot know which one is meant.
"""

from __future__ import annotations

import re
from typing import Final

from weid import cbor
from weid.errors import MalformedError
from weid.facts import Facts, Found, Source
from weid.hashes import Hash
from weid.records import EvidenceRecord
from weid.signing import framed

__all__ = ["replaced_fingerprint", "replaced_kind", "replacement_of"]

_PREFIX: Final = "replaced-by:"
_CID: Final = re.compile("[0-9a-f]{32}", re.ASCII)


def replaced_fingerprint(cid: bytes, *, origin: str, issuer: str, hash: Hash) -> bytes:
    """The fingerprint under which an issuer names what replaces the certificate of this 16-byte id."""
    if len(cid) != 16:
        raise MalformedError("the id of a certificate is 16 bytes", code="bad-id")
    salt = hash(framed("weid/replaced-salt/v1", cid))
    return hash(framed("weid/replaced/v1", cbor.encode([origin, issuer, salt, cid])))


def replaced_kind(new: bytes) -> str:
    """The kind under which the fingerprint is anchored: it names the new certificate."""
    return f"{_PREFIX}{new.hex()}"


def replacement_of(facts: Facts, cid: bytes, *, source: Source, issuer: str, hash: Hash) -> str | None:
    """The id (32 hex digits) of the certificate that this one was replaced by, if its own issuer said so on its own log."""
    found = facts.fact("evidence", replaced_fingerprint(cid, origin=source.origin, issuer=issuer, hash=hash).hex())
    if not isinstance(found, Found) or found.source.genesis != source.genesis:
        return None
    word: EvidenceRecord = found.record
    new = word.kind.removeprefix(_PREFIX)
    # Anybody who has the certificate can anchor this fingerprint: only the issuer's own word counts.
    good = word.author == issuer and word.withdrawn is None and word.kind.startswith(_PREFIX) and _CID.fullmatch(new)
    return new if good else None
