"""What a supervisor sees of the desk and the verifier: numbers and routes, nobody's data."""

from __future__ import annotations

import json
import logging

import pytest

from tests.issuer_app.house import House, Person
from tests.issuer_app.test_api import CLAIMS
from tests.verifier_app.places import Place


def test_metrics_count_and_tell_nobody(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Prometheus text with counts; the log has the route's pattern, and neither path, query nor name."""
    house.accredit()
    row = house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random)
    app = house.app()
    with caplog.at_level(logging.INFO, "weid.requests"):
        clerk = Person(app, "chen")
        assert clerk.get(f"/desk/certificates/{row.id}?q={CLAIMS['certificateNumber']}").status_code == 200
        text = app.test_client().get("/metrics").text
    assert 'weid_issuer_certificates{state="valid"} 1' in text
    assert 'weid_issuer_requests_total{route="/desk/certificates/<id_>",method="GET",status="200"} 1' in text
    assert 'weid_issuer_request_seconds_bucket{le="+Inf"}' in text
    lines = [record.getMessage() for record in caplog.records if record.name == "weid.requests"]
    assert {"at", "app", "method", "route", "status", "ms", "bytes"} == set(json.loads(lines[-1]))
    told = "\n".join([text, *lines])
    assert not any(word in told for word in (row.id, CLAIMS["certificateNumber"], CLAIMS["holderName"], "127.0.0.1"))


def test_metrics_are_for_this_machine_and_for_keys(house: House) -> None:
    """Elsewhere, or behind a proxy, a key with the scope opens them; another key or none does not."""
    app = house.app()
    users, http = app.extensions["issuer_app"].users, app.test_client()
    keys = {scope: users.add_key("k", frozenset({scope}), house.now) for scope in ("metrics:read", "certificates:read")}
    away = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    assert http.get("/metrics", **away).status_code == 404
    assert http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 404
    codes = [http.get("/metrics", headers={"Authorization": f"Bearer {key}"}, **away).status_code for key in keys.values()]
    assert codes == [200, 404]
    assert http.get("/readyz", **away).json == {"ready": True, "reason": None}


def test_a_verifier_is_ready_while_its_trust_data_are_good(place: Place) -> None:
    """503 with a word once they are too old."""
    http = place.client()
    assert http.get("/readyz").status_code == 200
    assert "weid_verifier_trust_age_seconds" in http.get("/metrics").text
    place.clock += 60 * 24 * 365
    answer = http.get("/readyz")
    assert (answer.status_code, answer.json["reason"]) == (503, "stale-trust")


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place"), "certificate-authority", "skill-certificate")
