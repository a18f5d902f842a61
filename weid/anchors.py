"""Trust anchors of other systems: whose keys sign their codes and what they revoked, as data that somebody brought here.

No registry vouches for them: a person imported a list, says what it is and when it was taken, and how old it may become.
So an anchor answers whose key it is and lets its codes count; it says nothing about any registry. Nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from weid.canon import JSON, jcs, parse_json
from weid.codec import b64, minutes, parse_rfc3339, rfc3339, unb64
from weid.errors import MalformedError
from weid.facts import Fact, Facts, Found, Source, Unknown

__all__ = ["ANCHOR", "FORMATS", "MAX_FILE", "REVOCATIONS", "Anchor", "AnchorList", "Revocations", "WithAnchors", "read_anchors"]

ANCHOR: Final = "anchor"
REVOCATIONS: Final = "revocations"
FORMATS: Final = ("claim-169", "eu-dcc", "openattestation", "smart-health-card")
MAX_FILE: Final = 32 << 20
MAX_ANCHORS: Final = 20_000
MAX_ENTRIES: Final = 2_000_000
MAX_TEXT: Final = 512
_MEMBERS: Final = frozenset({"anchors", "format", "name", "rejectAfter", "revocations", "taken", "warnAfter"})
_ANCHOR: Final = frozenset({"certificate", "issued", "issuer", "jwk", "kid", "name", "revocationCounter", "uses"})
_LONGEST: Final = 5_256_000  # ten years in minutes


@dataclass(frozen=True, slots=True)
class Anchor:
    """One issuer's key, or an issuer that its system names by an address alone.

    `kid` is hex where the system has bytes, else its text; `uses` are the kinds it may sign (none: any); `counter` is the
    revocation list's number that a SMART key announces; `issued` are the roots that an OpenAttestation store issued.
    """

    issuer: str
    name: str = ""
    kid: str = ""
    certificate: bytes | None = None
    jwk: Mapping[str, JSON] | None = None
    uses: frozenset[str] = frozenset()
    counter: int | None = None
    issued: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Revocations:
    """What a list says was revoked. `covers` are the issuers it speaks for (`*`: all); `lists` by (scope, method)."""

    covers: frozenset[str] = frozenset()
    lists: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    counters: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def speaks_for(self, *names: str) -> bool:
        """Whether this list is complete for one of these issuers or scopes."""
        return "*" in self.covers or any(name in self.covers for name in names)


@dataclass(frozen=True, slots=True)
class AnchorList:
    """One imported list: its name, when it was taken, and the ages in minutes at which a checker warns and refuses."""

    format: str
    name: str
    taken: int
    warn: int
    reject: int
    anchors: tuple[Anchor, ...]
    revocations: Revocations | None = None

    def to_bytes(self) -> bytes:
        """The one JSON file; `read_anchors` reads it."""
        value: dict[str, JSON] = {
            "format": self.format, "name": self.name, "taken": rfc3339(self.taken), "warnAfter": self.warn,
            "rejectAfter": self.reject, "anchors": [_printed(anchor) for anchor in self.anchors],
        }  # fmt: skip
        if self.revocations is not None:
            value["revocations"] = _printed_revocations(self.revocations)
        return jcs(value)


def read_anchors(data: bytes) -> AnchorList:
    """The value of a file as `to_bytes` writes it; MalformedError `bad-anchors` for anything else, `too-large` over the caps."""
    value = parse_json(data, max_bytes=MAX_FILE, max_depth=8)
    if not isinstance(value, dict) or not _MEMBERS - {"revocations"} <= set(value) <= _MEMBERS:
        raise _bad("a list has the members " + ", ".join(sorted(_MEMBERS)))
    if value["format"] not in FORMATS:
        raise _bad("the format is not one that is read: " + ", ".join(FORMATS))
    held = value["anchors"]
    if not isinstance(held, list) or len(held) > MAX_ANCHORS:
        raise _bad(f"anchors are a list of at most {MAX_ANCHORS}")
    warn, reject = _age(value["warnAfter"]), _age(value["rejectAfter"])
    if warn > reject:
        raise _bad("a checker warns before it refuses")
    revoked = None if "revocations" not in value else _revocations(value["revocations"])
    return AnchorList(
        str(value["format"]), _text(value["name"]), minutes(parse_rfc3339(_text(value["taken"]))), warn, reject,
        tuple(map(_anchor, held)), revoked,
    )  # fmt: skip


class WithAnchors:
    """Facts with the lists of other systems beside them: two more kinds, `anchor` and `revocations`; the rest as before.

    Anchors are found by `<format>|iss|<issuer>` and `<format>|kid|<kid>`, revocations by `<format>`; both with `find`, for
    several lists may speak about one key.
    """

    def __init__(self, facts: Facts, lists: Iterable[AnchorList]) -> None:
        self._facts = facts
        self._found: dict[str, list[Found]] = {}
        for item in lists:
            source = Source(item.name, b"", item.name, len(item.anchors), item.taken)
            for anchor in item.anchors:
                found = _found(anchor, item, source)
                for key in (f"iss|{anchor.issuer}", f"kid|{anchor.kid}", "all|"):
                    self._found.setdefault(f"{ANCHOR}:{item.format}|{key}", []).append(found)
            if item.revocations is not None:
                self._found.setdefault(f"{REVOCATIONS}:{item.format}", []).append(_found(item.revocations, item, source))

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        """As `Facts.fact`; of anchors there may be several, so they are found and not asked for one by one."""
        if kind in (ANCHOR, REVOCATIONS):
            return Unknown(f"incomplete-{kind}")
        return self._facts.fact(kind, key, at)

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        """As `Facts.find`, anchors and revocations by their whole key."""
        if kind in (ANCHOR, REVOCATIONS):
            return tuple(self._found.get(f"{kind}:{prefix}", ()))
        return self._facts.find(kind, prefix)


@dataclass(frozen=True, slots=True)
class Held:
    """An anchor or revocations as facts carry them: with the ages that their list may reach."""

    item: Anchor | Revocations
    warn: int
    reject: int


def _found(item: Anchor | Revocations, taken_from: AnchorList, source: Source) -> Found:
    held = Held(item, taken_from.warn, taken_from.reject)
    return Found(held, taken_from.taken, taken_from.taken + taken_from.reject, source, complete=False)


def _anchor(value: JSON) -> Anchor:
    if not isinstance(value, dict) or not {"issuer"} <= set(value) <= _ANCHOR:
        raise _bad("an anchor has an issuer, and of " + ", ".join(sorted(_ANCHOR)) + " what its system has")
    jwk, counter, text = value.get("jwk"), value.get("revocationCounter"), value.get("certificate")
    if jwk is not None and not isinstance(jwk, dict):
        raise _bad("a jwk is an object")
    if counter is not None and (type(counter) is not int or counter < 0):
        raise _bad("a revocation counter is a number")
    return Anchor(
        _text(value["issuer"]), _text(value.get("name", "")), _text(value.get("kid", "")),
        None if text is None else unb64(_text(text, 16_384)), None if jwk is None else MappingProxyType(dict(jwk)),
        frozenset(_texts(value.get("uses", []))), counter, frozenset(_texts(value.get("issued", []))),
    )  # fmt: skip


def _revocations(value: JSON) -> Revocations:
    if not isinstance(value, dict) or set(value) != {"covers", "lists"} or not isinstance(value["lists"], list):
        raise _bad("revocations have covers and lists")
    lists: dict[tuple[str, str], frozenset[str]] = {}
    counters: dict[str, int] = {}
    for item in value["lists"]:
        if not isinstance(item, dict) or not {"entries", "method", "scope"} <= set(item) <= {
            "counter",
            "entries",
            "method",
            "scope",
        }:
            raise _bad("a list of revocations has scope, method and entries")
        key = (_text(item["scope"]), _text(item["method"]))
        lists[key] = lists.get(key, frozenset()) | frozenset(_texts(item["entries"]))
        if "counter" in item:
            counters[key[0]] = _age(item["counter"])
    if sum(map(len, lists.values())) > MAX_ENTRIES:
        raise MalformedError(f"more than {MAX_ENTRIES} revocations", code="too-large")
    return Revocations(frozenset(_texts(value["covers"])), MappingProxyType(lists), MappingProxyType(counters))


def _printed(anchor: Anchor) -> JSON:
    value: dict[str, JSON] = {"issuer": anchor.issuer}
    certificate = None if anchor.certificate is None else b64(anchor.certificate)
    given: tuple[tuple[str, JSON], ...] = (
        ("name", anchor.name), ("kid", anchor.kid), ("certificate", certificate),
        ("jwk", None if anchor.jwk is None else dict(anchor.jwk)), ("uses", [*sorted(anchor.uses)]),
        ("issued", [*sorted(anchor.issued)]),
    )  # fmt: skip
    value |= {name: item for name, item in given if item}
    if anchor.counter is not None:
        value["revocationCounter"] = anchor.counter
    return value


def _printed_revocations(revoked: Revocations) -> JSON:
    lists: list[JSON] = []
    for (scope, method), entries in sorted(revoked.lists.items()):
        item: dict[str, JSON] = {"scope": scope, "method": method, "entries": [*sorted(entries)]}
        if scope in revoked.counters:
            item["counter"] = revoked.counters[scope]
        lists.append(item)
    return {"covers": [*sorted(revoked.covers)], "lists": lists}


def _texts(value: JSON) -> list[str]:
    if not isinstance(value, list):
        raise _bad("a list of texts")
    return [_text(item) for item in value]


def _text(value: JSON, longest: int = MAX_TEXT) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise _bad(f"a text of at most {longest} characters")
    return value


def _age(value: JSON) -> int:
    if type(value) is not int or not 0 <= value <= _LONGEST:
        raise _bad(f"a number up to {_LONGEST}")
    return value


def _bad(why: str) -> MalformedError:
    return MalformedError(f"not a list of trust anchors: {why}", code="bad-anchors")
