"""What holds for every test: keys are sealed at a low price, except where the price itself is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from weid import sealed

CHEAP = {"intl": 12, "gm": 2_000}


@pytest.fixture(autouse=True)
def cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """`weid/test_keyfile.py` asserts what it costs in earnest."""
    if request.path.name != "test_keyfile.py":
        for name, usual in CHEAP.items():
            monkeypatch.setitem(sealed.PROFILES, name, replace(sealed.PROFILES[name], usual=usual))
