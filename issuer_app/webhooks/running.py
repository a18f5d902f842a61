"""The webhooks of a running app: opened once, when somebody first asks."""

from __future__ import annotations

from threading import Lock
from typing import Final, cast

from flask import Flask, current_app

from issuer_app.access.trail import NOBODY
from issuer_app.frame import access, config, desk
from issuer_app.webhooks.courier import Courier
from issuer_app.webhooks.hooks import Hooks

__all__ = ["courier", "hooks"]

_LOCK: Final = Lock()


def hooks() -> Hooks:
    """The webhooks of this app's desk; RefusedError `no-desk` where it has none."""
    here, held = desk(), current_app.extensions.get("webhooks")
    if held is None:
        with _LOCK:
            held = current_app.extensions.get("webhooks")
            if held is None:
                held = current_app.extensions["webhooks"] = Hooks.open(here, config().folder, nets=config().webhook_nets)
    return cast(Hooks, held)


def courier(app: Flask) -> Courier:
    """What tells the addresses while this app is served; switching one off leaves a row in the trail."""
    with app.app_context():
        held, conf, trail = hooks(), config(), access().trail

    def noted(id_: str, why: str) -> None:
        trail.add(minute=conf.now(), kind=NOBODY, who="", act="hooks.gave-up", target=id_, result=why)

    return held.courier(clock=lambda: int(conf.clock().timestamp()), random=conf.random, noted=noted)
