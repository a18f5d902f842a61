"""DID documents that somebody handed in: which keys a did:web had when its document was fetched, for checks without a network.

No registry vouches for them: the host's owner wrote the document, and whoever put it into the trust data says when it came
from there. So it answers whose key it is, never whether its owner may issue something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from weid.canon import JSON, jcs, parse_json
from weid.codec import minutes, parse_rfc3339, rfc3339
from weid.did import DID
from weid.did_web import MAX_DOCUMENT, read_document
from weid.document import RELATIONSHIPS
from weid.errors import MalformedError, WeidError
from weid.facts import Fact, Facts, Found, Source, Unknown
from weid.keys import PublicKey

__all__ = ["KIND", "MAX_DOCUMENTS", "HandedIn", "WithDocuments", "hand_in", "key_in", "read_handed_in", "suite_in"]

KIND: Final = "document"
MAX_DOCUMENTS: Final = 4096
_MEMBERS: Final = frozenset({"did", "fetched", "document"})


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The document of a did:web, and the minute at which it was fetched."""

    did: str
    document: Mapping[str, JSON]
    fetched: int

    def method(self, name: str) -> Mapping[str, JSON] | None:
        """The verification method of this id, of the DID itself and nobody else; None if the document has none."""
        return next((item for item in self._methods() if self._absolute(item.get("id")) == name), None)

    def allows(self, name: str, role: str) -> bool:
        """Whether the document lists the method for what keys of this role do (DID Core 1.0, 5.3)."""
        listed = self.document.get(RELATIONSHIPS[role])
        ids = [item.get("id") if isinstance(item, dict) else item for item in (listed if isinstance(listed, list) else [])]
        return name in map(self._absolute, ids)

    def to_bytes(self) -> bytes:
        """One JSON file."""
        return jcs({"did": self.did, "fetched": rfc3339(self.fetched), "document": dict(self.document)})

    def _methods(self) -> Iterable[Mapping[str, JSON]]:
        for name in ("verificationMethod", *sorted(set(RELATIONSHIPS.values()))):
            value = self.document.get(name)
            for item in value if isinstance(value, list) else []:
                if isinstance(item, dict) and item.get("controller") == self.did:
                    yield item

    def _absolute(self, name: JSON) -> JSON:
        return self.did + name if isinstance(name, str) and name.startswith("#") else name


def hand_in(did: str, data: bytes, *, fetched: int) -> HandedIn:
    """The document in `data`, if it conforms and is about this did:web.

    MalformedError `did-method` for another method: a did:weid has its keys from a registry alone (R5), and a did:key spells
    its own. ResolutionError `invalid-did-document` for a document that does not conform.
    """
    if DID(did).method != "web":
        raise MalformedError("only documents of did:web are handed in", code="did-method")
    return HandedIn(did, read_document(data, did), fetched)


def read_handed_in(data: bytes) -> HandedIn:
    """The value of a file that `to_bytes` wrote; errors as `hand_in`, MalformedError for other bytes."""
    value = parse_json(data, max_bytes=2 * MAX_DOCUMENT, max_depth=20)
    if not isinstance(value, dict) or set(value) != _MEMBERS or not isinstance(value["document"], dict):
        raise MalformedError("not a kept DID document")
    did, fetched = value["did"], value["fetched"]
    if not isinstance(did, str) or not isinstance(fetched, str):
        raise MalformedError("not a kept DID document")
    return hand_in(did, jcs(value["document"]), fetched=minutes(parse_rfc3339(fetched)))


def key_in(method: Mapping[str, JSON]) -> PublicKey:
    """The key of a verification method: Multikey, JsonWebKey, and the older names of the same two (CID 1.0, 2.2).

    MalformedError for one without exactly one key, or that says it was revoked or expires: nothing here says since when.
    UnknownSuiteError and KeyMaterialError as `PublicKey`.
    """
    if "revoked" in method or "expires" in method:
        raise MalformedError("the verification method has an end", code="method-ended")
    multikey, jwk = method.get("publicKeyMultibase"), method.get("publicKeyJwk")
    if isinstance(multikey, str) and jwk is None:
        return PublicKey.from_multikey(multikey)
    if isinstance(jwk, dict) and multikey is None:
        return PublicKey.from_jwk(jwk)
    raise MalformedError("the verification method has no key that is read here")


def suite_in(method: Mapping[str, JSON] | None) -> str:
    """The suite of a verification method's key; empty where there is none that is read here."""
    try:
        return "" if method is None else key_in(method).suite
    except WeidError:
        return ""


class WithDocuments:
    """Facts with a shelf of documents beside them: one more kind, `document`; everything else as before."""

    def __init__(self, facts: Facts, documents: Iterable[HandedIn]) -> None:
        self._facts = facts
        self._found = {item.did: _found(item) for item in documents}

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        """As `Facts.fact`; a document that is not here is Unknown, for no shelf is complete."""
        if kind != KIND:
            return self._facts.fact(kind, key, at)
        return self._found.get(key) or Unknown("incomplete-document")

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        """As `Facts.find`."""
        if kind != KIND:
            return self._facts.find(kind, prefix)
        return tuple(self._found[did] for did in sorted(self._found) if did.startswith(prefix))


def _found(item: HandedIn) -> Found:
    host = DID(item.did).removeprefix("did:web:").partition(":")[0].replace("%3A", ":")
    return Found(item, item.fetched, None, Source(host, b"", host, 0, item.fetched), complete=False)
