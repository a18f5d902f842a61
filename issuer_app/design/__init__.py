"""Designing a kind of certificate without code: a plain description, the pack it makes, and the pages to edit it.

`plan.py` is the description, `making.py` the pack's files, `checking.py` what is still wrong, in keys of the texts.
"""
