"""Witnesses: they cosign a checkpoint only if it continues the last one they cosigned (C2SP tlog-witness)."""
