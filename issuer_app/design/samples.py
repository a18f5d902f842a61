"""Values that fit a field, for previews and for the cases of a pack."""

from __future__ import annotations

from typing import Final

from issuer_app.design.plan import Plan, PlanField
from weid.canon import JSON

__all__ = ["changed", "claims_of", "found_by", "longest", "value_of"]

_DAY: Final = "2026-01-15"
_OTHER_DAY: Final = "2025-12-31"
_DIGITS: Final = "202600000123456789"
_WIDE: Final = "\u9f98"  # a character of three bytes in UTF-8: what long Chinese texts are made of
_USUAL: Final = 60
_DOCUMENTS: Final = {
    "cn-id": "11010519491231002X", "cn-foreigner-id": "911101199001010015", "hk-id": "A1234563", "mo-id": "12345678",
    "cn-hk-mo-permit": "H12345678", "cn-exit-permit": "C12345678", "cn-tw-permit": "12345678", "cn-passport": "E12345678",
    "passport": "E12345678",
}  # fmt: skip


def claims_of(plan: Plan) -> dict[str, JSON]:
    """A value for every field."""
    return {field.name: value_of(field) for field in plan.fields}


def longest(plan: Plan) -> dict[str, JSON]:
    """The claims that need the largest code: every text as long as it may be, in Chinese."""
    claims = claims_of(plan)
    return claims | {field.name: _WIDE * (field.most or _USUAL) for field in plan.fields if field.type == "text"}


def found_by(plan: Plan) -> dict[str, JSON]:
    """What a specimen is to be found by where nothing is issued without it; nobody's document and nobody's address."""
    finding = plan.finding
    if finding.way == "email":
        return {"email": "holder@example.org"}
    kind = next((item for item in finding.documents if item in _DOCUMENTS), "")
    if finding.way not in ("document", "private") or not kind:
        return {}
    return {"documentKind": kind, "documentNumber": _DOCUMENTS[kind]}


def value_of(field: PlanField) -> JSON:
    """The field's own sample where it is of the right shape, else a made one."""
    readers = {"date": _DAY, "months": "2025-09/2026-06"}
    if field.type in readers:
        return field.sample or readers[field.type]
    if field.type == "yesno":
        return field.sample.lower() not in ("no", "false")
    if field.type == "number":
        return _number(field)
    if field.type == "digits":
        return field.sample or _DIGITS[: field.most or 1]
    if field.type == "choice":
        values = [value for value, _ in field.choices]
        return field.sample if field.sample in values else (values or [""])[0]
    return field.sample or _text(field)


def changed(field: PlanField) -> JSON:
    """Another value that fits, as a forger would write it."""
    value = value_of(field)
    if field.type == "date":
        return _OTHER_DAY if value == _DAY else _DAY
    if field.type == "months":
        return "2020-01/2020-02"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1 if field.most is None or value < field.most else value - 1
    text = str(value)
    if field.type == "digits":
        return ("1" if text[:1] != "1" else "2") + text[1:]
    if field.type == "choice":
        return next((item for item, _ in field.choices if item != text), text)
    return text[:-1] + ("\u7532" if text[-1:] != "\u7532" else "\u4e59")


def _number(field: PlanField) -> int:
    text = field.sample
    value = int(text) if text.lstrip("-").isdecimal() and len(text) < 13 else max(field.least or 1, 1)
    return value if field.most is None else min(value, field.most)


def _text(field: PlanField) -> str:
    base = field.label.get("zh-Hans") or field.label.get("en") or field.name
    while len(base) < (field.least or 1):
        base += base
    return base[: field.most or _USUAL].strip() or field.name
