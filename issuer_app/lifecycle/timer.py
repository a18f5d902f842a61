"""While a desk is served: planned changes happen at their minute, and what the registry has not heard is sent again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from issuer_app.desk import Desk
from issuer_app.lifecycle import planned
from weid.errors import WeidError

__all__ = ["ticking"]

_EVERY: Final = 20.0  # seconds


@contextmanager
def ticking(desk: Desk, clock: Callable[[], int], *, every: float = _EVERY) -> Iterator[None]:
    """Look every few seconds, in a thread of this process, until the block ends; a silent registry is asked again later."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(every):
            try:
                if not planned.run_due(desk, clock()) and desk.waiting():
                    desk.publish(clock())
            except WeidError:
                continue  # the rows are still there

    thread = threading.Thread(target=run, name="planned", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
