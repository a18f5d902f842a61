"""Pointers, blank nodes and groups: what both suites of selective disclosure stand on."""

from __future__ import annotations

from typing import Any

import pytest

from credentials import disclosing
from credentials.disclosing import hmac_labels, parted, relabelled, select, shuffled_labels, statements_of
from tests.credentials.disclosure_cases import EXAMPLES, V2, credential
from weid.errors import DisclosureError, MalformedError, SignatureError

KEY = bytes(range(32))


def same(tokens: Any) -> dict[str, str]:
    return {token: token for token in tokens}


def test_select_keeps_what_terms_mean() -> None:
    """Every object on the way keeps its id, its types and the context; siblings go."""
    document = credential()
    assert select(document, ["/credentialSubject/courses/0/title"]) == {
        "@context": document["@context"],
        "type": document["type"],
        "credentialSubject": {"courses": [{"type": "Course", "title": "Analysis"}]},
    }
    assert select(document, ["/credentialSubject/address/place/name"])["credentialSubject"] == {
        "address": {"place": {"id": "urn:place:1", "name": "x"}}
    }


def test_select_arrays() -> None:
    """Chosen elements stand close together in their old order, whatever the order of the pointers."""
    chosen = select(credential(), ["/credentialSubject/courses/2", "/credentialSubject/courses/0/mark"])
    assert chosen["credentialSubject"] == {
        "courses": [{"type": "Course", "mark": 1.3}, {"type": "Course", "title": "Algebra", "mark": 2}]
    }
    assert select(credential(), ["/credentialSubject/address/lines/1"])["credentialSubject"] == {"address": {"lines": ["Rua B"]}}


def test_select_whole_and_part() -> None:
    """A pointer into what another shows whole adds nothing, in either order."""
    pointers = ["/credentialSubject/address", "/credentialSubject/address/city"]
    assert select(credential(), pointers) == select(credential(), pointers[::-1]) == select(credential(), pointers[:1])


def test_select_changes_nothing() -> None:
    """The document is left as it is, and the selection shares no value with it."""
    document = credential()
    chosen: Any = select(document, ["/credentialSubject"])
    chosen["credentialSubject"]["courses"][0]["title"] = "changed"
    chosen["@context"].append("changed")
    assert document == credential()


def test_escapes() -> None:
    """~0 and ~1, an empty name, a name like a number (RFC 6901 3, 4)."""
    subject: dict[str, Any] = {"a/b": 1, "m~n": 2, "": 3, "0": 4, "~1": 5}
    for pointer, name in (("/s/a~1b", "a/b"), ("/s/m~0n", "m~n"), ("/s/", ""), ("/s/0", "0"), ("/s/~01", "~1")):
        assert select({"s": subject}, [pointer]) == {"s": {name: subject[name]}}


@pytest.mark.parametrize(
    "pointer",
    ["", "name", "/name/", "/nothing", "/credentialSubject/courses/3", "/credentialSubject/courses/00", "/credentialSubject/courses/-",
     "/credentialSubject/courses/-1", "/credentialSubject/courses/+1", "/credentialSubject/courses/１", "/name/0", "/a~2b", "/a~",
     "/@context", "/@context/0", "/proof", "/proof/created", "/x" * 80, "#/name", 7, None],
)  # fmt: skip
def test_unknown_pointers(pointer: Any) -> None:
    """What is no JSON pointer, or leads to nothing that is disclosed, is refused by name."""
    with pytest.raises(DisclosureError) as caught:
        select({**credential(), "proof": {"created": "x"}}, ["/name", pointer])
    assert caught.value.code == "unknown-pointer"
    assert str(pointer)[:60] in str(caught.value)


def test_groups() -> None:
    """A group has exactly the statements its pointers choose, and none without pointers."""
    found = statements_of(credential(), same, {"issuer": ["/issuer/name"], "none": []})
    assert [found.lines[place].split(" ", 1)[1] for place in found.groups["issuer"].indexes] == [
        '<https://schema.org/name> "Example University" .\n',
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiableCredential> .\n",
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/ns/credentials/examples#Transcript> .\n",
        "<https://www.w3.org/2018/credentials#issuer> <did:example:i> .\n",
    ]
    assert found.groups["none"].indexes == ()


@pytest.mark.parametrize("labels", [hmac_labels(KEY), shuffled_labels(KEY)])
def test_labels_follow_the_verifier(labels: disclosing.LabelMap) -> None:
    """What the verifier of a part rebuilds are lines of the whole, nodes that look alike included."""
    for pointers in (["/credentialSubject"], ["/credentialSubject/courses/2"], ["/credentialSubject/courses/0/mark", "/name"]):
        found = statements_of(credential(), labels, {"shown": pointers})
        told = disclosing.verifier_labels(found, "shown")
        rebuilt = relabelled(select(credential(), pointers), told)
        assert rebuilt == [found.lines[place] for place in found.groups["shown"].indexes]


def test_labels_must_fit() -> None:
    """Too few, too many, other numbers, one label twice."""
    document = credential()
    count = len(statements_of(document, same, {}).labels)
    good = {place: f"_:b{place}" for place in range(count)}
    assert len(relabelled(document, good)) == len(statements_of(document, same, {}).lines)
    for bad in ({}, {**good, count: "_:x"}, {**good, 0: good[1]}, {place + 1: label for place, label in good.items()}):
        with pytest.raises(SignatureError):
            relabelled(document, bad)
    assert parted(["a", "b", "c"], [1]) == (["b"], ["a", "c"])
    with pytest.raises(SignatureError):
        parted(["a"], [1])


def test_documents_that_name_blank_nodes() -> None:
    """`_:x` in a document is refused; an IRI that looks like a name of ours stays an IRI."""
    with pytest.raises(MalformedError) as caught:
        statements_of({**credential(), "id": "_:x"}, same, {})
    assert caught.value.code == "unsupported"
    tricky = {**credential(), "id": "urn:bnid:" + "0" * 64 + ":0"}
    assert any(line.startswith("<urn:bnid:") for line in statements_of(tricky, same, {}).lines)


def test_values_signed_whole() -> None:
    """JSON literals and value objects are one statement: a pointer into them is refused, one to them is not."""
    inline: Any = {"extra": {"@id": "urn:x:extra", "@type": "@json"}, "said": {"@id": "urn:x:said"}}
    document = {
        "@context": [V2, EXAMPLES, inline],
        "type": ["VerifiableCredential"],
        "extra": {"a": 1, "b": 2},
        "said": {"@value": "hello", "@language": "en"},
    }
    for pointer in ("/extra", "/said"):
        assert len(statements_of(document, same, {"g": [pointer]}).groups["g"].indexes) == 2
    for pointer in ("/extra/a", "/said/@value"):
        with pytest.raises(MalformedError) as caught:
            statements_of(document, same, {"g": [pointer]})
        assert caught.value.code == "unsupported"


def test_too_many_statements() -> None:
    """More than a proof value may carry signatures for."""
    many = {**credential(), "credentialSubject": {"a": [f"x{number}" for number in range(disclosing.MAX_STATEMENTS)]}}
    with pytest.raises(MalformedError) as caught:
        statements_of(many, same, {})
    assert caught.value.code == "unsupported"
