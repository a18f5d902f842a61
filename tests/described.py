"""Runs schemathesis over an app's own description: every operation with what fits it, and with what does not.

All of schemathesis' checks but `positive_data_acceptance`: whether a well-formed request is granted depends on what the
registry knows and on which Idempotency-Key was used before, which no schema can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema

LEFT_OUT = ["positive_data_acceptance"]


def faults(address: str, *, examples: int, phases: Sequence[str], seed: int = 1, **headers: str) -> tuple[list[str], int]:
    """(what was wrong, with the request that shows it; how many requests were made)."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    schema.config.update(headers=headers)
    schema.config.generation.update(max_examples=examples, database="none")
    schema.config.phases.update(phases=list(phases))
    schema.config.seed = seed
    schema.config.checks.update(excluded_check_names=LEFT_OUT)
    found: dict[tuple[str, str], str] = {}
    made = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            made += len(event.recorder.cases)
            for case, results in event.recorder.checks.items():
                for result in results:
                    if result.failure_info is not None:
                        request: Any = event.recorder.cases[case].value
                        key = (result.name, result.failure_info.failure.operation)
                        found.setdefault(key, f"{result.failure_info.failure.message}\n{request.as_curl_command()}"[:1_500])
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.NonFatalError):
            found[str(event.label), "error"] = str(event.value)
    return [f"{key[1]} {key[0]}: {words}" for key, words in found.items()], made
