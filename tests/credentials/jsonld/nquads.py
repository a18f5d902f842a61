"""N-Quads text to quads of canonical tokens, for tests alone: the toolkit never reads N-Quads."""

from __future__ import annotations

import re

from credentials.jsonld.rdfc import Quad, literal

_TERM = re.compile(r'\s*(?:(<[^>]*>)|(_:[^\s<>"]+?)(?=\s|\.\s*$|<)|"((?:[^"\\]|\\.)*)"(?:\^\^<([^>]*)>|@([A-Za-z0-9-]+))?)')
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_SHORT = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def parse(text: str) -> list[Quad]:
    """Every quad of an N-Quads text."""
    return [_quad(line) for line in re.split(r"[\r\n]+", text) if line.strip() and not line.strip().startswith("#")]


def _quad(line: str) -> Quad:
    terms, place = [], 0
    while (match := _TERM.match(line, place)) is not None:
        terms.append(_token(match))
        place = match.end()
    assert line[place:].strip().startswith("."), line
    subject, predicate, object_, *graph = terms
    return subject, predicate, object_, graph[0] if graph else ""


def _token(match: re.Match[str]) -> str:
    iri, blank, text, datatype, language = match.groups()
    if iri is not None:
        return _unescaped(iri)
    if blank is not None:
        return blank
    value = _unescaped(text)
    return literal(value, _unescaped(datatype)) if datatype is not None else literal(value, language=language)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _SHORT[m[3]], text)
