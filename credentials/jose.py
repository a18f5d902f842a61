"""Credentials and presentations as JWT and as SD-JWT (VC-JOSE-COSE 1.0, 3.1 and 3.2).

Stricter than the recommendation where it says SHOULD: `typ` must be there and be the document's, `cty` may only repeat it.
Claims about the signature (`iat`, `exp`, `cnf` …) come back beside the document; `jws.time_code` judges them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from credentials import jws, sd_jwt
from credentials.envelope import CLAIMS, Enveloped, build, check_document
from credentials.jws import Jws
from credentials.sd_claims import Path, open_claims
from credentials.sd_jwt import SdJwt, read_sd_jwt
from weid.canon import JSON
from weid.errors import IssueError, MalformedError
from weid.keys import PublicKey, Signer
from weid.suites import Random

__all__ = ["issue_sd_jwt", "open_jwt", "read_jwt", "read_sd_jwt_document", "sign_jwt"]

_JWT: Final = ("vc+jwt", "vp+jwt")
_SD_JWT: Final = ("vc+sd-jwt", "vp+sd-jwt")
ALWAYS_SHOWN: Final = frozenset({"@context", "type", "issuer", "credentialStatus", "credentialSchema", "relatedResource"})
"""Members that a holder may not hide: without them nobody could check the rest (3.2.1)."""


def read_jwt(text: str) -> Enveloped:
    """The credential or presentation in a JWT of type `vc+jwt` or `vp+jwt`; MalformedError or UnknownSuiteError.

    Codes: those of `read_jws`, `wrong-typ`, `wrong-cty`, `vc-claim`, `wrong-document`, `not-enveloped`,
    `issuer-mismatch`, `kid-missing`, `claim-repeated`.
    """
    return open_jwt(jws.read_jws(text))


def open_jwt(token: Jws) -> Enveloped:
    """The same out of a token that was read."""
    return _enveloped(token, _form(token, _JWT), token.claims())


def read_sd_jwt_document(text: str) -> tuple[Enveloped, SdJwt]:
    """The same out of an SD-JWT with its disclosures in place, and the token for `sd_jwt.verify_binding`."""
    token = read_sd_jwt(text)
    form = _form(token.jws, _SD_JWT)
    return _enveloped(token.jws, form, open_claims(token.payload, token.disclosures).claims), token


def sign_jwt(
    document: Mapping[str, JSON],
    signer: Signer,
    *,
    kind: str = "vc",
    kid: str | None = None,
    claims: Mapping[str, JSON] | None = None,
) -> str:
    """The document as `vc+jwt` or `vp+jwt`; `claims` are about the signature, `kid` is the signer's unless given."""
    payload = _payload(document, kind, claims)
    header: dict[str, JSON] = {"typ": f"{kind}+jwt", "cty": kind, "kid": kid or signer.kid}
    text = jws.sign(header, jws.compact_json(payload), signer)
    read_jwt(text)  # what we would not read we do not hand out
    return text


def issue_sd_jwt(
    document: Mapping[str, JSON],
    hide: Collection[Path],
    signer: Signer,
    *,
    random: Random,
    kind: str = "vc",
    kid: str | None = None,
    holder: PublicKey | None = None,
    claims: Mapping[str, JSON] | None = None,
    decoys: int = 0,
) -> str:
    """The document as `vc+sd-jwt` or `vp+sd-jwt`, with the members at the paths `hide` as disclosures.

    IssueError `claim-always-shown` for a member that verifiers need; the others are those of `sd_jwt.issue`.
    """
    for path in hide:
        if path[:1] and path[0] in ALWAYS_SHOWN:
            raise IssueError(f"{path[0]}: a verifier must always see this", code="claim-always-shown")
    text = sd_jwt.issue(
        _payload(document, kind, claims), hide, signer=signer, random=random, typ=f"{kind}+sd-jwt", kid=kid or signer.kid,
        holder=holder, decoys=decoys, content=kind,
    )  # fmt: skip
    read_sd_jwt_document(text)
    return text


def _payload(document: Mapping[str, JSON], kind: str, claims: Mapping[str, JSON] | None) -> dict[str, JSON]:
    if kind not in ("vc", "vp"):
        raise IssueError(f"an envelope holds vc or vp, not {kind!r}", code="wrong-document")
    check_document(document, kind)
    more = dict(claims or {})
    if set(more) - set(CLAIMS) or set(document) & set(CLAIMS):
        raise IssueError(f"claims about the signature are {', '.join(CLAIMS)}; the document has none", code="claim-repeated")
    return {**document, **more}


def _form(token: Jws, allowed: Collection[str]) -> str:
    jws.require_type(token, allowed)
    form = str(token.type)
    content = token.header.get("cty")
    if content is not None and jws.media_type(str(content)) != form[:2]:
        raise MalformedError(f"cty is {str(content)[:40]!r}, not {form[:2]}", code="wrong-cty")
    return form


def _enveloped(token: Jws, form: str, payload: Mapping[str, JSON]) -> Enveloped:
    return build(
        form, jws.replicated(token, payload, CLAIMS), suite=token.suite, kid=token.kid, context=jws.CONTEXT, signed=token.signed,
        signature=token.signature,
    )  # fmt: skip
