"""The context tables are the official contexts, term by term."""

from __future__ import annotations

import pytest

from credentials.jsonld.contexts import context, known_contexts
from credentials.jsonld.quads import quads_of
from credentials.jsonld.rdfc import canonicalize
from tests.vectors import vector_json

OFFICIAL = {
    "https://www.w3.org/ns/credentials/v2": "credentials-v2",
    "https://www.w3.org/2018/credentials/v1": "credentials-v1",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2",
    "https://w3id.org/security/data-integrity/v1": "data-integrity-v1",
    "https://w3id.org/security/multikey/v1": "multikey-v1",
    "https://w3id.org/security/jwk/v1": "jwk-v1",
    "https://www.w3.org/ns/credentials/status/v1": "credentials-status-v1",
    "https://www.w3.org/ns/did/v1": "did-v1.repo-HEAD",
    "https://www.w3.org/ns/did/v1.1": "did-v1.1rc1",
    "https://www.w3.org/ns/cid/v1": "cid-v1",
    "https://www.w3.org/ns/credentials/examples/v2": "credentials-examples-v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2": "credentials-undefined-terms-v2",
}

# Vocabularies of communities, whose files are not among the official vectors. The vectors use them, and print what they
# mean: their documents' canonical statements are the comparison.
BY_STATEMENTS = {
    "https://w3id.org/citizenship/v4rc1": (
        "vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc", "vc-di-ecdsa/TestVectors/ecdsa-sd-2023/employ", "vc-di-bbs/TestVectors/prc",
    ),
    "https://w3id.org/vdl/v1": ("vc-di-bbs/TestVectors/HolderBinding", "vc-di-bbs/TestVectors/PseudonymHB"),
    "https://w3id.org/vdl/aamva/v1": ("vc-di-bbs/TestVectors/HolderBinding", "vc-di-bbs/TestVectors/Pseudonym"),
}  # fmt: skip


@pytest.mark.parametrize("url", OFFICIAL)
def test_the_table_is_the_official_context(url: str) -> None:
    """Every term, type, container and scoped context, and nothing more."""
    assert vector_json(f"contexts/{OFFICIAL[url]}.jsonld")["@context"] == dict(context(url) or {})


@pytest.mark.parametrize("url", BY_STATEMENTS)
def test_the_table_gives_the_official_statements(url: str) -> None:
    """Documents of the official vectors become the statements that are printed there."""
    for folder in BY_STATEMENTS[url]:
        document = vector_json(f"{folder}/addSignedSDBase.json")
        assert url in document["@context"]
        unsecured = {name: item for name, item in document.items() if name != "proof"}
        assert canonicalize(quads_of(unsecured))[0] == vector_json(f"{folder}/addBaseDocCanon.json")


def test_every_known_context_is_compared() -> None:
    """A context that nobody compared is not in the table."""
    assert {*OFFICIAL, *BY_STATEMENTS} == set(known_contexts())


def test_an_unknown_context_is_nowhere() -> None:
    """There is no fallback to a network."""
    assert context("https://example.org/context") is None
