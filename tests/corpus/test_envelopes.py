"""The official envelopes, as published and with any character of them changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from credentials.cose import read_cose_text
from credentials.jose import read_jwt, read_sd_jwt_document
from tests.credentials.test_envelopes import POSITIVE
from tests.vectors import vector
from weid.errors import WeidError
from weid.keys import PublicKey


def opened(name: str, text: str, key: PublicKey) -> dict[str, object] | None:
    """The document that `key` signed, or None for a refusal."""
    try:
        if "cose" in name.replace("jose", ""):
            value = read_cose_text(text)
        else:
            value = read_sd_jwt_document(text)[0] if "~" in text else read_jwt(text)
        value.verify(key)
    except WeidError:
        return None
    return dict(value.document)


def published(name: str) -> tuple[str, PublicKey]:
    """The text of one input of the VC-JOSE-COSE suite, and its key."""
    folder = vector("vc-jose-cose")
    if not folder.is_dir():
        pytest.skip("the inputs of the VC-JOSE-COSE suite (tests/input) are not in vc-jose-cose/ of the vectors")
    method = json.loads((folder / f"vm-{POSITIVE[name]}.json").read_text("utf-8"))
    return (folder / f"{name}.txt").read_text("utf-8").strip(), PublicKey.from_jwk(method["publicKeyJwk"])


def changes(text: str) -> Iterator[str]:
    """Each of some 200 characters over the whole length replaced, taken away and doubled; what was put behind."""
    for place in range(0, len(text), max(1, len(text) // 200)):
        for letter in ("A", "b", "-", "~", ".", "é", ""):
            if text[place] != letter:
                yield text[:place] + letter + text[place + 1 :]
        yield text[:place] + text[place] + text[place:]
    yield from (text + more for more in ("A", "AAAA", "=", "~", ".", " "))


@pytest.mark.parametrize("name", POSITIVE)
def test_every_change_of_an_official_envelope_is_refused(name: str) -> None:
    """What is accepted says what was published, or less: a disclosure that went missing is the holder's right."""
    text, key = published(name)
    said = opened(name, text, key)
    assert said is not None
    refused = accepted = 0
    for changed in changes(text):
        found = opened(name, changed, key)
        refused += found is None
        accepted += found is not None
        assert found is None or found == said, changed
    assert refused > 1000
    assert accepted == 0


@pytest.mark.parametrize("stub", [lambda name, text, key: {}, lambda name, text, key: None])
def test_a_reader_that_does_not_look_scores_nothing(stub: Callable[..., object]) -> None:
    """The worse of the shares: good ones accepted with what they say, changed ones refused."""
    good = bad = changed = 0
    for name in POSITIVE:
        text, key = published(name)
        good += stub(name, text, key) == opened(name, text, key)
        for other in changes(text):
            changed += 1
            bad += stub(name, other, key) is None
    assert min(good / len(POSITIVE), bad / changed) == 0
