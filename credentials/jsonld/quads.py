"""A JSON-LD document as RDF quads: expansion (5.1) and Object to RDF Conversion (8.2) in one walk.

Safe mode throughout: whatever would be dropped without a word (an undefined term or type, a relative IRI) is
MalformedError, because a value that is not in the quads is not signed. For the same reason a text's direction goes
into its datatype (`rdfDirection` = `i18n-datatype`, 8.2.2), as the other implementations of the W3C suites do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from credentials.jsonld import general
from credentials.jsonld.active import ABSENT, KEYWORDS, Active, Term, Unusual, is_absolute, start
from credentials.jsonld.rdfc import Quad, literal
from weid.canon import JSON, jcs
from weid.errors import MalformedError

__all__ = ["blank_nodes", "quads_of", "told_by_vocabulary_alone"]

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_I18N: Final = "https://www.w3.org/ns/i18n#"
_TYPE: Final = f"<{_RDF}type>"
_FIRST, _REST, _NIL = f"<{_RDF}first>", f"<{_RDF}rest>", f"<{_RDF}nil>"
_LANGUAGE: Final = re.compile(r"[a-z]{1,8}(?:-[a-z0-9]{1,8})*\Z")
_UNUSUAL: Final = frozenset({"@graph", "@included", "@index", "@list", "@nest", "@reverse", "@set", "@language", "@direction"})
_NO_TERM: Final = Term(None)


def quads_of(document: Mapping[str, JSON]) -> list[Quad]:
    """The quads of a document; blank node names are arbitrary, `canonicalize` gives them their own.

    MalformedError `undefined-term`, `relative-iri`, `unknown-context`, `protected-term`, `bad-context` or `bad-jsonld`.
    """
    walk = _Walk()
    try:
        walk.top(document)
    except Unusual:
        return general.quads_of(document)
    return walk.quads


def blank_nodes(document: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """The very objects inside the document that become blank nodes, for giving them names (vc-di-ecdsa 3.4.5).

    MalformedError `unsupported` where blank nodes arise that are no object: lists, and graphs in graphs.
    """
    walk = _Walk()
    try:
        walk.top(document)
    except Unusual as error:
        raise MalformedError(f"{error} is not read with selective disclosure", code="unsupported") from None
    if walk.fresh != len(walk.blank):
        raise MalformedError("lists and graphs are not read with selective disclosure", code="unsupported")
    return walk.blank


def told_by_vocabulary_alone(document: Mapping[str, JSON]) -> list[str]:
    """The members of the outermost object that no context defines, so that only `@vocab` gives them a name.

    Empty for contexts that the walk here leaves to the general processor.
    """
    try:
        active, _ = _contexts(document, start(), _NO_TERM)
    except Unusual:
        return []
    return [name for name in document if name not in active.terms and name not in KEYWORDS and ":" not in name]


class _Walk:
    """One document on its way to quads."""

    def __init__(self) -> None:
        self.quads: list[Quad] = []
        self.blank: list[dict[str, JSON]] = []
        self.fresh = 0
        self._given: dict[str, str] = {}

    def top(self, document: Mapping[str, JSON]) -> None:
        self._node(dict(document) if not isinstance(document, dict) else document, start(), _NO_TERM, "")

    def _label(self) -> str:
        self.fresh += 1
        return f"_:b{self.fresh}"

    def _node(self, element: dict[str, JSON], active: Active, term: Term, graph: str) -> str:
        """A node object: its quads, and the token it is known by."""
        active, scoped = _contexts(element, active, term)
        subject, properties, types = "", [], []
        for key, value in element.items():
            if key == "@context":
                continue
            name = active.name(key)
            if name == "@id":
                subject = self._reference(active.expand(value) if isinstance(value, str) else None, value)
            elif name == "@type":
                types += [_required(scoped.name(item), item) for item in _texts(value)]
            elif name in _UNUSUAL:
                raise Unusual(name)
            elif name is None or name.startswith("@") or not (is_absolute(name) or name.startswith("_:")):
                raise MalformedError(f"the term {key[:80]!r} is not defined by the contexts", code="undefined-term")
            elif value is not None:
                properties.append((key, name, value))
        if not subject:
            subject = self._label()
            self.blank.append(element)
        for item in types:
            self.quads.append((subject, _TYPE, self._token(item), graph))
        for key, name, value in properties:
            self._property(subject, name, value, active, active.terms.get(key, _NO_TERM), graph)
        return subject

    def _property(self, subject: str, name: str, value: JSON, active: Active, term: Term, graph: str) -> None:
        predicate = _predicate(name)
        for item in self._objects(value, active, term, graph):
            self.quads.append((subject, predicate, item, graph))

    def _objects(self, value: JSON, active: Active, term: Term, graph: str) -> Iterator[str]:
        """The object tokens of a property's value."""
        container = term.container
        if term.type == "@json":
            yield literal(jcs(value).decode(), f"{_RDF}JSON")
        elif "@language" in container and isinstance(value, dict):
            yield from _language_map(value, active.direction if term.direction is ABSENT else term.direction)
        elif "@list" in container:
            yield self._list(value, active, term, graph)
        elif "@graph" in container:
            yield from self._graphs(value, active, term)
        elif isinstance(value, list):
            for item in value:
                yield from self._objects(item, active, term, graph)
        elif isinstance(value, dict):
            yield from self._object(value, active, term, graph)
        elif value is not None:
            yield self._scalar(value, active, term)

    def _object(self, value: dict[str, JSON], active: Active, term: Term, graph: str) -> Iterator[str]:
        names = {active.name(key): item for key, item in value.items()}
        if "@value" in names:
            found = _value_object(names, active if term.context is ABSENT else active.within(term))
            if found is not None:
                yield found
        else:
            yield self._node(value, active, term, graph)

    def _graphs(self, value: JSON, active: Active, term: Term) -> Iterator[str]:
        """Each value in a graph of its own, named by a blank node."""
        for item in _listed(value):
            if item is None:
                continue
            name = self._label()
            for _ in self._objects(item, active, _one(term), name):
                pass
            yield name

    def _list(self, value: JSON, active: Active, term: Term, graph: str) -> str:
        plain = _one(term)
        items = [token for item in _listed(value) for token in self._objects(item, active, plain, graph)]
        head = _NIL
        for item in reversed(items):
            node = self._label()
            self.quads += [(node, _FIRST, item, graph), (node, _REST, head, graph)]
            head = node
        return head

    def _scalar(self, value: str | float | bool, active: Active, term: Term) -> str:
        """Value Expansion (5.3)."""
        if term.context is not ABSENT:
            active = active.within(term)
        if isinstance(value, str):
            if term.type == "@id":
                return self._reference(active.expand(value), value)
            if term.type == "@vocab":
                return self._reference(active.name(value), value)
        datatype = None if term.type in ("@id", "@vocab", "@none") else term.type
        if datatype is None and isinstance(value, str):
            language = active.language if term.language is ABSENT else term.language
            direction = active.direction if term.direction is ABSENT else term.direction
            return _text(value, language, direction)
        return _typed(value, datatype)

    def _reference(self, iri: str | None, written: JSON) -> str:
        if iri is not None and iri.startswith("_:"):
            return self._given.setdefault(iri, f"_:g{len(self._given)}")
        return self._token(_required(iri, written, code="relative-iri"))

    def _token(self, iri: str) -> str:
        return f"<{iri}>"


