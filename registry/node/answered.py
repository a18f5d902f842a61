"""What an app answered: counts and durations by route for /metrics, /healthz and /readyz, and a line of JSON a request.

Only the route's pattern is written, never a path, a query, an address or a name: nobody's certificate, link or token is in it.
"""

from __future__ import annotations

import json
import logging
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from flask import Blueprint, Flask, Response, abort, g, jsonify, request

from weid.errors import WeidError

__all__ = ["Answered", "at_home", "health_blueprint", "log_to", "observe"]

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LOG: Final = logging.getLogger("weid.requests")
_NONE: Final = "(none)"


class Answered:
    """The counters of one app; `seconds` measures durations, `clock` dates the lines."""

    def __init__(self, name: str, *, seconds: Callable[[], float], clock: Callable[[], datetime]) -> None:
        self.name, self.seconds, self.clock = name, seconds, clock
        self._lock = Lock()
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def add(self, route: str, method: str, status: int, took: float) -> None:
        """Count one answer."""
        with self._lock:
            self._counts[route, method, status] += 1
            self._buckets[bisect_left(BUCKETS, took)] += 1
            self._sum += took

    def text(self, gauges: Mapping[str, tuple[str, Mapping[str, float]]]) -> str:
        """All of it and the gauges (name → (help, label pairs → value)) in Prometheus' text format 0.0.4."""
        with self._lock:
            counts, buckets, total = dict(self._counts), list(self._buckets), self._sum
        base = f"weid_{self.name}"
        lines = [f"# HELP {base}_requests_total Requests answered.", f"# TYPE {base}_requests_total counter"]
        lines += [
            f'{base}_requests_total{{route="{route}",method="{method}",status="{status}"}} {count}'
            for (route, method, status), count in sorted(counts.items())
        ]
        lines += [f"# HELP {base}_request_seconds Time to answer.", f"# TYPE {base}_request_seconds histogram"]
        seen = 0
        for edge, count in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
            seen += count
            lines.append(f'{base}_request_seconds_bucket{{le="{edge}"}} {seen}')
        lines += [f"{base}_request_seconds_sum {total:.6f}", f"{base}_request_seconds_count {seen}"]
        for name, (words, values) in gauges.items():
            lines += [f"# HELP {base}_{name} {words}", f"# TYPE {base}_{name} gauge"]
            lines += [f"{base}_{name}{f'{{{label}}}' if label else ''} {value:g}" for label, value in values.items()]
        return "\n".join(lines) + "\n"


def observe(app: Flask, answered: Answered) -> None:
    """Count every answer of the app and write its line; register it before anything that may refuse a request."""

    def begin() -> None:
        g.answered_from = answered.seconds()

    def end(response: Response) -> Response:
        rule = request.url_rule
        route, method = (rule.rule, request.method) if rule is not None else (_NONE, "OTHER")
        took = answered.seconds() - g.get("answered_from", answered.seconds())
        answered.add(route, method, response.status_code, took)
        if LOG.isEnabledFor(logging.INFO):
            LOG.info(json.dumps({
                "at": answered.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "app": answered.name, "method": method,
                "route": route, "status": response.status_code, "ms": round(took * 1_000, 1),
                "bytes": response.content_length,
            }))  # fmt: skip
        return response

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request(end)


def log_to(path: Path | None) -> None:
    """Write the lines to a file that its owner alone may read, to standard error for `-`, or nowhere."""
    if path is None:
        return
    if str(path) != "-":
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    LOG.addHandler(logging.StreamHandler() if str(path) == "-" else logging.FileHandler(path, encoding="utf-8"))
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def at_home() -> bool:
    """Whether the request comes from this machine itself, and not through a proxy that runs on it."""
    forwarded = {"Forwarded", "X-Forwarded-For", "X-Real-Ip"} & {name.title() for name in request.headers.keys()}  # noqa: SIM118
    return request.remote_addr in ("127.0.0.1", "::1") and not forwarded


def health_blueprint(
    answered: Answered, *, gauges: Callable[[], Mapping[str, tuple[str, Mapping[str, float]]]], ready: Callable[[], str | None],
    allowed: Callable[[], bool],
) -> Blueprint:  # fmt: skip
    """/healthz and /readyz for everybody, /metrics for whom `allowed` lets in (others are told that there is no such page).

    `ready` gives None, or one word for why requests should not be sent here.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthy() -> Response:
        return jsonify(ok=True)

    @routes.get("/readyz")
    def is_ready() -> Response:
        try:
            reason = ready()
        except WeidError as error:
            reason = error.code
        response = jsonify(ready=reason is None, reason=reason)
        response.status_code = 200 if reason is None else 503
        return response

    @routes.get("/metrics")
    def metrics() -> Response:
        if not allowed():
            abort(404)
        return Response(answered.text(gauges()), content_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
