"""RDF Dataset Canonicalization, RDFC-1.0 (W3C Recommendation, section 4).

A quad is four N-Quads tokens (subject, predicate, object, graph), each written in canonical form already; the graph
is "" for the default graph. A token that begins with `_:` is a blank node, and nothing else is.

Graphs whose blank nodes look alike cost time that grows with their factorial. So work is counted, and a dataset made
to poison a verifier ends in MalformedError `too-complex`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import Final, TypeAlias

from weid.errors import MalformedError
from weid.hashes import SHA256, Hash

__all__ = ["MAX_WORK", "Quad", "canonicalize", "literal", "nquad"]

Quad: TypeAlias = tuple[str, str, str, str]
MAX_WORK: Final = 20_000
"""Permutations and hash steps that one dataset may ask for; the W3C tests need at most 3,348."""

# Canonical N-Quads escapes these and nothing else (RDF 1.2 N-Quads, canonical form).
_ESCAPES: Final = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)},
    0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\",
}  # fmt: skip
_XSD_STRING: Final = "http://www.w3.org/2001/XMLSchema#string"


def literal(value: str, datatype: str = _XSD_STRING, language: str | None = None) -> str:
    """The canonical token of a literal."""
    text = f'"{value.translate(_ESCAPES)}"'
    if language is not None:
        return f"{text}@{language}"
    return text if datatype == _XSD_STRING else f"{text}^^<{datatype}>"


def nquad(quad: Quad) -> str:
    """The canonical line of a quad."""
    subject, predicate, object_, graph = quad
    return f"{subject} {predicate} {object_} {graph} .\n" if graph else f"{subject} {predicate} {object_} .\n"


def canonicalize(quads: Iterable[Quad], *, hash: Hash = SHA256, max_work: int = MAX_WORK) -> tuple[list[str], dict[str, str]]:
    """(canonical lines in order, blank node token → canonical token `_:c14nN`).

    `hash` is also the one for blank nodes; RDFC-1.0 names SHA-256 and SHA-384, SM3 serves our own suite.
    """
    dataset = set(quads)
    of: dict[str, list[Quad]] = {}
    for quad in dataset:
        for token in {quad[0], quad[2], quad[3]}:
            if token.startswith("_:"):
                of.setdefault(token, []).append(quad)
    labels = _Canonical(of, hash, max_work).labels() if of else {}
    return sorted(nquad(_relabelled(quad, labels)) for quad in dataset), labels


def _relabelled(quad: Quad, labels: Mapping[str, str]) -> Quad:
    subject, predicate, object_, graph = quad
    return labels.get(subject, subject), predicate, labels.get(object_, object_), labels.get(graph, graph)


class _Issuer:
    """Issues identifiers in order (RDFC-1.0 4.5)."""

    __slots__ = ("issued", "prefix")

    def __init__(self, prefix: str, issued: Mapping[str, str] | None = None) -> None:
        self.prefix, self.issued = prefix, dict(issued or {})

    def issue(self, token: str) -> str:
        found = self.issued.get(token)
        if found is None:
            found = self.issued[token] = f"{self.prefix}{len(self.issued)}"
        return found

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.issued)


class _Canonical:
    """One run of the algorithm (RDFC-1.0 4.4.3) over the quads of each blank node."""

    def __init__(self, of: Mapping[str, Sequence[Quad]], hash: Hash, max_work: int) -> None:
        self._of, self._digest, self._left = of, hash, max_work
        self._first: dict[str, str] = {}
        self._canonical = _Issuer("_:c14n")

    def labels(self) -> dict[str, str]:
        """Every blank node's canonical token."""
        groups: dict[str, list[str]] = {}
        for token in self._of:
            groups.setdefault(self._first_degree(token), []).append(token)
        for key in sorted(groups):
            if len(groups[key]) == 1:
                self._canonical.issue(groups[key][0])
        for key in sorted(groups):
            if len(groups[key]) > 1:
                self._issue_alike(groups[key])
        return self._canonical.issued

    def _issue_alike(self, tokens: Sequence[str]) -> None:
        """Blank nodes that look alike from near by are told apart by what they lead to."""
        results = []
        for token in tokens:
            if token not in self._canonical.issued:
                temporary = _Issuer("_:b")
                temporary.issue(token)
                results.append(self._n_degree(token, temporary))
        for _, issuer in sorted(results, key=lambda result: result[0]):
            for token in issuer.issued:
                self._canonical.issue(token)

    def _hash(self, text: str) -> str:
        return self._digest(text.encode("utf-8")).hex()

    def _first_degree(self, token: str) -> str:
        """RDFC-1.0 4.6."""
        found = self._first.get(token)
        if found is None:
            names = ("_:z", "_:a")
            lines = [
                nquad((_marked(s, token, names), p, _marked(o, token, names), _marked(g, token, names)))
                for s, p, o, g in self._of[token]
            ]
            found = self._first[token] = self._hash("".join(sorted(lines)))
        return found

    def _related(self, related: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """RDFC-1.0 4.7."""
        known = self._canonical.issued.get(related) or issuer.issued.get(related) or self._first_degree(related)
        return self._hash(position + (quad[1] if position != "g" else "") + known)

    def _n_degree(self, token: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """RDFC-1.0 4.8."""
        self._spend()
        around: dict[str, list[str]] = {}
        for quad in self._of[token]:
            for position, other in (("s", quad[0]), ("o", quad[2]), ("g", quad[3])):
                if other.startswith("_:") and other != token:
                    around.setdefault(self._related(other, quad, issuer, position), []).append(other)
        data = []
        for key in sorted(around):
            path, issuer = self._best_path(around[key], issuer)
            data.append(key + path)
        return self._hash("".join(data)), issuer

    def _best_path(self, tokens: Sequence[str], issuer: _Issuer) -> tuple[str, _Issuer]:
        """The least path over all orders of nodes that look alike (4.8, steps 5.1 to 5.5)."""
        chosen: tuple[str, _Issuer] | None = None
        for order in permutations(tokens):
            self._spend()
            found = self._path(order, issuer.copy(), "" if chosen is None else chosen[0])
            if found is not None and (chosen is None or found[0] < chosen[0]):
                chosen = found
        if chosen is None:
            raise MalformedError("a group of blank nodes without a path", code="too-complex")
        return chosen

    def _path(self, order: Sequence[str], issuer: _Issuer, best: str) -> tuple[str, _Issuer] | None:
        """One order's path, or None as soon as it is worse than the best so far."""
        path, later = "", []
        for token in order:
            known = self._canonical.issued.get(token)
            if known is None:
                if token not in issuer.issued:
                    later.append(token)
                known = issuer.issue(token)
            path += known
            if _worse(path, best):
                return None
        for token in later:
            hashed, after = self._n_degree(token, issuer)
            path += f"{issuer.issue(token)}<{hashed}>"
            issuer = after
            if _worse(path, best):
                return None
        return path, issuer

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise MalformedError("the blank nodes of this document are too much alike to canonicalize", code="too-complex")


def _marked(token: str, own: str, names: tuple[str, str]) -> str:
    return names[token == own] if token.startswith("_:") else token


def _worse(path: str, best: str) -> bool:
    return bool(best) and len(path) >= len(best) and path > best
