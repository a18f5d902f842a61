"""One accredited house for the tests that only draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from issuer_app.ledger import Issued
from issuer_app.papers import look
from tests.issuer_app.house import House, pack
from weid.canon import JSON

CLAIMS: dict[str, JSON] = {
    "holderName": "王小明", "certificateNumber": "202611230001", "skill": "区块链应用操作员", "awardDate": "2026-11-20",
    "level": "3", "grade": "优秀",
}  # fmt: skip


class Workshop:
    """A desk with the look of its pack, and certificates by what is different about them."""

    def __init__(self, house: House) -> None:
        self.house, self.desk = house, house.desk

    def issue(self, *, specimen: bool = False, **claims: JSON) -> Issued:
        """A certificate that the registry has heard of."""
        house = self.house
        return self.desk.issue(house.skill, CLAIMS | claims, at=house.now, random=house.world.random, specimen=specimen)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: Any) -> Iterator[Workshop]:
    """Shared by all tests of papers: they only read, or issue for themselves."""
    house = House(tmp_path_factory.mktemp("papers") / "house")
    house.accredit()
    look.install(house.desk.party.folder, pack("certificate-authority"))
    yield Workshop(house)
    house.close()


@pytest.fixture(scope="session")
def row(workshop: Workshop) -> Issued:
    """An ordinary certificate."""
    return workshop.issue()
