"""The words for other systems are complete: four languages, no gap, each format with what it cannot show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from credentials.foreign import naming
from credentials.foreign.imports import KINDS
from credentials.foreign.reading import is_other
from tests.credentials.others.makers import CardIssuer, EthereumKey, attested, attested_3, claim_169, dcc, ed_signer, shc, signer
from weid.anchors import FORMATS
from weid.pack import LANGUAGES


def texts(value: Any) -> Iterator[dict[str, str]]:
    """Every text by language."""
    if isinstance(value, dict) and set(value) & set(LANGUAGES):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)


@pytest.mark.parametrize("form", naming.FORMS)
def test_every_text_is_there_in_four_languages(form: str) -> None:
    words = json.loads(files("credentials.foreign.words").joinpath(f"{form}.json").read_text("utf-8"))
    found = list(texts(words))
    assert len(found) >= 10
    assert all(set(item) == set(LANGUAGES) and all(item.values()) for item in found)
    assert all("{count}" in item for item in words["binary"].values())
    assert all(naming.limit(form, language) for language in LANGUAGES)


def test_formats_of_lists_readers_and_words_are_the_same() -> None:
    assert set(naming.FORMS) == set(FORMATS) == set(KINDS.values())
    assert naming.limit("compact", "en") == ""


def test_each_form_is_known_by_how_it_begins() -> None:
    key, card = EthereumKey.fresh(), CardIssuer().card()
    made = [dcc(signer()), claim_169(ed_signer()), shc(card), card, json.dumps(attested(key)), json.dumps(attested_3(key))]
    assert all(is_other(text.encode()) for text in made)
    own = [
        b"https://weid.app/#123",
        b"123",
        b'{"@context": []}',
        b"eyJhbGciOiJFUzI1NiIsInR5cCI6InZjK2p3dCJ9.e30.AA",
        b"",
        b"\x84\x01",
    ]
    assert not any(map(is_other, own))
