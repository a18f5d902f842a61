"""W3C Verifiable Credentials Data Model 2.0: our file form, and what a verifier needs of foreign files.

The file is the same value as the compact code (R17): its `weid` member lets anyone rebuild the compact preimage, and
its id must be the id that preimage gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Final

from credentials.compact import BIND_BYTES, Compact
from credentials.data_integrity import BBS, CRYPTOSUITE_OF, CRYPTOSUITES, Proof, read_proofs
from credentials.data_model import ENVELOPED, V1, V2, check_credential, check_envelope, issuer_of, moment, subjects, texts
from credentials.envelope import CLAIMS, CLAIMS_ALONE, Enveloped, open_url
from credentials.jws import CONTEXT, read_jws
from credentials.schema import Schema
from credentials.sd_jwt import SdJwt, read_sd_jwt
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, from_minutes, minutes, parse_rfc3339, rfc3339, unb64u, unhex
from weid.did import DID, parse_key_id
from weid.errors import MalformedError
from weid.records import status_list_id
from weid.suites import suite, suite_by_code

__all__ = ["FileCredential", "Own", "compact_of", "document_of", "file_bytes", "read_file", "schema_url", "status_url"]

_OWN: Final = frozenset(
    {"@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject", "credentialSchema", "weid"} | {"proof"}
)
_WEID: Final = frozenset({"origin", "genesis", "issued", "bind", "seed", "suite", "key", "specimen", "signature"})
_PROOF: Final = frozenset({"type", "cryptosuite", "created", "verificationMethod", "proofPurpose"})
_REGISTERED: Final = frozenset({*CLAIMS, "vct", "vct#integrity", "aka_vcts", "status"})
COSE_TAG: Final = 0xD2  # CBOR tag 18, COSE_Sign1
_SCHEMA_URL: Final = "urn:weid:schema-digest:"
MAX_BASE: Final = 200
_BASE: Final = re.compile(
    r"(?:https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|http://(?:localhost|127\.0\.0\.1))(?::[1-9][0-9]{0,4})?(?:/[A-Za-z0-9_~-]+)*",
    re.ASCII,
)
_LIST: Final = re.compile(r"(.{1,200})/status/(0|[1-9][0-9]{0,8})/revocation", re.ASCII)


@dataclass(frozen=True, slots=True)
class Own:
    """What makes a file one of ours: everything the compact preimage needs beside schema and claims."""

    origin: str
    genesis: bytes
    issued: int
    bind_kind: int
    bind: bytes
    seed: bytes
    suite: str
    key_number: int
    specimen: bool
    schema: bytes
    list_number: int | None
    index: int | None
    signature: bytes


@dataclass(frozen=True, slots=True)
class FileCredential:
    """A credential file, read; `own` is None for a foreign one. Times are UTC minutes, rounded to the stricter side."""

    document: Mapping[str, JSON]
    proofs: tuple[Proof, ...]
    id: str | None
    types: tuple[str, ...]
    issuer: str
    valid_from: int | None
    valid_until: int | None
    claims: Mapping[str, JSON]
    has_status: bool
    own: Own | None
    enveloped: Enveloped | None = None  # then there are no proofs
    token: SdJwt | None = None  # an SD-JWT with what the holder added
    lead: int = 0  # seconds by which the signed start lies before valid_from

    @property
    def proof(self) -> Proof:
        """The proof that speaks for the issuer: the first by a key named under its DID, else the first of all."""
        own = (proof for proof in self.proofs if proof.method.partition("#")[0] == self.issuer)
        return next(own, self.proofs[0])

    @property
    def claims_alone(self) -> bool:
        """Whether it is an SD-JWT VC: claims, and no document of the data model around them."""
        return self.enveloped is not None and self.enveloped.form == CLAIMS_ALONE

    @property
    def method(self) -> str:
        """The verification method that proof or envelope names; "" for none."""
        if self.enveloped is None:
            return self.proof.method
        return self.enveloped.method or ""

    @property
    def suites(self) -> tuple[str, ...]:
        """The signature suites its key may have."""
        return self.proof.kind.suites if self.enveloped is None else (self.enveloped.suite,)

    @property
    def bbs(self) -> bool:
        """Whether its key is a BBS key."""
        return self.enveloped is None and self.proof.cryptosuite == BBS

    @property
    def self_certified(self) -> bool:
        """Whether the method spells its own key (did:key, did:jwk), which no registry vouches for."""
        return self.method.startswith(("did:key:", "did:jwk:"))


def schema_url(digest: bytes) -> str:
    """The `credentialSchema` id of a schema."""
    return _SCHEMA_URL + digest.hex()


def contexts_of(digest: bytes) -> list[JSON]:
    """The `@context` of our files: every claim and type means what the schema of that digest says, in RDF too."""
    return [V2, {"@vocab": f"{schema_url(digest)}#"}]


def document_of(
    value: Compact, schema: Schema, claims: Mapping[str, JSON], *, origin: str, genesis: bytes, issuer: str, cid: bytes,
    status_base: str | None = None,
) -> dict[str, JSON]:  # fmt: skip
    """The unsecured VCDM document of a full compact credential; `status_base` is where strangers find its lists."""
    document: dict[str, JSON] = {
        "@context": contexts_of(schema.digest),
        "id": f"{issuer}/credentials/{cid.hex()}",
        "type": ["VerifiableCredential", schema.type],
        "issuer": issuer,
        "validFrom": rfc3339(value.valid_from),
        "validUntil": rfc3339(value.valid_until),
        "credentialSubject": {name: claims[name] for name in schema.names if claims.get(name) is not None},
        "credentialSchema": {"id": schema_url(schema.digest), "type": "JsonSchema"},
        "weid": {
            "origin": origin,
            "genesis": genesis.hex(),
            "issued": rfc3339(value.issued),
            "bind": [value.bind_kind, b64u(value.bind)],
            "seed": b64u(value.seed or b""),
            "suite": suite_by_code(value.suite).name,
            "key": value.key_number,
            "specimen": value.specimen,
            "signature": b64u(value.signature),
        },
    }
    if value.list_number is not None and value.index is not None:
        document["credentialStatus"] = _status_entries(status_url(issuer, value.list_number, base=status_base), value.index)
    return document


def read_file(data: bytes) -> FileCredential:
    """The credential in JSON bytes; MalformedError `not-a-credential` or `unsupported` for anything else.

    `vcdm-…` where a rule of the data model is broken. A file with a `weid` member must be exactly what we write.
    """
    document = parse_json(data)
    if isinstance(document, dict) and ENVELOPED in texts(document.get("type")):
        inner = open_url(check_envelope(document, ENVELOPED))
        return read_enveloped(inner.data, form=inner.form)
    if not isinstance(document, dict) or "VerifiableCredential" not in texts(document.get("type")):
        raise MalformedError("not a verifiable credential", code="not-a-credential")
    check_credential(document)
    return read_document(document)


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
    if value.kind != "vc" or (form is not None and form != value.form):
        raise MalformedError(f"not the credential of a {form or 'known type'}", code="wrong-typ")
    check_credential(value.document)
    document, claims = value.document, value.claims
    found = subjects(document)
    nbf, exp = _numeric(claims, "nbf"), _numeric(claims, "exp")
    valid_from, lead = _start(_seconds(document.get("validFrom")), None if nbf is None else ceil(nbf))
    ends = [_time(document.get("validUntil")), None if exp is None else int(exp // 60)]
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
    nbf, exp = _numeric(value.claims, "nbf"), _numeric(value.claims, "exp")
    valid_from, lead = _start(None if nbf is None else ceil(nbf))
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


def _numeric(claims: Mapping[str, JSON], name: str) -> int | float | None:
    """The seconds of a NumericDate (RFC 7519 2), in the years that have minutes."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 38:
        raise MalformedError(f"{name} is not a number of seconds", code="bad-time")
    from_minutes(int(value // 60))
    return value


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError("not the text of an envelope", code="unsupported") from None


def read_document(document: Mapping[str, JSON]) -> FileCredential:
    """The credential of a document that keeps the data model's rules; what it is secured by is read here."""
    proofs = read_proofs(document)
    for proof in proofs:
        if proof.cryptosuite not in CRYPTOSUITES:
            raise MalformedError(f"the cryptosuite {proof.cryptosuite!r} is not read", code="unsupported")
    types, subject = texts(document.get("type")), subjects(document)
    own = _own(document, types, subject[0], proofs[0]) if "weid" in document else None
    start, end = ("issuanceDate", "expirationDate") if _listed(document["@context"])[0] == V1 else ("validFrom", "validUntil")
    ends = (_time(document.get(end)), *(_time(each.expires) for each in proofs))
    valid_from, lead = _start(_seconds(document.get(start)))
    return FileCredential(
        document, proofs, next(iter(texts(document.get("id"))), None), types, issuer_of(document),
        valid_from, min((end for end in ends if end is not None), default=None),
        subject[0] if len(subject) == 1 else {"credentialSubject": list(subject)}, "credentialStatus" in document, own,
        lead=lead,
    )  # fmt: skip


def compact_of(file: FileCredential, own: Own, schema: Schema) -> Compact:
    """The compact credential in the file, ready to be shown as a code; SchemaError when the claims do not fit."""
    items = schema.items(file.claims)
    valid_from, valid_until = file.valid_from, file.valid_until
    if valid_from is None or valid_until is None or not own.issued <= valid_from < valid_until:
        raise MalformedError("the period of the file is empty or begins before it was issued")
    return Compact(
        suite(own.suite).code, DID(file.issuer).address[:8], own.key_number, schema.digest[:4], own.issued, valid_from,
        valid_until, own.list_number, own.index, own.bind_kind, own.bind, own.specimen, schema.width, len(items),
        (1 << len(items)) - 1, items, own.seed, b"", b"", own.signature,
    )  # fmt: skip


def file_bytes(document: Mapping[str, JSON]) -> bytes:
    """The bytes of a credential file: canonical JSON."""
    return jcs(dict(document))


def _own(document: Mapping[str, JSON], types: tuple[str, ...], subject: Mapping[str, JSON], proof: Proof) -> Own:
    extra = set(document) - _OWN - {"credentialStatus"}
    missing = _OWN - set(document)
    weid, schema = document["weid"], document.get("credentialSchema")
    if extra or missing or len(types) != 2 or "id" in subject:
        raise MalformedError("not one of our credential files")
    plain = isinstance(document["issuer"], str) and all(
        isinstance(document[name], dict) for name in ("proof", "credentialSubject")
    )
    if not plain or set(proof.options) != _PROOF:
        raise MalformedError("not one of our credential files")  # other spellings that W3C allows: R27 allows one
    if not isinstance(weid, dict) or set(weid) != _WEID:
        raise MalformedError("not one of our credential files")
    if not isinstance(schema, dict) or set(schema) != {"id", "type"} or schema["type"] != "JsonSchema":
        raise MalformedError("not one of our credential files")
    issuer, url = DID(issuer_of(document)), schema["id"]
    if issuer.method != "weid" or not isinstance(url, str) or not url.startswith(_SCHEMA_URL):
        raise MalformedError("not one of our credential files")
    origin, genesis, number, specimen = weid["origin"], weid["genesis"], weid["key"], weid["specimen"]
    kind, bound = _bind(weid["bind"])
    seed, name = _bytes(weid["seed"], 16), weid["suite"]
    if not isinstance(origin, str) or not isinstance(genesis, str) or type(specimen) is not bool:
        raise MalformedError("not one of our credential files")
    if type(number) is not int or not isinstance(name, str) or name not in CRYPTOSUITE_OF:
        raise MalformedError("not one of our credential files")
    digest, pinned = unhex(url.removeprefix(_SCHEMA_URL)), unhex(genesis)
    if len(digest) != 32 or len(pinned) != 32 or proof.cryptosuite != CRYPTOSUITE_OF[name]:
        raise MalformedError("not one of our credential files")
    if document["@context"] != contexts_of(digest):
        raise MalformedError("not one of our credential files")
    if parse_key_id(proof.method) != (issuer, number) or proof.purpose != "assertionMethod":
        raise MalformedError("the proof is not by the key the file names")
    list_number, index = _slot(document.get("credentialStatus"), str(issuer))
    issued = minutes(parse_rfc3339(_text(weid["issued"])))
    return Own(
        origin, pinned, issued, kind, bound, seed, name, number, specimen, digest, list_number, index,
        _bytes(weid["signature"], 64),
    )  # fmt: skip


def status_url(issuer: str, number: int, *, base: str | None = None) -> str:
    """The URL of a list without its purpose: below the issuer's public address, or else its id in the registry."""
    if base is None:
        return status_list_id(issuer, number)
    if len(base) > MAX_BASE or not _BASE.fullmatch(base):
        raise MalformedError("a public address is https://host/path, or http on this machine alone", code="bad-url")
    return f"{base}/status/{number}"


def _status_entries(url: str, index: int) -> list[JSON]:
    return [
        {
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": str(index),
            "statusListCredential": f"{url}/{purpose}",
        }
        for purpose in ("revocation", "suspension")
    ]


def _slot(value: JSON, issuer: str) -> tuple[int | None, int | None]:
    """(list, index). A public address is for strangers: our own checks ask the registry about issuer, list and index."""
    if value is None:
        return None, None
    first = value[0] if isinstance(value, list) and value else None
    url = first.get("statusListCredential") if isinstance(first, dict) else None
    index = first.get("statusListIndex") if isinstance(first, dict) else None
    match = _LIST.fullmatch(url if isinstance(url, str) else "")
    if match is None or not isinstance(index, str) or not re.fullmatch(r"0|[1-9][0-9]{0,8}", index, re.ASCII):
        raise MalformedError("not a status slot of the issuer")
    number, base = int(match[2]), None if match[1] == issuer else match[1]
    if value != _status_entries(status_url(issuer, number, base=base), int(index)):
        raise MalformedError("not a status slot of the issuer")
    return number, int(index)


def _bind(value: JSON) -> tuple[int, bytes]:
    if not isinstance(value, list) or len(value) != 2 or type(value[0]) is not int or value[0] not in BIND_BYTES:
        raise MalformedError("not a binding")
    return value[0], _bytes(value[1], BIND_BYTES[value[0]])


def _bytes(value: JSON, size: int) -> bytes:
    found = unb64u(_text(value))
    if len(found) != size:
        raise MalformedError(f"not {size} bytes")
    return found


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("not text")
    return value


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _seconds(value: JSON) -> int | None:
    """Seconds since 1970 of an XSD dateTimeStamp, a part of one counted whole."""
    if value is None:
        return None
    found = moment(value)
    if found is None:
        raise MalformedError("a period is given in dateTimeStamps", code="vcdm-validity")
    when, fraction = found
    return minutes(when) * 60 + when.second + fraction


def _start(*seconds: int | None) -> tuple[int | None, int]:
    """(the minute after which the latest of these has come, the seconds by which that rounds it up)."""
    given = [item for item in seconds if item is not None]
    if not given:
        return None, 0
    count = -(-max(given) // 60)
    from_minutes(count)  # the last half minute of the year 9999 rounds out of the calendar
    return count, count * 60 - max(given)


def _time(value: JSON) -> int | None:
    """The minute in which a period ends, rounded down: never a minute more than signed."""
    seconds = _seconds(value)
    return None if seconds is None else seconds // 60
