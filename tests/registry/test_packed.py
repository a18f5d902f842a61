"""Packed bundles: a quarter of the size, the same trust, and no bomb."""

from __future__ import annotations

import contextlib
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import packed
from registry.bundle import open_bundle
from registry.delta import state_of
from registry.node.folder import TrustFolder
from registry.packed import is_packed, pack, unpack
from tests.registry.test_delta import world_genesis
from tests.registry.world import World
from weid.errors import MalformedError


def test_a_packed_bundle_is_the_bundle(world: World, tmp_path: Path) -> None:
    schema = world.schema()
    for _ in range(30):
        world.issuer(schema)
    bundle = world.commit()
    small = pack(bundle)
    assert is_packed(small) and not is_packed(bundle) and len(small) < len(bundle) // 2
    assert unpack(small) == bundle == unpack(bundle)
    assert open_bundle(unpack(small), pin=world.pin, at=world.now)
    folder = TrustFolder(tmp_path / "trust")
    folder.pin(world_genesis(world))
    assert folder.accept(small, at=world.now).home == bundle
    world.tick()
    world.commit()
    update = pack(world.registry.bundle(base=state_of(bundle).map))
    assert folder.accept(update, at=world.now).home == world.registry.bundle()


def test_every_changed_bit_is_refused() -> None:
    small = pack(b"some bundle" * 20)
    for bit in range(len(small) * 8):
        forged = bytearray(small)
        forged[bit // 8] ^= 1 << bit % 8
        if is_packed(bytes(forged)):
            with pytest.raises(MalformedError):
                unpack(bytes(forged))
    for wrong in (small[:-1], small + b"\0"):
        with pytest.raises(MalformedError):
            unpack(wrong)


def sealed(stream: bytes) -> bytes:
    return b"weid/packed/v1\n" + stream


def test_bombs_and_other_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """`too-large`: what is inside is counted while it is unpacked."""
    monkeypatch.setattr(packed, "_MAX", 1 << 16)
    with pytest.raises(MalformedError) as caught:
        unpack(pack(bytes(1 << 20)))
    assert caught.value.code == "too-large"
    good = lzma.compress(b"x", format=lzma.FORMAT_XZ)
    assert unpack(sealed(good)) == b"x"
    for stream in (
        good + good,
        good[:-4],
        b"",
        lzma.compress(b"x", check=lzma.CHECK_NONE),
        lzma.compress(b"x", format=lzma.FORMAT_ALONE),
        b"\xfd7zXZ\0" + bytes(30),
    ):
        with pytest.raises(MalformedError):
            unpack(sealed(stream))


@given(st.binary(max_size=60))
def test_only_our_own_errors(data: bytes) -> None:
    with contextlib.suppress(MalformedError):
        assert unpack(sealed(data)) is not None
