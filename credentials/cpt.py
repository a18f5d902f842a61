"""CPTs, WeIdentity's schemas (JSON Schema draft 4), and the keys in its DID documents: what a caller may hand in (R30)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NoReturn

from credentials.weidentity import address_in
from credentials.weidentity_proof import java_text
from weid.canon import JSON
from weid.codec import unb58
from weid.errors import MalformedError, SchemaError
from weid.keys import PublicKey
from weid.suites import _curve

__all__ = ["Cpt", "Legacy", "alternatives", "keys_in_document", "read_cpt"]

MAX_KEYS: Final = 32
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})\Z", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,17}\.[0-9]{1,17}(?:E-?[0-9]{1,3})?\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"[1-9][0-9]{100,154}\Z", re.ASCII)  # X ‖ Y as one decimal number
_WORDS: Final[Mapping[str, JSON]] = MappingProxyType({"null": None, "true": True, "false": False})
# with something hidden these may fail for what is hidden, so they say nothing
_WHOLE: Final = frozenset({"oneOf", "anyOf", "not", "dependencies", "minProperties", "required"})
_PREFIXES: Final = {b"\xed\x01\x01": "secp256k1", b"\x12\x06": "sm2"}  # as WeIdentity 3 wrote them, right or not


@dataclass(frozen=True, slots=True)
class Cpt:
    """One CPT, ready to check claims."""

    document: Mapping[str, JSON]
    _validator: Any = field(repr=False, compare=False)

    def fits(self, claims: Mapping[str, JSON], *, partial: bool) -> bool:
        """Whether the claims fit; with `partial` something is hidden, and only what is shown is judged."""
        if not partial:
            return bool(self._validator.is_valid(dict(claims)))
        errors = self._validator.iter_errors(dict(claims))
        return all(_WHOLE.intersection(map(str, error.schema_path)) for error in errors)


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a checker holds about old credentials: keys by DID, CPTs by number, the length of salts if known."""

    keys: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=lambda: MappingProxyType({}))
    cpts: Mapping[int, Cpt] = field(default_factory=lambda: MappingProxyType({}))
    salt_length: int | None = None

    def cpt(self, number: int) -> Cpt | None:
        """The CPT of that number, if held."""
        return self.cpts.get(number)


def read_cpt(document: JSON) -> Cpt:
    """The CPT in parsed JSON, bare or as `queryCpt` answers (`cptJsonSchema`); SchemaError otherwise.

    Nothing is fetched: a reference to elsewhere makes the CPT unusable.
    """
    import jsonschema_rs

    if isinstance(document, dict) and "cptJsonSchema" in document:
        document = document["cptJsonSchema"]
    if not isinstance(document, dict) or not isinstance(document.get("properties"), dict):
        raise SchemaError("a CPT describes the properties of its claims")
    try:
        return Cpt(document, jsonschema_rs.Draft4Validator(document, validate_formats=True, retriever=_refuse))
    except (ValueError, OverflowError, RecursionError) as error:
        raise SchemaError(f"not a usable CPT: {error}") from None


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"nothing is fetched: {uri}")


def alternatives(value: JSON) -> tuple[JSON, ...]:
    """Other values that Java prints with the very same letters: 1 and "1", ["a, b"] and ["a", "b"]."""
    text = java_text(value)
    found: list[JSON] = [] if isinstance(value, str) else [text]
    if text in _WORDS:
        found.append(_WORDS[text])
    if _INTEGER.match(text):
        found.append(int(text))
    if _NUMBER.match(text) and java_text(float(text)) == text:
        found.append(float(text))
    if text[:1] == "[" and text[-1:] == "]":
        inner = text[1:-1]
        found += [list(inner.split(", ")), [inner]]
    return tuple(other for other in found if type(other) is not type(value) or other != value)


def keys_in_document(document: JSON, did: str) -> tuple[PublicKey, ...]:
    """The usable keys in a WeIdentity DID document of `did` (both layouts); nobody vouches for them but the caller.

    MalformedError when the document is another's or holds no key we can read.
    """
    if not isinstance(document, dict) or document.get("id") != did:
        raise MalformedError("not the DID document of the issuer")
    address_in(did)
    listed = [item for name in ("publicKey", "authentication") for item in _list(document.get(name))]
    keys = [key for item in listed[:MAX_KEYS] if (key := _key(item)) is not None]
    if not keys:
        raise MalformedError("the DID document holds no key that can be read")
    return tuple(dict.fromkeys(keys))


def _list(value: JSON) -> list[Mapping[str, JSON]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _key(item: Mapping[str, JSON]) -> PublicKey | None:
    suite, text = ("sm2" if item.get("type") == "SM2" else "secp256k1"), item.get("publicKey")
    multibase = item.get("publicKeyMultibase")
    if isinstance(multibase, str) and len(multibase) <= 512 and multibase[:1] == "z":
        data = unb58(multibase[1:])
        prefix = next((prefix for prefix in _PREFIXES if data.startswith(prefix)), None)
        if prefix is None:
            return None
        suite, text = _PREFIXES[prefix], data[len(prefix) :].decode("ascii", "replace")
    if not isinstance(text, str) or not _DECIMAL.match(text) or int(text) >= 1 << 512:
        return None  # a reference to another entry, or a key of another kind
    xy = int(text).to_bytes(64, "big")
    key = PublicKey(suite, _curve.compressed(xy))
    if key.xy() != xy:
        raise MalformedError("a public key is not on its curve")
    return key
