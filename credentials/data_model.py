"""The rules of the Verifiable Credentials Data Model 2.0 (and 1.1, read only), each with a code of its own.

Values alone are judged here: what secures a document, and what its terms mean, is judged elsewhere. Every function
raises MalformedError whose code names the rule, for bad input of any kind: a text, null, list or number where an
object belongs is bad input like any other.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NoReturn

from weid.canon import JSON
from weid.codec import unmultibase
from weid.errors import MalformedError

__all__ = [
    "CODES",
    "PERIOD",
    "Digest",
    "V1",
    "V2",
    "check_credential",
    "check_presentation",
    "digests_of",
    "is_url",
    "issuer_of",
    "moment",
    "subjects",
    "texts",
]

V2: Final = "https://www.w3.org/ns/credentials/v2"
V1: Final = "https://www.w3.org/2018/credentials/v1"
CODES: Final = tuple(
    f"vcdm-{rule}"
    for rule in ("context", "type", "id", "name", "issuer", "subject", "validity", "status", "schema", "refresh", "evidence",
                 "terms", "related", "envelope", "holder", "credentials")
)  # fmt: skip
"""Every code that a broken rule can have."""
PERIOD: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {V2: ("validFrom", "validUntil"), V1: ("issuanceDate", "expirationDate")}
)
"""The members for start and end, by the version's context."""
ENVELOPED: Final = "EnvelopedVerifiableCredential"
MAX_LIST: Final = 256
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+\Z")
_STAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*\Z")
_TYPED: Final = MappingProxyType(
    {"credentialStatus": "status", "refreshService": "refresh", "evidence": "evidence", "termsOfUse": "terms"}
)
Digest = tuple[str, bytes]
"""(name of the hash function as hashlib has it, value)."""
# header (code, length) of a multihash → its function
_MULTIHASHES: Final[Mapping[bytes, str]] = MappingProxyType(
    {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512", b"\x16\x20": "sha3_256", b"\x15\x30": "sha3_384"}
)
# SHA-256 and SHA-384 of the files that the recommendations name: what a `relatedResource` may say of them.
_DIGESTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    V2: ("59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
         "97f1eb8e5042356c805fdd61afa2c557663785e0794dcafa21e138fd38def18cb360133c221aa31d6896a6bf3e65b614"),
    V1: ("ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
         "82c3b3eab863754bbfd2b9f17d8d6db9f61169f301cbf0b05e1fc4beb5f5c51dd4d2e888c274f49c3fbb2408f61faed1"),
    "https://w3id.org/security/data-integrity/v2": (
         "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
         "0ee2d7626717f8b07cd449b525d5e2b71fe27209fc99e53089e0169dd2944d793feea4526fc60bb9cca1cd96512391f6"),
})  # fmt: skip


def check_credential(document: Mapping[str, JSON]) -> None:
    """Every rule for a credential; MalformedError `vcdm-<member>` names the first one that is broken."""
    version = _version(document)
    _types(document, "VerifiableCredential")
    _id(document, "id")
    _words(document)
    issuer = document.get("issuer")
    _named(issuer, "issuer")
    if isinstance(issuer, dict):
        _words(issuer)
    _subject(document)
    _validity(document, version)
    for member, rule in _TYPED.items():
        for item in _objects(document, member, rule):
            _types(item, None, rule)
            _id(item, rule)
    for item in _objects(document, "credentialSchema", "schema"):
        _types(item, None, "schema")
        _id(item, "schema", required=True)
    _related(document)


def check_presentation(document: Mapping[str, JSON]) -> None:
    """Every rule for a presentation but those of the credentials in it."""
    _version(document)
    _types(document, "VerifiablePresentation")
    _id(document, "id")
    if "holder" in document:
        _named(document["holder"], "holder")
    for item in _listed(document.get("verifiableCredential", [])):
        if not isinstance(item, dict):
            # VCDM 2.0, 4.13: a string here is not secured by the presentation, nor by itself
            _refuse("credentials", "a presentation holds credentials as objects")
        if ENVELOPED in _listed(item.get("type")):
            check_envelope(item, ENVELOPED)
        elif "proof" not in item:
            _refuse("credentials", "a credential in a presentation is secured")


def check_envelope(document: Mapping[str, JSON], kind: str) -> str:
    """The `data:` URL of an enveloped credential or presentation (VCDM 2.0, 4.13.1)."""
    contexts, url = _listed(document.get("@context")), document.get("id")
    if not contexts or contexts[0] != V2 or document.get("type") not in (kind, [kind]):
        _refuse("envelope", f"an envelope has the context of the data model and the type {kind}")
    if not isinstance(url, str) or not url.startswith("data:") or "," not in url:
        _refuse("envelope", "an envelope's id is a data URL")
    return url


