"""Which column is which claim: guessed from the labels in four languages, shown, and changed by whoever imports.

Beside claims a column may be for look-ups only: kind and number of an identity document, and second answers such as a birth
date, or where one-time links go. Those never stand in a certificate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from credentials.schema import Schema
from issuer_app.documents import KINDS
from issuer_app.importing.values import folded
from issuer_app.lookups.rules import Rule
from issuer_app.texts import table
from weid.errors import MalformedError
from weid.pack import LANGUAGES

__all__ = [
    "BASE",
    "CONTACT",
    "FACTORS",
    "IGNORED",
    "KIND",
    "LOOKUPS",
    "NUMBER",
    "Mapped",
    "guess",
    "key_claims",
    "kind_named",
    "read_mapping",
    "sends_links",
    "suited",
    "targets",
    "without_base",
]

IGNORED: Final = ""
KIND: Final = "lookup.documentKind"
NUMBER: Final = "lookup.documentNumber"
FACTORS: Final = ("lookup.birthDate", "lookup.phoneTail", "lookup.email")
CONTACT: Final = "lookup.contact"
BASE: Final = "depends.base"  # the certificate that one stands on: the text of its code, or the id of one issued here
LOOKUPS: Final = (KIND, NUMBER, *FACTORS, CONTACT)
"""What a certificate can be looked up by and does not say; the part behind the dot is the name look-ups know it by."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What every column is, by its place: a claim's name, one of the look-up targets, or nothing.

    `key` names the claim that numbers certificates (or ""): two of one number are never two certificates. `kind` is the kind
    of every document number where no column says it.
    """

    columns: tuple[str, ...]
    key: str = ""
    kind: str = ""

    def claim(self, name: str) -> int | None:
        """The place of the column for a claim or target."""
        return self.columns.index(name) if name in self.columns else None


def targets(schema: Schema) -> tuple[str, ...]:
    """Everything a column can be."""
    return (*schema.names, *LOOKUPS, BASE)


def guess(schema: Schema, header: Sequence[str]) -> Mapped:
    """The mapping the labels suggest; a column nobody knows is left out, and no target is given twice."""
    wanted = dict(_labels(schema))
    columns: list[str] = []
    for label in header:
        found = wanted.get(folded(label), IGNORED)
        columns.append(found if found and found not in columns else IGNORED)
    for place, label in enumerate(header):
        near = _near(folded(label), wanted, set(columns)) if not columns[place] else None
        columns[place] = near or columns[place]
    kind = next((kind for label in header for kind in KINDS if folded(label) in _kind_labels(kind)), "")
    return Mapped(tuple(columns), key=next(iter(key_claims(schema)), ""), kind=kind)


def without_base(mapped: Mapped) -> Mapped:
    """The mapping for a kind that stands alone."""
    return replace(mapped, columns=tuple(IGNORED if name == BASE else name for name in mapped.columns))


def sends_links(rules: Sequence[Rule]) -> bool:
    """Whether holders of this kind are answered by a one-time link, so that it matters where it goes."""
    return any(rule.shows == "nothing-without-link" for rule in rules)


def suited(mapped: Mapped, rules: Sequence[Rule]) -> Mapped:
    """The mapping with a column of e-mail addresses for what the rules have a use for: finding, or sending links."""
    email, asked = "lookup.email", {name for rule in rules for by in rule.by for name in by}
    if email not in mapped.columns or CONTACT in mapped.columns or "email" in asked or not sends_links(rules):
        return mapped
    return replace(mapped, columns=tuple(CONTACT if name == email else name for name in mapped.columns))


def _near(label: str, wanted: Mapping[str, str], used: set[str]) -> str | None:
    """The one target left that has a label which holds this one, or is held by it."""
    if len(label) < 2:
        return None
    found = {target for known, target in wanted.items() if len(known) > 1 and (label in known or known in label)} - used
    return found.pop() if len(found) == 1 else None


def read_mapping(schema: Schema, columns: Sequence[str], key: str, kind: str) -> Mapped:
    """A mapping somebody chose; MalformedError `import-mapping` for an unknown or doubled target or a missing claim."""
    known, used = set(targets(schema)), [name for name in columns if name]
    if set(used) - known or len(set(used)) != len(used):
        raise MalformedError("a column is mapped to nothing we know, or two to one claim", code="import-mapping")
    missing = [claim.name for claim in schema.claims if claim.required and claim.name not in used]
    if missing:
        raise MalformedError(f"no column for {missing[0]}", code="import-missing")
    if key and key not in used:
        raise MalformedError("the numbering claim has no column", code="import-mapping")
    if kind and kind not in KINDS:
        raise MalformedError("no such kind of document", code="document-kind")
    if NUMBER in used and not kind and KIND not in used:
        raise MalformedError("nothing says of which kind the document numbers are", code="import-kind")
    return Mapped(tuple(columns), key, kind)


def key_claims(schema: Schema) -> tuple[str, ...]:
    """Claims whose name or label says that they number certificates, the likeliest first."""
    words = {folded(word) for language in LANGUAGES for word in table(language)["import.words-key"].split("|")}

    def says(labels: Iterator[str]) -> bool:
        return any(word in folded(label) for label in labels for word in words)

    found = [claim for claim in schema.claims if says(iter((claim.name, *claim.label.values())))]
    return tuple(claim.name for claim in sorted(found, key=lambda claim: (claim.kind != "digits", not claim.required)))


def kind_named(text: str) -> str:
    """The kind of document that a cell names in one of the four languages, or ""."""
    return _kinds().get(folded(text), "")


@lru_cache(maxsize=1)
def _kinds() -> Mapping[str, str]:
    return {label: kind for kind in KINDS for label in (folded(kind), *_kind_labels(kind))}


@lru_cache(maxsize=32)
def _kind_labels(kind: str) -> frozenset[str]:
    """The names of a kind; what stands in brackets behind one may be left out."""
    texts = [table(language)[f"document.{kind}"] for language in LANGUAGES]
    return frozenset(folded(part) for text in texts for part in (text, text.replace("（", "(").partition("(")[0]))


def _labels(schema: Schema) -> Iterator[tuple[str, str]]:
    """(folded label, target), later ones win: what a schema says of its claims counts before our own words."""
    for target in LOOKUPS:
        for language in LANGUAGES:
            words = table(language)[f"import.words-{target.partition('.')[2]}"].split("|")
            yield from ((folded(word), target) for word in words)
    for language in LANGUAGES:
        yield from ((folded(word), BASE) for word in table(language)["import.words-base"].split("|"))
    for kind in KINDS:
        yield from ((label, NUMBER) for label in _kind_labels(kind))
    for claim in schema.claims:
        for label in (claim.name, *claim.label.values()):
            yield folded(label), claim.name
