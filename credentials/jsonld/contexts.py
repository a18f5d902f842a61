"""The JSON-LD contexts this toolkit knows, read from its own table `contexts.txt`. No context is ever fetched.

cred = https://www.w3.org/2018/credentials#        a prefix: {cred}x stands for it
[statusMessage]                                     a context used in several places
https://www.w3.org/ns/credentials/v2                a context, by one or more URLs
  @protected                                        @version (1.1), @protected or @vocab IRI
  validFrom {cred}validFrom ^{xsd}dateTime          a term: name, IRI, ^type, %container
  mediaType {schema}encodingFormat {}               written as an object although an IRI would do
  holder {cred}holder ^@id :                        its own context follows, indented
  statusMessage {status}statusMessage [statusMessage]    its own context is that block; `null` empties it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, TypeAlias

from weid.canon import JSON

__all__ = ["context", "known_contexts"]

_Context: TypeAlias = "dict[str, JSON]"
_PREFIX: Final = re.compile(r"\{(\w+)\}")


def context(url: str) -> Mapping[str, JSON] | None:
    """The value of `@context` in the document at that URL, or None for one this toolkit does not know."""
    return _table().get(url)


def known_contexts() -> tuple[str, ...]:
    """The URLs of every context in the table."""
    return tuple(_table())


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Mapping[str, JSON]]:
    text = files("credentials.jsonld").joinpath("contexts.txt").read_text("utf-8")
    prefixes: dict[str, str] = {}
    blocks: dict[str, _Context] = {}
    table: dict[str, Mapping[str, JSON]] = {}
    lines = _Lines(line for line in text.splitlines() if line and not line.startswith("#"))
    while (line := lines.next_at(0)) is not None:
        name, _, value = line.partition(" = ")
        if value:
            prefixes[name] = value
        elif line.startswith("["):
            blocks[line.strip("[]")] = _block(lines, 1, prefixes, blocks)
        else:
            made = MappingProxyType(_block(lines, 1, prefixes, blocks))
            table.update(dict.fromkeys(line.split(), made))
    return MappingProxyType(table)


class _Lines:
    """Lines with one to look at again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._ahead = next(lines, None)

    def next_at(self, depth: int) -> str | None:
        """The next line without its indent, if it is indented by exactly `depth`."""
        line = self._ahead
        if line is None or (len(line) - len(line.lstrip(" "))) != 2 * depth:
            return None
        self._ahead = next(self._lines, None)
        return line.strip()


def _block(lines: _Lines, depth: int, prefixes: Mapping[str, str], blocks: Mapping[str, _Context]) -> _Context:
    value: _Context = {}
    while (line := lines.next_at(depth)) is not None:
        name, *parts = [_PREFIX.sub(lambda found: prefixes[found[1]], part) for part in line.split(" ")]
        if name.startswith("@"):
            value[name] = parts[0] if parts else 1.1 if name == "@version" else True
        elif len(parts) == 1:
            value[name] = parts[0]
        else:
            value[name] = _term(parts, lines, depth, prefixes, blocks)
    return value


def _term(parts: list[str], lines: _Lines, depth: int, prefixes: Mapping[str, str], blocks: Mapping[str, _Context]) -> _Context:
    value: _Context = {"@id": parts[0]}
    for part in parts[1:]:
        if part == ":":
            value["@context"] = _block(lines, depth + 1, prefixes, blocks)
        elif part == "null":
            value["@context"] = None
        elif part.startswith("["):
            value["@context"] = blocks[part.strip("[]")]
        elif part != "{}":
            value[{"^": "@type", "%": "@container"}[part[0]]] = part[1:]
    return value
