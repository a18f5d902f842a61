"""A credential out of an envelope (JWT, SD-JWT, COSE) as the value that a file gives too.

The period is the narrower one of what the document says and what the envelope says of itself.
"""

from __future__ import annotations

from math import ceil
from types import MappingProxyType
from typing import Final

from credentials.data_model import PERIOD, check_credential, issuer_of, subjects, texts
from credentials.envelope import CLAIMS, CLAIMS_ALONE, Enveloped
from credentials.jws import CONTEXT, read_jws, seconds
from credentials.sd_jwt import SdJwt, read_sd_jwt
from credentials.vcdm_file import FileCredential, end_of, seconds_of, start_of
from weid.errors import MalformedError

__all__ = ["COSE_TAG", "read_enveloped"]

COSE_TAG: Final = 0xD2  # CBOR tag 18, COSE_Sign1
_REGISTERED: Final = frozenset({*CLAIMS, "vct", "vct#integrity", "aka_vcts", "status"})


def read_enveloped(data: bytes, *, form: str | None = None) -> FileCredential:
    """The credential in a JWT, SD-JWT or COSE_Sign1; `form` is the media type it must say it is, where one was named.

    MalformedError with the code of the envelope's rule or `vcdm-…`; `exp` and `nbf` narrow the period (RFC 7519 4.1).
    """
    from credentials.jose import read_sd_jwt_document
    from credentials.opening import read_envelope

    token: SdJwt | None = None
    if data[0] != COSE_TAG and b"~" in data:
        text = _ascii(data).strip(" \t\r\n")
        if form is None and read_jws(text.partition("~")[0]).type == CLAIMS_ALONE:
            return _claims_alone(text)
        value, token = read_sd_jwt_document(text)
    else:
        value = read_envelope(data)
    if value.kind != "vc" or (form is not None and form != value.media):
        raise MalformedError(f"not the credential of a {form or 'known type'}", code="wrong-typ")
    check_credential(value.document)
    document, claims = value.document, value.claims
    found = subjects(document)
    start, end = PERIOD[str(texts(document["@context"])[0])]
    nbf, exp = seconds(claims, "nbf"), seconds(claims, "exp")
    valid_from, lead = start_of(seconds_of(document.get(start)), None if nbf is None else ceil(nbf))
    ends = [end_of(document.get(end)), None if exp is None else int(exp // 60)]
    return FileCredential(
        document, (), next(iter(texts(document.get("id"))), None), texts(document.get("type")), issuer_of(document),
        valid_from, min((item for item in ends if item is not None), default=None),
        found[0] if len(found) == 1 else {"credentialSubject": list(found)}, "credentialStatus" in document, None, value, token,
        lead,
    )  # fmt: skip


def _claims_alone(text: str) -> FileCredential:
    """The SD-JWT VC in a text: its claims, its type for the document's, `nbf` and `exp` for the period."""
    from credentials.sd_jwt_vc import read_sd_jwt_vc

    token = read_sd_jwt(text)
    value = read_sd_jwt_vc(token)
    nbf, exp = seconds(value.claims, "nbf"), seconds(value.claims, "exp")
    valid_from, lead = start_of(None if nbf is None else ceil(nbf))
    said = MappingProxyType({name: value.claims[name] for name in CLAIMS if name in value.claims})
    enveloped = Enveloped(
        CLAIMS_ALONE, dict(value.claims), said, token.jws.suite, token.jws.kid, CONTEXT, token.jws.signed, token.jws.signature
    )
    claims = {name: item for name, item in value.claims.items() if name not in _REGISTERED}
    identity = value.claims.get("jti")
    return FileCredential(
        enveloped.document, (), identity if isinstance(identity, str) else None, value.types[::-1], value.issuer or "",
        valid_from, None if exp is None else int(exp // 60), claims, value.status is not None, None, enveloped, token, lead,
    )  # fmt: skip


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError("not the text of an envelope", code="unsupported") from None
