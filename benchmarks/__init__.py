"""Figures, measured on the machine that runs them. Nothing here is asserted in a test."""
