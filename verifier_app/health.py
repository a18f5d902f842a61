"""What a supervisor asks the verifier: does it answer, does it hold trust data that can be used, how old are they."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from flask import Blueprint, request

from registry.node.answered import Answered, at_home, health_blueprint
from verifier_app.checker import Checker

__all__ = ["blueprint"]

Gauges = Mapping[str, tuple[str, Mapping[str, float]]]


def blueprint(checker: Checker, answered: Answered, token: str | None) -> Blueprint:
    """/healthz, /readyz and /metrics of this app; `token` is a word that opens /metrics from elsewhere."""

    def allowed() -> bool:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token is not None and hmac.compare_digest(token.encode(), text.strip().encode())
        return at_home()

    return health_blueprint(answered, gauges=lambda: _gauges(checker), ready=lambda: _reason(checker), allowed=allowed)


def _reason(checker: Checker) -> str | None:
    """One word for why nothing can be judged here."""
    store = checker.store()
    if store is None:
        return "no-trust-root"
    if store.conflict is not None:
        return "trust-conflict"
    mark = store.mark(store.root.digest)
    if mark is None:
        return "no-bundle"
    return "stale-trust" if checker.now() - mark.log_time >= checker.ages[1] else None


def _gauges(checker: Checker) -> Gauges:
    store = checker.store()
    mark = None if store is None else store.mark(store.root.digest)
    found: dict[str, tuple[str, Mapping[str, float]]] = {
        "pinned": ("Whether a registry is pinned.", {"": float(store is not None)}),
        "trust_conflict": ("Whether the trust data contradict each other.",
                           {"": float(store is not None and store.conflict is not None)}),
    }  # fmt: skip
    if mark is not None:
        found["trust_age_seconds"] = ("Age of the home registry's data.", {"": 60.0 * (checker.now() - mark.log_time)})
    return found
