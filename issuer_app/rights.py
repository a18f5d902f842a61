"""What an institution may do today, from its accreditation records."""

from __future__ import annotations

from dataclasses import dataclass

from credentials.schema import Schema, read_schema
from issuer_app.problems import NotFoundError
from weid.facts import Facts, Found
from weid.records import AccreditationRecord, IssuerRecord, Period, RootRecord

__all__ = ["Institution", "Right", "institution_of", "log_time", "rights_of", "schema_of"]


@dataclass(frozen=True, slots=True)
class Right:
    """The newest period of one right. `state`: now, later, ended, suspended, removed."""

    digest: bytes
    schema: Schema
    state: str
    since: int
    until: int
    level: int


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution as the registry knows it, with its rights."""

    record: IssuerRecord
    rights: tuple[Right, ...]


def rights_of(facts: Facts, did: str, at: int) -> tuple[Right, ...]:
    """Every right the issuer ever had, the usable ones first; what counts is the log's own time."""
    now = log_time(facts)
    found = [_right(facts, item.record, now, at) for item in facts.find("accreditation", f"{did}|")]
    return tuple(sorted(found, key=lambda right: (right.state != "now", right.schema.name)))


def _right(facts: Facts, record: AccreditationRecord, now: int, at: int) -> Right:
    current = record.at(now)
    period = current or record.periods[-1]
    state = "now" if current is not None and at < period.until else _state(period, now)
    return Right(record.schema, schema_of(facts, record.schema), state, period.since, period.until, record.level)


def _state(period: Period, now: int) -> str:
    if period.end is not None:
        return period.end
    return "later" if now < period.since else "ended"


def institution_of(facts: Facts, did: str, at: int) -> Institution:
    """One institution; NotFoundError."""
    answer = facts.fact("issuer", did)
    if not isinstance(answer, Found):
        raise NotFoundError("no institution of that name has applied")
    return Institution(answer.record, rights_of(facts, did, at))


def schema_of(facts: Facts, digest: bytes) -> Schema:
    """A published schema; NotFoundError, or SchemaError for one this toolkit cannot use."""
    answer = facts.fact("schema", digest.hex())
    if not isinstance(answer, Found):
        raise NotFoundError("no such kind of certificate is published")
    return read_schema(answer.record.document, digest)


def log_time(facts: Facts) -> int:
    """The minute the registry's log has reached."""
    answer = facts.fact("trust", "root")
    record: RootRecord | None = answer.record if isinstance(answer, Found) else None
    return 0 if record is None else record.log_time
