"""What the suites of selective disclosure share: pointers, names for blank nodes, groups of statements, CBOR values.

A credential becomes canonical N-Quads, and each line is one statement that its holder may show or keep. The issuer names
what must always be shown by JSON pointers, the holder what to show besides (vc-di-ecdsa 3.4, vc-di-bbs 3.2).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

from credentials.jsonld.quads import blank_nodes, quads_of
from credentials.jsonld.rdfc import Quad, canonicalize, nquad
from weid.canon import JSON, jcs
from weid.codec import b64u
from weid.errors import DisclosureError, MalformedError, SignatureError
from weid.hashes import SHA256

__all__ = [
    "HMAC_BYTES", "MAX_STATEMENTS", "Group", "LabelMap", "Statements", "canonical_hash", "hmac_labels", "label_numbers",
    "lines_hash", "parted", "positions", "read_indexes", "read_number", "read_octets", "read_pointers", "read_value",
    "relabelled", "select", "shuffled_labels", "statements_of", "verifier_labels", "write_value",
]  # fmt: skip

LabelMap: TypeAlias = Callable[[Iterable[str]], Mapping[str, str]]
"""Canonical blank node tokens → the tokens that are signed."""

HMAC_BYTES: Final = 32
MAX_STATEMENTS: Final = 2048
_MAX_VALUE: Final = 1 << 18
_MAX_POINTERS: Final = 256
_MAX_DEPTH: Final = 64
_ESCAPED: Final = re.compile(r"(?:[^~]|~[01])*\Z", re.DOTALL)
_POSITION: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})\Z")
_KEPT: Final = frozenset({"@context", "@id", "@type", "id", "type"})
"""Members that every object on the way to a chosen value keeps: without them its terms would mean something else."""

_Tree: TypeAlias = "dict[str, _Tree | None]"  # member or position → what of it; None: all


def select(document: Mapping[str, JSON], pointers: Sequence[str]) -> dict[str, JSON]:
    """The part of the document that the JSON pointers choose (selectJsonLd, vc-di-ecdsa 3.4.13; RFC 6901).

    DisclosureError `unknown-pointer` for one that is no pointer or leads to nothing.
    """
    tree: _Tree = {}
    for pointer in pointers:
        tokens = _tokens(pointer)
        _require_target(document, tokens, pointer)
        node: _Tree | None = tree
        for token in tokens[:-1]:
            node = node.setdefault(token, {}) if node is not None else None
        if node is not None:
            node[tokens[-1]] = None
    return _chosen_members(document, tree)


def _tokens(pointer: str) -> list[str]:
    """The reference tokens (RFC 6901 4); the pointer to everything is refused: it would leave nothing to choose."""
    if not isinstance(pointer, str) or pointer[:1] != "/" or not _ESCAPED.match(pointer):
        raise DisclosureError(f"{str(pointer)[:80]!r} is not a JSON pointer to a part of a document", code="unknown-pointer")
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]
    if tokens[0] in ("@context", "proof") or len(tokens) > _MAX_DEPTH:
        raise DisclosureError(f"{pointer[:80]!r} is not a pointer to something that is disclosed", code="unknown-pointer")
    return tokens


def _require_target(document: Mapping[str, JSON], tokens: Sequence[str], pointer: str) -> None:
    value: Any = document
    for token in tokens:
        if isinstance(value, Mapping) and token in value:
            value = value[token]
        elif isinstance(value, list) and _POSITION.match(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            raise DisclosureError(f"the credential has nothing at {pointer[:80]!r}", code="unknown-pointer")


def _chosen(value: JSON, tree: _Tree | None) -> JSON:
    if tree is None:
        return _copied(value)
    if isinstance(value, list):
        return [_chosen(value[int(position)], tree[position]) for position in sorted(tree, key=int)]
    return _chosen_members(value, tree) if isinstance(value, dict) else value


def _chosen_members(value: Mapping[str, JSON], tree: _Tree) -> dict[str, JSON]:
    return {
        name: _copied(item) if name in _KEPT else _chosen(item, tree[name])
        for name, item in value.items()
        if name in _KEPT or name in tree
    }


def _copied(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def hmac_labels(key: bytes) -> LabelMap:
    """Labels that say nothing about what is hidden: `u` and the base64url of an HMAC (vc-di-ecdsa 3.4.4)."""
    return lambda tokens: {token: f"_:u{b64u(hmac.digest(key, token[2:].encode('ascii'), 'sha256'))}" for token in tokens}


def shuffled_labels(key: bytes) -> LabelMap:
    """Labels `b0`, `b1` … in the order of their HMACs, so that not even they differ between holders (vc-di-bbs 3.2.1)."""

    def labels(tokens: Iterable[str]) -> Mapping[str, str]:
        made = hmac_labels(key)(tokens)
        order = {label: f"_:b{place}" for place, label in enumerate(sorted(made.values()))}
        return {token: order[label] for token, label in made.items()}

    return labels


@dataclass(frozen=True, slots=True)
class Group:
    """The statements that some pointers choose: their places among all, and their quads before relabelling."""

    indexes: tuple[int, ...]
    quads: tuple[Quad, ...]


@dataclass(frozen=True, slots=True)
class Statements:
    """A credential's statements with the labels that are signed, in canonical order, and named groups of them."""

    lines: tuple[str, ...]
    groups: Mapping[str, Group]
    labels: Mapping[str, str]


