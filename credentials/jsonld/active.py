"""Active contexts: what the terms of a document mean at one place in it (JSON-LD 1.1 API, 4.1 and 4.2).

Contexts are worked out once and remembered, so a document over known contexts costs look-ups only. What credentials do
not use (`@import`, `@base`, `@reverse`, `@nest`, index maps) is `Unusual`, and the general processor takes over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from credentials.jsonld.contexts import context
from weid.canon import JSON, jcs
from weid.errors import MalformedError

__all__ = ["ABSENT", "Active", "Term", "Unusual", "is_absolute", "start", "unknown_context"]

ABSENT: Final[Any] = object()
"""Where null means something else than not being there."""
KEYWORDS: Final = frozenset(
    {"@base", "@container", "@context", "@default", "@direction", "@explicit", "@embed", "@first", "@graph", "@id"}
    | {"@import", "@included", "@index", "@json", "@language", "@list", "@nest", "@none", "@omitDefault", "@prefix"}
    | {"@preserve", "@propagate", "@protected", "@requireAll", "@reverse", "@set", "@type", "@value", "@version"}
    | {"@vocab"}
)
_TERM_KEYS: Final = frozenset({"@id", "@type", "@container", "@context", "@language", "@direction", "@prefix", "@protected"})
_CONTEXT_KEYS: Final = frozenset({"@version", "@vocab", "@language", "@direction", "@propagate", "@protected"})
_CONTAINERS: Final = frozenset({"@set", "@list", "@language", "@graph"})
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*\Z")
_LIKE_KEYWORD: Final = re.compile(r"@[A-Za-z]+\Z")
_GEN_DELIMS: Final = frozenset(":/?#[]@")
_MAX_NESTING: Final = 8
_REMEMBERED: Final = 512


class Unusual(Exception):  # not an error: a place where the general processor takes over
    """The document uses something of JSON-LD that only the general processor reads."""


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One term definition; `context` is its scoped context or ABSENT, `language` ABSENT unless it sets one."""

    iri: str | None
    type: str | None = None
    container: frozenset[str] = frozenset()
    context: Any = ABSENT
    language: Any = ABSENT
    direction: Any = ABSENT
    prefix: bool = False
    protected: bool = False

    def same(self, other: Term) -> bool:
        """Whether the two mean the same; being protected is not part of the meaning."""
        return all(getattr(self, name) == getattr(other, name) for name in Term.__slots__ if name != "protected")


@dataclass(slots=True, eq=False)
class Active:
    """A context as it stands at one place. Shared between documents: never changed once it is handed out."""

    terms: dict[str, Term] = field(default_factory=dict)
    vocab: str | None = None
    language: str | None = None
    direction: str | None = None
    previous: Active | None = None
    _names: dict[str, str | None] = field(default_factory=dict, repr=False)

    def name(self, text: str) -> str | None:
        """The IRI or keyword that a key or type stands for; None where it stands for nothing."""
        found = self._names.get(text, ABSENT)
        if found is ABSENT:
            found = self.expand(text, vocab=True)
            if len(self._names) < _REMEMBERED:
                self._names[text] = found
        return found  # type: ignore[no-any-return]

    def with_context(self, local: JSON, *, propagate: bool = True, override: bool = False) -> Active:
        """This context and then `local` (4.1); MalformedError for one that is invalid or not known here."""
        if isinstance(local, str):
            return _derived(self, local, propagate, override)
        if isinstance(local, list) and all(isinstance(item, str) for item in local):
            return _derived(self, tuple(str(item) for item in local), propagate, override)
        return _derived(self, jcs(local), propagate, override)

    def within(self, term: Term, *, of_type: bool = False) -> Active:
        """This context inside a property, or in a node of a type, whose term has a context of its own."""
        return _within(self, term, of_type)

    def expand(
        self, text: str, *, vocab: bool = False, local: Mapping[str, JSON] | None = None, defined: dict[str, bool] | None = None
    ) -> str | None:
        """IRI expansion (5.2) without a base: a relative reference stays one."""
        if text in KEYWORDS:
            return text
        if _LIKE_KEYWORD.match(text):
            return None
        if local is not None and defined is not None and text in local and not defined.get(text):
            _define(self, local, text, defined, {})
        term = self.terms.get(text)
        if term is not None and (vocab or term.iri in KEYWORDS):
            return term.iri
        start, colon, rest = text.partition(":")
        if colon and start:
            if start == "_" or rest.startswith("//"):
                return text
            if local is not None and defined is not None and start in local and not defined.get(start):
                _define(self, local, start, defined, {})
            prefix = self.terms.get(start)
            if prefix is not None and prefix.iri is not None and prefix.prefix:
                return prefix.iri + rest
            return text
        return self.vocab + text if vocab and self.vocab is not None else text


