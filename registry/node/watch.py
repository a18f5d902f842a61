"""What an operator watches: /metrics (Prometheus text), /healthz, /readyz, and a line in the audit log for every write."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from flask import Blueprint, Response

from registry.log import Receipt, Registry
from registry.node.audit_log import AuditLog
from registry.operations import read_entry
from registry.rejections import UNAUTHENTIC
from weid.codec import rfc3339
from weid.errors import MalformedError, WeidError

__all__ = ["Watch", "watch_blueprint"]

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_LATE: Final = 10  # minutes: a log whose clock stands still is not one to write to


class Watch:
    """Counts what a node does. `seconds` measures durations, `clock` gives the minute (None: log time is not judged)."""

    def __init__(
        self,
        registry: Registry,
        *,
        seconds: Callable[[], float],
        clock: Callable[[], int] | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        self._registry, self._seconds, self._clock, self._audit = registry, seconds, clock, audit
        self._lock = Lock()
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0
        self._refused: Counter[str] = Counter()
        self._results: Counter[str] = Counter()
        self._counted = 0

    def submit(self, data: bytes) -> Receipt:
        """Submit one entry, measured and noted."""
        start = self._seconds()
        receipt = self._registry.submit([data])[0]
        with self._lock:
            if receipt.index is None:
                self._refused[receipt.code] += 1
            else:
                took = self._seconds() - start
                self._buckets[bisect_left(BUCKETS, took)] += 1
                self._sum += took
        self._note(data, receipt)
        return receipt

    def acted(self, act: str, result: str, **more: Any) -> None:
        """Note an act that is no operation of a stranger: a register that was handed in, a state that was signed."""
        if self._audit is not None:
            self._audit.write(self._now(), act, result, **more)

    def metrics(self) -> str:
        """The Prometheus text format, version 0.0.4."""
        registry, lines = self._registry, list[str]()
        size, now = registry.size, registry.state.now
        _gauge(lines, "weid_log_size", "Entries of the log.", size)
        _gauge(lines, "weid_log_time_seconds", "Log time, as seconds since the epoch.", now * 60)
        if self._clock is not None:
            _gauge(lines, "weid_log_time_age_seconds", "How far log time is behind the clock.", (self._clock() - now) * 60)
        if registry.high_water is not None:
            _gauge(lines, "weid_high_water_size", "The largest log that was ever signed.", registry.high_water)
        commits = registry.state.commits
        _gauge(lines, "weid_state_size", "The size of the newest signed state.", commits[-1].size if commits else 0)
        with self._lock:
            self._count()
            _counter(lines, "weid_operations_total", "Entries of the log by result.", self._results)
            _counter(lines, "weid_refused_total", "Entries refused before the log, by reason, since the start.", self._refused)
            lines += ["# HELP weid_append_seconds Time to append durably and apply.", "# TYPE weid_append_seconds histogram"]
            total = 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._buckets, strict=True):
                total += count
                lines.append(f'weid_append_seconds_bucket{{le="{bound}"}} {total}')
            lines += [f"weid_append_seconds_sum {self._sum:.6f}", f"weid_append_seconds_count {total}"]
        return "\n".join(lines) + "\n"

    def unready(self) -> str | None:
        """Why operations should not be sent here now, or None."""
        registry = self._registry
        try:
            registry.catch_up()
            registry.checkpoint()
            registry.check_keys()
        except WeidError as error:
            return error.code
        if not registry.engine.head().size == registry.size == registry.state.size:
            return "other-writer"
        if self._clock is not None and self._clock() - registry.state.now > _LATE:
            return "log-time-late"
        return None

    def _count(self) -> None:
        """Add the results that are new: the list only grows."""
        end = len(self._registry.results)
        self._results.update(self._registry.results[self._counted : end])
        self._counted = end

    def _now(self) -> str:
        return rfc3339(self._registry.state.now if self._clock is None else self._clock())

    def _note(self, data: bytes, receipt: Receipt) -> None:
        if self._audit is None:
            return
        known: dict[str, Any] = {}
        if receipt.code not in UNAUTHENTIC:
            try:
                operation = read_entry(data, hash=self._registry.genesis.hash).operation
                known = {"who": operation.kid, "type": operation.type, "subject": operation.sub}
            except MalformedError:
                known = {}
        self._audit.write(self._now(), "operation", receipt.code, index=receipt.index, **known)


def watch_blueprint(watch: Watch) -> Blueprint:
    """The three routes. They tell nothing that the log does not; whoever wants them private serves them behind a proxy."""
    routes = Blueprint("watch", __name__)

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(watch.metrics(), content_type="text/plain; version=0.0.4; charset=utf-8")

    @routes.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    @routes.get("/readyz")
    def readyz() -> Response:
        reason = watch.unready()
        return Response(f"{reason or 'ready'}\n", 503 if reason else 200, content_type="text/plain; charset=utf-8")

    return routes


def _gauge(lines: list[str], name: str, help: str, value: int) -> None:
    lines += [f"# HELP {name} {help}", f"# TYPE {name} gauge", f"{name} {value}"]


def _counter(lines: list[str], name: str, help: str, counts: Counter[str]) -> None:
    lines += [f"# HELP {name} {help}", f"# TYPE {name} counter"]
    lines += [f'{name}{{result="{code}"}} {count}' for code, count in sorted(counts.items())]
