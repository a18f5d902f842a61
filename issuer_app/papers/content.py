"""What stands on a paper: words and values of one certificate in one or two languages, as data for the typesetter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from credentials import picture
from credentials.claims import Claim
from credentials.schema import Schema
from credentials.text import unsafe_text
from issuer_app.ledger import Issued
from issuer_app.papers.look import Look
from issuer_app.texts import Speaker
from weid.canon import JSON, parse_json
from weid.errors import IssueError
from weid.pack import LANGUAGES

__all__ = ["Content", "Pair", "arranged", "content_of", "known_names", "speakers_of"]

_WORDS: Final = ("title", "issuer", "id", "issued", "until", "typed", "where", "scan", "says")
_SAID: Final = ("issued", "until", "typed", "foot")
_PLAIN: Final = ("id", "issuer", "validFrom", "validUntil")


@dataclass(frozen=True, slots=True)
class Pair:
    """A text in the paper's language, and in the second one where that reads differently."""

    first: str
    second: str | None = None

    def data(self) -> list[str | None]:
        """The same as the typesetter takes it."""
        return [self.first, self.second]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that is drawn. `names` and `rows` are (label, value); `gaps` fills the templates' {{ }}."""

    languages: tuple[str, ...]
    issuer: Pair
    title: Pair
    says: Pair | None
    names: tuple[tuple[Pair, Pair], ...]
    rows: tuple[tuple[Pair, Pair], ...]
    code: picture.Picture
    scan: Pair
    foot: Pair
    stamp: Pair | None
    typed: tuple[Pair, str] | None
    id: str
    host: str
    gaps: Mapping[str, str]
    alt: str

    def texts(self) -> Iterable[str]:
        """Every text that some font must be able to draw."""
        pairs = [self.issuer, self.title, self.scan, self.foot, *(pair for line in (*self.names, *self.rows) for pair in line)]
        pairs += [pair for pair in (self.says, self.stamp, self.typed[0] if self.typed else None) if pair is not None]
        return {text for pair in pairs for text in (pair.first, pair.second) if text} | set(self.gaps.values())


def speakers_of(languages: Sequence[str], zone: tzinfo) -> tuple[Speaker, ...]:
    """One or two languages, each of ours and each once; IssueError `bad-language`."""
    if not 1 <= len(languages) <= 2 or len(set(languages)) != len(languages) or set(languages) - set(LANGUAGES):
        raise IssueError(f"one or two of {', '.join(LANGUAGES)}", code="bad-language")
    return tuple(Speaker(language, zone) for language in languages)


def content_of(
    row: Issued, schema: Schema, look: Look, names: Mapping[str, str], code: picture.Picture, host: str,
    speakers: Sequence[Speaker],
) -> Content:  # fmt: skip
    """The content of a certificate's paper. Public claims always stand on it (R12), whatever the look leaves out.

    IssueError `erased`, or `not-valid` for one that is revoked, suspended or refused: paper cannot be called back.
    """
    if row.erased:
        raise IssueError("the content was erased here", code="erased")
    if row.state != "valid":
        raise IssueError(f"the certificate is {row.state}", code="not-valid")
    held = {claim.name: (claim, row.claims[claim.name]) for claim in schema.claims if row.claims.get(claim.name) is not None}
    large, small = arranged(look, [claim for claim, _ in held.values()])
    rows = [_line(*held[name], speakers) for name in small]
    rows.append((_said("paper.issued", speakers), _pair([speaker.day(row.issued) for speaker in speakers])))
    rows.append((_said("paper.until", speakers), _pair([speaker.time(row.until) for speaker in speakers])))
    scan = _said("paper.scan" if schema.bind in ("none", "document") else "paper.wallet", speakers)
    title, issuer = _named(schema.title, speakers), _named(names, speakers)
    says = None if look.says is None else _named(look.says, speakers)
    alt = speakers[0]("paper.code-alt", title=title.first)
    return Content(
        tuple(speaker.language for speaker in speakers), issuer, title, says,
        tuple(_line(*held[name], speakers) for name in large), tuple(rows), code,
        scan, _said("paper.foot", speakers),
        _said("paper.specimen", speakers) if row.specimen else None,
        None if row.code is None else (_said("paper.typed", speakers), row.code), row.id, host,
        _gaps(row, schema, held, (issuer, title, scan), host, speakers[0], look), alt,
    )  # fmt: skip


def arranged(look: Look, claims: Sequence[Claim]) -> tuple[list[str], list[str]]:
    """(the claims in large letters, those in the list) of what a certificate says, on paper as on the holder's page."""
    held = {claim.name: claim for claim in claims}
    large = [name for name in look.title if name in held] or list(held)[:1]
    order = list(held) if look.rows is None else [name for name in look.rows if name in held]
    small = [name for name in order if name not in large]
    small += [name for name, claim in held.items() if claim.privacy == "public" and name not in (*large, *small)]
    return large, small


def known_names(claims: Iterable[str]) -> frozenset[str]:
    """What a template may name: members of the credential, and our words for them."""
    own = (
        {f"paper.{word}" for word in _WORDS}
        | {f"words.{word}" for word in _SAID}
        | {f"credentialSubject.{name}" for name in claims}
    )
    return frozenset(own | set(_PLAIN) | {f"{family}.{name}" for name in claims for family in ("label", "shown")})


def _gaps(
    row: Issued, schema: Schema, held: Mapping[str, tuple[Claim, JSON]], said: tuple[Pair, Pair, Pair], host: str,
    speaker: Speaker, look: Look,
) -> dict[str, str]:  # fmt: skip
    document, (issuer, title, scan) = parse_json(row.file), said
    assert isinstance(document, dict)
    filled = {
        **{name: str(document[name]) for name in _PLAIN},  # what any other reader of the file would fill in
        "paper.title": title.first, "paper.issuer": issuer.first, "paper.id": row.id, "paper.issued": speaker.day(row.issued),
        "paper.until": speaker.time(row.until), "paper.typed": row.code or "", "paper.where": host,
        "paper.scan": scan.first, "paper.says": "" if look.says is None else speaker.name(look.says),
    }  # fmt: skip
    filled |= {f"words.{word}": speaker(f"paper.{word}") for word in _SAID}
    for claim in schema.claims:
        filled[f"label.{claim.name}"] = speaker.name(claim.label)
    for name, (claim, value) in held.items():
        filled[f"credentialSubject.{name}"] = str(value)
        filled[f"shown.{name}"] = speaker.shown(claim, value)
    return filled


def _line(claim: Claim, value: JSON, speakers: Sequence[Speaker]) -> tuple[Pair, Pair]:
    values = [speaker.shown(claim, value) for speaker in speakers]
    wrong = next((reason for text in values if (reason := unsafe_text(text))), None)
    if wrong is not None:  # refused at issue already; a paper is the last place where it could still mislead (R28)
        raise IssueError(f"{claim.name} {wrong}", code="unsafe-text")
    return _named(claim.label, speakers), _pair(values)


def _named(names: Mapping[str, str], speakers: Sequence[Speaker]) -> Pair:
    return _pair([speaker.name(names) for speaker in speakers])


def _said(key: str, speakers: Sequence[Speaker]) -> Pair:
    return _pair([speaker(key) for speaker in speakers])


def _pair(texts: Sequence[str]) -> Pair:
    return Pair(texts[0], texts[1] if len(texts) > 1 and texts[1] != texts[0] else None)
