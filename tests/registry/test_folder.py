"""The trust store on disk: one pin, whole replacement, nothing half-written, conflicts remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.genesis import print_genesis
from registry.node.folder import TrustFolder
from tests.registry.world import World
from weid.errors import MalformedError, RollbackError, TrustError
from weid.facts import Found, Unknown


def test_without_a_pin_nothing_is_known(tmp_path: Path) -> None:
    """NoFacts, and `no-trust-root` by name."""
    folder = TrustFolder(tmp_path / "state")
    assert Unknown("no-trust-root") == folder.facts(at=0).fact("trust", "root")
    with pytest.raises(TrustError) as caught:
        folder.accept(b"x", at=0)
    assert caught.value.code == "no-trust-root"


def test_exactly_one_registry_can_be_pinned(tmp_path: Path, world: World) -> None:
    """The same genesis again is no change; another is refused by name."""
    folder = TrustFolder(tmp_path / "state")
    folder.pin(print_genesis(world.genesis))
    assert folder.pin(print_genesis(world.genesis)).root == world.genesis
    other = World(tmp_path, name="other")
    with pytest.raises(TrustError) as caught:
        folder.pin(print_genesis(other.genesis))
    other.registry.close()
    assert caught.value.code == "already-pinned"


def test_a_bundle_is_taken_whole_or_not_at_all(tmp_path: Path, world: World) -> None:
    """A newer bundle counts for every reader; an older or broken one leaves the file byte for byte."""
    folder, reader = TrustFolder(tmp_path / "state"), TrustFolder(tmp_path / "state")
    folder.pin(print_genesis(world.genesis))
    first = world.commit()
    world.tick()
    second = world.commit()
    folder.accept(second, at=world.now)
    assert isinstance(reader.facts(at=world.now).fact("trust", "root"), Found)
    before = folder.path.read_bytes()
    for data, error in ((first, RollbackError), (second[:-1], MalformedError), (b"", MalformedError)):
        with pytest.raises(error):
            folder.accept(data, at=world.now)
        assert folder.path.read_bytes() == before
    assert [p.name for p in folder.folder.iterdir() if "lock" not in p.name] == [folder.path.name]
