"""What a supervisor asks the desk: does it answer, can it work, how much waits. Numbers alone, nobody's data."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from flask import Blueprint, request

from issuer_app.config import Config
from issuer_app.frame import users
from registry.node.answered import Answered, at_home, health_blueprint

__all__ = ["blueprint"]

Gauges = Mapping[str, tuple[str, Mapping[str, float]]]


def blueprint(config: Config, answered: Answered) -> Blueprint:
    """/healthz, /readyz and /metrics of this app."""
    return health_blueprint(
        answered, gauges=lambda: _gauges(config), ready=lambda: _reason(config), allowed=lambda: _may_read(config)
    )


def _reason(config: Config) -> str | None:
    """Why this app cannot work now: what it knows of the registry is missing or refused."""
    for party in (config.desk, config.office, config.audit, config.council):
        if party is not None:
            party.facts(config.now())
            return None
    return "no-party"


def _gauges(config: Config) -> Gauges:
    if config.desk is None:
        return {}
    states = config.desk.ledger.counts()
    return {
        "certificates": ("Certificates in the ledger, by state.", {f'state="{state}"': count for state, count in states.items()}),
        "waiting": ("Certificates that the registry has not fully heard of.", {"": config.desk.waiting()}),
    }


def _may_read(config: Config) -> bool:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        word = config.metrics_token
        if word is not None and hmac.compare_digest(word.encode(), text.strip().encode()):
            return True
        key = users().key(text.strip(), config.now())
        return key is not None and "metrics:read" in key.scopes
    return at_home()
