"""EU Digital COVID Certificates: HC1: ‖ base45 ‖ zlib ‖ COSE_Sign1 ‖ CBOR web token, claim -260 (eHealth network, 1 to 5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from credentials.foreign.base45 import unb45
from credentials.foreign.cbor import as_json
from credentials.foreign.cose import Token, read_token
from credentials.foreign.inflate import inflate
from credentials.foreign.value import EU_DCC, Listed, OtherCredential
from weid.canon import JSON
from weid.errors import MalformedError

__all__ = ["PREFIX", "USES", "read_dcc"]

PREFIX: Final = "HC1:"
CAP: Final = 1 << 16
_HCERT, _FIRST = -260, 1
_KINDS: Final = ("v", "t", "r")
MAX_ENTRIES: Final = 8
USES: Final[Mapping[str, frozenset[str]]] = {
    "t": frozenset({"1.3.6.1.4.1.1847.2021.1.1", "1.3.6.1.4.1.0.1847.2021.1.1"}),
    "v": frozenset({"1.3.6.1.4.1.1847.2021.1.2", "1.3.6.1.4.1.0.1847.2021.1.2"}),
    "r": frozenset({"1.3.6.1.4.1.1847.2021.1.3", "1.3.6.1.4.1.0.1847.2021.1.3"}),
}
"""Extended key usages of signer certificates by kind, with the form that early certificates had by mistake."""
HASHED: Final = 16  # bytes of a revocation hash


def read_dcc(text: str) -> OtherCredential:
    """The certificate in the text of a code; MalformedError or UnknownSuiteError with the layer that is wrong as its code."""
    token = read_token(inflate(unb45(text.removeprefix(PREFIX)), raw=False, cap=CAP))
    held = token.claims.get(_HCERT)
    content = held.get(_FIRST) if isinstance(held, dict) else None
    if not isinstance(content, dict):
        raise MalformedError("no health certificate inside", code="hcert")
    kind, entries = _entries(content)
    issued, start, end = token.times
    return OtherCredential(
        format=EU_DCC, type=f"{EU_DCC}.{kind}", issuer=token.issuer, kid=token.kid.hex(), hint=f"kid|{token.kid.hex()}",
        suite=token.suite, claims=dict(_claims(content, kind, entries)), verify=token.verify, issued=issued, valid_from=start,
        valid_until=end, id=next((_text(entry.get("ci")) for entry in entries), ""),
        listed=tuple(_listed(token, entries)), misfit=lambda: _misfit(content),
    )  # fmt: skip


def _entries(content: Mapping[object, object]) -> tuple[str, list[Mapping[object, object]]]:
    """The one kind of entry a certificate has (annex: exactly one of v, t, r), and its entries."""
    found = [kind for kind in _KINDS if content.get(kind) not in (None, [])]
    entries = content.get(found[0]) if len(found) == 1 else None
    if (
        not isinstance(entries, list)
        or not 0 < len(entries) <= MAX_ENTRIES
        or not all(isinstance(item, dict) for item in entries)
    ):
        raise MalformedError("a certificate says one thing: v, t or r", code="hcert")
    name = content.get("nam")
    if not isinstance(name, dict) or not isinstance(content.get("dob", ""), str | int):
        raise MalformedError("a certificate names a person", code="hcert")
    return found[0], entries


def _claims(content: Mapping[object, object], kind: str, entries: list[Mapping[object, object]]) -> Iterator[tuple[str, JSON]]:
    """Every signed value in the order people read: the name, the date of birth, the entry, and what else is there."""
    name = content["nam"]
    if isinstance(name, dict):
        first = [part for part in ("fn", "gn", "fnt", "gnt") if part in name]
        for part in (*first, *(part for part in name if part not in first)):
            yield f"nam.{part}", as_json(name[part])
    if "dob" in content:
        yield "dob", as_json(content["dob"])
    for number, entry in enumerate(entries, 1):
        for part, value in entry.items():
            yield f"{kind}{'' if number == 1 else number}.{part}", as_json(value)
    for part, value in content.items():
        if part not in ("nam", "dob", kind) and value not in (None, []):
            yield str(part), as_json(value)


def _listed(token: Token, entries: list[Mapping[object, object]]) -> Iterator[Listed]:
    """The hashes under which a revocation list may name it: the first 16 bytes of SHA-256 (guidelines, hash types).

    SIGNATURE is over the raw signature, for ES256 over its first half; UCI over the identifier, COUNTRYCODEUCI over the
    issuing country and the identifier.
    """
    half = token.signature[: len(token.signature) // 2] if token.suite == "p256" else token.signature
    scope = token.kid.hex()
    yield Listed(scope, "SIGNATURE", _hash(half))
    for entry in entries:
        number, country = _text(entry.get("ci")), _text(entry.get("co"))
        if number:
            yield Listed(scope, "UCI", _hash(number.encode("utf-8")))
            yield Listed(scope, "COUNTRYCODEUCI", _hash((country + number).encode("utf-8")))


def _misfit(content: Mapping[object, object]) -> str:
    """Where it breaks the published schema (1.0.0 to 1.3.0 as far as they agree, without value sets); empty if nowhere."""
    try:
        _validator().validate(as_json({name: item for name, item in content.items() if item is not None}))
    except ValueError as error:  # jsonschema_rs.ValidationError is one
        return str(error).partition("\n")[0][:200]
    return ""


@lru_cache(maxsize=1)
def _validator() -> Any:
    import jsonschema_rs

    text = files("credentials.foreign.words").joinpath(f"{EU_DCC}.schema.json").read_text("utf-8")
    return jsonschema_rs.validator_for(json.loads(text))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).digest()[:HASHED].hex()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