def unknown_context(url: str) -> MalformedError:
    """The error that names a context nobody added to the table."""
    return MalformedError(f"the context {url[:200]} is not known here, and none is ever fetched", code="unknown-context")


def is_absolute(text: str | None) -> bool:
    """Whether the text is an absolute IRI that N-Quads can carry."""
    return text is not None and _ABSOLUTE.match(text) is not None


# Both caches are bounded for all documents together: inline contexts are the sender's to choose.
@lru_cache(maxsize=512)
def _derived(active: Active, spelled: str | bytes | tuple[str, ...], propagate: bool, override: bool) -> Active:
    if isinstance(spelled, bytes):
        return _processed(active, json.loads(spelled), propagate, override, 0)
    return _processed(active, spelled if isinstance(spelled, str) else list(spelled), propagate, override, 0)


@lru_cache(maxsize=1024)
def _within(active: Active, term: Term, of_type: bool) -> Active:
    return _processed(active, term.context, not of_type, not of_type, 0)


_START: Final = Active()


def start() -> Active:
    """The context before any `@context`."""
    return _START


def _processed(active: Active, local: JSON, propagate: bool, override: bool, depth: int) -> Active:
    """Context Processing (4.1.2)."""
    if depth > _MAX_NESTING:
        raise MalformedError("contexts are nested too deeply", code="bad-context")
    if isinstance(local, dict) and "@propagate" in local:
        propagate = _boolean(local["@propagate"])
    result = _copy(active)
    if not propagate and result.previous is None:
        result.previous = active
    for item in local if isinstance(local, list) else [local]:
        if item is None:
            result = _emptied(result, propagate=propagate, override=override)
        elif isinstance(item, str):
            known = context(item)
            if known is None:
                raise MalformedError(
                    f"the context {item[:200]} is not known here, and none is ever fetched", code="unknown-context"
                )
            result = _processed(result, dict(known), propagate, override, depth + 1)
        elif isinstance(item, dict):
            _read(result, item, override)
        else:
            raise MalformedError("a context is a URL, an object or null", code="bad-context")
    return result


def _copy(active: Active) -> Active:
    return Active(dict(active.terms), active.vocab, active.language, active.direction, active.previous)


def _emptied(active: Active, *, propagate: bool, override: bool) -> Active:
    if not override and any(term.protected for term in active.terms.values()):
        raise MalformedError("null would clear protected terms", code="protected-term")
    return Active(previous=None if propagate else active)


def _read(result: Active, local: Mapping[str, JSON], override: bool) -> None:
    """One context object, into `result`."""
    for name in local:
        if name in KEYWORDS and name not in _CONTEXT_KEYS:
            raise Unusual(name)
    if local.get("@version", 1.1) != 1.1:
        raise MalformedError("@version is 1.1", code="bad-context")
    if "@vocab" in local:
        result.vocab = _vocab(result, local["@vocab"])
    if "@language" in local:
        result.language = _language(local["@language"])
    if "@direction" in local:
        result.direction = _direction(local["@direction"])
    shared: dict[str, Any] = {"protected": _boolean(local.get("@protected", False)), "override": override}
    defined: dict[str, bool] = {}
    for name in local:
        if name not in KEYWORDS:
            _define(result, local, name, defined, shared)


def _vocab(active: Active, value: JSON) -> str | None:
    if value is None:
        return None
    found = active.expand(value, vocab=True) if isinstance(value, str) else None
    if found is None or not is_absolute(found):
        raise Unusual("@vocab")
    return found


