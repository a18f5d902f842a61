"""RDFC-1.0: the 86 official tests, hashes other than SHA-256, and a limit on work."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.jsonld.rdfc import MAX_WORK, Quad, canonicalize, literal
from tests.credentials.jsonld.nquads import parse
from tests.vectors import FOLDER, vector
from weid.errors import MalformedError
from weid.hashes import SHA256, SM3, Hash

SHA384 = Hash("sha384", lambda data: hashlib.sha384(data).digest())
TESTS = FOLDER / "rdf-canon" / "tests"
ENTRIES: list[dict[str, Any]] = json.loads((TESTS / "manifest.jsonld").read_text("utf-8"))["entries"] if TESTS.exists() else []


def hash_of(entry: dict[str, Any]) -> Hash:
    return SHA384 if entry.get("hashAlgorithm") == "SHA384" else SHA256


def text(name: str) -> str:
    return (TESTS / name).read_bytes().decode("utf-8")


def test_the_official_suite_is_whole() -> None:
    """86 tests: 64 canonical forms, 21 maps, 1 that must be refused."""
    vector("rdf-canon/SOURCE")
    kinds = [entry["type"] for entry in ENTRIES]
    assert [kinds.count(f"rdfc:RDFC10{kind}Test") for kind in ("Eval", "Map", "NegativeEval")] == [64, 21, 1]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"][1:])
def test_official(entry: dict[str, Any]) -> None:
    """The canonical form, the map of blank nodes, or the refusal, exactly as published."""
    quads = parse(text(entry["action"]))
    if entry["type"] == "rdfc:RDFC10NegativeEvalTest":
        with pytest.raises(MalformedError) as caught:
            canonicalize(quads, hash=hash_of(entry))
        assert caught.value.code == "too-complex"
        return
    lines, labels = canonicalize(quads, hash=hash_of(entry))
    if entry["type"] == "rdfc:RDFC10EvalTest":
        assert "".join(lines) == text(entry["result"])
    else:
        wanted = json.loads(text(entry["result"]))
        assert {name[2:]: label[2:] for name, label in labels.items()} == wanted


NODES = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<https://example.org/x>"])
QUADS = st.lists(
    st.tuples(NODES, st.sampled_from(["<urn:p>", "<urn:q>"]), NODES | st.just(literal("ü\n\x7f")), st.just("") | NODES),
    min_size=1, max_size=9,
)  # fmt: skip


@given(QUADS, st.permutations(["_:a", "_:b", "_:c", "_:d"]), st.randoms(use_true_random=False))
def test_names_and_order_do_not_matter(quads: list[Quad], names: list[str], chance: Any) -> None:
    """Renaming blank nodes and shuffling quads gives the same canonical form, with every hash."""
    renamed = dict(zip(["_:a", "_:b", "_:c", "_:d"], names, strict=True))
    other = [tuple(renamed.get(token, token) for token in quad) for quad in quads]
    chance.shuffle(other)
    for hash in (SHA256, SHA384, SM3):
        assert canonicalize(quads, hash=hash)[0] == canonicalize(other, hash=hash)[0]  # type: ignore[arg-type]


@given(QUADS)
def test_another_implementation_agrees(quads: list[Quad]) -> None:
    """Byte-equal with pyoxigraph's RDFC-1.0."""
    lines, _ = canonicalize(quads)
    text = "".join(f"{s} {p} {o} {g} .\n" for s, p, o, g in quads)
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.N_QUADS))
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    theirs = parse(pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS).decode("utf-8"))

    assert sorted(parse("".join(lines))) == sorted(theirs)


def test_hash_functions_differ_where_blank_nodes_are_alike() -> None:
    """The hash decides the order of blank nodes, so SM3 is a profile of its own, not a relabelled SHA-256."""
    quads = [(f"_:n{number}", "<urn:p>", literal(str(number)), "") for number in range(8)]
    assert len({tuple(canonicalize(quads, hash=hash)[0]) for hash in (SHA256, SHA384, SM3)}) == 3


def test_the_poison_graph_ends_in_a_clear_error() -> None:
    """A clique of nodes that all look alike is refused after a bounded amount of work, whatever its size."""
    clique = [(f"_:n{one}", "<urn:p>", f"_:n{two}", "") for one in range(14) for two in range(14) if one != two]
    with pytest.raises(MalformedError) as caught:
        canonicalize(clique)
    assert caught.value.code == "too-complex"
    assert MAX_WORK < 100_000
