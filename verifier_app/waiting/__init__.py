"""Certificates that could not be decided, waiting sealed for newer trust data; only where the operator asked for it."""
