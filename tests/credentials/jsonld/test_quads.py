"""JSON-LD to quads: the fast walk, the general processor, and what safe mode refuses."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.jsonld import general
from credentials.jsonld.quads import blank_nodes, quads_of
from credentials.jsonld.rdfc import canonicalize
from tests.vectors import vector, vector_json
from weid.errors import MalformedError, WeidError

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
OWN = {"@vocab": "urn:example:", "Course": {"@id": "urn:example:Course", "@context": {"points": {"@type": "urn:example:points"}}}}


def credential(**more: Any) -> dict[str, Any]:
    return {
        "@context": [V2, EXAMPLES], "type": ["VerifiableCredential"], "issuer": "did:key:zA",
        "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": {"id": "did:key:zB", "name": "Ana"}, **more,
    }  # fmt: skip


def canon(document: dict[str, Any]) -> str:
    return "".join(canonicalize(quads_of(document))[0])


def test_official_canonical_forms() -> None:
    """The canonical documents printed in the official vectors, byte for byte."""
    for folder, suffix in (
        ("vc-di-eddsa/TestVectors/eddsa-rdfc-2022", "DataInt"),
        ("vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256", "ECDSAP256"),
        ("vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p384", "ECDSAP384"),
    ):
        document = vector_json(f"{folder}/signed{suffix}.json")
        proof = document.pop("proof")
        config = {name: value for name, value in proof.items() if name != "proofValue"}
        config.setdefault("@context", document["@context"])
        if not suffix.endswith("P384"):  # there blank nodes would be named with SHA-384
            assert vector(f"{folder}/canonDoc{suffix}.txt").read_text("utf-8") == canon(document)
            assert vector(f"{folder}/proofCanon{suffix}.txt").read_text("utf-8") == canon(config)
        assert canonicalize(quads_of(document))[0] == canonicalize(general.quads_of(document))[0]


NAMES = st.sampled_from(["name", "description", "alumniOf", "degree", "digestMultibase", "evidence", "termsOfUse"])
SCALARS = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.sampled_from([None, {"@value": "x", "@language": "zh-Hans"}, {"@value": 7}, {"@value": "2", "@type": "urn:t"}])
)
TYPES = st.sampled_from(["BitstringStatusListEntry", "Course", "DataIntegrityProof", "VerifiableCredential", "Anything"])


def nodes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    values = inner | st.lists(inner, max_size=3)
    keys = NAMES | st.sampled_from(["points", "statusPurpose", "statusListIndex", "created", "proofPurpose", "inLanguage"])
    return st.builds(
        lambda body, types, name: {**body, **({"type": types} if types else {}), **({"id": name} if name else {})},
        st.dictionaries(keys, values, max_size=3),
        st.none() | TYPES | st.lists(TYPES, max_size=2, unique=True),
        st.sampled_from(["", "", "urn:uuid:1", "did:key:zC", "_:x"]),
    )


DOCUMENTS = st.builds(
    lambda contexts, subject, more: credential(**more) | {"@context": [V2, *contexts], "credentialSubject": subject},
    st.sampled_from([[EXAMPLES], [OWN], [], [EXAMPLES, OWN], ["https://w3id.org/security/data-integrity/v2", EXAMPLES]]),
    nodes(st.recursive(SCALARS, nodes, max_leaves=8)),
    st.dictionaries(st.sampled_from(["evidence", "relatedResource", "name", "proof"]), nodes(SCALARS), max_size=2),
)


def outcome(way: Any, document: dict[str, Any]) -> Any:
    try:
        return canonicalize(way(document))[0]
    except MalformedError:
        return "refused"


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_the_fast_walk_and_the_general_processor_agree(document: dict[str, Any]) -> None:
    """Byte-equal N-Quads, or both refuse: no document means one thing here and another there."""
    assert outcome(general.quads_of, document) == outcome(quads_of, document)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"@context": [V2], "credentialSubject": {"unheard": 1}}, "undefined-term"),
        ({"@context": [V2], "type": ["VerifiableCredential", "Unheard"]}, "undefined-term"),
        ({"credentialSubject": {"id": "relative"}}, "relative-iri"),
        ({"issuer": "no iri"}, "relative-iri"),
        ({"@context": [V2, "https://example.org/unknown"]}, "unknown-context"),
        ({"@context": [V2, {"name": "urn:other"}]}, "protected-term"),
        ({"@context": [V2, None]}, "protected-term"),
        ({"@context": [V2, 7]}, "bad-context"),
        ({"@context": [V2, {"x": 7}]}, "bad-context"),
        ({"@context": [V2, {"x": "y", "y": "x"}]}, "bad-context"),
        ({"name": {"@value": "x", "@direction": "up"}}, "bad-jsonld"),
        ({"credentialSubject": {"name": {"@value": "x", "@type": "urn:t", "@language": "en"}}}, "bad-jsonld"),
        ({"type": ["VerifiableCredential", 7]}, "bad-jsonld"),
    ],
)
def test_safe_mode_names_what_would_be_lost(change: dict[str, Any], code: str) -> None:
    """Each with its own code: a value that is not in the quads would not be signed."""
    with pytest.raises(MalformedError) as caught:
        quads_of(credential(**change))
    assert caught.value.code == code


def test_a_direction_is_part_of_the_datatype() -> None:
    """Stated, by default, of a term or of a language map: in the quads, so in what is signed; the general way alike."""
    terms = {"@vocab": "urn:v:", "@direction": "rtl", "both": {"@id": "urn:b", "@direction": "ltr", "@language": "AR"},
             "map": {"@id": "urn:m", "@container": "@language"}, "plain": {"@id": "urn:p", "@direction": None}}  # fmt: skip
    said = {"both": "b", "map": {"EN": "m", "@none": "n"}, "plain": "p", "default": "d", "bare": {"@value": "v"}}
    named = {"@value": "x", "@language": "ar-EG", "@direction": "rtl"}
    document = credential(name=named, credentialSubject=said) | {"@context": [V2, terms]}
    quads = quads_of(document)
    found = {quad[2] for quad in quads if quad[2].startswith('"')}
    assert found >= {
        '"x"^^<https://www.w3.org/ns/i18n#ar-eg_rtl>', '"b"^^<https://www.w3.org/ns/i18n#ar_ltr>', '"p"', '"v"',
        '"m"^^<https://www.w3.org/ns/i18n#en_rtl>', '"n"^^<https://www.w3.org/ns/i18n#_rtl>', '"d"^^<https://www.w3.org/ns/i18n#_rtl>',
    }  # fmt: skip
    assert canonicalize(quads)[0] == canonicalize(general.quads_of(document))[0]
    turned = {**document, "name": {**named, "@direction": "ltr"}}
    assert canonicalize(quads_of(turned))[0] != canonicalize(quads)[0]


def test_what_credentials_do_not_use_is_read_by_the_general_processor() -> None:
    """`@nest`, `@reverse`, index maps and `@graph` give the same quads as full processing."""
    context = {
        "@vocab": "urn:example:",
        "of": {"@reverse": "urn:example:has"},
        "by": {"@id": "urn:example:by", "@container": "@index"},
    }
    document = {"@context": context, "@id": "urn:a", "of": {"@id": "urn:b"}, "by": {"one": "x", "two": "y"}}
    lines = canonicalize(quads_of(document))[0]

    assert lines == [
        '<urn:a> <urn:example:by> "x" .\n',
        '<urn:a> <urn:example:by> "y" .\n',
        "<urn:b> <urn:example:has> <urn:a> .\n",
    ]


def test_a_presentation_keeps_each_credential_in_its_own_graph() -> None:
    """A nested credential is a graph of its own, so its proof cannot speak for the presentation's words."""
    document = {
        "@context": [V2, EXAMPLES], "type": ["VerifiablePresentation"], "holder": "did:key:zB",
        "verifiableCredential": [credential(), credential(credentialSubject={"name": "Bo"})],
    }  # fmt: skip
    graphs = {quad[3] for quad in quads_of(document)}
    assert len(graphs) == 3
    assert canonicalize(quads_of(document))[0] == canonicalize(general.quads_of(document))[0]


