"""Chance that can be repeated: the same on every machine, and with WEID_SEED another one, for whoever does not trust our choice."""

from __future__ import annotations

import os
import random

__all__ = ["SEED", "chance"]

SEED = os.environ.get("WEID_SEED", "")


def chance(seed: int | str) -> random.Random:
    """A source of numbers for tests, by its own seed and WEID_SEED."""
    return random.Random(f"{SEED}/{seed}" if SEED else seed)