def subjects(document: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """The subjects of a credential that was checked."""
    return [item for item in _listed(document.get("credentialSubject")) if isinstance(item, dict)]


def issuer_of(document: Mapping[str, JSON]) -> str:
    """The issuer's URL of a credential that was checked."""
    value = document.get("issuer")
    return str(value.get("id") if isinstance(value, dict) else value)


def texts(value: JSON) -> tuple[str, ...]:
    """The texts of a member that is one text or a list of them."""
    return tuple(item for item in _listed(value) if isinstance(item, str))


def moment(value: JSON) -> tuple[datetime, bool] | None:
    """(the moment of an XSD dateTimeStamp, whether it has a fraction of a second), or None for anything else."""
    match = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00")).astimezone(UTC), match[2] is not None
    except (ValueError, OverflowError):
        return None


def is_url(value: JSON) -> bool:
    """Whether this is one absolute URL, of a length that anybody would write."""
    return isinstance(value, str) and len(value) <= 2048 and _URL.match(value) is not None


def digests_of(item: Mapping[str, JSON]) -> list[Digest]:
    """The digests that an object names another resource by (VCDM 2.0, 5.3); MalformedError `vcdm-related`."""
    single, listed = item.get("digestSRI"), item.get("digestMultibase")
    several = listed if isinstance(listed, list) else [] if listed is None else [listed]
    if len(several) > MAX_LIST or listed == []:
        _refuse("related", "digestMultibase is one text or several")
    return [*([] if single is None else [_sri(single)]), *map(_multibase, several)]


def _version(document: Mapping[str, JSON]) -> str:
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not 0 < len(contexts) <= 32:
        _refuse("context", "@context is a list")
    if contexts[0] not in (V1, V2):
        _refuse("context", "the data model's context comes first")
    if not all(isinstance(item, str | dict) for item in contexts) or len([c for c in contexts if c == contexts[0]]) > 1:
        _refuse("context", "a context is a URL or an object, each once")
    return V1 if contexts[0] == V1 else V2


def _types(document: Mapping[str, JSON], wanted: str | None, rule: str = "type") -> None:
    value = document.get("type")
    found = _listed(value)
    if value is None or not found or not all(isinstance(item, str) and item for item in found):
        _refuse(rule, "a type is missing, or is not text")
    if wanted is not None and wanted not in found:
        _refuse(rule, f"the type {wanted} is missing")


def _id(document: Mapping[str, JSON], rule: str, *, required: bool = False) -> None:
    if "id" not in document and not required:
        return
    value = document.get("id")
    if not isinstance(value, str) or not _URL.match(value):
        _refuse(rule, "an id is one URL")


def _named(value: JSON, rule: str) -> None:
    url = value.get("id") if isinstance(value, dict) else value
    if not isinstance(url, str) or not _URL.match(url) or len(url) > 2048:
        _refuse(rule, f"{rule} is a URL, or an object with one as its id")


def _words(document: Mapping[str, JSON]) -> None:
    """`name` and `description`: text, or texts with language and direction (VCDM 2.0, 11.1)."""
    for member in ("name", "description"):
        for item in _listed(document[member]) if member in document else []:
            if isinstance(item, str):
                continue
            if not isinstance(item, dict) or not isinstance(item.get("@value"), str):
                _refuse("name", f"{member} is text, or an object with @value")
            if set(item) - {"@value", "@language", "@direction"} or item.get("@direction", "ltr") not in ("ltr", "rtl"):
                _refuse("name", f"{member} has a language and a direction and nothing else")
            language = item.get("@language", "en")
            if not isinstance(language, str) or not _LANGUAGE.match(language):
                _refuse("name", f"{member} names a language that is none")


def _subject(document: Mapping[str, JSON]) -> None:
    found = _listed(document.get("credentialSubject"))
    if not 0 < len(found) <= MAX_LIST or not all(isinstance(item, dict) and item for item in found):
        _refuse("subject", "a credential is about one or more subjects, and says something of each")
    for item in subjects(document):
        _id(item, "subject")


def _validity(document: Mapping[str, JSON], version: str) -> None:
    start, end = PERIOD[version]
    if version == V1 and start not in document:
        _refuse("validity", "issuanceDate is missing")
    given = [moment(document[name]) for name in (start, end) if name in document]
    if None in given:
        _refuse("validity", f"{start} and {end} are dates with time and zone")
    if len(given) == 2 and given[0][0] > given[1][0]:  # type: ignore[index]
        _refuse("validity", f"{end} is before {start}")


def _related(document: Mapping[str, JSON]) -> None:
    """`relatedResource`: each once, with a digest, which is the right one where we know the resource (VCDM 2.0, 5.3)."""
    seen: set[str] = set()
    for item in _objects(document, "relatedResource", "related"):
        _id(item, "related", required=True)
        url = str(item["id"])
        if url in seen:
            _refuse("related", "a resource is named twice")
        seen.add(url)
        said = digests_of(item)
        if not said:
            _refuse("related", "a resource has a digest")
        known = dict(zip(("sha256", "sha384"), _DIGESTS.get(url, ()), strict=False))
        if any(name in known and value.hex() != known[name] for name, value in said):
            _refuse("related", f"another digest than that of {url}")


def _sri(value: JSON) -> Digest:
    name, _, text = value.partition("-") if isinstance(value, str) else ("", "", "")
    try:
        digest = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        digest = b""
    if len(digest) != {"sha256": 32, "sha384": 48, "sha512": 64}.get(name, -1):
        _refuse("related", "digestSRI is sha256, sha384 or sha512 and its value in base64")
    return name, digest


def _multibase(value: JSON) -> Digest:
    """A multihash in multibase (VC Data Integrity 2.6, CID 2.5), or a bare SHA-2 as VCDM 2.0 and its tests write it."""
    try:
        digest = unmultibase(value) if isinstance(value, str) else b""
    except MalformedError:
        digest = b""
    name = _MULTIHASHES.get(digest[:2])
    if name is not None and len(digest) == 2 + digest[1]:
        return name, digest[2:]
    if len(digest) not in (32, 48):
        _refuse("related", "digestMultibase is a digest in multibase")
    return ("sha256" if len(digest) == 32 else "sha384"), digest


def _objects(document: Mapping[str, JSON], member: str, rule: str) -> Iterator[dict[str, JSON]]:
    if member not in document:
        return
    found = _listed(document[member])
    if not 0 < len(found) <= MAX_LIST:
        _refuse(rule, f"{member} is empty or too long")
    for item in found:
        if not isinstance(item, dict) or not item:
            _refuse(rule, f"{member} is one object or several")
        yield item


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _refuse(rule: str, reason: str) -> NoReturn:
    raise MalformedError(reason, code=f"vcdm-{rule}")
