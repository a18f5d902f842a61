"""From a foreign certificate to a local one for the same holder: checked offline, mapped by the pack, issued here.

Nothing of the foreign certificate is kept but a salted fingerprint on the log (R25).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from credentials import carrier
from credentials.binding import Binding
from credentials.policy import Policy
from credentials.presentation import CHALLENGE, Presentation, read_presentation
from credentials.report import Presented
from credentials.verify import verify
from issuer_app.desk import Desk, Issued
from weid import cbor
from weid.canon import JSON
from weid.codec import minutes
from weid.errors import IssueError, MalformedError
from weid.facts import Facts
from weid.hashes import Hash
from weid.keys import PublicKey
from weid.pack import Pack
from weid.signing import framed
from weid.suites import Random

__all__ = ["Conversion", "convert", "conversion_fingerprint", "read_conversion"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """One mapping of issue.json: which request proves it, target schema, target claim → source claim, constants."""

    name: str
    request: str
    source: str
    target: str
    fields: Mapping[str, str]
    constants: Mapping[str, JSON]


def read_conversion(pack: Pack, name: str) -> Conversion:
    """A mapping by name; MalformedError names what is wrong."""
    table = pack.section("issue").get("convert", {})
    value = table.get(name) if isinstance(table, dict) else None
    if not isinstance(value, dict):
        raise MalformedError(f"issue.json: no conversion {name!r}")
    request, source, target = (value.get(key) for key in ("request", "from", "to"))
    fields, constants = value.get("fields"), value.get("constants", {})
    if not isinstance(request, str) or not isinstance(source, str) or not isinstance(target, str):
        raise MalformedError(f"issue.json: {name}: needs request, from and to")
    if not isinstance(fields, dict) or not isinstance(constants, dict):
        raise MalformedError(f"issue.json: {name}: needs fields and constants")
    return Conversion(name, request, source, target, {key: str(item) for key, item in fields.items()}, constants)


def convert(
    desk: Desk, mapping: Conversion, target: bytes, data: bytes, *, facts: Facts, policy: Policy, at: datetime,
    random: Random, by: str = "conversion",
) -> Issued:  # fmt: skip
    """The local certificate; `target` is the digest of the local schema, `policy` that of the mapping's request.

    VerificationFailed (with the report) when the foreign one is not valid here and now; IssueError
    `challenge-only` unless the holder answered a challenge (R14: a hash-chain code is never converted),
    `claim-hidden` naming a claim that the mapping needs and the holder did not show.
    """
    shown = verify(data, facts=facts, policy=policy, at=at).require()
    if shown.mode != "challenge" or shown.cid is None:
        raise IssueError("only an answer to a challenge is converted", code="challenge-only")
    now, until = minutes(at), shown.valid_until
    row = desk.issue(
        target,
        _claims(mapping, shown),
        bind=Binding.to_key(_holder(data)),
        minutes=None if until is None else until - now,  # never longer than what it was made from
        at=now,
        random=random,
        by=by,
    )
    salt = random(32)
    mark = conversion_fingerprint(
        desk.client.genesis.hash, origin=desk.client.genesis.origin, actor=desk.did, salt=salt, cid=shown.cid
    )
    desk.anchor(mark, f"convert/{mapping.name}")
    desk.keep_salt(row.id, salt)
    return row


def conversion_fingerprint(hash: Hash, *, origin: str, actor: str, salt: bytes, cid: bytes) -> bytes:
    """H(frame ‖ origin, actor, 32-byte salt, digest): proves later, with the salt, what was converted (R25)."""
    return hash(framed("weid/convert/v1", cbor.encode([origin, actor, salt, hash(cid)])))


def _claims(mapping: Conversion, shown: Presented) -> dict[str, JSON]:
    claims: dict[str, JSON] = dict(mapping.constants)
    for ours, theirs in mapping.fields.items():
        if theirs in shown.hidden:
            raise IssueError(f"{theirs}: needed for the local certificate, but not shown", code="claim-hidden")
        if theirs in shown.claims:
            claims[ours] = shown.claims[theirs]
    return claims


def _holder(data: bytes) -> PublicKey:
    array = data if data[:1] and data[0] >= 0x80 else carrier.from_text(data.decode("ascii")).data
    presentation: Presentation = read_presentation(cbor.decode(array))
    if presentation.mode != CHALLENGE or presentation.key is None:
        raise IssueError("only an answer to a challenge is converted", code="challenge-only")
    return presentation.key
