"""Kinds of certificate to start from, as data: one plan a file."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from issuer_app.design.plan import Plan, read_plan

__all__ = ["EXAMPLES", "example"]

EXAMPLES = ("skill", "training", "award", "membership", "licence")


@lru_cache(maxsize=8)
def example(name: str) -> Plan:
    """One of EXAMPLES; KeyError for another."""
    if name not in EXAMPLES:
        raise KeyError(name)
    return read_plan(files("issuer_app.design.examples").joinpath(f"{name}.json").read_bytes())
