"""The verifier's API keeps its own description, whatever is sent to it."""

from __future__ import annotations

import pytest
from openapi_spec_validator import validate

from tests.browser import serving
from tests.described import faults
from tests.verifier_app.places import Place
from verifier_app.openapi import document, paths_of

PROGRAMS = ("/openapi.json", "/healthz", "/readyz", "/metrics", "/api/", "/vc-api/", "/1.0/")


def test_the_description_is_valid_openapi_and_says_what_there_is(place: Place) -> None:
    """OpenAPI 3.1; every route for programs is described and nothing else."""
    app = place.app(VC_API=True)
    served = app.test_client().get("/openapi.json").json
    validate(served)
    described = {(path, method) for path, item in served["paths"].items() for method in item}
    assert described == {(path, method) for path, method in paths_of(app.url_map) if path.startswith(PROGRAMS)}
    assert set(document()["paths"]) - set(served["paths"]) == {"/1.0/identifiers/{identifier}"}  # this one serves no resolver


@pytest.mark.parametrize(("examples", "phases"), [
    (4, ["fuzzing"]),
    pytest.param(60, ["examples", "coverage", "fuzzing", "stateful"], marks=pytest.mark.long),
])  # fmt: skip
def test_the_api_keeps_its_description(place: Place, examples: int, phases: list[str]) -> None:
    """Right and wrong requests to every operation."""
    with serving(place.app(VC_API=True)) as address:
        wrong, made = faults(address, examples=examples, phases=phases)
    assert wrong == []
    assert made >= 8 * examples // 2


def test_every_refusal_of_the_api_is_a_problem_document(place: Place) -> None:
    """404, 405, 413 and 415 too, with what a program needs to go on."""
    http = place.client(VC_API=True)
    calls = (
        (404, http.get("/api/v1/nothing")), (405, http.get("/api/v1/verify")),
        (415, http.post("/api/v1/verify", data=b"{}", content_type="text/plain")),
        (413, http.post("/api/v1/verify", data=b"x" * (13 << 20), content_type="image/png")),
        (400, http.post("/api/v1/verify", json={"data": "x", "more": 1})), (404, http.get("/vc-api/nothing")),
    )  # fmt: skip
    for status, answer in calls:
        assert (answer.status_code, answer.mimetype, answer.json["status"]) == (status, "application/problem+json", status)
    assert "POST" in calls[1][1].headers["Allow"]