def _one(term: Term) -> Term:
    """The term for one value of its container."""
    return Term(term.iri, term.type, frozenset(), term.context, term.language, term.direction)


def _contexts(element: Mapping[str, JSON], active: Active, term: Term) -> tuple[Active, Active]:
    """(the context of the properties, the one of the types), 5.1.2 steps 7 to 11."""
    if active.previous is not None and not (len(element) == 1 and active.name(next(iter(element))) == "@id"):
        active = active.previous
    if term.context is not ABSENT:
        active = active.within(term)
    if "@context" in element:
        active = active.with_context(element["@context"])
    scoped = active
    for key in sorted(key for key in element if key != "@context" and scoped.name(key) == "@type"):
        for item in sorted(_texts(element[key])):
            known = scoped.terms.get(item)
            if known is not None and known.context is not ABSENT:
                active = active.within(known, of_type=True)
    return active, scoped


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _texts(value: JSON) -> list[str]:
    found = [item for item in _listed(value) if isinstance(item, str)]
    if len(found) != len(_listed(value)):
        raise MalformedError("types are texts", code="bad-jsonld")
    return found


def _required(iri: str | None, written: JSON, *, code: str = "undefined-term") -> str:
    if iri is None or not is_absolute(iri):
        raise MalformedError(f"{str(written)[:80]!r} does not stand for an absolute IRI", code=code)
    return iri


