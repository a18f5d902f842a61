"""W3C Verifiable Credentials Data Model 2.0: our file form, and what a verifier needs of foreign files.

The file is the same value as the compact code (R17): its `weid` member lets anyone rebuild the compact preimage, and
its id must be the id that preimage gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from credentials.compact import BIND_BYTES, Compact
from credentials.data_integrity import CRYPTOSUITE_OF, CRYPTOSUITES, Proof, read_proofs
from credentials.data_model import ENVELOPED, PERIOD, V2, check_credential, check_envelope, issuer_of, subjects, texts
from credentials.envelope import open_url
from credentials.render_method import check_methods, render_methods
from credentials.schema import Schema
from credentials.vcdm_enveloped import read_enveloped
from credentials.vcdm_file import FileCredential, Own, end_of, seconds_of, start_of
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, minutes, parse_rfc3339, rfc3339, unb64u, unhex
from weid.did import DID, parse_key_id
from weid.errors import MalformedError
from weid.records import status_list_id
from weid.suites import suite, suite_by_code

__all__ = ["compact_of", "contexts_of", "document_of", "file_bytes", "read_document", "read_file", "schema_url", "status_url"]

_OWN: Final = frozenset(
    {"@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject", "credentialSchema", "weid"} | {"proof"}
)
_WEID: Final = frozenset({"origin", "genesis", "issued", "bind", "seed", "suite", "key", "specimen", "signature"})
_PROOF: Final = frozenset({"type", "cryptosuite", "created", "verificationMethod", "proofPurpose"})
_SCHEMA_URL: Final = "urn:weid:schema-digest:"
MAX_BASE: Final = 200
_BASE: Final = re.compile(
    r"(?:https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|http://(?:localhost|127\.0\.0\.1))(?::[1-9][0-9]{0,4})?(?:/[A-Za-z0-9_~-]+)*",
    re.ASCII,
)
_TEMPLATE: Final = re.compile(r"(.{1,200})/templates/[A-Za-z0-9]{1,60}[.]svg", re.ASCII)
_LIST: Final = re.compile(r"(.{1,200})/status/(0|[1-9][0-9]{0,8})/revocation", re.ASCII)


def schema_url(digest: bytes) -> str:
    """The `credentialSchema` id of a schema."""
    return _SCHEMA_URL + digest.hex()


def contexts_of(digest: bytes) -> list[JSON]:
    """The `@context` of our files: every claim and type means what the schema of that digest says, in RDF too."""
    return [V2, {"@vocab": f"{schema_url(digest)}#"}]


def document_of(
    value: Compact, schema: Schema, claims: Mapping[str, JSON], *, origin: str, genesis: bytes, issuer: str, cid: bytes,
    status_base: str | None = None, templates: Sequence[str] = (),
) -> dict[str, JSON]:  # fmt: skip
    """The unsecured VCDM document of a full compact credential; `status_base` is where strangers find its lists.

    `templates` are the digests of what it may be drawn with; without any, there is no `renderMethod`.
    """
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
    if templates:
        document["renderMethod"] = render_methods(templates, base=status_base)
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


def read_document(document: Mapping[str, JSON]) -> FileCredential:
    """The credential of a document that keeps the data model's rules; what it is secured by is read here."""
    proofs = read_proofs(document)
    for proof in proofs:
        if proof.cryptosuite not in CRYPTOSUITES:
            raise MalformedError(f"the cryptosuite {proof.cryptosuite!r} is not read", code="unsupported")
    types, subject = texts(document.get("type")), subjects(document)
    own = _own(document, types, subject[0], proofs[0]) if "weid" in document else None
    start, end = PERIOD[texts(document["@context"])[0]]
    ends = (end_of(document.get(end)), *(end_of(each.expires) for each in proofs))
    valid_from, lead = start_of(seconds_of(document.get(start)))
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
    extra = set(document) - _OWN - {"credentialStatus", "renderMethod"}
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
    if "renderMethod" in document:
        check_methods(document["renderMethod"], _base(document, str(issuer)))
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


def _base(document: Mapping[str, JSON], issuer: str) -> str | None:
    """The public address that the file names: one address for its lists and its templates."""
    method, status = _first(document["renderMethod"]).get("template"), _first(document.get("credentialStatus"))
    url = _first(method).get("id") if status == {} else status.get("statusListCredential")
    match = (_TEMPLATE if status == {} else _LIST).fullmatch(url if isinstance(url, str) else "")
    if match is None or match[1] == issuer:
        return None
    status_url(issuer, 0, base=match[1])  # refuses an address that is not written as we write it
    return match[1]


def _first(value: JSON) -> Mapping[str, JSON]:
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, dict) else {}


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
