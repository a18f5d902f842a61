"""The corpus over the official vectors, and its score against verifiers that do not look."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pytest

from credentials.policy import Policy
from credentials.report import Outcome
from credentials.verify import verify
from tests.corpus.corpus import OFFICIAL, Answer, Item, corpus, right, score
from tests.vectors import vector
from weid.facts import NoFacts

POLICY = Policy(require_accreditation=False)
WHEN = datetime(2025, 6, 1, tzinfo=UTC)


def ours(document: dict[str, Any]) -> Answer:
    """The pipeline, asked for the proof alone."""
    report = verify(json.dumps(document).encode(), facts=NoFacts(), policy=POLICY, at=WHEN)
    bad = [check for check in report if check.outcome in (Outcome.FAILED, Outcome.UNKNOWN)]
    return report.exit_code == 0, frozenset(check.code for check in bad)


def accepts_everything(document: dict[str, Any]) -> Answer:
    return True, frozenset()


def refuses_everything(document: dict[str, Any]) -> Answer:
    return False, frozenset()


@lru_cache(maxsize=1)
def items() -> list[Item]:
    vector("vc-di-eddsa/SOURCE")
    return list(corpus())


@pytest.mark.parametrize("path", OFFICIAL)
def test_every_official_document_verifies(path: str) -> None:
    """Signed by others, as published."""
    assert ours(json.loads(vector(path).read_text("utf-8"))) == (True, frozenset())


def test_every_change_is_refused_for_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Each claim, each member and sampled bytes of each proof: none accepted, none refused without saying why."""
    wrong = [(item.name, answer) for item in items() if not right(item, answer := ours(item.document))]
    assert wrong == []
    good = sum(1 for item in items() if not item.codes)
    with capsys.disabled():
        print(f"\ncorpus: {good} official documents, {len(items()) - good:,} changes of them")


@pytest.mark.parametrize("stub", [accepts_everything, refuses_everything])
def test_a_stub_scores_nothing(stub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The score is the worse of the two shares, so a verifier that does not look gets 0."""
    accepted, refused = score(stub, items())
    with capsys.disabled():
        print(
            f"\ncorpus: {stub.__name__}: {accepted:.0%} of the good, {refused:.0%} of the bad: score {min(accepted, refused):.0%}"
        )
    assert min(accepted, refused) == 0
