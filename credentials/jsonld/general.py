"""The general JSON-LD processor (pyld), for documents that use more than credentials usually do.

The same safe mode as the fast walk, and the same tables instead of a network. It is also what the fast walk is
compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from credentials.jsonld.active import is_absolute, unknown_context
from credentials.jsonld.contexts import context
from credentials.jsonld.rdfc import Quad, literal
from weid.canon import JSON
from weid.errors import MalformedError

__all__ = ["quads_of"]

_NO_BASE = "no-base:"  # pyld resolves against some base always: this scheme shows what was relative
_XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"


def quads_of(document: Mapping[str, JSON]) -> list[Quad]:
    """The quads of a document, by full JSON-LD 1.1 processing; MalformedError as the fast walk."""
    expanded = _expanded(document)
    from pyld import jsonld

    try:
        dataset = jsonld.to_rdf(expanded, {"documentLoader": _loader, "rdfDirection": "i18n-datatype"})
    except (jsonld.JsonLdError, RecursionError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise MalformedError(f"not JSON-LD: {_reason(error)}", code="bad-jsonld") from None
    return [
        (_token(quad["subject"]), _token(quad["predicate"]), _token(quad["object"]), "" if name == "@default" else _name(name))
        for name, quads in dataset.items()
        for quad in quads
    ]


def _expanded(document: Mapping[str, JSON]) -> list[dict[str, Any]]:
    from pyld import jsonld

    dropped: list[str] = []
    try:
        expanded: list[dict[str, Any]] = jsonld.expand(
            dict(document),
            {"documentLoader": _loader, "base": f"{_NO_BASE}//x/"},
            on_property_dropped=lambda name: dropped.append(str(name)),
        )
    except (jsonld.JsonLdError, RecursionError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise MalformedError(f"not JSON-LD: {_reason(error)}", code=_code(error)) from None
    if dropped:
        raise MalformedError(f"the term {dropped[0][:80]!r} is not defined by the contexts", code="undefined-term")
    for item in expanded:
        _check_names(item)
    return expanded


def _loader(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    known = context(url)
    if known is None:
        raise unknown_context(url)
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": {"@context": dict(known)}}


def _check_names(item: Any) -> None:
    """Types and references are absolute: RDF would drop others without a word."""
    if isinstance(item, list):
        for part in item:
            _check_names(part)
    if not isinstance(item, dict):
        return
    names = item.get("@type", [])
    for name in [*(names if isinstance(names, list) else [names]), *([item["@id"]] if "@id" in item else [])]:
        absolute = is_absolute(str(name)) and not str(name).startswith(_NO_BASE)
        if name != "@json" and not (absolute or str(name).startswith("_:")):
            code = "relative-iri" if name == item.get("@id") else "undefined-term"
            raise MalformedError(f"{str(name)[:80]!r} does not stand for an absolute IRI", code=code)
    for name, part in item.items():
        if name != "@value":
            _check_names(part)


def _code(error: BaseException) -> str:
    text = _reason(error).lower()
    if "protected" in text:
        return "protected-term"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MalformedError):
            return cause.code
        cause = getattr(cause, "cause", None) or cause.__cause__
    return "bad-jsonld"


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _token(term: Mapping[str, Any]) -> str:
    if term["type"] == "blank node":
        return str(term["value"])
    if term["type"] == "IRI":
        return f"<{term['value']}>"
    return literal(term["value"], term.get("datatype", _XSD_STRING), term.get("language"))


def _name(name: str) -> str:
    return name if name.startswith("_:") else f"<{name}>"
