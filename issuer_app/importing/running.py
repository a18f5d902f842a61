"""The one `Importer` of a running app: its threads must be found again by the next request."""

from __future__ import annotations

from threading import Lock
from typing import cast

from flask import current_app

from issuer_app.frame import config, desk
from issuer_app.importing.job import Importer

__all__ = ["importer"]

_LOCK = Lock()


def importer() -> Importer:
    """The importer of this app's desk; RefusedError where it has none."""
    here, held = desk(), current_app.extensions.get("importing")
    if held is None:
        with _LOCK:
            held = current_app.extensions.get("importing")
            if held is None:
                conf = config()
                held = Importer(here, clock=conf.now, random=conf.random, zone=conf.zone)
                current_app.extensions["importing"] = held
    return cast(Importer, held)
