"""Public lists of other systems → our one form of trust anchors. Bytes in, values out; nobody's signature on a list is checked.

Whoever imports a list vouches for it, as with a genesis file: get it from its publisher over HTTPS or compare its digest.
What cannot be read in a list is counted and named, and the rest is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials.foreign import imports_dcc, imports_other
from credentials.foreign.keys import key_of_anchor
from credentials.foreign.value import CLAIM_169, EU_DCC, OPEN_ATTESTATION, SMART
from weid.anchors import MAX_FILE, Anchor, AnchorList, Revocations
from weid.canon import JSON, parse_json
from weid.codec import unb64u
from weid.errors import MalformedError, WeidError

__all__ = ["KINDS", "Imported", "import_list"]

KINDS: Final[Mapping[str, str]] = {
    "claim-169": CLAIM_169, "dcc": EU_DCC, "dcc-revocations": EU_DCC, "openattestation": OPEN_ATTESTATION, "shc": SMART,
    "shc-revocations": SMART,
}  # fmt: skip
"""What a person calls a list → the format its anchors are for."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The list as it is kept, and why some of its entries were left out."""

    list: AnchorList
    left_out: tuple[str, ...]


def import_list(
    kind: str, data: bytes, *, name: str, taken: int, warn: int, reject: int, issuer: str = "", no_revocations: bool = False
) -> Imported:
    """The anchors or revocations in a public list; MalformedError `bad-anchors` where there are none.

    `taken` in UTC minutes, `warn` and `reject` as ages in minutes. `issuer` names whose keys a bare JWKS or certificate
    holds. `no_revocations`: whoever imports it says that the issuers in this list revoke nothing, or that nothing was revoked.
    """
    if not data or len(data) > MAX_FILE:
        raise MalformedError(f"a list has 1 to {MAX_FILE} bytes", code="bad-anchors")
    try:
        found, revoked, left_out = _read(kind, data, issuer)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, WeidError) and error.code != "malformed":
            raise
        raise MalformedError(f"not a list of this kind that is known: {error}", code="bad-anchors") from error
    kept: list[Anchor] = []
    for anchor in found:
        reason = _unusable(anchor)
        if reason:
            left_out.append(f"{anchor.issuer} {anchor.kid}: {reason}")
        else:
            kept.append(anchor)
    if not kept and revoked is None:
        raise MalformedError("nothing in it can be used" + "".join(f"; {why}" for why in left_out[:3]), code="bad-anchors")
    if revoked is None and no_revocations:
        revoked = Revocations(frozenset(anchor.issuer for anchor in kept))
    return Imported(AnchorList(KINDS[kind], name, taken, warn, reject, tuple(kept), revoked), tuple(left_out))


def _read(kind: str, data: bytes, issuer: str) -> tuple[list[Anchor], Revocations | None, list[str]]:
    if kind == "dcc":
        return imports_dcc.anchors(data, issuer), None, []
    value = _json(data)
    if kind == "dcc-revocations":
        return [], imports_dcc.revocations(value), []
    if kind == "shc":
        return imports_other.smart(value, issuer)
    if kind == "shc-revocations":
        return [], imports_other.smart_revocations(value, issuer), []
    if kind == "claim-169":
        return imports_other.claim_169(value, issuer), None, []
    if kind == "openattestation":
        return (*imports_other.open_attestation(value), [])
    raise MalformedError(f"no list is called {kind!r}: {', '.join(KINDS)}", code="bad-anchors")


def _json(data: bytes) -> JSON:
    text = data.strip()
    if text.startswith(b"eyJ"):  # a signed list: its payload
        text = unb64u(text.split(b".")[1].decode("ascii"))
    return parse_json(text, max_bytes=MAX_FILE, max_depth=24)


def _unusable(anchor: Anchor) -> str:
    """Why an anchor's key cannot be used; empty where it can, or where its system has none."""
    if anchor.certificate is None and anchor.jwk is None:
        return ""
    try:
        key = key_of_anchor(anchor)
    except WeidError as error:
        return str(error)
    return "" if key.suite != "p384" else "a key of P-384, which none of these systems uses"