def statements_of(document: Mapping[str, JSON], labels: LabelMap, groups: Mapping[str, Sequence[str]]) -> Statements:
    """Canonicalize and group (vc-di-ecdsa 3.4.16); a group without pointers is empty.

    DisclosureError `unknown-pointer`; MalformedError `unsupported` where a pointer cuts through a value that is signed
    whole, or the document has lists, graphs or blank nodes with names of their own; otherwise as `quads_of`.
    """
    named, prefix = _named(document)
    quads = _without_names(quads_of(named), prefix)
    canonical = canonicalize(quads)[1]
    made = labels(canonical.values())
    given = {token: made[label] for token, label in canonical.items()}
    lines = _lines(quads, given)
    if len(lines) > MAX_STATEMENTS:
        raise MalformedError(f"more than {MAX_STATEMENTS} statements", code="unsupported")
    places = {line: place for place, line in enumerate(lines)}
    found = {
        name: _group(_without_names(quads_of(select(named, pointers)), prefix) if pointers else [], given, places)
        for name, pointers in groups.items()
    }
    return Statements(tuple(lines), found, given)


def _group(quads: Sequence[Quad], given: Mapping[str, str], places: Mapping[str, int]) -> Group:
    lines = _lines(quads, given)
    if not all(line in places for line in lines):
        raise MalformedError("a pointer cuts through a value that is signed whole", code="unsupported")
    return Group(tuple(places[line] for line in lines), tuple(quads))


def _named(document: Mapping[str, JSON]) -> tuple[dict[str, JSON], str]:
    """A copy whose blank nodes have names, and how these begin (skolemizeCompactJsonLd, vc-di-ecdsa 3.4.8).

    The specification expands the document, names the blank nodes and compacts it again, so that pointers still fit. That
    changes no object but for the `id` of those that had none, and these are exactly what `blank_nodes` gives; to write the
    names into a copy is the same, without two algorithms that might move what the pointers point at. The name holds the
    hash of the document, so no document can write it beforehand and pass an IRI of its own off as a blank node.
    """
    unsecured = {name: _copied(item) for name, item in document.items() if name != "proof"}
    prefix = f"urn:bnid:{SHA256(jcs(unsecured)).hex()}:"
    for place, node in enumerate(blank_nodes(unsecured)):
        node["@id"] = f"{prefix}{place}"
    return unsecured, prefix


def _without_names(quads: Iterable[Quad], prefix: str) -> list[Quad]:
    """The quads with blank nodes in place of names (deskolemizeNQuads, vc-di-ecdsa 3.4.6)."""
    start = f"<{prefix}"

    def back(token: str) -> str:
        if token.startswith("_:"):
            raise MalformedError("blank nodes that the document names itself are not read here", code="unsupported")
        return f"_:n{token[len(start) : -1]}" if token.startswith(start) else token

    return [(back(subject), predicate, back(object_), graph) for subject, predicate, object_, graph in quads]


def _lines(quads: Iterable[Quad], given: Mapping[str, str]) -> list[str]:
    return sorted({nquad((given.get(s, s), p, given.get(o, o), given.get(g, g))) for s, p, o, g in quads})


def verifier_labels(statements: Statements, group: str) -> dict[int, str]:
    """N of the `c14nN` that a verifier of the group alone will see → the token that is signed."""
    canonical = canonicalize(statements.groups[group].quads)[1]
    return dict(sorted((int(label.removeprefix("_:c14n")), statements.labels[token]) for token, label in canonical.items()))


def relabelled(document: Mapping[str, JSON], labels: Mapping[int, str]) -> list[str]:
    """The lines of a disclosed document with the labels that were signed; SignatureError unless these fit it exactly.

    Two nodes under one label would let a holder tell one subject's story as that of two.
    """
    quads = quads_of({name: item for name, item in document.items() if name != "proof"})
    canonical = canonicalize(quads)[1]
    if len(labels) != len(canonical) or set(labels) != set(range(len(canonical))) or len(set(labels.values())) != len(labels):
        raise SignatureError("the labels of the proof are not those of the document's blank nodes")
    return _lines(quads, {token: labels[int(label.removeprefix("_:c14n"))] for token, label in canonical.items()})


