"""W3C Verifiable Credentials Data Model 2.0: our file form, and what a verifier needs of foreign files.

The file is the same value as the compact code (R17): its `weid` member lets anyone rebuild the compact preimage, and
its id must be the id that preimage gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from credentials.compact import BIND_BYTES, Compact
from credentials.data_integrity import CRYPTOSUITE_OF, CRYPTOSUITES, Proof, read_proof
from credentials.schema import Schema
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, from_minutes, minutes, parse_rfc3339, rfc3339, unb64u, unhex
from weid.did import DID, parse_key_id
from weid.errors import MalformedError
from weid.records import status_list_id
from weid.suites import suite, suite_by_code

__all__ = ["FileCredential", "Own", "compact_of", "document_of", "file_bytes", "read_file", "schema_url"]

V2: Final = "https://www.w3.org/ns/credentials/v2"
OUR_CONTEXT: Final = "urn:weid:context:1"
_OWN: Final = frozenset(
    {"@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject", "credentialSchema", "weid"} | {"proof"}
)
_WEID: Final = frozenset({"origin", "genesis", "issued", "bind", "seed", "suite", "key", "specimen", "signature"})
_PROOF: Final = frozenset({"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "@context"})
_SCHEMA_URL: Final = "urn:weid:schema-digest:"
_STAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


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
    proof: Proof
    id: str | None
    types: tuple[str, ...]
    issuer: str
    valid_from: int | None
    valid_until: int | None
    claims: Mapping[str, JSON]
    has_status: bool
    own: Own | None

    @property
    def self_certified(self) -> bool:
        """Whether the proof's method is a did:key or did:jwk, which no registry vouches for."""
        return self.proof.method.startswith(("did:key:", "did:jwk:"))


def schema_url(digest: bytes) -> str:
    """The `credentialSchema` id of a schema."""
    return _SCHEMA_URL + digest.hex()


def document_of(
    value: Compact, schema: Schema, claims: Mapping[str, JSON], *, origin: str, genesis: bytes, issuer: str, cid: bytes
) -> dict[str, JSON]:
    """The unsecured VCDM document of a full compact credential."""
    document: dict[str, JSON] = {
        "@context": [V2, OUR_CONTEXT],
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
        document["credentialStatus"] = _status_entries(issuer, value.list_number, value.index)
    return document


def read_file(data: bytes) -> FileCredential:
    """The credential in JSON bytes; MalformedError `not-a-credential` or `unsupported` for anything else.

    Members of VCDM 2.0 that this reader relies on are checked for type; a file with a `weid` member must be exactly
    what we write.
    """
    document = parse_json(data)
    if not isinstance(document, dict):
        raise MalformedError("not a credential file", code="not-a-credential")
    contexts, types = document.get("@context"), _types(document.get("type"))
    if not isinstance(contexts, list) or not contexts or "VerifiableCredential" not in types:
        raise MalformedError("not a verifiable credential", code="not-a-credential")
    if contexts[0] != V2:
        raise MalformedError("only the data model 2.0 is read", code="unsupported")
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict) or not subject:
        raise MalformedError("a credential is about one subject", code="unsupported")
    proof = read_proof(document)
    if proof.cryptosuite not in CRYPTOSUITES:
        raise MalformedError(f"the cryptosuite {proof.cryptosuite!r} is not read", code="unsupported")
    own = _own(document, types, subject, proof) if "weid" in document else None
    ends = (_time(document.get("validUntil"), late=False), _time(proof.expires, late=False))
    credential_id = document.get("id")
    if credential_id is not None and not isinstance(credential_id, str):
        raise MalformedError("id is not text")
    return FileCredential(
        document, proof, credential_id, types, _issuer(document.get("issuer")),
        _time(document.get("validFrom"), late=True), min((end for end in ends if end is not None), default=None), subject,
        "credentialStatus" in document, own,
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
    if extra or missing or document["@context"] != [V2, OUR_CONTEXT] or len(types) != 2 or "id" in subject:
        raise MalformedError("not one of our credential files")
    plain = isinstance(document["issuer"], str) and isinstance(document["proof"], dict)
    if not plain or set(proof.options) != _PROOF:
        raise MalformedError("not one of our credential files")  # other spellings that W3C allows: R27 allows one
    if not isinstance(weid, dict) or set(weid) != _WEID:
        raise MalformedError("not one of our credential files")
    if not isinstance(schema, dict) or set(schema) != {"id", "type"} or schema["type"] != "JsonSchema":
        raise MalformedError("not one of our credential files")
    issuer, url = DID(_issuer(document["issuer"])), schema["id"]
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
    if parse_key_id(proof.method) != (issuer, number) or proof.purpose != "assertionMethod":
        raise MalformedError("the proof is not by the key the file names")
    list_number, index = _slot(document.get("credentialStatus"), str(issuer))
    issued = minutes(parse_rfc3339(_text(weid["issued"])))
    return Own(
        origin, pinned, issued, kind, bound, seed, name, number, specimen, digest, list_number, index,
        _bytes(weid["signature"], 64),
    )  # fmt: skip


def _status_entries(issuer: str, number: int, index: int) -> list[JSON]:
    base = status_list_id(issuer, number)
    return [
        {
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": str(index),
            "statusListCredential": f"{base}/{purpose}",
        }
        for purpose in ("revocation", "suspension")
    ]


def _slot(value: JSON, issuer: str) -> tuple[int | None, int | None]:
    if value is None:
        return None, None
    first = value[0] if isinstance(value, list) and value else None
    url = first.get("statusListCredential") if isinstance(first, dict) else None
    index = first.get("statusListIndex") if isinstance(first, dict) else None
    pattern = re.escape(issuer) + r"/status/(0|[1-9][0-9]{0,8})/revocation"
    match = re.fullmatch(pattern, url if isinstance(url, str) else "")
    if match is None or not isinstance(index, str) or not re.fullmatch(r"0|[1-9][0-9]{0,8}", index, re.ASCII):
        raise MalformedError("not a status slot of the issuer")
    slot = int(match[1]), int(index)
    if value != _status_entries(issuer, *slot):
        raise MalformedError("not a status slot of the issuer")
    return slot


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


def _types(value: JSON) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in found):
        raise MalformedError("types are texts", code="not-a-credential")
    return tuple(str(item) for item in found)


def _issuer(value: JSON) -> str:
    if isinstance(value, dict):
        value = value.get("id")
    if not isinstance(value, str) or not 0 < len(value) <= 512:
        raise MalformedError("a credential names its issuer", code="not-a-credential")
    return value


def _time(value: JSON, *, late: bool) -> int | None:
    """Minutes of an XSD dateTimeStamp; a start rounds up, an end rounds down: never a minute more than signed."""
    if value is None:
        return None
    match = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedError("a period is given in dateTimeStamps")
    try:
        moment = datetime.fromisoformat(match[1] + match[2].replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedError("a period is given in dateTimeStamps") from None
    count = minutes(moment) + (1 if late and (moment.second or "." in str(value)) else 0)
    from_minutes(count)  # the last half minute of the year 9999 rounds out of the calendar
    return count
