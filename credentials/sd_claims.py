"""Claims that may be hidden one by one: digests in the place of claims, and disclosures that bring them back (RFC 9901 4).

A path names a claim: ("address", "region"), ("nationalities", 0). Numbers count the elements of the array as issued.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from credentials.jws import json_text
from weid.canon import JSON, MAX_DEPTH, parse_json
from weid.codec import b64u, unb64u
from weid.errors import IssueError, KeyMaterialError, MalformedError, UnknownSuiteError
from weid.hashes import SHA256, SHA384, SHA512, SM3, Hash
from weid.suites import Random

__all__ = ["HASHES", "Disclosure", "Opened", "Path", "conceal", "hash_of", "open_claims", "read_disclosure"]

Path: TypeAlias = tuple[str | int, ...]

HASHES: Final[Mapping[str, Hash]] = MappingProxyType({
    "sha-256": SHA256, "sha-384": SHA384, "sha-512": SHA512,
    "sm3": SM3,
})  # fmt: skip
"""`_sd_alg` → hash; `sm3` is ours, for issuers whose suite is SM2: IANA's registry of hash names has none."""
DEFAULT_HASH: Final = "sha-256"
MAX_DISCLOSURES: Final = 1000
SALT_BYTES: Final = 16
_DIGESTS, _ELEMENT, _ALGORITHM = "_sd", "...", "_sd_alg"
_SAFE_INTEGER: Final = 2**53 - 1
_NESTED: Final = (dict, list)
_quoted: Final = json.encoder.encode_basestring  # a text as JSON, as the encoder of `json_text` writes it
_RESERVED: Final = frozenset({_DIGESTS, _ELEMENT, _ALGORITHM})


class Disclosure(NamedTuple):  # made by the dozen: a frozen dataclass costs three times as much to make
    """One claim, or one element of an array (`name` is None), with its salt; `text` is what the digest is made of."""

    text: str
    name: str | None
    value: JSON

    def digest(self, hash: Hash) -> str:
        """The digest that stands for it (RFC 9901 4.2.3)."""
        return digest_of(self.text, hash)


@dataclass(frozen=True, slots=True)
class Opened:
    """Claims with every disclosure in its place, and for each disclosed path the disclosures it takes, outermost first."""

    claims: dict[str, JSON]
    places: Mapping[Path, tuple[Disclosure, ...]]


def digest_of(text: str, hash: Hash) -> str:
    """The digest that stands for the disclosure of this text."""
    return b64u(hash.digest(text.encode("ascii")))


def digests_of(texts: Sequence[str], hash: Hash) -> list[str]:
    """The same for each of several texts."""
    digest = hash.digest
    return _b64u_each([digest(text.encode("ascii")) for text in texts], hash.size)


def _b64u_each(values: Sequence[bytes], size: int) -> list[str]:
    """base64url of values of one size, by one call: zeros fill each up to whole groups, and what they add is cut off."""
    fill = bytes(-size % 3)
    whole, step, length = b64u(fill.join(values) + fill), (size + len(fill)) // 3 * 4, (size * 8 + 5) // 6
    return [whole[start : start + length] for start in range(0, step * len(values), step)]


def hash_of(claims: Mapping[str, JSON]) -> Hash:
    """The hash of `_sd_alg`, sha-256 where it is left out (RFC 9901 4.1.1); UnknownSuiteError for any other name."""
    name = claims.get(_ALGORITHM, DEFAULT_HASH)
    if not isinstance(name, str) or name not in HASHES:
        raise UnknownSuiteError(f"unknown _sd_alg {str(name)[:40]!r}", code="sd-alg")
    return HASHES[name]


def read_disclosure(text: str) -> Disclosure:
    """The disclosure of this base64url text: [salt, name, value] or [salt, value]; MalformedError (RFC 9901 4.2)."""
    value = parse_json(unb64u(text))
    if not isinstance(value, list) or len(value) not in (2, 3) or not isinstance(value[0], str):
        raise MalformedError("a disclosure is a salt, a name if it is a claim, and a value", code="sd-disclosure")
    if len(value) == 2:
        return Disclosure(text, None, value[1])
    name = value[1]
    if not isinstance(name, str):
        raise MalformedError("the name of a disclosed claim is text", code="sd-disclosure")
    if name in _RESERVED:
        raise MalformedError(f"no disclosure may be called {name}", code="sd-reserved")
    return Disclosure(text, name, value[2])


