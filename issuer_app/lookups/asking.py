"""One look-up by somebody who is not of the house: counted, answered after a fixed time, the same work found or not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from issuer_app.lookups.book import Book
from issuer_app.lookups.inputs import read_forms
from issuer_app.lookups.links import note_asked
from issuer_app.lookups.rules import Rule

__all__ = ["Way", "ask", "forms_of", "network", "on_the_beat", "ways"]


@dataclass(frozen=True, slots=True)
class Way:
    """One alternative of one rule: what a form asks for."""

    rule: Rule
    number: int

    @property
    def by(self) -> tuple[str, ...]:
        """Its inputs."""
        return self.rule.by[self.number]


def ways(book: Book) -> tuple[Way, ...]:
    """Everything a stranger may ask by, in the order of the rules' names."""
    return tuple(Way(rule, number) for _, rule in sorted(book.lookup.rules.items()) for number in range(len(rule.by)))


def ask(book: Book, way: Way, typed: Mapping[str, str], *, at: int, count: Callable[[str, str, str], None]) -> tuple[str, ...]:
    """The ids found; under a rule that shows nothing it is written down for the outbox, whatever was found.

    `count(rate, what, key)` raises when a rate is used up. It is asked before the index is, with keyed names only, so that
    being slowed down says nothing about what is there. InputFault for an input that no certificate could have.
    """
    forms = forms_of(way, typed)
    pace, values = book.lookup.pace, book.values(way.rule, way.by, forms)
    if "name" in forms:
        count(pace.name, "name", book.mark("name", forms["name"][0]))
    count(pace.value, "value", book.mark("value", values[0].hex()))
    if "documentNumber" in forms:  # other names for one number are guesses at the same person
        count(pace.value, "number", book.mark("number", forms["documentNumber"][0]))
    count(pace.all, "all", "")
    ids = book.find(way.rule, way.by, forms)
    if way.rule.shows == "nothing-without-link":
        note_asked(book, ids, way.rule, at)
    return ids


def forms_of(way: Way, typed: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What was typed, in the forms it is looked for by; InputFault."""
    kind = typed.get("documentKind", "")
    forms = {name: read_forms(name, typed.get(name, ""), kind=kind if name == "documentNumber" else "") for name in way.by}
    if "documentNumber" in way.by and kind not in way.rule.documents:
        forms["documentNumber"] = (":",)  # a kind this rule does not know finds nothing, after the same work
    return forms


@contextmanager
def on_the_beat(
    floor: int, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Let the block end `floor` milliseconds after it began; one that took longer ends on the next multiple.

    What is found costs a little more than what is not; the wait hides it from whoever measures. What the block raises ends at
    once: a refusal for form or pace is made before the index is asked.
    """
    began = clock()
    yield
    beat, spent = floor / 1000, clock() - began
    sleep(max(1, math.ceil(spent / beat)) * beat - spent)


def network(address: str) -> str:
    """Who is counted as one: an IPv4 address, or the /64 that one IPv6 customer has all of."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    mapped = getattr(known, "ipv4_mapped", None)
    if mapped is not None or known.version == 4:
        return str(mapped or known)
    return str(ip_network(f"{known}/64", strict=False).network_address)
