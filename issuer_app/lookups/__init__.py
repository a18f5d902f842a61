"""Look-up by the holder: a keyed blind index of what a certificate may be found by, and who may learn what from it.

The index never leaves the institution (R25): no value of it is in an answer, a log line or an operation.
"""

from __future__ import annotations

from issuer_app.lookups.book import Book
from issuer_app.lookups.bulk import index_faults, index_printed, index_rows
from issuer_app.lookups.inputs import Given, InputFault
from issuer_app.lookups.rules import Lookup, Rule, lookup_of, read_lookup

__all__ = [
    "Book",
    "Given",
    "InputFault",
    "Lookup",
    "Rule",
    "index_faults",
    "index_printed",
    "index_rows",
    "lookup_of",
    "read_lookup",
]
