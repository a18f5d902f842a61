"""The request to issue an old credential again: its own bytes, and every value for the issuer to confirm (R30).

It proves nothing by itself: whoever acts on it verifies the original inside and looks the values up in its own books.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from credentials.report import Report
from credentials.weidentity import WeIdentityCredential, hidden_leaves, leaves, read_weidentity, shown_claims
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, rfc3339, unb64u
from weid.errors import MalformedError
from weid.hashes import SHA256

__all__ = ["Reissue", "read_reissue", "reissue_request"]

TYPE: Final = "WeIdentityReissueRequest"
MAX_BYTES: Final = 1 << 20
_MEMBERS: Final = frozenset(
    {"type", "original", "digest", "id", "issuer", "cptId", "validFrom", "validUntil"}
    | {"confirm", "hidden", "unsigned", "checked"}
)


@dataclass(frozen=True, slots=True)
class Reissue:
    """A request that was read: the original bytes and what is in them; its own verdict is only what its maker saw."""

    original: bytes
    credential: WeIdentityCredential
    document: Mapping[str, JSON]


def reissue_request(original: bytes, report: Report) -> dict[str, JSON]:
    """The request for an authentic old credential, judged in `report`; MalformedError when it is not one.

    A value is `ambiguous` when the old signature would also fit another one.
    """
    credential, shown = read_weidentity(original), report.presented
    if credential is None or shown is None or report.authentic is None:
        raise MalformedError("only an authentic credential of the old format is issued again", code="not-authentic")
    named = report.check("disclosure.digests").evidence.get("ambiguous", [])
    ambiguous = frozenset(str(path) for path in named) if isinstance(named, list) else frozenset()
    open_: dict[str, JSON] = {check.id: check.code for check in report.checks if check.outcome.value in ("FAILED", "UNKNOWN")}
    return {
        **_copied(original, credential),
        "confirm": [{**item, "ambiguous": str(item["path"]) in ambiguous} for item in _values(credential)],
        "unsigned": list(shown.unsigned),
        "checked": {"at": rfc3339(report.at), "verdict": report.verdict, "open": open_},
    }


def read_reissue(data: bytes) -> Reissue:
    """The request in JSON bytes; MalformedError unless every value it names is the one in the original it carries."""
    value = parse_json(data, max_bytes=MAX_BYTES)
    if not isinstance(value, dict) or set(value) != _MEMBERS or not isinstance(value["original"], str):
        raise MalformedError("not a request to issue again")
    original = unb64u(value["original"])
    credential = read_weidentity(original)
    if credential is None:
        raise MalformedError("the original is of another format")
    copied = _copied(original, credential)
    if jcs({name: value[name] for name in copied}) != jcs(copied):
        raise MalformedError("the request does not say what its original says")
    confirm = value["confirm"]
    wanted = _values(credential)
    asked = [{**item} for item in confirm if isinstance(item, dict)] if isinstance(confirm, list) else []
    marks = [item.pop("ambiguous", None) for item in asked]
    if jcs([*asked]) != jcs([*wanted]) or not all(isinstance(mark, bool) for mark in marks):
        raise MalformedError("the values to confirm are not those of the original")
    return Reissue(original, credential, value)


def _copied(original: bytes, credential: WeIdentityCredential) -> dict[str, JSON]:
    start, end = credential.valid_from, credential.valid_until
    return {
        "type": TYPE,
        "original": b64u(original),
        "digest": SHA256(original).hex(),
        "id": credential.id,
        "issuer": credential.issuer,
        "cptId": credential.cpt,
        "validFrom": None if start is None else rfc3339(start),
        "validUntil": None if end is None else rfc3339(end),
        "hidden": list(hidden_leaves(credential)),
    }


def _values(credential: WeIdentityCredential) -> list[dict[str, JSON]]:
    return [
        {"credential": item.id, "issuer": item.issuer, "path": path, "value": value}
        for item in credential.everyone()
        for path, value in _flat(item)
    ]


def _flat(credential: WeIdentityCredential) -> Iterator[tuple[str, JSON]]:
    if credential.kind == "original":
        yield from ((leaf.path, leaf.value) for leaf in leaves(credential.claim, credential.salt) if not leaf.hidden)
    elif credential.kind == "lite1":
        yield from shown_claims(credential).items()
