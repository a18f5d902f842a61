"""The chain of batches that an engine without trust of ours is read by: each head commits to all before it.

The first head is the genesis digest, the next `link(head, first, count, data)`. Whoever remembers one head knows when
anything before it was changed, left out or put in another order, whatever the engine itself says of its finality.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from registry.engines import ContradictionError, GapError, Journal
from registry.engines.framing import unframe
from weid.canon import JSON, jcs, parse_json
from weid.codec import unhex
from weid.errors import MalformedError

__all__ = ["Batch", "Chain", "Link"]

Link: TypeAlias = Callable[[bytes, int, int, bytes], bytes]
_NOWHERE: Mapping[str, JSON] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that were appended together; `place` says where the engine has them."""

    first: int
    count: int
    head: bytes
    data: bytes = b""
    place: Mapping[str, JSON] = field(default_factory=lambda: _NOWHERE)

    @property
    def end(self) -> int:
        """The size of the log after this batch."""
        return self.first + self.count

    def entries(self) -> tuple[bytes, ...]:
        """The entries; GapError if the data are not exactly `count` of them."""
        return unframe(self.data, self.count)

    def to_json(self) -> dict[str, JSON]:
        """What is remembered of a batch."""
        return {"first": self.first, "count": self.count, "head": self.head.hex(), "place": dict(self.place)}


class Chain:
    """What one engine has shown as final so far, kept in the local log file with the entries themselves."""

    def __init__(self, name: str, genesis: bytes, link: Link, journal: Journal | None) -> None:
        self._name, self._link, self._journal = name, link, journal
        self.genesis = genesis
        self.last = self._read() or Batch(0, 0, genesis)

    def check_end(self, size: int, head: bytes) -> None:
        """ContradictionError if a log of this size and head is not what was shown before, or longer."""
        if size < self.last.end:
            raise self._contradiction("the engine has fewer entries than it called final before", size, head)
        if size == self.last.end and head != self.last.head:
            raise self._contradiction("the engine has other entries than it called final before", size, head)

    def follow(self, batch: Batch, head: bytes | None) -> None:
        """Check that a batch follows `head` (None: not known, only its own form is checked) and remember it."""
        batch.entries()
        if head is not None and batch.head != self._link(head, batch.first, batch.count, batch.data):
            raise GapError(f"the batch at {batch.first} does not continue the one before it")
        again = self.last.count and (batch.first == self.last.first or batch.end == self.last.end)
        if again and batch.head != self.last.head:
            raise self._contradiction("the engine has other entries than it called final before", batch.end, batch.head)
        if head is not None and batch.first == self.last.end:
            self.last = Batch(batch.first, batch.count, batch.head, b"", batch.place)
            if self._journal is not None:
                data = jcs(self.last.to_json())
                self._journal.stage("engine", self._name, data)
                self._journal.stage(f"engine {self._name}", f"{batch.first:016d}", data)

    def contradiction(self, message: str, found: JSON) -> ContradictionError:
        """The last batch shown as final, and what is there now."""
        return ContradictionError(message, held=self.last.to_json(), found=found)

    def _contradiction(self, message: str, size: int, head: bytes) -> ContradictionError:
        return self.contradiction(message, {"size": size, "head": head.hex()})

    def _read(self) -> Batch | None:
        data = None if self._journal is None else self._journal.kept("engine", self._name)
        if data is None:
            return None
        value = parse_json(data)
        if not isinstance(value, dict):
            raise MalformedError("not a remembered batch")
        first, count, head, place = (value.get(name) for name in ("first", "count", "head", "place"))
        if not (isinstance(first, int) and isinstance(count, int) and isinstance(head, str) and isinstance(place, dict)):
            raise MalformedError("not a remembered batch")
        return Batch(first, count, unhex(head), b"", MappingProxyType(place))