# --- making ----------------------------------------------------------------------------------------------------------


def conceal(
    claims: Mapping[str, JSON], paths: Collection[Path], *, random: Random, hash: Hash = SHA256, decoys: int = 0
) -> tuple[dict[str, JSON], list[str]]:
    """The claims with those of `paths` replaced by digests, and their disclosures (RFC 9901 4.2, 4.2.5).

    A path below another makes a recursive disclosure. `decoys` digests of nothing join every place that has a digest.
    IssueError `no-such-claim` for a path that leads nowhere, `reserved-claim` for a name that SD-JWT keeps for itself.
    """
    maker = _Maker(frozenset(paths), random, hash, decoys)
    made = maker.hide({**claims}, ())
    missing = maker.paths - maker.found
    if missing:
        raise IssueError(f"{_shown(min(missing, key=str))}: there is no such claim to hide", code="no-such-claim")
    assert isinstance(made, dict)
    return made, maker.texts


class _Maker:
    """The state of one `conceal`: which paths were met, and the disclosures so far."""

    def __init__(self, paths: frozenset[Path], random: Random, hash: Hash, decoys: int) -> None:
        self.paths, self.random, self.hash, self.decoys = paths, random, hash, decoys
        self.found: set[Path] = set()
        self.texts: list[str] = []
        drawn = random(SALT_BYTES * len(paths))  # one draw for all salts: asking for it costs more than what it gives
        if len(drawn) != SALT_BYTES * len(paths):
            raise KeyMaterialError("the random source gave the wrong number of bytes")
        self.salts = _b64u_each([drawn[start : start + SALT_BYTES] for start in range(0, len(drawn), SALT_BYTES)], SALT_BYTES)

    def hide(self, value: JSON, path: Path) -> JSON:
        if len(path) > MAX_DEPTH:
            raise IssueError(f"claims nested deeper than {MAX_DEPTH}", code="too-deep")
        if isinstance(value, dict):
            return self._object(value, path)
        if isinstance(value, list):
            return self._array(value, path)
        if type(value) is int and abs(value) > _SAFE_INTEGER:
            raise IssueError(f"{_shown(path)}: a number beyond 2^53-1 has no one meaning in JSON", code="bad-number")
        return value

    def _object(self, value: dict[str, JSON], path: Path) -> JSON:
        out: dict[str, JSON] = {}
        hidden: list[str] = []
        for name, item in value.items():
            if name in _RESERVED:
                raise IssueError(f"{_shown((*path, name))}: SD-JWT keeps this name for itself", code="reserved-claim")
            here = (*path, name)
            inner = item if type(item) is str else self.hide(item, here)
            if here in self.paths:
                shown = _quoted(inner) if type(inner) is str else json_text(inner)
                hidden.append(self._disclose(here, f"{_quoted(name)},{shown}"))
            else:
                out[name] = inner
        if hidden:
            digests = digests_of(hidden, self.hash)
            digests += [self._decoy() for _ in range(self.decoys)]
            out[_DIGESTS] = [*sorted(digests)]  # the order of the claims must not show (RFC 9901 4.2.4.1)
        return out

    def _array(self, value: list[JSON], path: Path) -> JSON:
        out: list[JSON] = []
        hidden = False
        for index, item in enumerate(value):
            here = (*path, index)
            inner = self.hide(item, here)
            if here in self.paths:
                inner, hidden = {_ELEMENT: digest_of(self._disclose(here, json_text(inner)), self.hash)}, True
            out.append(inner)
        for _ in range(self.decoys if hidden else 0):
            out.insert(int.from_bytes(self.random(4), "big") % (len(out) + 1), {_ELEMENT: self._decoy()})
        return out

    def _disclose(self, path: Path, rest: str) -> str:
        """The text of the disclosure of a path."""
        self.found.add(path)
        try:
            text = b64u(f'["{self.salts.pop()}",{rest}]'.encode())
        except UnicodeEncodeError as error:
            raise MalformedError(f"no JSON: {error}") from error
        self.texts.append(text)
        return text

    def _decoy(self) -> str:
        return b64u(self.hash(self.random(32)))


# --- opening ---------------------------------------------------------------------------------------------------------


