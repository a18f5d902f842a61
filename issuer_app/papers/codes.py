"""The drawn code of a certificate, kept while one page asks for it several times: finding its mask is half of all work."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from credentials.picture import Picture
from issuer_app import selfcheck
from issuer_app.ledger import Issued

__all__ = ["code_of"]

_KEPT: Final = 8  # few: they hold what a certificate says, and an erased one must soon be gone from here, too
_held: OrderedDict[tuple[bytes, str], Picture] = OrderedDict()
_lock = Lock()


def code_of(row: Issued, host: str) -> Picture:
    """As `selfcheck.draw`, which see for errors."""
    key = (row.compact, host)
    with _lock:
        if key in _held:
            return _held[key]
    drawn = selfcheck.draw(row, host)
    with _lock:
        _held[key] = drawn
        while len(_held) > _KEPT:
            _held.popitem(last=False)
    return drawn