def parted(lines: Sequence[str], indexes: Sequence[int]) -> tuple[list[str], list[str]]:
    """(the lines at these places, the others); SignatureError for a place that is not there."""
    if indexes and indexes[-1] >= len(lines):
        raise SignatureError("the proof counts more statements than the document has")
    chosen = set(indexes)
    return [lines[place] for place in indexes], [line for place, line in enumerate(lines) if place not in chosen]


def positions(chosen: Iterable[int], among: Iterable[int]) -> list[int]:
    """Where in the ascending numbers `among` the chosen ones stand."""
    wanted = set(chosen)
    return [place for place, number in enumerate(among) if number in wanted]


def canonical_hash(options: Mapping[str, JSON]) -> bytes:
    """SHA-256 of a proof configuration in canonical form (vc-di-ecdsa 3.6.3)."""
    return lines_hash(canonicalize(quads_of(options))[0])


def lines_hash(lines: Iterable[str]) -> bytes:
    """SHA-256 of lines in canonical order (hashMandatoryNQuads, vc-di-ecdsa 3.4.17)."""
    return SHA256("".join(lines).encode("utf-8"))


def label_numbers(labels: Mapping[int, str]) -> dict[int, int]:
    """Labels `_:bN` by their number alone (compressLabelMap, vc-di-bbs 3.3.4)."""
    return {place: int(label.removeprefix("_:b")) for place, label in labels.items()}


def write_value(header: bytes, components: Sequence[object]) -> str:
    """A proof value: multibase base64url of a header and deterministic CBOR (RFC 8949 4.2)."""
    import cbor2

    return f"u{b64u(header + cbor2.dumps(list(components), canonical=True))}"


def read_value(data: bytes, header: bytes, *lengths: int) -> list[Any]:
    """The components after the header; MalformedError unless they are written as `write_value` does."""
    import cbor2

    if len(data) > _MAX_VALUE or not data.startswith(header):
        raise MalformedError("not a proof value of this kind", code="bad-proof-value")
    try:
        found = cbor2.loads(data[len(header) :])
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise MalformedError("a proof value is CBOR", code="bad-proof-value") from error
    if type(found) is not list or len(found) not in lengths or not all(_plain(item, 2) for item in found):
        raise MalformedError(
            f"a proof value of this kind has {' or '.join(map(str, lengths))} plain parts", code="bad-proof-value"
        )
    if cbor2.dumps(found, canonical=True) != data[len(header) :]:
        raise MalformedError("a proof value is deterministic CBOR", code="bad-proof-value")
    return found


def _plain(value: object, depth: int) -> bool:
    """Whether it is what these proof values hold: octets, text, whole numbers, and lists or maps of them."""
    if type(value) is list:
        return depth > 0 and len(value) <= MAX_STATEMENTS and all(_plain(item, depth - 1) for item in value)
    if type(value) is dict:
        return depth > 0 and len(value) <= MAX_STATEMENTS and all(_plain(item, 0) for pair in value.items() for item in pair)
    return type(value) in (bytes, str) or (type(value) is int and 0 <= value < (1 << 32 if depth < 2 else 1 << 256))


def read_octets(value: object, length: int) -> bytes:
    """The value if it is that many octets; MalformedError."""
    if not isinstance(value, bytes) or len(value) != length:
        raise MalformedError(f"a part of the proof value has {length} octets", code="bad-proof-value")
    return value


def read_number(value: object) -> bytes:
    """The 32 octets of a number that stands as octets or as a bignum; MalformedError."""
    return value.to_bytes(32, "big") if type(value) is int else read_octets(value, 32)


def read_indexes(value: object) -> tuple[int, ...]:
    """The value if it is whole numbers in strictly ascending order; MalformedError."""
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise MalformedError("places are whole numbers", code="bad-proof-value")
    if any(before >= after for before, after in pairwise(value)):
        raise MalformedError("places stand in ascending order, none twice", code="bad-proof-value")
    return tuple(value)


def read_pointers(value: object) -> tuple[str, ...]:
    """The value if it is a list of texts; MalformedError."""
    if not isinstance(value, list) or len(value) > _MAX_POINTERS or not all(isinstance(item, str) for item in value):
        raise MalformedError("mandatory pointers are texts", code="bad-proof-value")
    return tuple(value)