def test_blank_nodes_are_the_objects_without_an_id() -> None:
    """The very objects, so that naming them names the nodes."""
    document = credential(evidence=[{"type": "Thing"}, {"id": "urn:e"}])
    found = blank_nodes(document)
    assert [id(item) for item in found] == [id(document), id(document["evidence"][0])]
    with pytest.raises(MalformedError, match="lists and graphs"):
        blank_nodes(credential(credentialSubject={"@context": {"row": {"@id": "urn:row", "@container": "@list"}}, "row": [1]}))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_only_our_own_errors_escape(data: Any) -> None:
    """A document with any value anywhere is quads or one of our errors."""
    document: Any = json.loads(json.dumps(data.draw(DOCUMENTS)))
    path = data.draw(st.sampled_from([["@context"], ["type"], ["credentialSubject"], ["issuer"], ["@context", 1]]))
    junk = data.draw(st.recursive(SCALARS | st.sampled_from(["@id", "@type", ":", "", "a:b"]), lambda inner: st.lists(inner)
                                  | st.dictionaries(st.sampled_from(["@id", "@vocab", "x", "@list", "id", "@set", "@nest"]), inner)))  # fmt: skip
    place = document
    for step in path[:-1]:
        place = place[step]
    if isinstance(place, dict) or len(place) > path[-1]:
        place[path[-1]] = junk
    for way in (quads_of, general.quads_of):
        with contextlib.suppress(WeidError):
            way(document)
