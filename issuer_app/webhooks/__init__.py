"""Signed webhooks: what happened at the desk is told to other programs, once it is so."""
