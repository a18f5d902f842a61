"""What was issued before: a line is new, or a certificate already, or speaks against one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from issuer_app.desk import Desk
from issuer_app.forms import Fault
from issuer_app.importing.checking import Wrong
from issuer_app.importing.records import Import, Imports
from weid.canon import JSON

__all__ = ["Before"]


@dataclass(frozen=True, slots=True)
class Before:
    """The numbers in use when it was made, and contents as they are asked for."""

    desk: Desk
    records: Imports
    job: Import
    taken: Mapping[JSON, str]

    @classmethod
    def of(cls, desk: Desk, records: Imports, job: Import) -> Self:
        """What stands against the lines of an import now."""
        return cls(desk, records, job, records.numbers(job.schema, job.mapped.key) if job.mapped.key else {})

    def judge(self, lines: Sequence[tuple[str, Mapping[str, JSON]]]) -> list[tuple[Wrong | None, str | None]]:
        """For each (mark, claims): what speaks against issuing it, or the certificate it became before."""
        known = self.records.known([mark for mark, _ in lines])
        return [self._one(claims, known.get(mark)) for mark, claims in lines]

    def _one(self, claims: Mapping[str, JSON], known: tuple[str, str] | None) -> tuple[Wrong | None, str | None]:
        if known is not None and known[1] in ("revoked", "draft"):
            return Wrong(-1, Fault("fault.row-revoked" if known[1] == "revoked" else "fault.row-draft")), None
        if known is not None:
            return None, known[0]
        key = self.job.mapped.key
        other = self.taken.get(claims.get(key)) if key else None
        if other is None:
            return None, None
        if dict(self.desk.get(other).claims) == dict(claims):
            return None, other
        place = self.job.mapped.claim(key)
        return Wrong(-1 if place is None else place, Fault("fault.row-number-taken", (("id", other[:8]),))), None
