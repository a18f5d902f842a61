"""Times and ages in the words of a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, tzinfo

from verifier_app.languages import text
from weid.codec import from_minutes, minutes, parse_rfc3339, rfc3339
from weid.errors import MalformedError

__all__ = ["Moment", "moment", "moment_of", "old", "span"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One minute twice: for programs, and as the officer's wall clock shows it."""

    raw: str
    text: str


def moment(count: int, zone: tzinfo) -> Moment:
    """UTC minutes as local time with its offset."""
    exact = from_minutes(count)
    try:
        local = exact.astimezone(zone)
    except OverflowError:  # the last hours of the calendar, east of Greenwich
        local = exact
    offset = local.utcoffset() or timedelta()
    hours = offset.total_seconds() / 3600
    return Moment(rfc3339(count), f"{local:%Y-%m-%d %H:%M} (UTC{hours:+g})")


def moment_of(value: str, zone: tzinfo) -> Moment | None:
    """The same for a signed RFC 3339 text; None where the text is not one."""
    try:
        return moment(minutes(parse_rfc3339(value)), zone)
    except MalformedError:
        return None


def span(count: int, language: str) -> str:
    """A length in minutes, in its largest useful unit."""
    if count < 1:
        return text(language, "span.now")
    if count < 120:
        return text(language, "span.minutes", count=count)
    if count < 72 * 60:
        return text(language, "span.hours", count=count // 60)
    return text(language, "span.days", count=count // 1440)


def old(age: int, language: str) -> str:
    """How long ago, or how far ahead of this machine's clock."""
    if age < 0:
        return text(language, "span.ahead", span=span(-age, language))
    return text(language, "span.old", span=span(age, language))
