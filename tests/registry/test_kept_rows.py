"""The indexes of a kept table: asked one by one or merged, and while the file goes on, they say the same."""

from __future__ import annotations

import pytest

from registry import kept_rows
from registry.kept_rows import KeptRows, Parts, TableHead, added_index, added_rows
from weid.hashes import SHA256


def written(several: int) -> tuple[TableHead, dict[str, bytes], dict[str, int]]:
    """A table written in several parts, where later rows of a key count: (head, what is kept, key → number of its latest row)."""
    head, kept, latest, number = TableHead("t", 0, 0), dict[str, bytes](), dict[str, int](), 0
    for part in range(several):
        rows = [(f"key {(part * 37 + n) % 90}", False, part * 100 + n) for n in range(40)]
        head, made = added_rows(head, rows, kept.get, hash=SHA256)
        for name, data in made.items():
            if data is None:
                del kept[name]
            else:
                kept[name] = data
        latest |= {key: value for key, _, value in rows}
        number += len(rows)
    return head, kept, latest


@pytest.mark.parametrize("several", [1, 2, 14, 40])
def test_merged_or_not_the_latest_row_is_found(monkeypatch: pytest.MonkeyPatch, several: int) -> None:
    """Also when what was read is gone from the file by the time when it is merged."""
    monkeypatch.setattr(kept_rows, "_FEW", 3)
    head, kept, latest = written(several)
    rows, single = KeptRows(head, kept.get, hash=SHA256), KeptRows(head, dict(kept).get, hash=SHA256)
    entries = single.entries()
    assert len(entries) == 40 * several and entries == sorted(entries)
    assert rows.find("key 0") is not None
    for name in [name for name in kept if "/i" in name]:
        del kept[name]
    for key in [*latest, *latest]:
        found = rows.find(key)
        assert found is not None and found[2] == latest[key]
    assert rows.find("nobody") is None
    assert rows._index is not None and len(rows._index[0]) == 1
    assert rows.entries() == entries


def test_numbers_of_one_prefix_come_latest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two operations whose ids begin alike are both found."""
    monkeypatch.setattr(kept_rows, "_FEW", 1)
    head, kept = TableHead("seen", 0, 0), Parts()
    for number in range(5):
        head, made = added_index(head, [(b"\xff" * 8, number), (number.to_bytes(8, "big"), number)], kept.get, hash=SHA256)
        kept |= made
    rows = KeptRows(head, kept.get, hash=SHA256)
    for _ in range(3):
        assert list(rows.places(b"\xff" * 8)) == [4, 3, 2, 1, 0]
        assert list(rows.places((3).to_bytes(8, "big"))) == [3] and list(rows.places((9).to_bytes(8, "big"))) == []
