"""Mirrors: a whole copy of a log, recomputed from its entries before it is believed or served (R20)."""