def _define(active: Active, local: Mapping[str, JSON], name: str, defined: dict[str, bool], shared: Mapping[str, Any]) -> None:
    """Create Term Definition (4.2.2)."""
    if name in defined:
        if defined[name]:
            return
        raise MalformedError(f"the term {name} defines itself", code="bad-context")
    if not name or name in KEYWORDS or _LIKE_KEYWORD.match(name):
        raise Unusual(name)
    defined[name] = False
    value = local[name]
    simple = isinstance(value, str)
    entry: Mapping[str, JSON] = value if isinstance(value, dict) else {"@id": value}
    if not (value is None or simple or isinstance(value, dict)):
        raise MalformedError(f"the term {name} is neither an IRI nor an object", code="bad-context")
    if set(entry) - _TERM_KEYS:
        raise Unusual(min(set(entry) - _TERM_KEYS))
    before = active.terms.pop(name, None)
    made = _term(active, local, name, entry, defined, simple=simple, protected=shared.get("protected", False))
    if before is not None and before.protected and not shared.get("override", False):
        if not made.same(before):
            active.terms[name] = before
            raise MalformedError(f"the term {name} is protected and cannot be redefined", code="protected-term")
        made = before
    active.terms[name] = made
    defined[name] = True


def _term(
    active: Active, local: Mapping[str, JSON], name: str, entry: Mapping[str, JSON], defined: dict[str, bool], *,
    simple: bool, protected: bool,
) -> Term:  # fmt: skip
    iri = _iri(active, local, name, entry, defined)
    alone = ":" not in name[1:-1] and "/" not in name
    prefix = entry.get("@prefix", alone and simple and iri is not None and (iri[-1:] in _GEN_DELIMS or iri.startswith("_:")))
    return Term(
        iri,
        _type(active, local, entry, defined),
        _container(entry.get("@container", [])),
        entry.get("@context", ABSENT),
        _language(entry["@language"]) if "@language" in entry and "@type" not in entry else ABSENT,
        _direction(entry["@direction"]) if "@direction" in entry and "@type" not in entry else ABSENT,
        _boolean(prefix),
        _boolean(entry.get("@protected", protected)),
    )


def _iri(active: Active, local: Mapping[str, JSON], name: str, entry: Mapping[str, JSON], defined: dict[str, bool]) -> str | None:
    given = entry.get("@id", name)
    if given is None:
        return None
    if not isinstance(given, str):
        raise MalformedError(f"the term {name} has an @id that is not text", code="bad-context")
    if given != name:
        found = active.expand(given, vocab=True, local=local, defined=defined)
    elif ":" in name[1:]:
        start_, _, rest = name.partition(":")
        if start_ in local and not defined.get(start_):
            _define(active, local, start_, defined, {})
        prefix = active.terms.get(start_)
        found = name if prefix is None or prefix.iri is None else prefix.iri + rest
    else:
        found = active.vocab + name if active.vocab is not None and "/" not in name else None
    if found is None or found == "@context" or not (found in KEYWORDS or is_absolute(found) or found.startswith("_:")):
        raise MalformedError(f"the term {name} has no absolute IRI", code="bad-context")
    return found


def _type(active: Active, local: Mapping[str, JSON], entry: Mapping[str, JSON], defined: dict[str, bool]) -> str | None:
    given = entry.get("@type")
    if given is None:
        return None
    found = active.expand(given, vocab=True, local=local, defined=defined) if isinstance(given, str) else None
    if found not in ("@id", "@vocab", "@json", "@none") and not is_absolute(found):
        raise MalformedError("a term's type is an IRI, @id, @vocab, @json or @none", code="bad-context")
    return found


def _container(value: JSON) -> frozenset[str]:
    found = value if isinstance(value, list) else [value]
    names = frozenset(item for item in found if isinstance(item, str))
    if len(names) != len(found) or not names <= _CONTAINERS:
        raise Unusual("@container")
    return names


def _language(value: JSON) -> str | None:
    if value is not None and not isinstance(value, str):
        raise MalformedError("@language is text or null", code="bad-context")
    return value if value is None else value.lower()


def _direction(value: JSON) -> str | None:
    if value not in (None, "ltr", "rtl"):
        raise MalformedError("@direction is ltr, rtl or null", code="bad-context")
    return None if value is None else str(value)


def _boolean(value: JSON) -> bool:
    if not isinstance(value, bool):
        raise MalformedError("a context flag is true or false", code="bad-context")
    return value
