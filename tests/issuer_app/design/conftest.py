"""A desk that has applied for nothing yet, and an administrator who is a clerk too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from issuer_app.desk import Desk
from issuer_app.users import Users
from tests.issuer_app.house import PASSPHRASE, PASSWORD, House, Person

NAMES = {"en": "Climbing Club", "pt": "Clube de Escalada", "zh-Hans": "登山协会", "zh-Hant": "登山協會"}


@lru_cache(maxsize=1)
def _people(known: bytes) -> bytes:
    """The house's people and `anna`, whose password is hashed once for all tests."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "users.db").write_bytes(known)
        users = Users(Path(folder))
        users.add("anna", PASSWORD, frozenset({"admin", "clerk"}))
        users.close()
        return (Path(folder) / "users.db").read_bytes()


class Studio(House):
    """The house with a fresh institution at its desk; `anna` is its administrator and clerk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.desk.close()
        self.desk = Desk.create(
            folder / "fresh", client=self.client, suite=self.world.suite, names=NAMES, passphrase=PASSPHRASE, at=self.now,
            random=self.world.random, cost=12,
        )  # fmt: skip
        (folder / "app" / "users.db").write_bytes(_people((folder / "app" / "users.db").read_bytes()))


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "house")
    yield made
    made.close()


@pytest.fixture
def anna(studio: Studio) -> Person:
    return Person(studio.app(), "anna")
