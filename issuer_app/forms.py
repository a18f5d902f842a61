"""A form from a schema: one field a claim, and errors that name the field in plain words.

The schema decides; this module only knows how each claim encoding is typed in by a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

from credentials.claims import Claim
from credentials.schema import Schema
from credentials.text import unsafe_text
from weid.canon import JSON, parse_json
from weid.codec import parse_rfc3339
from weid.errors import SchemaError

__all__ = ["Field", "Fault", "fields", "filled", "read_fields", "read_form"]

_INPUTS: Mapping[str, str] = {
    "text": "text", "digits": "digits", "enum": "select", "date": "date", "minutes": "datetime-local",
    "integer": "number", "boolean": "yesno", "months": "months",
}  # fmt: skip
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", re.ASCII)
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a field was refused: a key of the texts and what fills its gaps."""

    key: str
    values: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the form. `least` and `most` are a length for text, a bound for numbers."""

    claim: Claim
    input: str
    least: int | None
    most: int | None
    pattern: str | None

    @property
    def name(self) -> str:
        """The name of the input: prefixed, so that no claim can be taken for a control of ours."""
        return f"claim-{self.claim.name}"


def fields(schema: Schema) -> tuple[Field, ...]:
    """The inputs of a schema in claim order."""
    document = parse_json(schema.document)
    properties = document.get("properties") if isinstance(document, dict) else None
    assert isinstance(properties, dict)
    return tuple(_field(claim, properties[claim.name]) for claim in schema.claims)


def _field(claim: Claim, value: JSON) -> Field:
    assert isinstance(value, dict)
    low, high = ("minimum", "maximum") if claim.kind == "integer" else ("minLength", "maxLength")
    least, most, pattern = value.get(low), value.get(high), value.get("pattern")
    return Field(
        claim, _INPUTS[claim.kind], least if isinstance(least, int) else None,
        most if isinstance(most, int) else None, pattern if isinstance(pattern, str) else None,
    )  # fmt: skip


def read_form(schema: Schema, form: Mapping[str, str], zone: tzinfo) -> tuple[dict[str, JSON], dict[str, Fault]]:
    """The claims typed in, and the faults by claim name; the claims are usable only when there are no faults."""
    return read_fields(schema, fields(schema), form, zone)


def read_fields(
    schema: Schema, inputs: Sequence[Field], form: Mapping[str, str], zone: tzinfo
) -> tuple[dict[str, JSON], dict[str, Fault]]:
    """The same with the inputs of the schema at hand, for many rows of one schema."""
    claims: dict[str, JSON] = {}
    faults: dict[str, Fault] = {}
    for field in inputs:
        value = _read(field, form, zone)
        if isinstance(value, Fault):
            faults[field.claim.name] = value
        elif value is not None:
            fault = _misfit(schema, field, value)
            if fault is None:
                claims[field.claim.name] = value
            else:
                faults[field.claim.name] = fault
    return claims, faults


def filled(schema: Schema, claims: Mapping[str, JSON], zone: tzinfo) -> dict[str, str]:
    """What a form of this schema holds when it says these claims: read again, it gives them back."""
    form: dict[str, str] = {}
    for field in fields(schema):
        value = claims.get(field.claim.name)
        if value is None:
            continue
        if field.input == "months":
            form[f"{field.name}.from"], _, form[f"{field.name}.to"] = str(value).partition("/")
        elif field.input == "yesno":
            form[field.name] = "yes" if value else "no"
        elif field.input == "datetime-local":
            form[field.name] = parse_rfc3339(str(value)).astimezone(zone).strftime("%Y-%m-%dT%H:%M")
        else:
            form[field.name] = str(value)
    return form


def _read(field: Field, form: Mapping[str, str], zone: tzinfo) -> JSON | Fault:
    if field.input == "months":
        first, last = (_typed(form.get(f"{field.name}.{end}", "")) for end in ("from", "to"))
        if not first and not last:
            return Fault("fault.missing") if field.claim.required else None
        both = _MONTH.fullmatch(first) and _MONTH.fullmatch(last) and first <= last
        return f"{first}/{last}" if both else Fault("fault.months")
    text = _typed(form.get(field.name, ""))
    if not text:
        return Fault("fault.missing") if field.claim.required else None
    return _READERS.get(field.input, _as_text)(field, text, zone)


def _typed(text: str) -> str:
    """What a person meant: no blanks around it, one spelling of each letter (R28)."""
    return unicodedata.normalize("NFC", text).strip()


def _plain_digits(text: str) -> str:
    """Full-width digits and hyphens, which Chinese keyboards give, as ASCII."""
    return unicodedata.normalize("NFKC", text)


def _as_text(field: Field, text: str, zone: tzinfo) -> JSON | Fault:
    if unsafe_text(text) is not None:
        return Fault("fault.invisible")
    if field.most is not None and len(text) > field.most:
        return Fault("fault.long", (("most", field.most), ("given", len(text))))
    if field.least is not None and len(text) < field.least:
        return Fault("fault.short", (("least", field.least), ("given", len(text))))
    return text


def _as_digits(field: Field, text: str, zone: tzinfo) -> JSON | Fault:
    text = _plain_digits(text)
    count = field.claim.digits
    return text if re.fullmatch(f"[0-9]{{{count}}}", text, re.ASCII) else Fault("fault.digits", (("count", count),))


def _as_choice(field: Field, text: str, zone: tzinfo) -> JSON | Fault:
    return text if text in field.claim.choices else Fault("fault.choice")


def _as_yes_no(field: Field, text: str, zone: tzinfo) -> JSON | Fault:
    return text == "yes" if text in ("yes", "no") else Fault("fault.choice")


def _as_date(field: Field, text: str, zone: tzinfo) -> JSON | Fault:
    text = _plain_digits(text)
    try:
        return date.fromisoformat(text).isoformat() if _DATE.fullmatch(text) else Fault("fault.date")
    except ValueError:
        return Fault("fault.date")


def _as_moment(field: Field, text: str, zone: tzinfo) -> JSON | Fault:
    try:
        if not _MOMENT.fullmatch(text[:16]) or text[16:] not in ("", ":00"):
            return Fault("fault.moment")
        local = datetime.fromisoformat(text[:16]).replace(tzinfo=zone)
        return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
    except (ValueError, OverflowError):
        return Fault("fault.moment")


def _as_integer(field: Field, text: str, zone: tzinfo) -> JSON | Fault:
    text = _plain_digits(text)
    if not _INTEGER.fullmatch(text):
        return Fault("fault.integer")
    number = int(text)
    low, high = field.least, field.most
    if (low is not None and number < low) or (high is not None and number > high):
        return Fault("fault.range", (("least", "…" if low is None else low), ("most", "…" if high is None else high)))
    return number


_READERS = {
    "digits": _as_digits, "select": _as_choice, "yesno": _as_yes_no, "date": _as_date,
    "datetime-local": _as_moment, "number": _as_integer,
}  # fmt: skip


def _misfit(schema: Schema, field: Field, value: JSON) -> Fault | None:
    """The schema has the last word: a pattern or a bound this form does not know."""
    try:
        field.claim.to_cbor(value)
        schema.check({field.claim.name: value})
    except SchemaError:
        return Fault("fault.unfit")
    return None
