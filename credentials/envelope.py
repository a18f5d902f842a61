"""Credentials and presentations inside an envelope that signs them: JWT, SD-JWT or COSE (VC-JOSE-COSE 1.0).

What every envelope has in common: an `Enveloped` value, the checks of the document in it, and the `data:` URLs by which a
presentation carries envelopes (VCDM 2.0, 4.12, 4.13). Reading proves nothing yet: `Enveloped.verify` does, with the key
that was resolved; whose key that is and what it may say is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from weid import signing
from weid.canon import JSON
from weid.codec import b64, unb64
from weid.errors import MalformedError, SignatureError
from weid.keys import PublicKey

__all__ = ["CLAIMS_ALONE", "JWT", "V2", "Enveloped", "Inner", "build", "check_claims", "check_document", "enclose", "id_of",
           "inner", "open_url", "unb64_text"]  # fmt: skip

V2: Final = "https://www.w3.org/ns/credentials/v2"
TYPES: Final[Mapping[str, str]] = MappingProxyType({"vc": "VerifiableCredential", "vp": "VerifiablePresentation"})
ROLES: Final[Mapping[str, str]] = MappingProxyType({"vc": "assert", "vp": "present"})
CLAIMS: Final = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "nonce")
"""JWT claims that speak of the signature, not of the document (RFC 7519 4.1, RFC 7800, OpenID Connect Core 2)."""
CLAIMS_ALONE: Final = "dc+sd-jwt"
"""The form of an SD-JWT VC, which holds no document of the data model."""
JWT: Final = "jwt"
"""The media type of a JWT of the data model 1.1, whatever it holds."""
MAX_INNER: Final = 64
_TEXT_FORMS: Final = frozenset({"vc+jwt", "vp+jwt", "vc+sd-jwt", "vp+sd-jwt"})
_BINARY_FORMS: Final = frozenset({"vc+cose", "vp+cose"})
_ENVELOPES: Final[Mapping[str, str]] = MappingProxyType(
    {"EnvelopedVerifiableCredential": "vc", "EnvelopedVerifiablePresentation": "vp"}
)


@dataclass(frozen=True, slots=True)
class Enveloped:
    """A document out of an envelope, the claims about its signature, and all that checking the signature takes."""

    form: str
    document: dict[str, JSON]
    claims: Mapping[str, JSON]
    suite: str
    kid: str | None
    context: str
    signed: bytes
    signature: bytes

    @property
    def kind(self) -> str:
        """`vc` for a credential, claims without a document among them, `vp` for a presentation."""
        return "vp" if self.form.startswith("vp") else "vc"

    @property
    def media(self) -> str:
        """Its media type without `application/`: the form, but JWTs of the data model 1.1 have none of their own."""
        return JWT if self.form.endswith("-1.1+jwt") else self.form

    @property
    def controller(self) -> str | None:
        """Who must have signed: the issuer of a credential, the holder of a presentation if it names one."""
        name = "holder" if self.kind == "vp" else "iss" if self.form == CLAIMS_ALONE else "issuer"
        return id_of(self.document.get(name))

    @property
    def method(self) -> str | None:
        """The verification method that `kid` names as a URL, alone or as a fragment of the controller; None for others."""
        if self.kid is None or ":" in self.kid:
            return self.kid
        return f"{self.controller}{self.kid}" if self.kid.startswith("#") and self.controller else None

    def verify(self, key: PublicKey) -> None:
        """SignatureError unless `key` signed this, as issuers sign credentials and holders presentations (R1, R2)."""
        if self.suite != key.suite:
            raise SignatureError(f"the algorithm is for {self.suite}, the key is one of {key.suite}", code="wrong-suite")
        signing.verify(key, ROLES[self.kind], self.context, self.signed, self.signature)


@dataclass(frozen=True, slots=True)
class Inner:
    """What an envelope of a presentation carries: its media type without `application/`, and its bytes."""

    form: str
    data: bytes


def build(
    form: str, payload: Mapping[str, JSON], *, suite: str, kid: str | None, context: str, signed: bytes, signature: bytes
) -> Enveloped:
    """The value of a payload that was read: document and claims parted, both checked; MalformedError with the reason."""
    document = {name: item for name, item in payload.items() if name not in CLAIMS}
    claims = {name: payload[name] for name in CLAIMS if name in payload}
    check_document(document, form[:2])
    value = Enveloped(form, document, MappingProxyType(claims), suite, kid, context, signed, signature)
    check_claims(value)
    return value


def check_document(document: Mapping[str, JSON], kind: str) -> None:
    """MalformedError unless this is a VCDM 2.0 credential (`vc`) or presentation (`vp`) that an envelope may hold.

    `vc-claim`: the members `vc` and `vp` of older JWTs (3.1.3). `not-enveloped`: a presentation's credential without an
    envelope of its own (3.1.2).
    """
    if "vc" in document or "vp" in document:
        raise MalformedError("vc and vp are no members of an enveloped document", code="vc-claim")
    contexts, types = document.get("@context"), document.get("type")
    if (contexts[:1] if isinstance(contexts, list) else [contexts]) != [V2]:
        raise MalformedError("only the data model 2.0 is read", code="unsupported")
    if TYPES[kind] not in (types if isinstance(types, list) else [types]):
        raise MalformedError(f"the document is no {TYPES[kind]}", code="wrong-document")
    if kind == "vp":
        inner(document)
    elif id_of(document.get("issuer")) is None or not isinstance(document.get("credentialSubject"), dict | list):
        raise MalformedError("a credential has an issuer and a subject", code="wrong-document")


def inner(presentation: Mapping[str, JSON]) -> tuple[Inner, ...]:
    """The envelopes a presentation carries, unopened; MalformedError `not-enveloped` for anything else among them."""
    held = presentation.get("verifiableCredential", [])
    items = held if isinstance(held, list) else [held]
    if len(items) > MAX_INNER:
        raise MalformedError(f"a presentation holds at most {MAX_INNER} credentials", code="too-large")
    return tuple(_inner(item) for item in items)


def enclose(form: str, data: bytes) -> dict[str, JSON]:
    """The envelope of a JWT, SD-JWT or COSE_Sign1 for a presentation, as a `data:` URL (base64 for COSE alone)."""
    if form not in _TEXT_FORMS | _BINARY_FORMS:
        raise MalformedError(f"no envelope is called {form!r}", code="not-enveloped")
    content = f";base64,{b64(data)}" if form in _BINARY_FORMS else f",{data.decode('ascii')}"
    name = next(name for name, kind in _ENVELOPES.items() if kind == form[:2])
    return {"@context": V2, "id": f"data:application/{form}{content}", "type": name}


def open_url(url: JSON) -> Inner:
    """The media type and bytes of an envelope's `data:` URL; MalformedError `not-enveloped` for any other URL (RFC 2397).

    White space around it is no part of a URL, and issuers print line feeds there (URL Standard, 4.4).
    """
    head, comma, content = url.strip(" \t\r\n").partition(",") if isinstance(url, str) else ("", "", "")
    form, mark, coding = head.removeprefix("data:application/").partition(";")
    binary = form in _BINARY_FORMS
    if not head.startswith("data:application/") or not comma or not content or coding != ("base64" if binary else ""):
        raise MalformedError("not the data: URL of an envelope", code="not-enveloped")
    if not binary and (form not in _TEXT_FORMS | {JWT} or mark):
        raise MalformedError(f"an envelope of {form[:40]!r} is not read", code="not-enveloped")
    if binary:
        return Inner(form, unb64_text(content))
    if not content.isascii() or "%" in content:
        raise MalformedError("an envelope's content needs no other spelling", code="not-enveloped")
    return Inner(form, content.encode("ascii"))


def unb64_text(text: str) -> bytes:
    """The bytes of standard base64, with or without all of its padding; any other spelling is refused."""
    if not isinstance(text, str):
        raise MalformedError("not base64")
    return unb64(text if text.endswith("=") else text + "=" * (-len(text) % 4))


def _inner(item: JSON) -> Inner:
    types = item.get("type") if isinstance(item, dict) else None
    names = [name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str) and name in _ENVELOPES]
    if not isinstance(item, dict) or len(names) != 1:
        raise MalformedError("a presentation holds enveloped credentials alone", code="not-enveloped")
    found = open_url(item.get("id"))
    if found.form != JWT and found.form[:2] != _ENVELOPES[names[0]]:
        raise MalformedError(f"{names[0]} is the envelope of another kind", code="not-enveloped")
    return found


def check_claims(value: Enveloped) -> None:
    """MalformedError `issuer-mismatch` or `kid-missing` unless the signer is one person, whose key is named."""
    said, controller = value.claims.get("iss"), value.controller
    if "iss" in value.claims and (not isinstance(said, str) or (controller is not None and said != controller)):
        raise MalformedError("iss is not who the document says signed it", code="issuer-mismatch")
    if controller is not None and value.kid is None and (said is None or controller.startswith("did:")):
        raise MalformedError("kid must say which of the signer's keys it is", code="kid-missing")


def id_of(value: JSON) -> str | None:
    """The id of a member that is a text or an object with one."""
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) and found else None