def open_claims(payload: Mapping[str, JSON], disclosures: Sequence[Disclosure]) -> Opened:
    """The claims that payload and disclosures add up to (RFC 9901 7.1, step 3); MalformedError for any misuse.

    A digest that stands anywhere twice, a disclosure that no digest asks for, a name that is there already and digests
    in the wrong place are refused: each would let one issuance show two different credentials.
    """
    known = dict(zip(digests_of([item.text for item in disclosures], hash_of(payload)), disclosures, strict=True))
    if len(known) != len(disclosures):
        raise MalformedError("a disclosure stands there twice", code="sd-repeated")
    opener = _Opener(known)
    claims = opener.open({name: item for name, item in payload.items() if name != _ALGORITHM}, (), (), 0)
    if opener.known:
        raise MalformedError("a disclosure that no digest asks for", code="sd-unreferenced")
    assert isinstance(claims, dict)
    return Opened(claims, MappingProxyType(opener.places))


class _Opener:
    """The state of one `open_claims`: digests seen, disclosures not yet placed, and where the others stand."""

    def __init__(self, known: dict[str, Disclosure]) -> None:
        self.known = known
        self.seen: set[str] = set()
        self.places: dict[Path, tuple[Disclosure, ...]] = {}

    def open(self, value: JSON, path: Path, above: tuple[Disclosure, ...], depth: int) -> JSON:
        if depth > MAX_DEPTH:
            raise MalformedError(f"claims nested deeper than {MAX_DEPTH}", code="too-deep")
        if isinstance(value, dict):
            return self._object(value, path, above, depth)
        return self._array(value, path, above, depth) if isinstance(value, list) else value

    def _object(self, value: dict[str, JSON], path: Path, above: tuple[Disclosure, ...], depth: int) -> JSON:
        if _ELEMENT in value or _ALGORITHM in value:
            raise MalformedError(f"{_ELEMENT} or {_ALGORITHM} where it means nothing", code="sd-reserved")
        out: dict[str, JSON] = {
            name: self.open(item, (*path, name), above, depth + 1) if isinstance(item, _NESTED) else item
            for name, item in value.items()
            if name != _DIGESTS
        }
        for found in self._found(value[_DIGESTS]) if _DIGESTS in value else ():
            if found.name is None:
                raise MalformedError("an array element in the place of a claim", code="sd-disclosure")
            if found.name in out:
                raise MalformedError(f"the claim {found.name[:40]!r} stands there already", code="sd-claim-repeated")
            out[found.name] = self._place(found, (*path, found.name), above, depth)
        return out

    def _array(self, value: list[JSON], path: Path, above: tuple[Disclosure, ...], depth: int) -> JSON:
        out: list[JSON] = []
        for item in value:
            if not isinstance(item, dict) or _ELEMENT not in item:
                out.append(self.open(item, (*path, len(out)), above, depth + 1))
                continue
            if len(item) != 1:
                raise MalformedError(f"{_ELEMENT} stands alone", code="sd-reserved")
            for found in self._found([item[_ELEMENT]]):
                if found.name is not None:
                    raise MalformedError("a claim in the place of an array element", code="sd-disclosure")
                out.append(self._place(found, (*path, len(out)), above, depth))
        return out

    def _found(self, value: JSON) -> list[Disclosure]:
        """The disclosures that the digests of one place ask for, in their order; each digest stands somewhere once."""
        if not isinstance(value, list):
            raise MalformedError(f"{_DIGESTS} is not a list of digests", code="sd-reserved")
        digests = [item for item in value if isinstance(item, str)]
        if len(digests) != len(value):
            raise MalformedError("a digest is text", code="sd-reserved")
        before = len(self.seen)
        self.seen.update(digests)
        if len(self.seen) != before + len(digests):
            raise MalformedError("a digest stands there twice", code="sd-repeated")
        known = self.known
        return [known.pop(digest) for digest in digests if digest in known]

    def _place(self, found: Disclosure, path: Path, above: tuple[Disclosure, ...], depth: int) -> JSON:
        chain = (*above, found)
        self.places[path] = chain
        value = found.value
        return self.open(value, path, chain, depth + 1) if isinstance(value, _NESTED) else value


def _shown(path: Path) -> str:
    return ".".join(str(step) for step in path)
