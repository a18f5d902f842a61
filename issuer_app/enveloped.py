"""What the VC-API issues in envelopes: JWT, SD-JWT and COSE, each handed out as an EnvelopedVerifiableCredential."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from credentials.bbs import BbsSigner
from credentials.data_model import ENVELOPED, check_envelope
from credentials.envelope import enclose, open_url
from credentials.jose import read_sd_jwt_document
from credentials.sd_claims import Path
from credentials.sd_jwt import present
from credentials.sealing import check_sealable, pointed, seal
from weid.canon import JSON
from weid.errors import MalformedError, SignatureError
from weid.keys import PublicKey, Signer
from weid.suites import Random

__all__ = ["FORMS", "issued", "shown"]

FORMS: Final = ("vc+jwt", "vc+sd-jwt", "vc+cose")


def issued(
    document: Mapping[str, JSON], form: str, signer: Signer | BbsSigner, *, mandatory: Sequence[str], random: Random
) -> dict[str, JSON]:
    """The enveloped credential. In an SD-JWT each claim of a subject can be left out, but those that `mandatory` points at."""
    check_sealable(document, form)
    hide: tuple[Path, ...] = ()
    if form == "vc+sd-jwt":
        kept = [pointed(document, pointer) for pointer in mandatory]
        hide = tuple(path for path in _claims(document) if not any(_meet(path, other) for other in kept))
    elif mandatory:
        raise MalformedError(f"{form} shows the whole credential", code="bad-request")
    return enclose(form, seal(document, form, _plain(signer), random=random, hide=hide))


def shown(envelope: Mapping[str, JSON], pointers: Sequence[str]) -> dict[str, JSON]:
    """The enveloped SD-JWT with only those disclosures that the pointers ask for."""
    held = open_url(check_envelope(envelope, ENVELOPED))
    if held.form != "vc+sd-jwt":
        raise MalformedError(f"{held.form} shows the whole credential", code="bad-request")
    text = held.data.decode("ascii")
    document = read_sd_jwt_document(text)[0].document
    return enclose(held.form, present(text, [pointed(document, pointer) for pointer in pointers]).encode("ascii"))


def _claims(document: Mapping[str, JSON]) -> Iterator[Path]:
    """The paths to the claims of every subject; `id` and `type` say whom and what the rest is about."""
    value = document["credentialSubject"]
    several = isinstance(value, list)
    for place, subject in enumerate(value if isinstance(value, list) else [value]):
        start: Path = ("credentialSubject", place) if several else ("credentialSubject",)
        yield from ((*start, name) for name in (subject if isinstance(subject, dict) else {}) if name not in ("id", "type"))


def _meet(path: Path, other: Path) -> bool:
    """Whether one leads to a part of the other."""
    shorter = min(len(path), len(other))
    return path[:shorter] == other[:shorter]


def _plain(signer: Signer | BbsSigner) -> Signer:
    if not isinstance(signer.public_key, PublicKey):
        raise SignatureError("a BBS key signs no envelopes", code="wrong-suite")
    return signer
