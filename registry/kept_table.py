"""Tables that are read from the kept state when they are asked for, and hold what has changed since.

To the rules they are dicts: the same answers, in the same order. `instead` is the table of a state that was replayed, for the
case that what was kept is damaged: then the answer takes long, and is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence, ValuesView
from threading import RLock
from typing import Any, overload

from registry.kept_rows import DamagedError, KeptRows, Row

__all__ = ["KeptSeen", "KeptTable", "Results", "replayed"]

_GONE = object()
_AT_HAND = 50_000  # records kept in memory that were read and not changed


class KeptTable(MutableMapping[str, Any]):
    """A table by key; iterating reads all of it, once."""

    def __init__(self, rows: KeptRows, decode: Callable[[Any], Any], instead: Callable[[], MutableMapping[str, Any]]) -> None:
        self._rows, self._decode, self._instead, self._lock = rows, decode, instead, RLock()
        self._over: dict[str, Any] = {}  # key → record or _GONE
        self._anew: dict[str, None] = {}  # keys that were not there when they were set, in the order in which they came
        self._read: dict[str, Any] = {}
        self._count = rows.head.count
        self._all: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        found = self._find(key)
        if found is _GONE:
            raise KeyError(key)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        """The record of a key, or the default."""
        found = self._find(key)
        return default if found is _GONE else found

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not _GONE

    def __setitem__(self, key: str, value: Any) -> None:
        with self._lock:
            if self._find(key) is _GONE:
                self._count += 1
                self._anew.pop(key, None)
                self._anew[key] = None
            self._over[key] = value
            if self._all is not None:
                self._all[key] = value

    def __delitem__(self, key: str) -> None:
        with self._lock:
            if self._find(key) is _GONE:
                raise KeyError(key)
            self._count -= 1
            self._over[key] = _GONE
            if self._all is not None:
                del self._all[key]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def values(self) -> ValuesView[Any]:
        """Every record, in the order in which their keys came."""
        return self._whole().values()

    def _find(self, key: str) -> Any:
        whole = self._all
        if whole is not None:
            return whole.get(key, _GONE)
        found = self._over.get(key)
        if found is None:
            found = self._read.get(key)
        return self._look_up(key) if found is None else found

    def _look_up(self, key: str) -> Any:
        try:
            row = self._rows.find(key)
            found = _GONE if row is None or row[2] is None else self._decode(row[2])
        except DamagedError:
            found = self._instead().get(key, _GONE)
        if found is not _GONE:
            if len(self._read) >= _AT_HAND:
                self._read = {}
            self._read[key] = found
        return found

    def _whole(self) -> dict[str, Any]:
        with self._lock:
            if self._all is None:
                whole = self._kept()
                for key, value in self._over.items():
                    if value is _GONE or key in self._anew:
                        whole.pop(key, None)
                    else:
                        whole[key] = value
                held = ((key, self._over[key]) for key in self._anew)
                whole |= {key: value for key, value in held if value is not _GONE}
                self._all = whole
            return self._all

    def _kept(self) -> dict[str, Any]:
        try:
            return {key: self._decode(value) for key, value in replayed(self._rows.rows()).items()}
        except DamagedError:
            return dict(self._instead())


def replayed(rows: Iterable[Row]) -> dict[str, Any]:
    """key → value after all these rows, in the order of a dict that went through them."""
    table: dict[str, Any] = {}
    for key, anew, value in rows:
        if anew:
            table.pop(key, None)
        if value is not None:
            table[key] = value
    return table


class KeptSeen(MutableMapping[bytes, int]):
    """Operation id → entry; only 8 bytes of each id are kept, the entry itself says the rest."""

    def __init__(
        self, rows: KeptRows, id_of: Callable[[int], bytes | None], instead: Callable[[], MutableMapping[bytes, int]]
    ) -> None:
        self._rows, self._id_of, self._instead = rows, id_of, instead
        self._over: dict[bytes, int] = {}

    def __getitem__(self, key: bytes) -> int:
        found: int | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: bytes, default: Any = None) -> Any:
        """The entry of an operation, or the default."""
        found = self._over.get(key)
        if found is not None:
            return found
        try:
            return next((at for at in self._rows.places(key[:8]) if self._id_of(at) == key), default)
        except DamagedError:
            return self._instead().get(key, default)

    def __setitem__(self, key: bytes, value: int) -> None:
        self._over[key] = value

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("what was seen stays seen")

    def __len__(self) -> int:
        return self._rows.head.count + len(self._over)

    def __iter__(self) -> Iterator[bytes]:
        try:
            kept = [self._id_of(at) or b"" for at in sorted(place for _, place in self._rows.entries())]
        except DamagedError:
            kept = list(self._instead())
        return iter([*kept, *self._over])


class Results(Sequence[str]):
    """The code of each entry, in a byte each."""

    def __init__(self, names: Iterable[str] = (), data: bytes = b"") -> None:
        self.names, self.data = list(names), bytearray(data)
        self._numbers = {name: number for number, name in enumerate(self.names)}

    def append(self, code: str) -> None:
        """The code of the next entry."""
        number = self._numbers.get(code)
        if number is None:
            number = self._numbers[code] = len(self.names)
            self.names.append(code)
        self.data.append(number)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self.names[number] for number in self.data[index]]
        return self.names[self.data[index]]

    def __len__(self) -> int:
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        return self[:] == (other[:] if isinstance(other, Results) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self[:])
