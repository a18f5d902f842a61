"""What breaks down here says nothing about what is checked: the fail-closed line, and trust data that cannot be asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from credentials.case import Result, unknown
from weid.errors import RegistryError, WeidError
from weid.facts import Fact, Facts, Found

__all__ = ["UNUSABLE", "Guarded", "calmly", "unusable"]

T = TypeVar("T")

UNUSABLE: Final = "facts-unusable"
_LOG = logging.getLogger(__name__)


def calmly(run: Callable[..., T], otherwise: T, *given: object) -> T:
    """What `run` gives for `given`, or `otherwise` where it breaks down; an error of the tree is the caller's."""
    try:
        return run(*given)
    except WeidError:
        raise
    except Exception:  # noqa: BLE001  # the one fail-closed line: a defect must read as "no", not as a crash or a yes
        _LOG.exception("a check broke down")
        return otherwise


def unusable(error: WeidError) -> Result | None:
    """UNKNOWN where an error says that the trust data could not be asked: missing data are no sign against anything."""
    return unknown(UNUSABLE, {"reason": str(error)}) if error.code == UNUSABLE else None


class Guarded:
    """Facts whose every failure is one RegistryError `facts-unusable`, so that a check's own defect stays apart from it."""

    __slots__ = ("_facts",)

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        """As `Facts.fact`."""
        return self._asked(self._facts.fact, kind, key, at)

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        """As `Facts.find`."""
        return self._asked(self._facts.find, kind, prefix)

    def _asked(self, question: Callable[..., T], *given: object) -> T:
        try:
            answer = calmly(question, None, *given)
        except WeidError as error:
            raise RegistryError(f"the trust data could not be asked: {error}", code="facts-unusable") from error
        if answer is None:
            raise RegistryError("the trust data could not be asked", code="facts-unusable")
        return answer
