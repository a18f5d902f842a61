"""How a batch of entries becomes one value of an engine, and is read back: exactly or not at all.

Each entry stands after its length in two bytes, big-endian, as in the entry bundles of C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from registry.engines import EngineInfo, GapError
from weid.errors import RegistryError

__all__ = ["batches", "check_batch", "frame", "unframe"]


def frame(entries: Sequence[bytes]) -> bytes:
    """One value of several entries of 1 to 65,535 bytes."""
    return b"".join(len(data).to_bytes(2, "big") + data for data in entries)


def unframe(data: bytes, count: int) -> tuple[bytes, ...]:
    """The entries of exactly these bytes; GapError if they are not `count` whole entries."""
    entries, start = [], 0
    while start < len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if not start + 2 < end <= len(data):
            raise GapError("a batch breaks off in the middle of an entry")
        entries.append(data[start + 2 : end])
        start = end
    if len(entries) != count or not entries:
        raise GapError(f"a batch of {len(entries)} entries says that it has {count}")
    return tuple(entries)


def check_batch(entries: Sequence[bytes], info: EngineInfo) -> None:
    """RegistryError unless an engine takes these entries in one append."""
    if not entries or any(not 0 < len(data) <= info.max_entry for data in entries):
        raise RegistryError(f"an entry of this engine is 1 to {info.max_entry} bytes", code="entry-size")
    if len(entries) > info.max_batch or sum(len(data) + 2 for data in entries) > info.max_bytes:
        raise RegistryError(
            f"a batch of this engine is at most {info.max_batch} entries, {info.max_bytes} bytes", code="batch-size"
        )


def batches(entries: Sequence[bytes], info: EngineInfo) -> Iterator[tuple[bytes, ...]]:
    """The entries in batches that an engine takes, in order; RegistryError `entry-size` for one it never takes."""
    batch: list[bytes] = []
    size = 0
    for data in entries:
        if batch and (len(batch) == info.max_batch or size + len(data) + 2 > info.max_bytes):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(data)
        size += len(data) + 2
        check_batch((data,), info)
    if batch:
        yield tuple(batch)
