"""Any envelope around a document, by its media type: the counterpart of `opening`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from credentials.cose import sign_cose
from credentials.data_model import check_credential, check_presentation
from credentials.jose import issue_sd_jwt, sign_jwt
from credentials.jsonld.quads import quads_of, told_by_vocabulary_alone
from credentials.sd_claims import Path
from weid.canon import JSON
from weid.errors import IssueError
from weid.keys import Signer
from weid.suites import Random

__all__ = ["FORMS", "check_sealable", "pointed", "seal"]

FORMS: Final = ("vc+jwt", "vc+sd-jwt", "vc+cose", "vp+jwt", "vp+sd-jwt", "vp+cose")


def seal(
    document: Mapping[str, JSON],
    form: str,
    signer: Signer,
    *,
    random: Random,
    hide: Collection[Path] = (),
    kid: str | None = None,
) -> bytes:
    """The document in the envelope `form`, with the members at the paths `hide` as disclosures (SD-JWT alone)."""
    if form not in FORMS:
        raise IssueError(f"an envelope is one of {', '.join(FORMS)}", code="unsupported")
    kind, _, securing = form.partition("+")
    if securing == "sd-jwt":
        return issue_sd_jwt(document, hide, signer, random=random, kind=kind, kid=kid).encode("ascii")
    if hide:
        raise IssueError(f"{form} shows the whole document", code="no-such-claim")
    if securing == "cose":
        return sign_cose(document, signer, kind=kind, kid=kid)
    return sign_jwt(document, signer, kind=kind, kid=kid).encode("ascii")


def check_sealable(document: Mapping[str, JSON], form: str) -> None:
    """MalformedError unless the document keeps the data model's rules and every word in it means something.

    `unknown-member`: a member of the credential itself that no context defines. A catch-all `@vocab` gives it a name, and
    nobody who verifies would know what it asks of them.
    """
    (check_presentation if form.startswith("vp+") else check_credential)(document)
    # a presentation's credentials are envelopes, each a document of its own, and white space may surround their URLs
    quads_of({name: item for name, item in document.items() if name != "verifiableCredential"})
    unknown = told_by_vocabulary_alone(document)
    if unknown:
        raise IssueError(f"{', '.join(unknown)[:200]}: no context defines this member", code="unknown-member")


def pointed(document: Mapping[str, JSON], pointer: str) -> Path:
    """The path of a JSON pointer into this document (RFC 6901); IssueError `no-such-claim` for one that leads nowhere."""
    value: JSON = {**document}
    path: list[str | int] = []
    for token in pointer.split("/")[1:]:
        step = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and step in value:
            path.append(step)
            value = value[step]
        elif isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 6 and int(step) < len(value):
            path.append(int(step))
            value = value[int(step)]
        else:
            raise IssueError(f"{pointer[:80]!r} points at nothing in the document", code="no-such-claim")
    if pointer[:1] != "/" or not path:
        raise IssueError(f"{pointer[:80]!r} is no JSON pointer to a part of a document", code="no-such-claim")
    return tuple(path)
