"""Fixtures of the verifier's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verifier_app.places import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Paper certificates: nothing binds them to a person."""
    made = Place(tmp_path, "certificate-authority", "skill-certificate")
    yield made
    made.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Place]:
    """Codes bound to the holder's key, asked for by a challenge."""
    made = Place(tmp_path, "health-code", "gd-health-code")
    yield made
    made.close()