def _predicate(name: str) -> str:
    if name.startswith("_:"):
        raise MalformedError("a property cannot be a blank node", code="undefined-term")
    return f"<{name}>"


def _language_map(value: Mapping[str, JSON], direction: str | None) -> Iterator[str]:
    for tag, texts in sorted(value.items()):
        for text in _listed(texts):
            if text is None:
                continue
            if not isinstance(text, str):
                raise MalformedError("a language map holds texts", code="bad-jsonld")
            yield _text(text, None if tag == "@none" else tag.lower(), direction)


def _value_object(names: Mapping[str | None, JSON], active: Active) -> str | None:
    extra = set(names) - {"@value", "@type", "@language", "@direction"}
    if "@index" in extra:
        raise Unusual("@index")
    if extra or ("@type" in names and {"@language", "@direction"} & set(names)):
        raise MalformedError("a value object has a value, and a type or a language", code="bad-jsonld")
    value, given = names["@value"], names.get("@type")
    if given is not None:
        datatype = active.name(given) if isinstance(given, str) else None
        if datatype == "@json":
            return literal(jcs(value).decode(), f"{_RDF}JSON")
        return None if value is None else _typed(value, _required(datatype, given))
    if value is None:
        return None
    language, direction = names.get("@language"), names.get("@direction")
    if isinstance(value, str) and all(item is None or isinstance(item, str) for item in (language, direction)):
        return _text(value, language.lower() if isinstance(language, str) else None, direction)  # type: ignore[arg-type]
    if language is not None or direction is not None:
        raise MalformedError("only a text has a language", code="bad-jsonld")
    return _typed(value, None)


def _text(value: str, language: str | None, direction: str | None) -> str:
    if language is not None and not _LANGUAGE.match(language):
        raise MalformedError(f"{language[:40]!r} is not a language tag", code="bad-jsonld")
    if direction is None:
        return literal(value, language=language)
    if direction not in ("ltr", "rtl"):
        raise MalformedError(f"{direction[:40]!r} is not a direction: ltr or rtl", code="bad-jsonld")
    return literal(value, f"{_I18N}{language or ''}_{direction}")


def _typed(value: Any, datatype: str | None) -> str:
    """A literal with XSD's canonical numbers (8.2.2, steps 5 to 12)."""
    if isinstance(value, bool):
        return literal("true" if value else "false", datatype or f"{_XSD}boolean")
    if isinstance(value, int | float):
        whole = value == int(value) and abs(value) < 1e21
        if not whole or datatype == f"{_XSD}double":
            return literal(_double(float(value)), datatype or f"{_XSD}double")
        return literal(str(int(value)), datatype or f"{_XSD}integer")
    if not isinstance(value, str):
        raise MalformedError("a value is a text, a number or true or false", code="bad-jsonld")
    return literal(value) if datatype is None else literal(value, datatype)


def _double(value: float) -> str:
    mantissa, _, exponent = f"{value:.15E}".partition("E")
    digits = mantissa.rstrip("0")
    return f"{digits}0E{int(exponent)}" if digits.endswith(".") else f"{digits}E{int(exponent)}"
