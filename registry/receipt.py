"""What became of an entry that was submitted."""

from __future__ import annotations

from dataclasses import dataclass

from weid.errors import RejectedError

__all__ = ["Receipt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one entry: its index (None: never reached the log) and `applied`, `duplicate` or a code."""

    index: int | None
    code: str
    detail: str = ""

    @property
    def applied(self) -> bool:
        """Whether it took effect now or before."""
        return self.code in ("applied", "duplicate")

    def require(self) -> Receipt:
        """This receipt, or RejectedError with its code."""
        if not self.applied:
            raise RejectedError(self.detail or self.code, code=self.code)
        return self
