"""The desk's API keeps its own description, whatever is sent to it."""

from __future__ import annotations

from typing import Any

import pytest

from issuer_app.scopes import BY_ROLE
from tests.browser import serving
from tests.described import faults
from tests.issuer_app.house import House
from tests.issuer_app.test_api import CLAIMS


def _ready(house: House) -> tuple[Any, dict[str, str]]:
    house.accredit()
    house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random)
    app = house.app(**dict.fromkeys(("api", "issue", "form"), "1000000 per minute"))
    key = app.extensions["issuer_app"].users.add_key("p", frozenset(BY_ROLE), house.now)
    return app, {"Authorization": f"Bearer {key}"}


def test_the_api_keeps_its_description(house: House) -> None:
    """A request of every operation, right and wrong ones."""
    app, head = _ready(house)
    with serving(app) as address:
        wrong, made = faults(address, examples=1, phases=["fuzzing"], **head)
    assert wrong == []
    assert made > 50


@pytest.mark.long
def test_the_api_keeps_its_description_at_length(house: House) -> None:
    """Every edge of every schema, and operations one after another."""
    app, head = _ready(house)
    with serving(app) as address:
        wrong, made = faults(address, examples=40, phases=["examples", "coverage", "fuzzing", "stateful"], **head)
    assert wrong == []
    assert made > 1_000
