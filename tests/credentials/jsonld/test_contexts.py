"""The context tables are the official contexts, term by term."""

from __future__ import annotations

import pytest

from credentials.jsonld.contexts import context, known_contexts
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


@pytest.mark.parametrize("url", OFFICIAL)
def test_the_table_is_the_official_context(url: str) -> None:
    """Every term, type, container and scoped context, and nothing more."""
    assert vector_json(f"contexts/{OFFICIAL[url]}.jsonld")["@context"] == dict(context(url) or {})


def test_every_known_context_is_compared() -> None:
    """A context that nobody compared is not in the table."""
    assert set(OFFICIAL) == set(known_contexts())


def test_an_unknown_context_is_nowhere() -> None:
    """There is no fallback to a network."""
    assert context("https://example.org/context") is None
