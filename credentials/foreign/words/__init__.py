"""Data: what the fields and values of other systems are called, in four languages."""
